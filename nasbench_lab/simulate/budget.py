"""How much a run may spend."""

from __future__ import annotations

import math
from dataclasses import dataclass

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
        limits = {"evaluations": self.evaluations, "epochs": self.epochs, "seconds": self.seconds}
        if all(limit is None for limit in limits.values()):
            raise ParameterError("a budget needs evaluations, epochs or seconds")
        for name, limit in limits.items():
            if limit is None:
                continue
            if isinstance(limit, bool) or not isinstance(limit, int | float):
                raise ParameterError(f"a budget must be a number, got {name}={limit!r}")
            if name != "seconds" and limit != int(limit if math.isfinite(limit) else 0):
                raise ParameterError(f"a budget of {name} must be a whole number, got {name}={limit}")
            if not 0 < limit < math.inf:
                raise ParameterError(f"a budget must be positive, got {name}={limit}")

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
