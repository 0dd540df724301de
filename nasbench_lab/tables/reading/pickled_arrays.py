"""Safe arrays from pickles: rebuilt from their plain parts, without trusting the pickled dtype.

NumPy restores a dtype with all flags that the pickle states. A dtype of floats with the flags of objects makes an array
whose bytes are followed as pointers. Here, a new dtype is made from the kind and byte order, and the length of the data
is checked against the shape.
"""

from __future__ import annotations

import math
import re
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import DataError
from nasbench_lab.tables.reading.untrusted_values import described

_KIND = re.compile(r"[<>=|]?(?:[?bBhHiIlLqQefdgO]|b1|[iu][1248]|f(?:2|4|8|16)|c(?:8|16)|O[48]?|[SUa][0-9]{1,6})")
_ORDERS: dict[str, Literal["<", ">", "|", "="]] = {"<": "<", ">": ">", "|": "|", "=": "="}


class PickledDtype:
    """Replaces a dtype inside a pickle: numbers, booleans, texts or objects, but no structured dtypes."""

    def __init__(self, kind: Any, align: Any = False, copy: Any = False) -> None:
        text = kind.decode("ascii", "replace") if isinstance(kind, bytes) else kind
        if not isinstance(text, str) or not _KIND.fullmatch(text):
            raise DataError(f"the pickle has arrays of the unsupported kind {described(kind)}")
        self._plain = np.dtype(text)

    def __setstate__(self, state: Any) -> None:
        """Take the byte order; raise DataError unless the dtype is plain otherwise."""
        if not isinstance(state, tuple) or len(state) < 5:
            raise DataError("the pickle has a damaged dtype")
        order = state[1].decode("ascii", "replace") if isinstance(state[1], bytes) else state[1]
        if order not in _ORDERS or any(part is not None for part in state[2:5]):
            raise DataError("the pickle has a structured dtype, which is not supported")
        if self._plain.kind not in "SO":
            self._plain = self._plain.newbyteorder(_ORDERS[order])

    @property
    def plain(self) -> np.dtype[Any]:
        """The new dtype."""
        return self._plain


class PickledArray(np.ndarray[Any, Any]):
    """An array from a pickle; a normal array once it is read."""

    def __setstate__(self, state: Any) -> None:
        """Take shape, dtype and data, after checking that they fit together."""
        if not isinstance(state, tuple) or len(state) != 5:
            raise DataError("the pickle has a damaged array")
        version, shape, dtype, fortran, data = state
        plain = _plain(dtype)
        items = _items(shape)
        if not plain.itemsize and items:  # any number of empty texts would fit into no bytes
            fits = False
        elif plain.kind == "O":
            fits = isinstance(data, list) and len(data) == items
        else:
            # Python 2 wrote bytes as text, which arrives as str with the encoding latin1.
            fits = isinstance(data, bytes | str) and len(data) == items * plain.itemsize
        if not fits:
            raise DataError("the pickle has an array whose data does not fit its shape")
        super().__setstate__((int(version), shape, plain, bool(fortran), data))  # type: ignore[arg-type]


NDARRAY = object()
"""Replaces the class of arrays, which pickles name but do not call."""


def reconstruct(kind: Any, _shape: Any, _code: Any) -> PickledArray:
    """Replace NumPy's ``_reconstruct``: return an empty array, whose content follows."""
    if kind is not NDARRAY:
        raise DataError("the pickle has an array of an unsupported class")
    return PickledArray((0,), np.int8)


def scalar(dtype: Any, data: Any = None) -> Any:
    """Replace NumPy's ``scalar``."""
    plain = _plain(dtype)
    if plain.kind == "O":
        return data
    content = data.encode("latin1") if isinstance(data, str) else data
    if not isinstance(content, bytes) or len(content) != plain.itemsize or not plain.itemsize:
        raise DataError("the pickle has a damaged number")
    return np.frombuffer(content, plain)[0]


def from_buffer(buffer: Any, dtype: Any, shape: Any, order: Any) -> NDArray[Any]:
    """Replace NumPy's ``_frombuffer``."""
    plain = _plain(dtype)
    if plain.kind == "O" or order not in ("C", "F") or memoryview(buffer).nbytes != _items(shape) * plain.itemsize:
        raise DataError("the pickle has an array whose data does not fit its shape")
    return np.frombuffer(buffer, plain).reshape(shape, order=order)


def _plain(dtype: Any) -> np.dtype[Any]:
    if not isinstance(dtype, PickledDtype):
        raise DataError("the pickle has an array without a dtype")
    return dtype.plain


def _items(shape: Any) -> int:
    if not isinstance(shape, tuple) or not all(type(length) is int and length >= 0 for length in shape):
        raise DataError("the pickle has an array with a damaged shape")
    return math.prod(shape)
