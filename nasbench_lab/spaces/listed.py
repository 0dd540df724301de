"""Spaces that are lists of architectures: samples of larger spaces, and architectures known by their names only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.spaces.base import CodeArray, Space
from nasbench_lab.spaces.graph import Graph, choice_graph, text_graph
from nasbench_lab.spaces.named_choices import Choice, Choices

_MOST_INT8 = 127
_MOST_FEATURES = 2**28


@final
class ListedSpace(Space):
    """Architectures known by their names only, in the order of the list.

    There is one code, which is the index. No architecture has neighbours, so mutation returns it unchanged. A text is
    always a name, never an index, so that names may be numbers.

    Args:
        names: different texts of printable characters; or one text with one name per line, which is how they are
            stored, so that a table with 100,000 of them opens in milliseconds.

    Raises:
        ParameterError: there is no name, a name is given twice, or one is not such a text.

    >>> space = ListedSpace(["resnet18", "resnet50", "vit-b16"])
    >>> space.size, space.parse("vit-b16"), space.neighbors(0).tolist()
    (3, 2, [])
    """

    encodings: ClassVar[tuple[str, ...]] = ("one-hot",)
    numbers_are_indices: ClassVar[bool] = False

    def __init__(self, names: str | Sequence[str]) -> None:
        try:
            self.names = tuple(names.split("\n") if isinstance(names, str) else names)
            usable = "".join(self.names).isprintable() and len(set(self.names) - {""}) == len(self.names) > 0
        except TypeError:
            usable = False
        if not usable:
            raise ParameterError("a listed space needs names: different texts of printable characters")
        self.name = "listed"
        self.size = len(self.names)
        self.cardinalities = (self.size,)

    def spec(self) -> Mapping[str, Any]:
        """Return the plain data from which `nasbench_lab.spaces.make_space` makes the same space again."""
        return {"name": self.name, "names": "\n".join(self.names)}

    def codes(self, index: ArrayLike) -> NDArray[Any]:
        """Return the codes of architectures, (...) to (..., 1): the indices, as int32 where int8 is too small."""
        kind = np.int8 if self.size <= _MOST_INT8 else np.int32
        return self.check_index(index)[..., None].astype(kind)

    def index(self, codes: ArrayLike) -> IntArray:
        """Return the indices of architectures given by codes, shape (..., 1) to (...)."""
        return self.check_codes(codes)[..., 0]

    def features(self, index: ArrayLike) -> NDArray[np.float32]:
        """Return the one-hot encoding of the index, shape (..., size).

        Raises:
            ParameterError: they would take gigabytes; models learn nothing from names anyway.
        """
        checked = self.check_index(index)
        if checked.size * self.size > _MOST_FEATURES:
            raise ParameterError(
                f"features of {checked.size} of {self.size} named architectures do not fit into memory"
            )
        return super().features(checked)

    def graph(self, index: int) -> Graph:
        """Return the name as text."""
        return text_graph(self.names[self.check_index(index)])

    @property
    def has_neighbors(self) -> bool:
        """False: nothing is known of how architectures are related."""
        return False

    def make_neighbor_table(self) -> NDArray[np.int32]:
        """Return a table without neighbours."""
        return np.full((self.size, 1), -1, dtype=np.int32)

    @cached_property
    def _index_of(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.names)}

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the code of the architecture with this name."""
        index = self._index_of.get(text, self._index_of.get(text.strip()))
        if index is None:
            raise OutOfSpaceError(
                f"no architecture is named {text!r}; there are {self.size}, such as {self.names[0]!r}"
            )
        return (index,)

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the name of an architecture."""
        return self.names[codes[0]]


@final
class ListedChoicesSpace(Space):
    """Some combinations of named choices, in the order of their codes; the others are not in the space.

    Two architectures are neighbours where they differ in one choice. An architecture that differs from all others in
    more choices has no neighbours.

    Args:
        choices: pairs of a name and its values, see `Choices`.
        members: the codes of all architectures one after the other, two hexadecimal digits each. They are one text so
            that a table with 100,000 of them opens in milliseconds. `of` makes it.

    Raises:
        ParameterError: the choices are wrong, or the members are not different codes in ascending order.

    >>> space = ListedChoicesSpace([("kernel", [3, 5]), ("width", [16, 32, 64])], "0000" "0002" "0100")
    >>> space.format(np.arange(3))
    ['kernel=3,width=16', 'kernel=3,width=64', 'kernel=5,width=16']
    >>> space.neighbors(0).tolist(), space.neighbors(1).tolist()
    ([1, 2], [0])
    """

    def __init__(self, choices: Iterable[Choice], members: str) -> None:
        self.name = "listed-choices"
        self.choices = Choices(choices)
        self.cardinalities = self.choices.cardinalities
        self._codes = _from_hexadecimal(members, len(self.cardinalities))
        self.size = len(self._codes)
        if not self.size or (self._codes >= np.array(self.cardinalities)).any() or (self._codes < 0).any():
            raise ParameterError("the members of a listed space must be codes of its choices, and at least one")
        if not (self._keys[1:] > self._keys[:-1]).all():
            raise ParameterError("the members of a listed space must be different and in the order of their codes")

    @classmethod
    def of(cls, choices: Iterable[Choice], codes: ArrayLike) -> ListedChoicesSpace:
        """Make the space of the architectures with these codes, shape (architectures, choices), in any order.

        >>> ListedChoicesSpace.of([("kernel", [3, 5]), ("width", [16, 32])], [[1, 1], [0, 1]]).spec()["members"]
        '00010101'
        """
        members = np.unique(np.asarray(codes, dtype=np.uint8), axis=0)
        return cls(choices, members.tobytes().hex())

    def spec(self) -> Mapping[str, Any]:
        """Return the plain data from which `nasbench_lab.spaces.make_space` makes the same space again."""
        return {"name": self.name, "choices": self.choices.spec(), "members": self._codes.tobytes().hex()}

    def codes(self, index: ArrayLike) -> CodeArray:
        """Return the codes of architectures: index of shape (...) to codes of shape (..., number of choices)."""
        return self._codes[self.check_index(index)]

    def index(self, codes: ArrayLike) -> IntArray:
        """Return the indices of architectures given by codes, shape (..., number of choices) to (...).

        Raises:
            OutOfSpaceError: a code is out of range, or a combination is not in the list.
        """
        checked = self.check_codes(codes)
        index = self.find(checked)
        if (index < 0).any():
            first = checked[tuple(np.argwhere(index < 0)[0])] if index.ndim else checked
            raise OutOfSpaceError(f"{self.choices.format(first.tolist())!r} is not among the {self.size} listed")
        return index

    def find(self, codes: ArrayLike) -> IntArray:
        """Return what `index` returns, but -1 for combinations that are not in the list."""
        keys = _as_keys(self.check_codes(codes).astype(np.int8))
        place = np.minimum(np.searchsorted(self._keys, keys), self.size - 1)
        return np.where(self._keys[place] == keys, place, -1)

    @property
    def named_choices(self) -> Choices:
        """The choices."""
        return self.choices

    def labels(self, index: int) -> tuple[str, ...]:
        """Return ``name = value`` of every choice."""
        return self.choices.labels(self.codes(index).tolist())

    def graph(self, index: int) -> Graph:
        """Return the choices beside each other."""
        return choice_graph(self.labels(index))

    @cached_property
    def _keys(self) -> NDArray[np.bytes_]:
        """The codes of every architecture as one item, ascending."""
        return _as_keys(self._codes)

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of a combination in official notation."""
        return self.choices.parse(text)

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the official notation of a combination."""
        return self.choices.format(codes)


def _from_hexadecimal(members: str, choices: int) -> CodeArray:
    try:
        codes = np.frombuffer(bytes.fromhex(members), dtype=np.int8)
        return codes.reshape(-1, choices)
    except (TypeError, ValueError) as error:
        raise ParameterError("the members of a listed space must be two hexadecimal digits for every choice") from error


def _as_keys(codes: CodeArray) -> NDArray[np.bytes_]:
    """View the codes of every architecture as one item that sorts as they do, shape (..., choices) to (...)."""
    return np.ascontiguousarray(codes).view(f"S{codes.shape[-1]}")[..., 0]
