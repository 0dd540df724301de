"""How large the architectures of a space are, and which are the smallest: for strategies that grow architectures."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple, final

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.models.whole_space import evenly_spaced

_MOST_TRIED = 2**16


class Growth(NamedTuple):
    """Where a search that grows architectures begins, and how it goes on.

    Attributes:
        smallest: the smallest architectures, ascending.
        sizes: the largest size among them, and all larger sizes, ascending.
    """

    smallest: IntArray
    sizes: IntArray


@final
class ArchitectureSizes:
    """The sizes of architectures (`Space.size_of`).

    In a space that is too large to list, the smallest architectures are built from their codes: first all codes 0, then
    one more code that is not 0 at a time; all sizes after those are expected to exist. A space that defines sizes of
    its own is represented by 65,536 architectures at equal distances.

    Args:
        space: the space.
    """

    def __init__(self, space: Space) -> None:
        self._space = space

    def of(self, architecture: IntArray) -> IntArray:
        """Return the sizes of architectures, of the same shape."""
        return self._known[1][architecture] if self._space.is_listed else self._space.size_of(architecture)

    def growth(self, most: int) -> Growth:
        """Return the architectures of the smallest sizes that have at most ``most`` together, and the next sizes.

        If the smallest size alone has more, all of that size.

        >>> from nasbench_lab.spaces import ChainSpace, unlisted
        >>> [part.tolist() for part in ArchitectureSizes(ChainSpace("012", 3)).growth(10)]
        [[0, 1, 2, 3, 6, 9, 18], [1, 2, 3]]
        >>> [part.tolist() for part in ArchitectureSizes(unlisted(ChainSpace("012", 3))).growth(10)]
        [[0, 1, 2, 3, 6, 9, 18], [1, 2, 3]]
        """
        built = None if self._space.is_listed or not self._space.has_usual_sizes else _build(self._space, most)
        if built is not None:
            return built
        tried, sizes = self._known
        present, number = np.unique(sizes, return_counts=True)
        last = max(int((number.cumsum() <= most).sum()), 1) - 1
        return Growth(tried[sizes <= present[last]], present[last:])

    @cached_property
    def _known(self) -> tuple[IntArray, IntArray]:
        """All architectures, or some of a space that is too large to list, and their sizes."""
        tried = evenly_spaced(self._space, self._space.size if self._space.is_listed else _MOST_TRIED)
        return tried, self._space.size_of(tried)


def _build(space: Space, most: int) -> Growth | None:
    """Return what `ArchitectureSizes.growth` returns, built from codes; None if too many codes are no architectures."""
    others = np.array(space.cardinalities) - 1
    after = np.append(others[::-1].cumsum()[::-1], 0)  # how many ways there are to change one code, by the first
    largest = int((others > 0).sum())
    codes, last = np.zeros((1, len(others)), dtype=np.int64), 0
    smallest = np.zeros(0, dtype=np.int64)
    for size in range(largest + 1):
        found = space.find(codes)
        found = found[found >= 0]
        if len(smallest) and len(smallest) + len(found) > most:
            return Growth(np.sort(smallest), np.append(last, np.arange(size, largest + 1)))
        if len(found):
            smallest, last = np.concatenate([smallest, found]), size
        changed = np.where(codes > 0, np.arange(1, len(others) + 1), 0).max(axis=1)
        if after[changed].sum() > _MOST_TRIED:
            return Growth(np.sort(smallest), np.arange(last, largest + 1)) if len(smallest) else None
        codes = np.concatenate([_with_one_more(codes[changed <= place], place, n) for place, n in enumerate(others)])
    return Growth(np.sort(smallest), np.array([last]))


def _with_one_more(codes: IntArray, place: int, others: int) -> IntArray:
    """Return the codes with every value but 0 at a place, shape (n, codes) to (n * others, codes)."""
    grown = np.repeat(codes, others, axis=0)
    grown[:, place] = np.tile(np.arange(1, others + 1), len(codes))
    return grown
