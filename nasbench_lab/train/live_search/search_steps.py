"""The evaluations of a live search that have ended, and how far the search is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

from nasbench_lab.train.live_search.workers import Running


class LiveStep(NamedTuple):
    """An evaluation that has ended.

    Attributes:
        architecture: index.
        epochs: fidelity.
        repeat: number of the observed repeat, -1 for the mean.
        observed: observed value, NaN for a failed training.
        clock: seconds of the search at its end.
        feasible: whether the architecture keeps all limits.
        recommended: what the strategy recommended after it; -1 for nothing.
        fresh: whether something was trained for it.
        parent: number of the proposal whose weights it started from; -1 for random weights.
    """

    architecture: int
    epochs: int
    repeat: int
    observed: float
    clock: float
    feasible: bool
    recommended: int
    fresh: bool
    parent: int = -1


@dataclasses.dataclass(frozen=True)
class SearchState:
    """How far a search is.

    Attributes:
        steps: the evaluations that have ended, in this order.
        running: trainings that are being done.
        clock: seconds of the search.
    """

    steps: Sequence[LiveStep]
    running: Sequence[Running]
    clock: float


Report = Callable[[SearchState], None]
"""Called about once a second, and after every evaluation."""
