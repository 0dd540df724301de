"""Results that a publication reports, for comparison with the results of a suite."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

from nasbench_lab.errors import ParameterError

Spread = tuple[float, float]
"""Mean and standard deviation over runs."""


@final
@dataclass(frozen=True)
class Published:
    """One row of a published table: the final values of the runs of one strategy.

    Attributes:
        strategy: name of the strategy in the suite; the suite gives its parameters.
        table: name of the table.
        source: the publication, and the number of its table.
        valid: mean and standard deviation of the final validation value, in the metric's unit; None if not reported.
        test: the same for the final test value.
        runs: number of runs.

    Raises:
        ParameterError: a value is invalid.

    >>> row = Published("random-search", "nats-bench-tss/cifar10", "Dong and Yang 2020, table 5", test=[93.70, 0.36])
    >>> row.test, row.runs
    ((93.7, 0.36), None)
    """

    strategy: str
    table: str
    source: str
    valid: Spread | None = None
    test: Spread | None = None
    runs: int | None = None

    def __post_init__(self) -> None:
        for name in ("strategy", "table", "source"):
            if not isinstance(value := getattr(self, name), str) or not value.strip() or not value.isprintable():
                raise ParameterError(f"{name} of a published row must be a text, got {value!r}")
        for name in ("valid", "test"):
            object.__setattr__(self, name, _spread(name, getattr(self, name)))
        if self.valid is None and self.test is None:
            raise ParameterError(f"the published row of {self.strategy!r} on {self.table!r} needs valid or test")
        if self.runs is not None and (not isinstance(self.runs, int) or isinstance(self.runs, bool) or self.runs < 2):
            raise ParameterError(f"runs of a published row must be a whole number from 2, got {self.runs!r}")


def _spread(name: str, value: Any) -> Spread | None:
    if value is None:
        return None
    good = isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_number, value)) and value[1] >= 0
    if not good:
        raise ParameterError(f"{name} of a published row must be [mean, standard deviation], got {value!r}")
    return float(value[0]), float(value[1])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
