"""Nevergrad's optimisers as strategies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nasbench_lab.adapters.ask_tell import ask_tell_search
from nasbench_lab.adapters.global_random import GlobalRandom
from nasbench_lab.checks import AtLeast, require, whole
from nasbench_lab.errors import MissingDataError
from nasbench_lab.messages import first_line, unknown
from nasbench_lab.strategies import PlainStrategy

UNREPEATABLE: frozenset[str] = frozenset(
    ("CmaFmin2", "MetaModelFmin2", "Carola8", "Carola9", "Carola10", "Carola13", "MultiDS", "DS14")
)
"""Optimisers whose random numbers come from the clock (CmaFmin2 and those that contain it), or that draw in several
threads at once."""


def nevergrad_search(optimizer: str = "NGOpt", budget: int = 100) -> PlainStrategy:
    """Return a strategy that runs one Nevergrad optimiser per run. It is slow: one Python call per run and evaluation.

    The optimiser of every run gets its own seed. Many optimisers also draw from the global generators of NumPy and
    Python: these have states of their own for every run, and are afterwards what they were before.

    Args:
        optimizer: name in Nevergrad's registry, e.g. ``"NGOpt"``, ``"OnePlusOne"``, ``"DE"`` or ``"CMA"``.
        budget: number of evaluations that the optimiser plans with.

    Raises:
        UnknownNameError: Nevergrad has no such optimiser.
        ParameterError: the budget is not a whole number of at least 1, or the same seed does not repeat the optimiser.
        MissingDataError: when the simulation starts, if the optimiser needs a package that is not installed.

    For example::

        trace = nl.simulate(table, nevergrad_search("OnePlusOne"), runs=20, budget=nl.Budget(evaluations=100))
    """
    import nevergrad  # an extra

    whole("budget", budget, AtLeast(1))
    known = nevergrad.optimizers.registry
    if optimizer not in known:
        raise unknown("optimizer", optimizer, known)
    repeatable = optimizer not in UNREPEATABLE
    require(repeatable, f"optimizer {optimizer!r} of Nevergrad ignores seeds: no run of it can be repeated")

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
        with self._global, _needed_packages():
            self._optimizer = kind(parametrization=choices, budget=budget, num_workers=1)
        self._candidate: Any = None
        self._told: list[tuple[Any, float]] = []

    def ask(self) -> Sequence[int]:
        # Some optimisers run in a thread from one loss to the next point and draw from global states, so losses are
        # told in the same block.
        with self._global, _needed_packages():
            for candidate, loss in self._told:
                self._optimizer.tell(candidate, loss)
            self._candidate = self._optimizer.ask()
        self._told = []
        point: Sequence[int] = self._candidate.value
        return point

    def tell(self, point: Sequence[int], loss: float) -> None:
        self._told.append((self._candidate, loss))


@contextlib.contextmanager
def _needed_packages() -> Iterator[None]:
    """Say in one line which package an optimiser lacks."""
    try:
        yield
    except (ImportError, RuntimeError) as error:  # Nevergrad raises a RuntimeError for errors in threads
        lacking = error if isinstance(error, ImportError) else error.__cause__
        if not isinstance(lacking, ImportError):
            raise
        raise MissingDataError(f"this optimizer of Nevergrad lacks a package: {first_line(lacking)}") from error
