"""Spaces with several levels, described by a grammar."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.messages import shortened
from nasbench_lab.spaces.base import CodeArray, Space
from nasbench_lab.spaces.encodings import COUNTS, Vectors
from nasbench_lab.spaces.graph import Graph
from nasbench_lab.spaces.hierarchical.drawing import term_graph
from nasbench_lab.spaces.hierarchical.form import form_of
from nasbench_lab.spaces.hierarchical.grammar import Grammar
from nasbench_lab.spaces.hierarchical.layout import Layout
from nasbench_lab.spaces.hierarchical.terms import Term, parse_term

_SEPARATOR, _EQUALS = ";", "="
_MOST_KEPT = 2**14

MACRO = "macro"
"""What the group of the codes of the outer levels is called."""


@final
class HierarchicalSpace(Space):
    """All architectures that can be derived from a grammar (Schrodi et al., NeurIPS 2023).

    The codes are the decisions between productions, from the outer level to the inner ones. A decision that an
    architecture does not make has code 0, so every architecture has one row of codes. Indices count derivations: by the
    first decision, then by what it leads to.

    An architecture is written as functions of functions. Names that are chosen once, for all places where they occur,
    are written behind it, as in ``Linear2(CELL, CELL); CELL = Cell(id, conv3x3, zero)``.

    Args:
        start: see `Grammar`, as for the other arguments.
        productions: for every name the terms that it may stand for.
        shared: names that are chosen once per architecture.

    Raises:
        ParameterError: the grammar is wrong (see `Grammar`).

    >>> space = HierarchicalSpace(
    ...     "NET", {"NET": ["Linear2(CELL, CELL)", "CELL"], "CELL": ["conv3x3", "conv1x1", "id"]}, shared=["CELL"]
    ... )
    >>> space.size, space.format(1), space.parse("CELL; CELL = id")
    (6, 'Linear2(CELL, CELL); CELL = conv1x1', 5)
    """

    encodings: ClassVar[tuple[str, ...]] = (*Space.encodings, COUNTS)

    def __init__(self, start: str, productions: Mapping[str, Sequence[str]], shared: Sequence[str] = ()) -> None:
        self.name = "hierarchical"
        self.grammar = Grammar(start, productions, shared)
        self._layout = Layout(self.grammar)
        self.size = self.grammar.size
        self.cardinalities = tuple(self._layout.cardinalities)

    def spec(self) -> Mapping[str, Any]:
        """Return the plain data from which `nasbench_lab.spaces.make_space` makes the same space again."""
        return {"name": self.name, **self.grammar.spec()}

    @property
    def has_neighbors(self) -> bool:
        """Whether any architecture has a neighbour."""
        return self.size > 1

    def codes(self, index: ArrayLike) -> CodeArray:
        """Return the codes of architectures: index of shape (...) to codes of shape (..., number of codes)."""
        checked = self.check_index(index)
        return self._layout.codes(checked.reshape(-1)).reshape(*checked.shape, len(self.cardinalities))

    def index(self, codes: ArrayLike) -> IntArray:
        """Return the indices of architectures given by codes, shape (..., number of codes) to (...).

        Raises:
            OutOfSpaceError: a code is out of range, or not 0 although the architecture does not make this decision.
        """
        found = self.find(codes)
        if (found < 0).any():
            rows = self.check_codes(codes).reshape(-1, len(self.cardinalities))
            wrong = rows[np.flatnonzero(found.reshape(-1) < 0)[0]]
            place = int(np.flatnonzero(wrong * ~self.decisions(wrong))[0])
            raise OutOfSpaceError(
                f"code {place} is {int(wrong[place])}, but must be 0: an architecture with these codes does not make "
                f"this decision of {self._in_words}"
            )
        return found

    def find(self, codes: ArrayLike) -> IntArray:
        """Return what `index` returns, but -1 where a code is not 0 although its decision is not made.

        Raises:
            OutOfSpaceError: a code is out of range.
        """
        checked = self.check_codes(codes)
        rows = checked.reshape(-1, checked.shape[-1])
        found = np.where((rows * ~self._layout.made(rows)).any(axis=-1), -1, self._layout.index(rows))
        return found.reshape(checked.shape[:-1])

    def decisions(self, codes: ArrayLike) -> NDArray[np.bool_]:
        """Return which decisions architectures make, by their codes, shape (..., codes) to the same shape.

        >>> space = HierarchicalSpace("NET", {"NET": ["OP", "Linear2(OP, OP)"], "OP": ["conv3x3", "id"]})
        >>> space.decisions([[0, 0, 0], [1, 0, 0]]).tolist()
        [[True, True, False], [True, True, True]]
        """
        checked = self.check_codes(codes)
        return self._layout.made(checked.reshape(-1, checked.shape[-1])).reshape(checked.shape)

    def canonical(self, codes: ArrayLike) -> IntArray:
        """Return codes in range with 0 for decisions that are not made: those of an architecture of the space.

        >>> space = HierarchicalSpace("NET", {"NET": ["OP", "Linear2(OP, OP)"], "OP": ["conv3x3", "id"]})
        >>> space.canonical([0, 1, 1]).tolist()
        [0, 1, 0]
        """
        checked = self.check_codes(codes)
        return checked * self.decisions(checked)

    @property
    def code_groups(self) -> Mapping[str, tuple[int, ...]]:
        """The outer levels, ``"macro"``, and every shared name in small letters, as far as there is a choice.

        >>> productions = {"NET": ["CELL", "Linear2(CELL, CELL)"], "CELL": ["conv3x3", "conv1x1"]}
        >>> HierarchicalSpace("NET", productions, shared=["CELL"]).code_groups
        {'macro': (0,), 'cell': (1,)}
        """
        codes = [self._layout.places[root].codes for root in self._layout.roots]
        names = [MACRO, *(name.lower() for name in self.grammar.shared)]
        pairs = zip(names, codes, strict=True)
        return {name: tuple(range(part.start, part.stop)) for name, part in pairs if part.stop > part.start}

    def space_of_codes(self, positions: Sequence[int]) -> Space:
        """Return the space of a group of codes: what the start or one shared name can stand for."""
        for root in self._layout.roots:
            place = self._layout.places[root]
            if list(positions) == list(range(place.codes.start, place.codes.stop)):
                return HierarchicalSpace(place.name, self.grammar.reachable(place.name))
        raise ParameterError(f"the parts of {self._in_words} are searched one by one: {', '.join(self.code_groups)}")

    def crossover(self, one: IntArray, other: IntArray, from_other: NDArray[np.bool_]) -> IntArray:
        """Return children that have each code from one of two parents; decisions that they do not make have code 0.

        Args:
            one: architectures, any shape (...).
            other: architectures of the same shape.
            from_other: which codes are taken from ``other``, shape (..., number of codes).
        """
        mixed = np.where(from_other, self.codes(other), self.codes(one))
        return self.find(self.canonical(mixed))

    def terms(self, codes: Sequence[int]) -> tuple[Term, ...]:
        """Return what the start and every shared name stand for, given the codes of an architecture."""
        every = tuple(codes)
        return tuple(self._derive(root, every) for root in self._layout.roots)

    def _derive(self, number: int, codes: tuple[int, ...]) -> Term:
        """Return what a place stands for, given all codes."""
        place = self._layout.places[number]
        key = (number, codes[place.codes])
        if key not in self._kept_terms:
            production = codes[place.code] if place.code >= 0 else 0
            parts = [self._derive(part, codes) for part in place.parts[production]]
            term = self.grammar.filled(self.grammar.productions[place.name][production], parts)
            if len(self._kept_terms) >= _MOST_KEPT:
                self._kept_terms.clear()
            self._kept_terms[key] = term
        return self._kept_terms[key]

    @cached_property
    def _kept_terms(self) -> dict[tuple[int, tuple[int, ...]], Term]:
        """What places stood for before: many architectures have the same parts."""
        return {}

    def network_term(self, codes: Sequence[int]) -> Term:
        """Return the whole network of an architecture as one term, with shared names replaced.

        >>> space = HierarchicalSpace("NET", {"NET": ["Linear2(OP, OP)"], "OP": ["conv3x3", "id"]}, shared=["OP"])
        >>> str(space.network_term([1]))
        'Linear2(id, id)'
        """
        terms = dict(zip(self.grammar.roots, self.terms(codes), strict=True))

        def whole(term: Term) -> Term:
            if term.arguments:
                return Term(term.name, tuple(map(whole, term.arguments)))
            return whole(terms[term.name]) if term.name in self.grammar.shared else term

        return whole(terms[self.grammar.start])

    def network_form(self, codes: Sequence[int]) -> Hashable:
        """Return what is equal for architectures that are the same network, with ``id`` and ``zero`` as written.

        >>> space = HierarchicalSpace("NET", {"NET": ["Linear2(OP, OP)"], "OP": ["conv3x3", "id"]})
        >>> space.network_form([0, 1]) == space.network_form([1, 0])
        True
        """
        terms = self.terms(codes)
        shared = dict(zip(self.grammar.shared, terms[1:], strict=True))
        return form_of(terms[0], shared)

    def make_encoding(self, index: ArrayLike, encoding: str) -> Vectors:
        """Return architectures as vectors for models.

        ``"counts"``: how often each operation occurs in the whole network, in the order in which the grammar first
        names them, from the start on.

        >>> space = HierarchicalSpace("NET", {"NET": ["Linear3(OP, id, OP)"], "OP": ["conv3x3", "id"]}, shared=["OP"])
        >>> space.grammar.operations, space.encode([0, 1], "counts").tolist()
        (('id', 'conv3x3'), [[1.0, 2.0], [3.0, 0.0]])
        """
        if encoding != COUNTS:
            return super().make_encoding(index, encoding)
        codes = self.codes(index).astype(np.int64)
        rows = codes.reshape(-1, codes.shape[-1])
        return self._layout.operations(rows).reshape(*codes.shape[:-1], len(self.grammar.operations)).astype(np.float32)

    def labels(self, index: int) -> tuple[str, ...]:
        """Return the decisions that an architecture makes: the name, and what it is replaced by."""
        codes = self.codes(index).tolist()
        made = self.decisions(codes)
        return tuple(
            f"{place.name} = {self.grammar.productions[place.name][codes[place.code]]}"
            for place in self._layout.places
            if place.code >= 0 and made[place.code]
        )

    def graph(self, index: int) -> Graph:
        """Return the operations and which of them take what from which (see `term_graph`)."""
        network, *shared = self.terms(self.codes(index).tolist())
        return term_graph(network, dict(zip(self.grammar.shared, shared, strict=True)))

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the notation of an architecture: the network, then what the shared names stand for."""
        network, *shared = self.terms(codes)
        named = [f"{name} {_EQUALS} {term}" for name, term in zip(self.grammar.shared, shared, strict=True)]
        return f"{_SEPARATOR} ".join([str(network), *named])

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of an architecture in functional notation."""
        network, *shared = text.split(_SEPARATOR)
        texts = {self.grammar.start: network}
        for part in shared:
            name, equals, term = (piece.strip() for piece in part.partition(_EQUALS))
            if not equals or name not in self.grammar.shared:
                names = ", ".join(self.grammar.shared) or "none here"
                raise OutOfSpaceError(f"{shortened(part.strip())} must be NAME = ..., for a shared name ({names})")
            if name in texts:
                raise OutOfSpaceError(f"{shortened(text)} says twice what {name} is")
            texts[name] = term
        for name in self.grammar.shared:
            if name not in texts:
                raise OutOfSpaceError(f"{shortened(text)} does not say what {name} is: add '; {name} = ...'")
        codes = [0] * len(self.cardinalities)
        for root, name in zip(self._layout.roots, self.grammar.roots, strict=True):
            self._read(parse_term(texts[name]), root, codes)
        return tuple(codes)

    def _read(self, term: Term, number: int, codes: list[int]) -> None:
        """Set the codes of a place and of its parts, where this term stands."""
        place = self._layout.places[number]
        terms = self.grammar.productions[place.name]
        known = [self.grammar.matched(pattern, term) for pattern in terms]
        fitting = [(production, parts) for production, parts in enumerate(known) if parts is not None]
        if not fitting:
            allowed = shortened(", ".join(map(str, terms)))
            raise OutOfSpaceError(f"{shortened(str(term))} is no {place.name}; allowed: {allowed}")
        for production, parts in fitting[:-1]:
            if self._derives_all(production, place.name, parts):
                break
        else:
            production, parts = fitting[-1]  # if it does not fit, the error names the part that is wrong
        if place.code >= 0:
            codes[place.code] = production
        for part, each in zip(place.parts[production], parts, strict=True):
            self._read(each, part, codes)

    def _derives_all(self, production: int, name: str, terms: Sequence[Term]) -> bool:
        parts = self.grammar.parts_of(self.grammar.productions[name][production])
        return all(self._derives(*pair) for pair in zip(parts, terms, strict=True))

    def _derives(self, name: str, term: Term) -> bool:
        """Return whether a name of the grammar may stand for a term."""
        if (name, term) not in self._derived:
            if len(self._derived) >= _MOST_KEPT:
                self._derived.clear()
            found = [self.grammar.matched(pattern, term) for pattern in self.grammar.productions[name]]
            self._derived[name, term] = any(
                parts is not None and self._derives_all(production, name, parts)
                for production, parts in enumerate(found)
            )
        return self._derived[name, term]

    @cached_property
    def _derived(self) -> dict[tuple[str, Term], bool]:
        return {}
