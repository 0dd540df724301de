"""Searches with ask and tell, without a table: what a strategy proposes in any space, of any size."""

import numpy as np

from nasbench_lab.strategies import Evaluations, Problem, Proposals
from nasbench_lab.strategies.lookup import find_strategy
from nasbench_lab.streams import Streams


def quality(space, architecture):
    """The value of architectures, shape (...): a mean of waves over the codes, another one for every code."""
    codes = space.codes(architecture).astype(np.float64)
    number = np.arange(1, codes.shape[-1] + 1)
    return (np.cos(2.1 * codes + 3.0 * number) * np.sin(1.7 * number)).mean(axis=-1)


def search(strategy, space, *, runs=3, evaluations=40, fidelities=(1,), seed=5, between=None):
    """What every run proposes, shape (runs, at least ``evaluations``), and the state after it.

    ``between`` is called with the state before every step.
    """
    strategy = find_strategy(strategy)
    state, asked, count = strategy.start(Problem(space, Streams(seed, 0, runs), fidelities)), [], 0
    while count < evaluations:
        if between is not None:
            between(state)
        proposed = strategy.ask(state)
        proposals = proposed if isinstance(proposed, Proposals) else Proposals(proposed)
        architecture = proposals.architecture
        number = np.broadcast_to(np.arange(count, count + architecture.shape[1]), architecture.shape)
        value = quality(space, np.maximum(architecture, 0))
        strategy.tell(state, Evaluations(architecture, value, number, proposals.fidelity))
        asked.append(architecture)
        count += architecture.shape[1]
    return np.concatenate(asked, axis=1), state
