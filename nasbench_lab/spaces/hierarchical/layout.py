"""Codes and numbers of the architectures of a grammar, computed for arrays of them.

Every choice between productions is a *decision*, with a code of its own. What a decision leads to has places of its
own: as many for every name as the production with most of that name needs. So ``Linear3(C, C, CELL)`` and
``Linear4(C, C, C, CELL)`` have the same codes for their first two ``C``. Decisions that an architecture does not make
have code 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import require
from nasbench_lab.spaces.hierarchical.grammar import Grammar

_MOST_PLACES = 2000


@dataclass(frozen=True)
class Place:
    """A place where a name of the grammar is replaced.

    Attributes:
        name: of the grammar.
        code: position of its code; -1 where there is only one production.
        codes: the codes of the place and of all its parts.
        parts: for every production the numbers of the places of its parts.
        firsts: for every production the number of its first derivation, among all of this name.
        root: the start or the shared name that it belongs to.
    """

    name: str
    code: int
    codes: slice
    parts: tuple[tuple[int, ...], ...]
    firsts: IntArray
    root: str


class Layout:
    """The places of a grammar, each after the one that it is a part of, and conversions between numbers and codes.

    Args:
        grammar: whose architectures are numbered: by production, then by parts, of which the last turns fastest. The
            shared names come after the start.

    Raises:
        ParameterError: there are too many places.
    """

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.places: list[Place] = []
        self.cardinalities: list[int] = []
        """Number of productions of every decision."""
        self.roots = tuple(self._place(name, name) for name in grammar.roots)

    def _place(self, name: str, root: str) -> int:
        """Add the place of a name and of all that it leads to, and return its number."""
        number = len(self.places)
        require(number < _MOST_PLACES, f"a grammar may have at most {_MOST_PLACES} places for its names")
        terms = self.grammar.productions[name]
        first = len(self.cardinalities)
        self.places.append(Place(name, -1, slice(0), (), np.zeros(0, dtype=np.int64), root))
        code = first if len(terms) > 1 else -1
        if code >= 0:
            self.cardinalities.append(len(terms))
        used = [self.grammar.parts_of(term) for term in terms]
        most = {part: max(parts.count(part) for parts in used) for parts in used for part in parts}
        places = {part: [self._place(part, root) for _ in range(times)] for part, times in most.items()}
        parts = tuple(tuple(places[p][each[:at].count(p)] for at, p in enumerate(each)) for each in used)
        firsts = np.cumsum([0, *self.grammar.numbers(name)[:-1]], dtype=np.int64)
        self.places[number] = Place(name, code, slice(first, len(self.cardinalities)), parts, firsts, root)
        return number

    def codes(self, index: IntArray) -> NDArray[np.int8]:
        """Return codes of checked indices, shape (n,) to (n, codes)."""
        codes = np.zeros((len(index), len(self.cardinalities)), dtype=np.int8)
        ranks = np.full((len(self.places), len(index)), -1, dtype=np.int64)
        self._divide(index, self.roots, ranks, slice(None))
        for number, place in enumerate(self.places):
            if place.code < 0:
                rows = np.flatnonzero(ranks[number] >= 0)
                self._divide(ranks[number, rows], place.parts[0], ranks, rows)
                continue
            choice = np.searchsorted(place.firsts, ranks[number], "right") - 1  # -1 where there is no decision
            codes[:, place.code] = np.maximum(choice, 0)
            for production, parts in enumerate(place.parts):
                if parts:
                    rows = np.flatnonzero(choice == production)
                    self._divide(ranks[number, rows] - place.firsts[production], parts, ranks, rows)
        return codes

    def _divide(self, rank: IntArray, parts: tuple[int, ...], ranks: IntArray, rows: NDArray[np.int64] | slice) -> None:
        """Set the numbers of parts from the number of what they make together."""
        for part in reversed(parts[1:]):
            count = self.grammar.counts[self.places[part].name]
            rank, ranks[part, rows] = np.divmod(rank, count)
        if parts:
            ranks[parts[0], rows] = rank

    def made(self, codes: IntArray) -> NDArray[np.bool_]:
        """Return which decisions the architectures make, shape (n, codes), whatever the codes of the others are."""
        made = np.zeros(codes.shape, dtype=bool)
        for number, active in enumerate(self._active(codes)):
            if self.places[number].code >= 0:
                made[:, self.places[number].code] = active
        return made

    def _active(self, codes: IntArray) -> NDArray[np.bool_]:
        """Return which places the architectures have, shape (places, n)."""
        active = np.zeros((len(self.places), len(codes)), dtype=bool)
        active[list(self.roots)] = True
        for number, place in enumerate(self.places):
            for production, parts in enumerate(place.parts):
                if parts:
                    chosen = active[number] if place.code < 0 else active[number] & (codes[:, place.code] == production)
                    for part in parts:
                        active[part] |= chosen
        return active

    def index(self, codes: IntArray) -> IntArray:
        """Return the indices of codes in range, shape (n, codes) to (n,); codes of decisions not made are ignored."""
        ranks = np.zeros((len(self.places), len(codes)), dtype=np.int64)
        for number in reversed(range(len(self.places))):
            place = self.places[number]
            if place.code < 0:
                ranks[number] = self._joined(place.parts[0], ranks)
                continue
            for production, parts in enumerate(place.parts):
                rows = np.flatnonzero(codes[:, place.code] == production)
                ranks[number, rows] = place.firsts[production] + self._joined(parts, ranks[:, rows])
        return self._joined(self.roots, ranks)

    def operations(self, codes: IntArray) -> IntArray:
        """Return how often each of `Grammar.operations` occurs in the networks, shape (n, codes) to (n, operations)."""
        names = (*self.grammar.operations, *self.grammar.shared)
        counted: dict[int, IntArray] = {}
        for number in reversed(range(len(self.places))):
            place = self.places[number]
            total = np.zeros((len(codes), len(names)), dtype=np.int64)
            for production, term in enumerate(self.grammar.productions[place.name]):
                rows = slice(None) if place.code < 0 else np.flatnonzero(codes[:, place.code] == production)
                leaves = list(term.leaves())
                total[rows] += [leaves.count(name) for name in names]
                for part in place.parts[production]:
                    total[rows] += counted[part][rows]
            counted[number] = total
        start, *shared = (counted[root] for root in self.roots)
        by_name = dict(zip(self.grammar.shared, shared, strict=True))
        for name in reversed(self.grammar.order):  # those that use others first
            if name in by_name:
                start = start + start[:, names.index(name), None] * by_name[name]
        return start[:, : len(self.grammar.operations)]

    def _joined(self, parts: tuple[int, ...], ranks: IntArray) -> IntArray:
        joined = np.zeros(ranks.shape[1], dtype=np.int64)
        for part in parts:
            joined = joined * self.grammar.counts[self.places[part].name] + ranks[part]
        return joined
