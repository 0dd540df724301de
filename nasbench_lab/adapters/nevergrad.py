"""Nevergrad's optimisers as strategies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nasbench_lab.adapters.ask_tell import ask_tell_search
from nasbench_lab.adapters.global_random import GlobalRandom
from nasbench_lab.checks import AtLeast, whole
from nasbench_lab.errors import unknown
from nasbench_lab.strategies import PlainStrategy


def nevergrad_search(optimizer: str = "NGOpt", budget: int = 100) -> PlainStrategy:
    """Return a strategy that runs one Nevergrad optimiser per run. It is slow: one Python call per run and evaluation.

    Args:
        optimizer: name in Nevergrad's registry, e.g. ``"NGOpt"``, ``"OnePlusOne"``, ``"DE"`` or ``"CMA"``.
        budget: number of evaluations that the optimiser plans with.

    Raises:
        UnknownNameError: Nevergrad has no such optimiser.
        ParameterError: the budget is not a whole number of at least 1.

    For example::

        trace = nl.simulate(table, nevergrad_search("OnePlusOne"), runs=20, budget=nl.Budget(evaluations=100))
    """
    import nevergrad  # an extra

    whole("budget", budget, AtLeast(1))
    known = nevergrad.optimizers.registry
    if optimizer not in known:
        raise unknown("optimizer", optimizer, known)

    def make(cardinalities: list[int], seed: int) -> _Nevergrad:
        return _Nevergrad(known[optimizer], cardinalities, seed, budget)

    return ask_tell_search(make, f"nevergrad:{optimizer}")


class _Nevergrad:
    def __init__(self, kind: Any, cardinalities: list[int], seed: int, budget: int) -> None:
        import nevergrad

        choices = nevergrad.p.Tuple(*(nevergrad.p.Choice(range(number)) for number in cardinalities))
        # Not choices.random_state.seed(seed): reading that attribute draws from NumPy's global generator.
        choices.random_state = np.random.RandomState(seed)
        self._global = GlobalRandom(seed)
        with self._global:
            self._optimizer = kind(parametrization=choices, budget=budget, num_workers=1)
        self._candidate: Any = None

    def ask(self) -> Sequence[int]:
        with self._global:
            self._candidate = self._optimizer.ask()
        point: Sequence[int] = self._candidate.value
        return point

    def tell(self, point: Sequence[int], loss: float) -> None:
        with self._global:
            self._optimizer.tell(self._candidate, loss)
