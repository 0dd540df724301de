"""What a search itself costs in a space of 1.08e18 architectures, beside one of 15,625: asking and telling, no values."""

import numpy as np
import pytest

from nasbench_lab.spaces import make_space
from nasbench_lab.strategies import Evaluations, Problem, Proposals
from nasbench_lab.strategies.lookup import find_strategy
from nasbench_lab.streams import Streams, mix64

RUNS = 1_000
SPACES = {"15,625 architectures": {"name": "topology"}, "1.08e18 architectures": {"name": "darts"}}
SEARCHES = {"regularized-evolution": 500, "local-search": 500, "tpe": 100, "random-search": 500}


def search(strategy, space, evaluations):
    """Ask for evaluations and tell made-up values of them."""
    state, count = strategy.start(Problem(space, Streams(0, 0, RUNS))), 0
    while count < evaluations:
        asked = strategy.ask(state)
        architecture = asked.architecture if isinstance(asked, Proposals) else asked
        number = np.broadcast_to(np.arange(count, count + architecture.shape[1]), architecture.shape)
        value = (mix64(architecture.astype(np.uint64)) >> np.uint64(11)) * 2.0**-53
        strategy.tell(state, Evaluations(architecture, value, number))
        count += architecture.shape[1]


@pytest.mark.parametrize("label", SEARCHES)
@pytest.mark.parametrize("size", SPACES)
def test_search(benchmark, per_item, size, label):
    space, strategy, evaluations = make_space(SPACES[size]), find_strategy(label), SEARCHES[label]
    benchmark.group = f"{label}, {evaluations} evaluations"
    search(strategy, space, 2)  # makes what is kept
    per_item(lambda: search(strategy, space, evaluations), RUNS * evaluations)
