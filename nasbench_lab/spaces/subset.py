"""Some architectures of another space: the space of a table that was built from a sample."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.spaces.base import CodeArray, Space
from nasbench_lab.spaces.graph import Graph
from nasbench_lab.spaces.subset_neighbors import nearest_neighbors

_MOST_OF_FOUR_BYTES = 2**32


@final
class SubsetSpace(Space):
    """Some architectures of another space, in the order of that space; the others are not in this space.

    Codes, notation, encodings, drawings and networks are those of the other space, the parent. Two architectures are
    neighbours where they are neighbours in the parent. Where that leaves groups of architectures apart from each other,
    as in a small sample of a large space, the nearest architectures of different groups are neighbours, too
    (see `nearest_neighbors`). A crossover whose result is not in the subset returns the first parent.

    Args:
        parent: the space of which this is a part; not a subset itself.
        members: indices of the architectures in ``parent``, ascending.

    Raises:
        ParameterError: the members are not different indices of ``parent`` in ascending order, or ``parent`` is a
            subset.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> space = SubsetSpace(TopologySpace(), [5, 11, 1462])
    >>> space.size, space.format(2) == TopologySpace().format(1462), space.parse(TopologySpace().format(11))
    (3, True, 1)
    >>> space.neighbors(1).tolist()
    [0, 2]
    """

    def __init__(self, parent: Space, members: ArrayLike) -> None:
        if parent.parent is not None:
            raise ParameterError("a subset of a subset must be given as a subset of the whole space")
        try:
            checked = parent.check_index(members)
        except OutOfSpaceError as error:
            raise ParameterError(f"the members of a subset must be in its space: {error}") from error
        if checked.ndim != 1 or not len(checked) or not (checked[1:] > checked[:-1]).all():
            raise ParameterError("the members of a subset must be different indices in ascending order, at least one")
        self.name = "subset"
        self.members = checked.copy()
        self.members.setflags(write=False)
        self.size = len(checked)
        self.cardinalities = parent.cardinalities
        self.encodings = parent.encodings  # type: ignore[misc] # of the class elsewhere, here of the parent
        self.numbers_are_indices = parent.numbers_are_indices  # type: ignore[misc]
        self._parent = parent

    @property
    def parent(self) -> Space:
        """The space of which this is a part."""
        return self._parent

    @property
    def summary(self) -> str:
        """The number of architectures of the subset and of its parent.

        >>> from nasbench_lab.spaces import TopologySpace
        >>> SubsetSpace(TopologySpace(), [5, 11]).summary
        'topology, 2 of its 15,625 architectures'
        """
        return f"{self.parent.name}, {self.size:,} of its {self.parent.size:,} architectures"

    def spec(self) -> Mapping[str, Any]:
        """Return the plain data from which `nasbench_lab.spaces.make_space` makes the same space again.

        The members are one text, eight hexadecimal digits each, or sixteen in spaces of more than 2**32 architectures,
        so that a table with 100,000 of them opens in milliseconds.
        """
        return {
            "name": self.name,
            "parent": dict(self.parent.spec()),
            "members": self.members.astype(_type_of(self.parent)).tobytes().hex(),
        }

    def codes(self, index: ArrayLike) -> CodeArray:
        """Return the codes of architectures: index of shape (...) to codes of shape (..., number of codes)."""
        return self.parent.codes(self.in_parent(index))

    def index(self, codes: ArrayLike) -> IntArray:
        """Return the indices of architectures given by codes, shape (..., number of codes) to (...).

        Raises:
            OutOfSpaceError: an architecture is not in the subset, or not in its parent.
        """
        whole = self.parent.index(codes)
        index = self._locate(whole)
        if (index < 0).any():
            first = int(whole[tuple(np.argwhere(index < 0)[0])]) if index.ndim else int(whole)
            raise OutOfSpaceError(
                f"{self.parent.format(first)!r} is not among the {self.size:,} architectures of this subset of "
                f"{self.parent.name!r}"
            )
        return index

    def find(self, codes: ArrayLike) -> IntArray:
        """Return what `index` returns, but -1 for architectures that are not in the subset."""
        return self._locate(self.parent.find(codes))

    def in_parent(self, index: ArrayLike) -> IntArray:
        """Return the indices of architectures in the parent, in the shape of ``index``."""
        return self.members[self.check_index(index)].astype(np.int64)

    def _locate(self, whole: IntArray) -> IntArray:
        """Return the indices in this subset of architectures of the parent; -1 for others and for -1."""
        place = np.minimum(np.searchsorted(self.members, whole), self.size - 1)
        return np.where(self.members[place] == whole, place, -1)

    def make_neighbor_table(self) -> NDArray[np.int32]:
        """Return the neighbours of every architecture, shape (size, max degree), padded with -1 at the end."""
        return nearest_neighbors(self.parent, self.members)

    def features(self, index: ArrayLike) -> NDArray[np.float32]:
        """Return the one-hot encoding of the parent."""
        return self.parent.features(self.in_parent(index))

    def make_encoding(self, index: ArrayLike, encoding: str) -> NDArray[np.float32]:
        """Return architectures as vectors for models, as the parent encodes them."""
        return self.parent.make_encoding(self.in_parent(index), encoding)

    def size_of(self, index: ArrayLike) -> IntArray:
        """Return how large architectures are, as the parent measures it."""
        return self.parent.size_of(self.in_parent(index))

    def network_form(self, codes: Sequence[int]) -> Hashable:
        """Return what is equal for the same networks of the parent."""
        return self.parent.network_form(codes)

    @property
    def _shares_networks(self) -> bool:
        return self.parent._shares_networks

    def labels(self, index: int) -> tuple[str, ...]:
        """Return in words what the codes of an architecture choose."""
        return self.parent.labels(int(self.in_parent(index)))

    def graph(self, index: int) -> Graph:
        """Return what an architecture looks like."""
        return self.parent.graph(int(self.in_parent(index)))

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of an architecture in official notation."""
        return self.parent.parse_one(text)

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the official notation of an architecture."""
        return self.parent.format_one(codes)


def members_from(text: Any, parent: Space) -> IntArray:
    """Return the members that `SubsetSpace.spec` stores as text.

    Raises:
        ParameterError: it is no such text.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> members_from("000000050000000b", TopologySpace()).tolist()
    [5, 11]
    """
    kind = _type_of(parent)
    try:
        return np.frombuffer(bytes.fromhex(text), dtype=kind).astype(np.int64)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"the members of a subset must be {2 * kind.itemsize} hexadecimal digits each") from error


def _type_of(parent: Space) -> np.dtype[Any]:
    """Return how the members are stored."""
    return np.dtype(">u4" if parent.size <= _MOST_OF_FOUR_BYTES else ">u8")
