"""Relative improvement over the average random architecture.

Yang, Esperança and Carlucci (2020, "NAS evaluation is frustratingly hard", ICLR) compare strategies on different search
spaces by

    RI = 100 (Acc_m - Acc_r) / Acc_r

where Acc_m is the accuracy of what a search found and Acc_r that of an architecture drawn at random. A good space makes
any search look good, and the ratio removes this effect. They estimate Acc_r from a few trained samples; a table gives
it exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.simulation.reference import Reference
from nasbench_lab.tables.description import Direction


def relative_improvement(value: ArrayLike, random_value: float, direction: Direction = "maximize") -> FloatArray:
    """Return by how many percent values are better than that of the average random architecture.

    Where less is better, the sign is turned: positive is always better. NaN stays NaN: it has no value to compare.

    Args:
        value: of the architectures found, any shape.
        random_value: mean value of all architectures; not 0.
        direction: ``"maximize"`` or ``"minimize"``.

    Raises:
        ParameterError: ``random_value`` is 0 or not finite, or there is no such direction.

    >>> relative_improvement([93.5, 85.0], 85.0).tolist(), relative_improvement(0.25, 0.5, "minimize").tolist()
    ([10.0, 0.0], 50.0)
    """
    if not np.isfinite(random_value) or random_value == 0:
        raise ParameterError(
            f"the value of the average random architecture must be finite and not 0, got {random_value}"
        )
    if direction not in ("maximize", "minimize"):
        raise ParameterError(f'direction must be "maximize" or "minimize", got {direction!r}')
    gain = np.asarray(value, dtype=np.float64) - random_value
    return 100 * (-gain if direction == "minimize" else gain) / abs(random_value)


def random_value(reference: Reference, split: str) -> float:
    """Return the mean value of all architectures that have one: the value of the average random architecture.

    With limits, only the architectures that keep them count. NaN for a table that computes its answers: its mean is not
    known.

    Args:
        reference: the table's means of all architectures.
        split: ``"valid"`` or ``"test"``.

    Raises:
        UnknownNameError: there is no such split.
        MissingDataError: the table publishes no measurements of that split.
    """
    if split not in ("valid", "test"):
        raise unknown("split", split, ("valid", "test"))
    means = reference.mean(split)
    if reference.members is not None:
        return float("nan")
    if reference.feasible is not None:
        means = means[reference.feasible]
    known = means[np.isfinite(means)]
    return float(known.mean()) if len(known) else float("nan")
