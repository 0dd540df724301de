"""Arrays of runs in pieces of consecutive rows: in memory, in a temporary file, or in an HDF5 file."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.simulation.run_arrays import MISSING
from nasbench_lab.simulation.trace import row_blocks

AT_A_TIME = 2**21
"""Numbers of an array that are read, or checked, at a time."""

Rows = Any  # an array in memory, an HDF5 dataset, a DiskArray, or an ArrayPieces


class ArrayPieces(NamedTuple):
    """An array that is read in pieces of consecutive rows."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    pieces: Callable[[], Iterator[NDArray[Any]]]

    @classmethod
    def of(cls, array: Rows) -> ArrayPieces:
        """Return an array in memory, or a dataset, in pieces that are cheap to read."""
        if isinstance(array, ArrayPieces):
            return array
        height = (getattr(array, "chunks", None) or (1,))[0]
        return cls(array.shape, array.dtype, lambda: (array[rows] for rows in row_pieces(array.shape, height)))

    @classmethod
    def joined(cls, blocks: Sequence[Mapping[str, Any]], name: str) -> ArrayPieces:
        """Return an array of the joined blocks, given by name, as `concatenate` joins them."""
        arrays = [block[name] if name in block else _missing(block, name) for block in blocks]
        longest = max(array.shape[1:] for array in arrays)
        missing = MISSING.get(name)
        return cls(
            (sum(array.shape[0] for array in arrays), *longest),
            arrays[0].dtype,
            lambda: _padded(arrays, longest, missing),
        )


class DiskArray(NamedTuple):
    """An array in a stream, of which slices of rows are read."""

    stream: BinaryIO
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @classmethod
    def store(cls, array: NDArray[Any], stream: BinaryIO) -> DiskArray:
        """Write an array at the end of a stream."""
        offset = stream.seek(0, io.SEEK_END)
        stream.write(row_bytes(array))
        return cls(stream, offset, array.shape, array.dtype)

    def __getitem__(self, rows: Any) -> Any:
        size = math.prod(self.shape[1:])
        self.stream.seek(self.offset + rows.start * size * self.dtype.itemsize)
        content = self.stream.read((rows.stop - rows.start) * size * self.dtype.itemsize)
        return np.frombuffer(content, self.dtype).reshape(-1, *self.shape[1:])


def row_bytes(array: NDArray[Any]) -> memoryview:
    """Return the content of an array in the order of its rows."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def row_pieces(shape: Sequence[int], height: int) -> Iterator[slice]:
    """Yield slices of the rows of an array that fit into little memory, in multiples of the height of its chunks."""
    size = max(1, math.prod(shape[1:]))
    together = max(1, AT_A_TIME // (size * height)) * height
    return row_blocks(shape[0], size, together * size)


def _padded(arrays: Sequence[Any], shape: tuple[int, ...], missing: float | None) -> Iterator[NDArray[Any]]:
    """Yield the rows of arrays in pieces; those of fewer steps are filled up."""
    for array in arrays:
        for rows in row_pieces(array.shape, 1):
            piece = array[rows]
            if piece.shape[1:] != shape:
                piece = np.full((len(piece), *shape), missing, array.dtype)
                piece[:, : array.shape[1]] = array[rows]
            yield piece


def _missing(block: Mapping[str, Any], name: str) -> NDArray[Any]:
    """Return what an optional array of a block contains that does not have it."""
    return np.broadcast_to(np.int32(MISSING[name]), block["architecture"].shape)
