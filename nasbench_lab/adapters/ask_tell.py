"""Optimisers that are asked for a point and told its loss, as in scikit-optimize, as strategies."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies import PlainStrategy

MOST_TRIES = 100
"""How often an optimiser is asked again when its codes describe no architecture, before a random one is proposed."""


class Optimiser(Protocol):
    """Minimises over points that have one number out of 0, 1, ..., n_j - 1 for every code."""

    def ask(self) -> Sequence[Any]:
        """Return the next point."""

    def tell(self, point: Any, loss: float) -> Any:
        """Take in the loss of a point that was asked for."""


def ask_tell_search(make: Callable[[list[int], int], Optimiser], title: str = "ask-tell") -> PlainStrategy:
    """Return a strategy that runs one optimiser per run: slow, a Python call per run and evaluation.

    The optimiser sees the codes of an architecture as categories. Points whose codes describe no architecture, and
    failed trainings, are told as the worst loss so far.

    Args:
        make: called as ``make(cardinalities, seed)`` for every run; returns an object with ``ask()`` and
            ``tell(point, loss)`` that minimises.
        title: what to call the strategy.

    With scikit-optimize::

        def make(cardinalities, seed):
            return skopt.Optimizer([skopt.space.Categorical(range(n)) for n in cardinalities], random_state=seed)

        nl.simulate(table, ask_tell_search(make, "skopt"), runs=20, budget=nl.Budget(evaluations=100))
    """
    return PlainStrategy(_Run, {"make": make}, title)


class _Run:
    """One run: turns points into architectures and values into losses."""

    def __init__(self, space: Space, random: np.random.Generator, make: Callable[[list[int], int], Optimiser]) -> None:
        self._space, self._random = space, random
        self._optimiser = make(list(space.cardinalities), int(random.integers(2**31)))
        self._point: Any = None
        self._worst = 0.0

    def ask(self) -> int:
        """Return the architecture of the optimiser's next point."""
        for _ in range(MOST_TRIES):
            self._point = self._optimiser.ask()
            architecture = int(self._space.find(np.array([int(code) for code in self._point])))
            if architecture >= 0:
                return architecture
            self._optimiser.tell(self._point, self._worst)
        self._point = None
        return int(self._random.integers(self._space.size))

    def tell(self, architecture: int, value: float) -> None:
        """Tell the optimiser the loss, unless the architecture was not its own."""
        loss = self._worst if math.isnan(value) else -value
        self._worst = max(self._worst, loss)
        if self._point is not None:
            self._optimiser.tell(self._point, loss)
