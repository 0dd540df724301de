"""`ModelSpec`, the description of cells in the official API of NAS-Bench-101, which is pruned only when needed."""

from __future__ import annotations

import copy
import functools
import hashlib
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_INPUT, _OUTPUT = -1, -2  # their labels in module hashes
_BYTES_PER_ENTRY = {np.dtype(kind): np.dtype(kind).itemsize for kind in "?bBhHiIlLqQ"}
_LOW_BYTE = 0 if sys.byteorder == "little" else -1


class ModelSpec:
    """A cell as adjacency matrix and operations, as ``nasbench.api.ModelSpec``.

    Vertices that are not on a path from the input to the output are pruned when `matrix`, `ops` or `valid_spec` is
    first read. Queries need none of these.

    Args:
        matrix: array or nested lists, upper triangular, shape (vertices, vertices).
        ops: names of the operations of all vertices; the first is ``"input"``, the last ``"output"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; only stored.

    Attributes:
        original_matrix: copy of the given matrix.
        original_ops: copy of the given operations.
        data_format: as given.

    Raises:
        ValueError: the matrix is not square, is not upper triangular, or has another size than ``ops``.

    >>> spec = ModelSpec([[0, 1, 1], [0, 0, 0], [0, 0, 0]], ["input", "maxpool3x3", "output"])
    >>> spec.valid_spec, spec.matrix.tolist(), spec.ops
    (True, [[0, 1], [0, 0]], ['input', 'output'])
    """

    _made_matrix: Any = None
    _made_ops: Any = None

    def __init__(self, matrix: Any, ops: Any, data_format: str = "channels_last") -> None:
        array = matrix.copy() if isinstance(matrix, np.ndarray) else np.array(matrix)
        if array.ndim != 2 or array.shape[0] != array.shape[1]:
            raise ValueError("matrix must be square")
        if len(array) != len(ops):
            raise ValueError("length of ops must match matrix dimensions")
        bytes_per_entry = _BYTES_PER_ENTRY.get(array.dtype)
        content: Any = array.copy() if bytes_per_entry is None else array.tobytes()
        self._content = content
        edges = b""
        self._is_plain = False
        if bytes_per_entry is not None:
            # If all other bytes are 0, the low bytes of integers are the matrix, with one byte per entry.
            edges = content[_LOW_BYTE::bytes_per_entry]
            self._is_plain = content.count(0) + edges.count(1) == len(content)
        if not self._is_plain:
            edges = (array != 0).tobytes()
        # As one number, the matrix is checked in a third of the time of a loop.
        if int.from_bytes(edges) & _lower(len(array)):
            raise ValueError("matrix must be upper triangular")
        self._edges = edges
        self._names = tuple(ops)
        self.original_matrix: NDArray[Any] = array
        self.original_ops = ops.copy() if type(ops) is list else copy.deepcopy(ops)
        self._given_ops = self._names if type(ops) is tuple else copy.copy(ops)
        self.data_format = data_format
        if type(ops) is not list:
            self.ops  # noqa: B018 - the original prunes at once, which a tuple does not allow: TypeError

    @functools.cached_property
    def matrix(self) -> NDArray[Any] | None:
        """The pruned adjacency matrix; None if there is no path from the input to the output."""
        made = self._pruned_matrix()
        self._made_matrix = _fingerprint(made)
        return made

    @functools.cached_property
    def ops(self) -> Any:
        """Operations of the remaining vertices; None if there is no path from the input to the output."""
        made = self._pruned_ops()
        self._made_ops = copy.copy(made)
        return made

    @functools.cached_property
    def valid_spec(self) -> bool:
        """Whether there is a path from the input to the output."""
        return bool(self._kept)

    def hash_spec(self, canonical_ops: Sequence[str]) -> str:
        """Return the module hash, which isomorphic cells share.

        Args:
            canonical_ops: all operations, in the order of their numbers.

        Raises:
            ValueError: an operation is not among them.

        >>> ModelSpec([[0, 1], [0, 0]], ["input", "output"]).hash_spec(["conv3x3-bn-relu"])
        '043721b9c7fe8c5fad811d47d83132ec'
        """
        labels = [canonical_ops.index(name) for name in self.ops[1:-1]]
        return module_hash(np.asarray(self.matrix), [_INPUT, *labels, _OUTPUT])

    def visualize(self) -> Any:
        """Return a drawing (``graphviz.Digraph``) of the pruned cell.

        Raises:
            ImportError: the package graphviz is not installed.
        """
        import graphviz  # type: ignore[import-not-found]

        graph = graphviz.Digraph()
        for vertex, name in enumerate(self.ops or ()):
            graph.node(str(vertex), name)
        for source, target in np.argwhere(np.array(self.matrix)).tolist():
            graph.edge(str(source), str(target))
        return graph

    @property
    def drawing(self) -> tuple[bytes, tuple[Any, ...]] | None:
        """The cell, pruned or not, for `CellFinder.of_bytes`; None if it must be found by its hash.

        Code that has read `matrix` or `ops` may have changed them, which changes the cell, as in the official API.
        """
        known = self.__dict__
        if not self._is_plain or type(self._given_ops) not in (list, tuple):
            return None
        if "matrix" in known and _fingerprint(known["matrix"]) != self._made_matrix:
            return None
        if ("ops" in known and known["ops"] != self._made_ops) or not known.get("valid_spec", True):
            return None
        return self._edges, self._names

    def _pruned_matrix(self) -> NDArray[Any] | None:
        size, dtype = len(self._names), self.original_matrix.dtype
        content = self._content
        whole = content if isinstance(content, np.ndarray) else np.frombuffer(content, dtype).reshape(size, size)
        return whole[np.ix_(self._kept, self._kept)] if self._kept else None

    def _pruned_ops(self) -> Any:
        if not self._kept:
            return None
        ops: Any = copy.copy(self._given_ops)
        for vertex in range(len(self._names) - 1, -1, -1):
            if vertex not in self._kept:
                del ops[vertex]
        return ops

    @functools.cached_property
    def _kept(self) -> list[int]:
        """Vertices on a path from the first to the last vertex; empty if there is no path."""
        size, edges = len(self._names), self._edges
        if isinstance(self._content, np.ndarray):  # objects, too, of which None is not 0, but no edge either
            edges = self._content.astype(bool).tobytes()
        forward, backward = {0}, {size - 1}
        for vertex in range(1, size):
            if any(edges[before * size + vertex] for before in range(vertex) if before in forward):
                forward.add(vertex)
        for vertex in range(size - 2, -1, -1):
            if any(edges[vertex * size + after] for after in range(vertex + 1, size) if after in backward):
                backward.add(vertex)
        kept = sorted(forward & backward)
        return kept if len(kept) > 1 else []


