"""Searches with ask and tell, without a table: what a strategy proposes in any space, of any size."""

import numpy as np

from nasbench_lab.strategies import Evaluations, Problem, Proposals, Scores
from nasbench_lab.strategies.lookup import find_strategy
from nasbench_lab.streams import Streams


def quality(space, architecture):
    """The value of architectures, shape (...): a mean of waves over the codes, another one for every code."""
    codes = space.codes(architecture).astype(np.float64)
    number = np.arange(1, codes.shape[-1] + 1)
    return (np.cos(2.1 * codes + 3.0 * number) * np.sin(1.7 * number)).mean(axis=-1)


def search(strategy, space, *, runs=3, evaluations=40, fidelities=(1,), workers=1, objectives=1, seed=5, between=None):
    """What every run proposes, shape (runs, at least ``evaluations``), and the state after it.

    A run ends with -1s. ``between`` is called with the state before every step.
    """
    strategy, streams, names = find_strategy(strategy), Streams(seed, 0, runs), ("value", *"abc"[: objectives - 1])
    state = strategy.start(Problem(space, streams, fidelities, workers, names, _Qualities(space)))
    asked, count = [], 0
    while count < evaluations:
        if between is not None:
            between(state)
        proposed = strategy.ask(state)
        proposals = proposed if isinstance(proposed, Proposals) else Proposals(proposed)
        architecture = proposals.architecture
        number = np.broadcast_to(np.arange(count, count + architecture.shape[1]), architecture.shape)
        value = quality(space, np.maximum(architecture, 0))
        value[architecture < 0] = np.nan
        told = Evaluations(architecture, value, number, proposals.fidelity)
        if objectives > 1:
            told = told._replace(objectives=np.stack([value, *[-(value**2)] * (objectives - 1)], axis=-1))
        strategy.tell(state, told)
        asked.append(architecture)
        count += architecture.shape[1]
    return np.concatenate(asked, axis=1), state


class _Qualities(Scores):
    """One score, which says something about the values."""

    names = ("score",)

    def __init__(self, space):
        self._space = space

    def score(self, name, architecture):
        return np.round(quality(self._space, np.maximum(architecture, 0)), 1)
