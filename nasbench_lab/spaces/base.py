"""The base class of search spaces: numbered architectures, their codes and notation, and moves between them."""

from __future__ import annotations

import abc
import re
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.messages import shortened
from nasbench_lab.pickling import state_without_caches
from nasbench_lab.spaces.cards import space_card
from nasbench_lab.spaces.encodings import Vectors, one_hot, parts_of
from nasbench_lab.spaces.graph import Graph, layer_graph
from nasbench_lab.spaces.moves import MOST_LISTED, Moves

if TYPE_CHECKING:
    from nasbench_lab.spaces.named_choices import Choices

__all__ = ["MOST_LISTED", "CodeArray", "Space"]

CodeArray = NDArray[np.int8]

_INDEX = re.compile(r"0|[1-9][0-9]{0,18}")
_NUMBER = re.compile(r"0|[1-9][0-9]*|-[0-9]+|[0-9]+\.[0-9]+")
_MOST_RESOLVED = 2**16


class _Finished(abc.ABCMeta):
    """The class of the classes of spaces: it marks a space as complete after its construction."""

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        """Make a space that cannot be changed."""
        space = super().__call__(*arguments, **options)
        space._is_complete = True
        return space


class Space(Moves, metaclass=_Finished):
    """A finite set of architectures, numbered 0 .. size-1 in the official order where one exists, at most 2**63 - 1.

    An architecture has three names: its *index*; its *codes*, a row of small integers, one per choice; and its
    *notation*, the text that the publication uses. Methods take arrays of indices of any shape.

    A subclass sets `name`, `size` and `cardinalities` and defines four methods: `codes`, `index`, `parse_one` and
    `format_one`. All others have defaults that follow from these four; a subclass overrides them where its
    architectures have more structure, or where it knows a faster way:

    ========================  =======================================================================
    `spec`                    the parameters from which the space is made again; none
    `compute_neighbors`       which architectures are neighbours: those that differ in one code
    `make_neighbor_table`     the same for all architectures at once, where only this is possible
    `find`                    `index`, but -1 for codes of no architecture: one by one
    `size_of`                 how large architectures are: how many codes are not 0
    `encodings`               names of vectors for models: one-hot codes, and codes; `make_encoding` makes them
    `network_form`            which architectures are the same network: none
    `labels`, `graph`         how an architecture is drawn: its codes as a row of layers
    `has_neighbors`           whether any architecture has a neighbour
    ========================  =======================================================================

    The public attributes of a space cannot be changed after its construction: all runs of a simulation share it.

    Nothing outside a space's file asks of which class a space is (docs/design/spaces.md).
    """

    name: str
    """Name of the space in the registry, e.g. ``"topology"``."""
    size: int
    """Number of architectures."""
    cardinalities: tuple[int, ...]
    """How many values each code can take; its length is the number of codes."""

    encodings: ClassVar[tuple[str, ...]] = ("one-hot", "codes")
    """The names that `encode` takes; several can be joined with ``+``."""
    numbers_are_indices: ClassVar[bool] = True
    """Whether text that is a plain number and no notation is an index (see `resolve`)."""

    def spec(self) -> Mapping[str, Any]:
        """Return the plain data from which `nasbench_lab.spaces.make_space` makes the same space again.

        By default the name alone. A space with parameters adds them, as JSON can hold them.
        """
        return {"name": self.name}

    @abc.abstractmethod
    def codes(self, index: ArrayLike) -> CodeArray:
        """Return the codes of architectures: index of shape (...) to codes of shape (..., number of codes)."""

    @abc.abstractmethod
    def index(self, codes: ArrayLike) -> IntArray:
        """Return the indices of architectures given by codes, shape (..., number of codes) to (...).

        Raises:
            OutOfSpaceError: a code is out of range, or the codes describe no architecture of the space.
        """

    def find(self, codes: ArrayLike) -> IntArray:
        """Return what `index` returns, but -1 where the codes, each in range, describe no architecture of the space.

        By default a loop over architectures where there are such codes.

        Raises:
            OutOfSpaceError: a code is out of range.
        """
        checked = self.check_codes(codes)
        try:
            return self.index(checked)
        except OutOfSpaceError:
            rows = checked.reshape(-1, checked.shape[-1])
            return np.array([self._index_or_missing(row) for row in rows], dtype=np.int64).reshape(checked.shape[:-1])

    def _index_or_missing(self, codes: IntArray) -> int:
        try:
            return int(self.index(codes))
        except OutOfSpaceError:
            return -1

    @abc.abstractmethod
    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of one architecture in official notation; `parse` calls it.

        Raises:
            OutOfSpaceError: the text is malformed, or the architecture is not in the space.
        """

    @abc.abstractmethod
    def format_one(self, codes: Sequence[int]) -> str:
        """Return the official notation of the architecture with these codes; `format` calls it."""

    def check_index(self, index: ArrayLike) -> IntArray:
        """Return ``index`` as an int64 array, or raise OutOfSpaceError where it is outside 0 .. size-1."""
        array = np.asarray(index)
        if array.dtype.kind not in "iu" and array.size:  # an empty list has no type of its own
            exact = np.asarray(index, dtype=object)  # integers that are too large for NumPy's, or mixed with such
            if not all(isinstance(each, int) and not isinstance(each, bool) for each in exact.flat):
                raise OutOfSpaceError(f"architecture indices must be integers, got {array.dtype} values")
            array = exact
        if array.size and (array.min() < 0 or array.max() >= self.size):
            worst = int(array.min()) if array.min() < 0 else int(array.max())
            raise OutOfSpaceError(f"architecture {shortened(worst)} is not in 0..{self.size - 1} of {self._in_words}")
        return array.astype(np.int64, copy=False)

    def check_codes(self, codes: ArrayLike) -> IntArray:
        """Return ``codes`` as an int64 array, or raise OutOfSpaceError naming the first code that is out of range."""
        array = np.asarray(codes)
        n = len(self.cardinalities)
        if array.dtype.kind not in "iu" or array.ndim == 0 or array.shape[-1] != n:
            raise OutOfSpaceError(f"an architecture of {self._in_words} has {n} integer codes")
        bad = (array < 0) | (array >= np.array(self.cardinalities))
        if bad.any():
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            most = self.cardinalities[where[-1]] - 1
            raise OutOfSpaceError(
                f"code {where[-1]} is {int(array[where])}; space {self.name!r} allows 0..{most} there"
            )
        return array.astype(np.int64, copy=False)

    @overload
    def parse(self, text: str) -> int: ...
    @overload
    def parse(self, text: list[str] | tuple[str, ...]) -> IntArray: ...
    def parse(self, text: str | list[str] | tuple[str, ...]) -> int | IntArray:
        """Return the index of an architecture in official notation, or the indices of several.

        Raises:
            OutOfSpaceError: the text is malformed, or the architecture is not in the space.
        """
        if isinstance(text, str):
            return int(self.index(np.array(self.parse_one(text), dtype=np.int64)))
        codes = np.array([self.parse_one(t) for t in text], dtype=np.int64)
        return self.index(codes.reshape(len(text), len(self.cardinalities)))

    @overload
    def format(self, index: int) -> str: ...
    @overload
    def format(self, index: NDArray[Any] | Sequence[int]) -> list[str]: ...
    def format(self, index: int | NDArray[Any] | Sequence[int]) -> str | list[str]:
        """Return the official notation of one architecture (a string) or of an array of them (a flat list)."""
        codes = self.codes(index)
        if codes.ndim == 1:
            return self.format_one(codes.tolist())
        return [self.format_one(row) for row in codes.reshape(-1, codes.shape[-1]).tolist()]

    def resolve(self, architecture: str | int | np.integer[Any]) -> int:
        """Return the index of an architecture given by index or in official notation.

        Text that is a plain number without leading zeros, and not official notation, is an index, unless the space says
        otherwise (`numbers_are_indices`).

        Raises:
            OutOfSpaceError: neither an architecture in official notation nor an index in range.
        """
        if isinstance(architecture, str):
            if architecture not in self._resolved:
                if len(self._resolved) >= _MOST_RESOLVED:
                    self._resolved.clear()
                self._resolved[architecture] = self._resolve_text(architecture)
            return self._resolved[architecture]
        if isinstance(architecture, bool) or not isinstance(architecture, int | np.integer):
            raise OutOfSpaceError(f"an architecture is an index or a string, not {type(architecture).__name__}")
        if not 0 <= architecture < self.size:
            raise OutOfSpaceError(
                f"architecture {shortened(int(architecture))} is not in 0..{self.size - 1} of {self._in_words}"
            )
        return int(architecture)

    def _resolve_text(self, text: str) -> int:
        try:
            return self.parse(text)
        except OutOfSpaceError:
            if not self.numbers_are_indices or not _NUMBER.fullmatch(text.strip()):
                raise
        if not _INDEX.fullmatch(text.strip()):
            raise OutOfSpaceError(
                f"architecture {shortened(text.strip())} is not in 0..{self.size - 1} of {self._in_words}"
            )
        return self.resolve(int(text))

    def features(self, index: ArrayLike) -> Vectors:
        """Return the one-hot encoding of the codes, shape (..., sum of cardinalities)."""
        return one_hot(self.codes(index), self.cardinalities)

    def encode(self, index: ArrayLike, encoding: str = "one-hot") -> Vectors:
        """Return architectures as vectors for models, shape (...) to (..., length).

        Args:
            index: architectures.
            encoding: one of `encodings`, or several joined with ``+``. Every space has ``"one-hot"``, which is
                `features`. The page docs/encodings.md explains them.

        Raises:
            UnknownNameError: the space has no such encoding.
            ParameterError: an encoding is joined with itself.

        >>> from nasbench_lab.spaces import ChainSpace
        >>> space = ChainSpace("abc", 2)
        >>> space.encode(5).tolist(), space.encode(5, "codes+counts").tolist()
        ([0.0, 1.0, 0.0, 0.0, 0.0, 1.0], [1.0, 2.0, 0.0, 1.0, 1.0])
        """
        vectors = [self.make_encoding(index, part) for part in parts_of(encoding, self.encodings)]
        return vectors[0] if len(vectors) == 1 else np.concatenate(vectors, axis=-1)

    def make_encoding(self, index: ArrayLike, encoding: str) -> Vectors:
        """Return architectures in one encoding, out of `encodings`, shape (...) to (..., length); `encode` calls it."""
        return self.features(index) if encoding == "one-hot" else self.codes(index).astype(np.float32)

    def size_of(self, index: ArrayLike) -> IntArray:
        """Return how large architectures are, of the shape of ``index``, for strategies that start with small ones.

        By default the number of codes that are not 0, the first choice: operations that are not "none" in the cells of
        NAS-Bench-201, layers wider than the narrowest in the size space of NATS-Bench.

        >>> from nasbench_lab.spaces import ChainSpace
        >>> ChainSpace("abc", 2).size_of(range(9)).tolist()
        [0, 1, 1, 1, 2, 2, 1, 2, 2]
        """
        return np.count_nonzero(self.codes(index), axis=-1)

    @property
    def has_usual_sizes(self) -> bool:
        """Whether the size of an architecture is the number of its codes that are not 0 (see `size_of`)."""
        return type(self).size_of is Space.size_of

    @property
    def has_usual_sizes(self) -> bool:
        """Whether the size of every architecture is the number of its codes that are not 0 (see `size_of`)."""
        return type(self).size_of is Space.size_of

    def network_form(self, codes: Sequence[int]) -> Hashable:
        """Return what is equal for codes of architectures that are the same network; by default the codes.

        Two architectures are the same network where one computes what the other computes for every choice of weights,
        up to naming the weights (docs/design/sharing.md).
        """
        return tuple(codes)

    @cached_property
    def representatives(self) -> IntArray:
        """For every architecture the first one that is the same network, shape (size,); see `network_form`.

        >>> from nasbench_lab.spaces import TopologySpace
        >>> len(np.unique(TopologySpace().representatives))
        5234
        """
        self.require_listed("the first architecture of every network")
        every = np.arange(self.size)
        if not self._shares_networks:
            return every
        first: dict[Hashable, int] = {}
        rows = self.codes(every).tolist()
        found = np.array([first.setdefault(self.network_form(row), place) for place, row in enumerate(rows)])
        found.setflags(write=False)
        return found

    @property
    def _shares_networks(self) -> bool:
        """Whether several architectures may be the same network."""
        return type(self).network_form is not Space.network_form

    def labels(self, index: int) -> tuple[str, ...]:
        """Return in words what the codes of an architecture choose, for `graph`; by default the codes."""
        return tuple(str(code) for code in self.codes(index).tolist())

    def graph(self, index: int) -> Graph:
        """Return what an architecture looks like; by default a row of layers with the words of `labels`.

        >>> from nasbench_lab.spaces import SizeSpace
        >>> [node.label for node in SizeSpace().graph(284).nodes][:3]
        ['input', '8 channels', '8 channels']
        """
        return layer_graph(self.labels(index))

    @property
    def parent(self) -> Space | None:
        """The space of which this one is a part; None for a space that is no part of another."""
        return None

    def in_parent(self, index: ArrayLike) -> IntArray:
        """Return the indices of architectures in the parent, in the shape of ``index``; the same without a parent."""
        return self.check_index(index)

    @property
    def _in_words(self) -> str:
        """What messages call the space."""
        return f"space {self.name!r}" if self.parent is None else f"this subset of {self.parent.name!r}"

    @property
    def summary(self) -> str:
        """The name of the space and the number of its architectures.

        >>> from nasbench_lab.spaces import ChainSpace
        >>> ChainSpace("abc", 3).summary
        'chain, 27 architectures'
        """
        return f"{self.name}, {self.size:,} architectures"

    @property
    def named_choices(self) -> Choices | None:
        """The names and values of choices that make an architecture, where it has such; None otherwise.

        They are what columns of a file are read as, one per choice (see `nasbench_lab.read_columns`).
        """
        return None

    @cached_property
    def _resolved(self) -> dict[str, int]:
        """Indices of texts that were resolved before: searches ask for the same architectures many times."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        return state_without_caches(self)

    def __setattr__(self, name: str, value: Any) -> None:
        self._refuse_change(name)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        self._refuse_change(name)
        super().__delattr__(name)

    def _refuse_change(self, name: str) -> None:
        if "_is_complete" in self.__dict__ and not name.startswith("_"):
            raise AttributeError(f"a space cannot be changed, so its {name} cannot be set; make another space")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.size} architectures>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return space_card(self)