def _fingerprint(matrix: Any) -> Any:
    """Return what differs between matrices that are not equal; for anything but an array, the object itself."""
    return (matrix.shape, matrix.dtype.str, matrix.tobytes()) if isinstance(matrix, np.ndarray) else matrix


@functools.cache
def _lower(size: int) -> int:
    """Return the entries of a matrix on and below the diagonal, as one number with one byte per entry."""
    return int.from_bytes(np.tril(np.ones((size, size), dtype=bool)).tobytes())


def module_hash(matrix: NDArray[Any], labels: Sequence[int]) -> str:
    """Return the hash of one cell; `nasbench_lab.spaces.module_hash` explains it, and is faster for many cells."""
    degrees = zip(matrix.sum(axis=1).tolist(), matrix.sum(axis=0).tolist(), labels, strict=True)
    hashes = [_digest(str(described)) for described in degrees]
    successors = [np.flatnonzero(row).tolist() for row in matrix]
    predecessors = [np.flatnonzero(column).tolist() for column in matrix.T]
    for _ in labels:
        last = hashes
        hashes = [
            _digest("|".join(["".join(sorted(last[i] for i in before)), "".join(sorted(last[i] for i in after)), own]))
            for before, after, own in zip(predecessors, successors, last, strict=True)
        ]
    return _digest(str(sorted(hashes)))


def _digest(content: str) -> str:
    return hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()
