"""The arrays of a trace, of shape (runs, steps), in which runs can have different lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING: dict[str, float] = {
    "architecture": -1,
    "fidelity": 0,
    "repeat": -1,
    "observed": np.nan,
    "time": np.nan,
    "mask": False,
}
"""The values in the arrays of a trace after the end of a run."""


def join_arrays(arrays: Sequence[NDArray[Any]], missing: float) -> NDArray[Any]:
    """Stack arrays of shape (runs, steps) over runs, padded to the longest. One step of all runs is contiguous."""
    steps, runs = max(a.shape[1] for a in arrays), sum(a.shape[0] for a in arrays)
    joined = np.empty((steps, runs), dtype=arrays[0].dtype).T
    first = 0
    for array in arrays:
        last = first + array.shape[0]
        joined[first:last, : array.shape[1]] = array
        joined[first:last, array.shape[1] :] = missing
        first = last
    return joined
