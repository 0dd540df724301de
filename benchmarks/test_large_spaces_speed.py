"""What a search itself costs in a space of 1.08e18 architectures, beside one of 15,625: only asking and telling."""

import numpy as np
import pytest

from nasbench_lab.spaces import make_space
from nasbench_lab.strategies import Evaluations, Problem, Proposals
from nasbench_lab.strategies.lookup import find_strategy
from nasbench_lab.streams import Streams, mix64

SMALL = "15,625 architectures"
SPACES = {SMALL: {"name": "topology"}, "1.08e18 architectures": {"name": "darts"}}
SEARCHES = {  # numbers of runs and of evaluations
    "regularized-evolution": (1_000, 500),
    "local-search": (1_000, 500),
    "random-search": (1_000, 500),
    "tpe": (1_000, 100),
    "adversarial-search": (256, 100),
    "bananas": (8, 100),
    "brp-nas": (8, 100),
    "gp-bo": (16, 100),
    "gp-bo:kernel=path": (16, 100),
    "npenas": (8, 100),
    "predictor-search": (8, 100),
    "progressive-search": (8, 100),
    "recurrent-controller": (16, 100),
    "smac": (48, 100),
}


def search(strategy, space, runs, evaluations):
    """Ask for evaluations and tell made-up values of them."""
    state, count = strategy.start(Problem(space, Streams(0, 0, runs))), 0
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
    space, strategy, (runs, evaluations) = make_space(SPACES[size]), find_strategy(label), SEARCHES[label]
    benchmark.group = f"{label}, {evaluations} evaluations"
    if not benchmark.enabled:
        runs, evaluations = 4, 12
    search(strategy, space, runs, 2)  # makes what is kept
    contender = "ours" if size == SMALL else size
    per_item(contender, runs * evaluations, lambda: search(strategy, space, runs, evaluations), rounds=3)
