"""All combinations of architectures of several spaces, such as a cell, the widths of its network and named choices."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import require
from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.messages import shortened
from nasbench_lab.spaces.base import Space
from nasbench_lab.spaces.encodings import Vectors
from nasbench_lab.spaces.graph import Graph, joined_graph
from nasbench_lab.spaces.graph_encodings import GRAPH
from nasbench_lab.streams import scale

SEPARATOR = ";"
LABEL = "label"
"""The key of a part's description that holds its label."""

_MOST_ARCHITECTURES = 2**63 - 1  # indices are kept as int64
_CODES = "codes"
_MOST_PARTS = 63  # of at least two architectures each
_ESCAPED = re.compile(r"[\\;]")
_PART = re.compile(r"(?:[^\\;]|\\.|\\$)*", re.DOTALL)
_ESCAPE = re.compile(r"\\([\\;])")


@dataclass(frozen=True)
class Part:
    """A part of a product of spaces.

    Attributes:
        label: what it is called, different for all parts.
        space: the space of this part.
        codes: which codes of the product are its codes.
    """

    label: str
    space: Space
    codes: slice


@final
class ProductOfSpaces(Space):
    """All combinations of architectures of several spaces; the last part turns fastest in the index order.

    The codes are those of the parts one after the other. The notation joins those of the parts with ``;``. Where the
    notation of a part has ``;`` or a backslash itself, a backslash stands before it, so that a text can only be read in
    one way.

    Two architectures are neighbours if they differ in one part, and are neighbours there. An encoding joins the
    encodings of the parts; a part that does not have it is encoded one-hot. The size of an architecture is the sum of
    those of its parts.

    Parts may be of any kind and size: spaces in which not all codes are an architecture, spaces too large to list,
    subsets, other products.

    Args:
        parts: the spaces in order, or a mapping from labels to spaces. Without labels, parts are called by the names of
            their spaces, and numbered where these are the same.

    Raises:
        ParameterError: there is no part, a label is empty or given twice, a part is no space, or there are more than
            2**63 - 1 architectures.

    >>> from nasbench_lab.spaces import ChoicesSpace, SizeSpace, TopologySpace
    >>> space = ProductOfSpaces([TopologySpace(), SizeSpace(), ChoicesSpace([("stem", ["conv", "patch"])])])
    >>> space.size
    1024000000
    >>> print(space.format(12345))
    |avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|;8:16:8:64:40;stem=patch
    >>> [part.label for part in space.parts], space.parse(space.format(12345))
    (['topology', 'size', 'choices'], 12345)
    """

    def __init__(self, parts: Sequence[Space] | Mapping[str, Space]) -> None:
        labels, spaces = _labelled(parts)
        ends = np.cumsum([0, *(len(space.cardinalities) for space in spaces)]).tolist()
        self.name = "product"
        self.parts = tuple(
            Part(label, space, slice(start, end))
            for label, space, start, end in zip(labels, spaces, ends[:-1], ends[1:], strict=True)
        )
        size = 1
        for space in spaces:
            size *= space.size
        if size > _MOST_ARCHITECTURES:
            factors = " x ".join(f"{space.size:,}" for space in spaces)
            raise ParameterError(f"a product of spaces can have at most 2**63 - 1 architectures, got {factors}")
        self.size = size
        self.cardinalities = tuple(cardinality for space in spaces for cardinality in space.cardinalities)
        self.encodings = _encodings(spaces)  # type: ignore[misc] # of the class elsewhere, here of the parts
        self.numbers_are_indices = len(spaces) > 1 or spaces[0].numbers_are_indices  # type: ignore[misc]
        self._weights = _weights([space.size for space in spaces])

    def spec(self) -> Mapping[str, Any]:
        """Return the plain data from which `nasbench_lab.spaces.make_space` makes the same space again."""
        usual, _ = _labelled([part.space for part in self.parts])
        return {
            "name": self.name,
            "parts": [
                {**part.space.spec(), **({} if part.label == label else {LABEL: part.label})}
                for part, label in zip(self.parts, usual, strict=True)
            ],
        }

    def part(self, label: str) -> Part:
        """Return the part with this label.

        Raises:
            ParameterError: there is none.
        """
        for part in self.parts:
            if part.label == label:
                return part
        raise ParameterError(
            f"no part is called {shortened(label)}; the parts are {', '.join(part.label for part in self.parts)}"
        )

    def indices_of_parts(self, index: ArrayLike) -> tuple[IntArray, ...]:
        """Return the index of every part, each of the shape of ``index``.

        >>> from nasbench_lab.spaces import ChainSpace
        >>> space = ProductOfSpaces([ChainSpace("ab", 1), ChainSpace("abc", 1)])
        >>> [part.tolist() for part in space.indices_of_parts([0, 4])], space.from_parts([1, 1]).tolist()
        ([[0, 1], [0, 1]], 4)
        """
        number = self.check_index(index)
        return tuple(number // weight % part.space.size for part, weight in zip(self.parts, self._weights, strict=True))

    def from_parts(self, indices: Sequence[ArrayLike]) -> IntArray:
        """Return the index of architectures whose parts have these indices; their shapes broadcast."""
        require(len(indices) == len(self.parts), f"there are {len(self.parts)} parts, got {len(indices)} indices")
        checked = (part.space.check_index(each) for part, each in zip(self.parts, indices, strict=True))
        return np.asarray(sum(each * weight for each, weight in zip(checked, self._weights, strict=True)))

    def codes(self, index: ArrayLike) -> NDArray[Any]:
        """Return the codes of architectures: index of shape (...) to codes of shape (..., number of codes)."""
        parts = zip(self.parts, self.indices_of_parts(index), strict=True)
        return np.concatenate([part.space.codes(each) for part, each in parts], axis=-1)

    def index(self, codes: ArrayLike) -> IntArray:
        """Return the indices of architectures given by codes, shape (..., number of codes) to (...).

        Raises:
            OutOfSpaceError: a code is out of range, or the codes of a part describe no architecture of it.
        """
        checked = self.check_codes(codes)
        return self.from_parts([part.space.index(checked[..., part.codes]) for part in self.parts])

    def find(self, codes: ArrayLike) -> IntArray:
        """Return what `index` returns, but -1 where the codes of a part describe no architecture of it."""
        checked = self.check_codes(codes)
        found = [part.space.find(checked[..., part.codes]) for part in self.parts]
        number = sum(np.maximum(each, 0) * weight for each, weight in zip(found, self._weights, strict=True))
        return np.where(np.all([each >= 0 for each in found], axis=0), number, -1)

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of an architecture: the notations of its parts with ``;`` between them."""
        texts = split_notation(text)
        if len(texts) != len(self.parts):
            raise OutOfSpaceError(
                f"{shortened(text)} has {len(texts)} parts; an architecture of this space has {len(self.parts)}, with "
                f"{SEPARATOR} between them: {', '.join(part.label for part in self.parts)}"
            )
        codes: list[int] = []
        for part, each in zip(self.parts, texts, strict=True):
            try:
                codes += part.space.parse_one(each)
            except OutOfSpaceError as error:
                raise OutOfSpaceError(f"part {part.label!r}: {error}") from error
        return tuple(codes)

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the notations of the parts with ``;`` between them."""
        return join_notations(part.space.format_one(codes[part.codes]) for part in self.parts)

    @property
    def has_neighbors(self) -> bool:
        """Whether any architecture has a neighbour."""
        return any(part.space.has_neighbors for part in self.parts)

    def compute_neighbors(self, index: IntArray) -> IntArray:
        """Return the neighbours: those of every part with the others fixed, part by part."""
        columns = [np.full((len(index), 0 if self.has_neighbors else 1), -1, dtype=np.int64)]
        for part, weight, each in zip(self.parts, self._weights, self.indices_of_parts(index), strict=True):
            if not part.space.has_neighbors:
                continue
            near = part.space.neighbors(each)
            columns.append(np.where(near >= 0, index[:, None] + (near - each[:, None]) * weight, -1))
        together = np.concatenate(columns, axis=1)
        order = np.argsort(together < 0, axis=1, kind="stable")
        return np.take_along_axis(together, order, axis=1)

    def degree(self, index: ArrayLike) -> IntArray:
        """Return the number of neighbours of architectures, of the same shape as ``index``."""
        parts = zip(self.parts, self.indices_of_parts(index), strict=True)
        return np.asarray(sum(part.space.degree(each) for part, each in parts))

    def neighbor_at(self, index: ArrayLike, place: ArrayLike) -> IntArray:
        """Return the neighbour at ``place``, 0 to degree - 1, in the order of `neighbors`; shapes broadcast."""
        if self.is_listed:
            return super().neighbor_at(index, place)
        numbers, chosen = np.broadcast_arrays(self.check_index(index), np.asarray(place))
        self._check_place(chosen, self.degree(numbers))
        return self._neighbor_at(numbers.reshape(-1), chosen.reshape(-1)).reshape(numbers.shape)

    def _mutate_by_codes(self, index: IntArray, uniform: FloatArray) -> IntArray:
        flat = index.reshape(-1)
        degree = self.degree(flat)
        mutated = flat.copy()
        some = degree > 0
        mutated[some] = self._neighbor_at(flat[some], scale(uniform.reshape(-1)[some], degree[some]))
        return mutated.reshape(index.shape)

    def _neighbor_at(self, index: IntArray, place: NDArray[np.integer]) -> IntArray:
        """Return a neighbour of each architecture, shapes (n,) and (n,) to (n,)."""
        moved = index.copy()
        left = place.astype(np.int64)
        for part, weight, each in zip(self.parts, self._weights, self.indices_of_parts(index), strict=True):
            degree = part.space.degree(each)
            here = (left >= 0) & (left < degree)
            if here.any():
                moved[here] += (part.space.neighbor_at(each[here], left[here]) - each[here]) * weight
            left = np.where(here, -1, left - degree)  # below 0 once the part was found
        return moved

    def make_encoding(self, index: ArrayLike, encoding: str) -> Vectors:
        """Return the encodings of the parts one after the other; those that lack it are encoded one-hot."""
        parts = zip(self.parts, self.indices_of_parts(index), strict=True)
        vectors = [
            part.space.make_encoding(each, encoding if encoding in part.space.encodings else "one-hot")
            for part, each in parts
        ]
        return np.concatenate(vectors, axis=-1)

    def features(self, index: ArrayLike) -> Vectors:
        """Return the one-hot encodings of the parts one after the other."""
        return self.make_encoding(index, "one-hot")

    def size_of(self, index: ArrayLike) -> IntArray:
        """Return the sum of how large the parts are."""
        parts = zip(self.parts, self.indices_of_parts(index), strict=True)
        return np.asarray(sum(part.space.size_of(each) for part, each in parts))

    def network_form(self, codes: Sequence[int]) -> Hashable:
        """Return what is equal where all parts are the same network."""
        return tuple(part.space.network_form(codes[part.codes]) for part in self.parts)

    @property
    def _shares_networks(self) -> bool:
        return any(part.space._shares_networks for part in self.parts)

    def labels(self, index: int) -> tuple[str, ...]:
        """Return the words of all parts."""
        parts = zip(self.parts, self.indices_of_parts(index), strict=True)
        return tuple(label for part, each in parts for label in part.space.labels(int(each)))

    def graph(self, index: int) -> Graph:
        """Return the graphs of the parts with their labels."""
        parts = zip(self.parts, self.indices_of_parts(index), strict=True)
        return joined_graph((part.label, part.space.graph(int(each))) for part, each in parts)


def _encodings(spaces: Sequence[Space]) -> tuple[str, ...]:
    """Return the encodings of a product: those of any part, but not graphs, and codes only where all parts have them."""
    known = dict.fromkeys(encoding for space in spaces for encoding in space.encodings if encoding != GRAPH)
    return tuple(
        encoding for encoding in known if encoding != _CODES or all(_CODES in space.encodings for space in spaces)
    )


def join_notations(texts: Any) -> str:
    r"""Return the notations of parts as one text.

    >>> print(join_notations(["a", "b;c", "d\\"]))
    a;b\;c;d\\
    """
    return SEPARATOR.join(_ESCAPED.sub(r"\\\g<0>", text) for text in texts)


def split_notation(text: str) -> list[str]:
    r"""Return the notations of the parts that `join_notations` joined.

    >>> split_notation("a;b\\;c;d\\\\")
    ['a', 'b;c', 'd\\']
    """
    texts, place = [], 0
    while True:
        match = _PART.match(text, place)
        end = match.end() if match else place
        texts.append(_ESCAPE.sub(r"\1", text[place:end]))
        if end == len(text):
            return texts
        place = end + 1


def _labelled(parts: Any) -> tuple[list[str], list[Space]]:
    """Return the labels and the spaces of parts."""
    given = isinstance(parts, Mapping)
    spaces = list(parts.values()) if given else list(parts) if isinstance(parts, Sequence) else []
    require(
        1 <= len(spaces) <= _MOST_PARTS and all(isinstance(space, Space) for space in spaces),
        f"a product needs 1 to {_MOST_PARTS} parts, which are spaces, got {shortened(parts)}",
    )
    for space in spaces:
        require(LABEL not in space.spec(), f"a space with a parameter {LABEL!r} cannot be a part of a product")
    if not given:
        return usual_labels([space.name for space in spaces]), spaces
    for label in parts:
        usable = isinstance(label, str) and label.isprintable() and label == label.strip() != ""
        require(usable, f"the label of a part is a text, got {shortened(label)}")
    return list(parts), spaces


def usual_labels(names: Sequence[str]) -> list[str]:
    """Return names as labels, numbered from the second with the same name.

    >>> usual_labels(["chain", "size", "chain"])
    ['chain', 'size', 'chain-2']
    """
    labels: list[str] = []
    for name in names:
        numbered = (f"{name}-{number}" for number in range(2, len(names) + 2))
        labels.append(name if name not in labels else next(each for each in numbered if each not in labels))
    return labels


def _weights(sizes: Sequence[int]) -> tuple[int, ...]:
    """Return by how much the index grows with the index of every part.

    >>> _weights([2, 3, 4])
    (12, 4, 1)
    """
    weights = [1]
    for size in reversed(sizes[1:]):
        weights.append(weights[-1] * size)
    return tuple(reversed(weights))
