"""How much a run may spend."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasbench_lab.errors import ParameterError


@dataclass(frozen=True)
class Budget:
    """Limits of one run; it ends where the first of them would be passed.

    An evaluation counts if it ends within every limit, the limit included. The first one that does not ends the run.

    Args:
        evaluations: number of evaluations.
        epochs: training epochs, summed over evaluations.
        seconds: simulated seconds; only for tables with times.

    Raises:
        ParameterError: no limit is given, or one is not positive.

    >>> Budget(evaluations=300)
    Budget(evaluations=300, epochs=None, seconds=None)
    >>> Budget(seconds=0)
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: a budget must be positive, got seconds=0
    """

    evaluations: int | None = None
    epochs: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.evaluations is None and self.epochs is None and self.seconds is None:
            raise ParameterError("a budget needs evaluations, epochs or seconds")
        for name, kind in (("evaluations", int), ("epochs", int), ("seconds", float)):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _check(name, getattr(self, name), kind))

    def max_evaluations(self, fidelity: int) -> int | None:
        """Return how many evaluations at a fidelity (in epochs) fit in, or None if only seconds limit them.

        >>> Budget(evaluations=10, epochs=100).max_evaluations(12)
        8
        """
        limits = []
        if self.evaluations is not None:
            limits.append(int(self.evaluations))
        if self.epochs is not None:
            limits.append(int(self.epochs) // fidelity)
        return min(limits) if limits else None

    def __str__(self) -> str:
        parts = [f"{self.evaluations} evaluations" if self.evaluations is not None else ""]
        parts.append(f"{self.epochs} epochs" if self.epochs is not None else "")
        parts.append(f"{self.seconds:g} s" if self.seconds is not None else "")
        return ", ".join(part for part in parts if part)


def _check(name: str, limit: Any, kind: type[int | float]) -> int | float:
    """Return a limit as a plain int or float, or raise ParameterError."""
    if isinstance(limit, bool) or not isinstance(limit, int | float | np.integer | np.floating):
        raise ParameterError(f"a budget must be a number, got {name}={limit!r}")
    try:
        positive = limit > 0 and float(limit) < math.inf
    except OverflowError:
        raise ParameterError(f"a budget must be smaller than 1e308, got more for {name}") from None
    if not positive:
        raise ParameterError(f"a budget must be positive, got {name}={limit}")
    if kind(limit) != limit:
        raise ParameterError(f"a budget of {name} must be a whole number, got {name}={limit}")
    return kind(limit)
