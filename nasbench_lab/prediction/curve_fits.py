"""Learning curves extrapolated by functions that are fitted to their first part, many curves at once."""

from __future__ import annotations

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.strategies.models.power_law import PowerLaw

_AT_ONCE = 2**21  # numbers in the working arrays
_LOCATIONS, _SLOPES = 121, 80


def power_law_at(epochs: FloatArray, curves: FloatArray, end: float) -> FloatArray:
    """Return the values at ``end`` of power laws ``a - b e^-alpha`` with b >= 0 fitted to curves.

    Args:
        epochs: of the points, ascending, shape (points,); at least three.
        curves: values, shape (curves, points). A curve with a missing value (NaN) has no prediction.
        end: epochs at which the curves end.

    >>> epochs = np.array([1.0, 2, 4, 8])
    >>> bool(np.isclose(power_law_at(epochs, 90 - 50 * epochs[None] ** -1.0, 64), 90 - 50 / 64, atol=1)[0])
    True
    """
    law = PowerLaw([*epochs.astype(int).tolist(), int(end)], (len(curves),))
    for point in range(len(epochs)):
        law.add(np.full(len(curves), point), np.nan_to_num(curves[:, point]))
    found = law.at_end(np.full(len(curves), len(epochs) - 1))
    return np.where(np.isfinite(curves).all(axis=1), found, np.nan)


def log_power_at(epochs: FloatArray, curves: FloatArray, end: float, *, growing: bool = True) -> FloatArray:
    """Return the values at ``end`` of functions ``a / (1 + (e / e^b)^c)`` fitted to curves.

    The grid of c is positive for curves that fall, and negative for those that grow; b goes from a tenth of the first
    epoch to ten times the end. The scale a is the least-squares solution.

    Args:
        epochs: of the points, ascending, shape (points,).
        curves: values, shape (curves, points). A curve with a missing value (NaN) has no prediction.
        end: epochs at which the curves end.
        growing: whether curves grow.

    >>> epochs = np.array([1.0, 2, 4, 8])
    >>> curve = 90 / (1 + (epochs / 3) ** -1.0)
    >>> bool(np.isclose(log_power_at(epochs, curve[None], 64), 90 / (1 + (64 / 3) ** -1.0), atol=2)[0])
    True
    """
    b = np.linspace(np.log(0.1 * epochs[0]), np.log(10.0 * end), _LOCATIONS)
    c = np.geomspace(0.05, 5.0, _SLOPES) * (-1.0 if growing else 1.0)
    location, slope = (each.ravel() for each in np.meshgrid(b, c, indexing="ij"))

    def shape(at: FloatArray) -> FloatArray:
        exponent = slope * (np.log(at)[:, None] - location)
        return 1.0 / (1.0 + np.exp(np.minimum(exponent, 500.0)))

    basis, last = shape(epochs), shape(np.array([float(end)]))[0]  # (points, grid), (grid,)
    norm = np.maximum((basis**2).sum(axis=0), np.finfo(float).tiny)
    known = np.isfinite(curves).all(axis=1)
    found = np.full(len(curves), np.nan)
    rows = np.flatnonzero(known)
    for part in np.array_split(rows, max(1, -(-len(rows) * len(slope) // _AT_ONCE))):
        inner = curves[part] @ basis
        # The sum of squares is that of the curve less inner^2 / norm.
        best = np.argmax(inner**2 / norm, axis=1)
        scale = inner[np.arange(len(part)), best] / norm[best]
        found[part] = scale * last[best]
    return found
