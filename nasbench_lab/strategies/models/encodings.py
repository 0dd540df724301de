"""Architectures as vectors of zeros and ones, for models."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.spaces.base import Space
from nasbench_lab.spaces.cell101 import Cell101Space
from nasbench_lab.spaces.topology import OPERATIONS, TopologySpace
from nasbench_lab.streams import IntArray

Encoding = Literal["path", "one-hot"]
ENCODINGS: tuple[Encoding, ...] = ("path", "one-hot")

_PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))
"""The ways from the first node of a NAS-Bench-201 cell to its last one, as positions of edges."""


def encode(space: Space, index: IntArray, encoding: Encoding) -> NDArray[np.float32]:
    """Return architectures as vectors of zeros and ones, shape (...) to (..., length).

    ``"one-hot"`` is `Space.features`. ``"path"`` says of every sequence of operations whether the cell has a path from
    its input to its output with it (White, Neiswanger and Savani, BANANAS, AAAI 2021, section 4): 364 sequences for
    NAS-Bench-101, 5 + 25 + 125 for NAS-Bench-201. Spaces whose architectures are no cells have no paths, or a single
    one; there it is ``"one-hot"``.
    """
    if encoding == "path" and isinstance(space, Cell101Space):
        return space.encode(index, "path")
    if encoding == "path" and isinstance(space, TopologySpace):
        return _topology_paths(space.codes(index).astype(np.int64))
    return space.features(index)


def _topology_paths(codes: IntArray) -> NDArray[np.float32]:
    operations = len(OPERATIONS)
    encoding = np.zeros((*codes.shape[:-1], operations + operations**2 + operations**3), dtype=np.float32)
    for edges in _PATHS:
        before = sum(operations**length for length in range(1, len(edges)))
        digits = sum(codes[..., edge] * operations**position for position, edge in enumerate(edges))
        np.put_along_axis(encoding, (before + digits)[..., None], 1.0, axis=-1)
    return encoding
