"""Optimisers with ``ask`` and ``tell``, such as those of scikit-optimize, as strategies."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies import PlainStrategy

MOST_TRIES = 100
"""Number of points without an architecture after which a random architecture is proposed instead."""


class Optimiser(Protocol):
    """Minimises a loss over points with one number from 0, 1, ..., n_j - 1 for every code j."""

    def ask(self) -> Sequence[Any]:
        """Return the next point to evaluate."""

    def tell(self, point: Any, loss: float) -> Any:
        """Observe the loss of a point that `ask` returned."""


def ask_tell_search(make: Callable[[list[int], int], Optimiser], title: str = "ask-tell") -> PlainStrategy:
    """Return a strategy that runs one optimiser per run. It is slow: one Python call per run and evaluation.

    The optimiser sees the codes of an architecture as categories. Points without an architecture and failed trainings
    get the worst loss so far. Before the run has seen a loss, the optimiser waits for the loss of such a point while
    random architectures are evaluated.

    Args:
        make: called as ``make(cardinalities, seed)`` for every run; returns an object with ``ask()`` and
            ``tell(point, loss)`` that minimises the loss.
        title: name of the strategy.

    With scikit-optimize::

        def make(cardinalities, seed):
            return skopt.Optimizer([skopt.space.Categorical(range(n)) for n in cardinalities], random_state=seed)

        nl.simulate(table, ask_tell_search(make, "skopt"), runs=20, budget=nl.Budget(evaluations=100))
    """

    def start(space: Space, random: np.random.Generator) -> _Run:
        return _Run(space, random, make)

    return PlainStrategy(start, title=title)  # no argument of the strategy: its label is the title


class _Run:
    """One run, which turns points into architectures and values into losses."""

    def __init__(self, space: Space, random: np.random.Generator, make: Callable[[list[int], int], Optimiser]) -> None:
        self._space, self._random = space, random
        self._optimiser = make(list(space.cardinalities), int(random.integers(2**31)))
        self._point: Any = None
        self._waiting = False  # whether the optimiser waits for the loss of its point, until a first loss is known
        self._worst: float | None = None

    def ask(self) -> int:
        """Return the architecture of the optimiser's next point, or a random one while the optimiser waits."""
        for _ in range(0 if self._waiting else MOST_TRIES):
            self._point = self._optimiser.ask()
            architecture = int(self._space.find(np.array([int(code) for code in self._point])))
            if architecture >= 0:
                return architecture
            if self._worst is None:
                self._waiting = True
                break
            self._optimiser.tell(self._point, self._worst)
        if not self._waiting:
            self._point = None
        return int(self._random.integers(self._space.size))

    def tell(self, architecture: int, value: float) -> None:
        """Tell the optimiser the loss of its point; a random architecture is not reported to it."""
        loss = -value
        if not math.isnan(loss):
            self._worst = loss if self._worst is None else max(self._worst, loss)
        if self._worst is None:
            self._waiting = True
            return
        if self._point is not None:
            self._optimiser.tell(self._point, self._worst if math.isnan(loss) or self._waiting else loss)
        self._waiting = False
