"""The skeletons of TransNAS-Bench-101: networks of four to six modules that differ in where they grow and shrink."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import ClassVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces.base import CodeArray, Space
from nasbench_lab.spaces.encodings import COUNTS, Vectors, counts
from nasbench_lab.spaces.graph_encodings import GRAPH_FEATURES
from nasbench_lab.spaces.neighbor_lists import mutual, padded

LENGTHS = (4, 5, 6)
"""How many modules a network can have."""
KINDS = ("1", "2", "3", "4")
"""Kinds of modules: plain, twice the channels, half the resolution, both."""

_LABELS = ("plain", "channels x2", "resolution /2", "channels x2,\nresolution /2")
"""What the kinds of modules do, in the order of `KINDS`."""

_HALVING, _DOUBLING = frozenset("34"), frozenset("24")
_MOST_HALVINGS, _MOST_DOUBLINGS = 4, 3
_ABSENT = len(KINDS)  # code of a module that a shorter network does not have
_BASE = len(KINDS) + 1
_NOTATION = re.compile(r"64-([0-9]+)-basic", re.ASCII)


@final
class TransMacroSpace(Space):
    """All 3,256 skeletons (Duan et al., "TransNAS-Bench-101", CVPR 2021).

    Four to six modules of two residual blocks each; one to four of them halve the resolution, one to three double the
    channels. The codes are the kinds of up to six modules, as positions in `KINDS`; 4 means no module and is allowed
    at the end only. Shorter networks come first, then by notation. (The order of the published file is not
    used: it is not documented.)

    Two architectures are neighbours where one module changed, inserted or removed turns one into the other.

    >>> space = TransMacroSpace()
    >>> space.size, space.format(0), space.parse("64-1234-basic")
    (3256, '64-1114-basic', 16)
    >>> space.codes(0).tolist()
    [0, 0, 0, 3, 4, 4]
    """

    encodings: ClassVar[tuple[str, ...]] = (*Space.encodings, COUNTS, GRAPH_FEATURES)

    def __init__(self) -> None:
        self.name = "trans-macro"
        self.cardinalities = tuple(_BASE - (position < LENGTHS[0]) for position in range(LENGTHS[-1]))
        self._skeletons = tuple(
            word
            for length in LENGTHS
            for word in map("".join, itertools.product(KINDS, repeat=length))
            if _allowed(word)
        )
        self.size = len(self._skeletons)

    def codes(self, index: ArrayLike) -> CodeArray:
        """Return the codes of architectures: index of shape (...) to codes of shape (..., 6)."""
        return self._codes[self.check_index(index)]

    def index(self, codes: ArrayLike) -> IntArray:
        """Return the indices of architectures given by codes, shape (..., 6) to (...).

        Raises:
            OutOfSpaceError: a code is out of range, or the codes describe no architecture of the space.
        """
        checked = self.check_codes(codes)
        index = self.find(checked)
        if (index < 0).any():
            first = checked[tuple(np.argwhere(index < 0)[0])]
            raise OutOfSpaceError(_reason("".join(KINDS[c] if c != _ABSENT else "-" for c in first)))
        return index

    def find(self, codes: ArrayLike) -> IntArray:
        """Return what `index` returns, but -1 where the codes describe no architecture."""
        return self._index_of_number[self.check_codes(codes) @ _WEIGHTS]

    def make_encoding(self, index: ArrayLike, encoding: str) -> Vectors:
        """Return skeletons as vectors for models.

        ``"counts"``, 4: how often each of `KINDS` occurs. ``"graph-features"``, 17: the number of modules; the counts;
        then, for each of six modules, how often the channels were doubled up to its end, and for each of six modules
        the same for halved resolutions, 0 for modules that a shorter network lacks (GRAF: Kadlecova et al. 2024).

        >>> space = TransMacroSpace()
        >>> space.encode(space.parse("64-1234-basic"), "graph-features").astype(int).tolist()
        [4, 1, 1, 1, 1, 0, 1, 1, 2, 0, 0, 0, 0, 1, 2, 0, 0]
        """
        if encoding not in (COUNTS, GRAPH_FEATURES):
            return super().make_encoding(index, encoding)
        codes = self.codes(index)
        counted = counts(codes, len(KINDS))
        if encoding == COUNTS:
            return counted
        steps = [np.isin(codes, [KINDS.index(kind) for kind in kinds]) for kinds in (_DOUBLING, _HALVING)]
        states = [np.where(codes != _ABSENT, step.cumsum(axis=-1), 0) for step in steps]
        length = counted.sum(axis=-1, keepdims=True)
        return np.concatenate([length, counted, *states], axis=-1).astype(np.float32)

    def labels(self, index: int) -> tuple[str, ...]:
        """Return what the modules do, without those that a shorter network lacks."""
        return tuple(_LABELS[code] for code in self.codes(index).tolist() if code != _ABSENT)

    @cached_property
    def _codes(self) -> CodeArray:
        rows = [[int(kind) - 1 for kind in word.ljust(LENGTHS[-1], str(_BASE))] for word in self._skeletons]
        return np.array(rows, dtype=np.int8)

    @cached_property
    def _index_of_number(self) -> IntArray:
        """Index of codes read as a number; -1 where they describe no architecture."""
        index = np.full(_BASE ** LENGTHS[-1], -1, dtype=np.int64)
        index[self._codes @ _WEIGHTS] = np.arange(self.size)
        return index

    def make_neighbor_table(self) -> NDArray[np.int32]:
        """Return the neighbours of every architecture, shape (size, max degree), padded with -1 at the end."""
        index = {word: number for number, word in enumerate(self._skeletons)}
        reached = [[index[edit] for edit in _edits(word) if edit in index] for word in self._skeletons]
        columns = itertools.zip_longest(*reached, fillvalue=-1)
        return padded(*mutual(np.array(column) for column in columns))

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of a skeleton in official notation."""
        match = _NOTATION.fullmatch(text.strip())
        if match is None:
            raise OutOfSpaceError(f"malformed skeleton {text!r}; write it like 64-1234-basic")
        if not _allowed(match[1]):
            raise OutOfSpaceError(_reason(match[1]))
        return tuple(int(kind) - 1 for kind in match[1].ljust(LENGTHS[-1], str(_BASE)))

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the official notation of a skeleton."""
        return f"64-{''.join(KINDS[code] for code in codes if code != _ABSENT)}-basic"


_WEIGHTS = _BASE ** np.arange(LENGTHS[-1] - 1, -1, -1)


def _allowed(word: str) -> bool:
    """Whether modules of these kinds make a network of the space."""
    return (
        len(word) in LENGTHS
        and set(word) <= set(KINDS)
        and 1 <= sum(kind in _HALVING for kind in word) <= _MOST_HALVINGS
        and 1 <= sum(kind in _DOUBLING for kind in word) <= _MOST_DOUBLINGS
    )


def _reason(word: str) -> str:
    """Return why modules of these kinds make no network of the space."""
    shown = word if len(word) <= LENGTHS[-1] else f"{word[: LENGTHS[-1]]}..."
    return (
        f"no skeleton has the modules {shown!r}; allowed: 4 to 6 of 1, 2, 3, 4, of which 1 to {_MOST_HALVINGS} are "
        f"3 or 4 and 1 to {_MOST_DOUBLINGS} are 2 or 4"
    )


def _edits(word: str) -> Iterator[str]:
    """Yield the words that changing, inserting or removing one module makes of a word; some more than once."""
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]
    for place, kind in itertools.product(range(len(word)), KINDS):
        yield word[:place] + kind + word[place + 1 :]
    for place, kind in itertools.product(range(len(word) + 1), KINDS):
        yield word[:place] + kind + word[place:]
