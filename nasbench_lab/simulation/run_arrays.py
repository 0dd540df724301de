"""The arrays of a trace, of shape (runs, steps), in which runs can have different lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    "recommended": -1,
}
"""The values in the arrays of a trace after the end of a run."""

OPTIONAL = ("recommended",)
"""Arrays that a trace may do without: all of their values are then the missing ones."""

ALWAYS = tuple(name for name in MISSING if name not in OPTIONAL)
"""Arrays that every trace has."""


def index_type(size: int) -> type[np.signedinteger[Any]]:
    """Return the type of the architectures of a trace, given the size of the space.

    >>> index_type(15_625), index_type(2**62)
    (<class 'numpy.int32'>, <class 'numpy.int64'>)
    """
    return np.int32 if size <= 2**31 else np.int64


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


def join_runs(parts: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Join the arrays of consecutive runs, by name. An optional array that only some parts have is filled up."""
    return {
        name: join_arrays([_or_missing(part, name) for part in parts], missing)
        for name, missing in MISSING.items()
        if any(name in part for part in parts)
    }


def _or_missing(part: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    return (
        part[name] if name in part else np.full(part["architecture"].shape, MISSING[name], part["architecture"].dtype)
    )
