"""Exhaustive search: evaluate all architectures in the official order, like a grid search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.problem import Evaluations, Problem

_BATCH = 64  # proposals at a time; it does not change the order


@dataclass
class _State:
    size: int
    runs: int
    next: int = 0


@final
@dataclass(frozen=True)
class Exhaustive(Strategy[_State]):
    """Evaluate architectures 0, 1, 2, ... in the official order of the space, each once; then the run ends.

    If the order is that of the codes, as in NAS-Bench-201 and NATS-Bench, this is grid search. Nothing is random: runs
    differ only in the repeats that they observe. `RandomSearch` with ``replacement=False`` goes through the space in
    random order.
    """

    name: ClassVar[str] = "exhaustive"
    aliases: ClassVar[tuple[str, ...]] = ("grid-search",)
    family: ClassVar[str] = "model-free"
    asynchronous: ClassVar[bool] = True
    deterministic: ClassVar[bool] = True

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation."""
        return _State(problem.space.size, problem.runs)

    def ask(self, state: _State) -> IntArray:
        """Propose the next architectures, shape (runs, 64); -1 after the last."""
        index = np.arange(state.next, state.next + _BATCH)
        state.next += _BATCH
        return np.broadcast_to(np.where(index < state.size, index, -1), (state.runs, _BATCH))

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Learn nothing."""
