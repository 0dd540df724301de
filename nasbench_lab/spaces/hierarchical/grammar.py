"""A grammar of architectures: what each name may stand for, how many architectures that makes, and which are allowed.

A *derivation* replaces the start by one of its productions, and so on, until no name is left that stands for something.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from nasbench_lab.checks import require
from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.messages import shortened
from nasbench_lab.spaces.hierarchical.terms import DEEPEST, Term, is_name, parse_term
from nasbench_lab.spaces.hierarchical.topologies import edges_of

MOST_ARCHITECTURES = 2**63 - 1
_MOST_PRODUCTIONS = 127  # of one name: codes are kept as int8
_MOST_NAMES = 500
_MOST_FUNCTIONS = 20_000  # in one architecture


class Grammar:
    """A context-free grammar without recursion, in functional notation (Schrodi et al., NeurIPS 2023).

    Args:
        start: the name that every architecture is derived from.
        productions: for every name the terms that it may stand for. Names in these terms that are not keys are
            operations.
        shared: names that are chosen once per architecture: wherever they occur, they stand for the same. An
            architecture without a shared name must not be possible.

    Raises:
        ParameterError: a name, a term or a function is wrong; the grammar is recursive; two derivations give the same
            architecture; or there are more than 2**63 - 1 architectures.

    >>> grammar = Grammar("NET", {"NET": ["Linear2(OP, OP)", "Residual2(OP, id, OP)"], "OP": ["conv3x3", "id"]})
    >>> dict(grammar.counts)
    {'NET': 8, 'OP': 2}
    """

    def __init__(self, start: str, productions: Mapping[str, Sequence[str]], shared: Sequence[str] = ()) -> None:
        require(isinstance(productions, Mapping) and bool(productions), "a grammar needs a table of productions")
        require(len(productions) <= _MOST_NAMES, f"a grammar has at most {_MOST_NAMES} names, got {len(productions)}")
        self.productions = {name: _terms(name, terms) for name, terms in productions.items()}
        self.shared = _checked_shared(shared, start, self.productions)
        require(
            isinstance(start, str) and start in self.productions,
            f"start must be a name with productions, one of {', '.join(self.productions)}; got {shortened(start)}",
        )
        self.start = start
        self.roots = (start, *self.shared)
        """The start and the shared names: what is derived on its own."""
        for name, terms in self.productions.items():
            for term in terms:
                self._check_functions(name, term)
        self.order = order = self._in_order()
        """The names, those that a name uses before it."""
        self._check_lengths(order)
        self.counts = dict.fromkeys(self.productions, 0)
        """Number of different things that every name may stand for."""
        for name in order:
            self.counts[name] = self._count(name)
        self.size = _capped(math.prod(self.counts[root] for root in self.roots), "the grammar")
        """Number of architectures."""
        self._check_different()
        self._check_shared_occur(order)

    @property
    def operations(self) -> tuple[str, ...]:
        """The names without productions, in the order in which the start and what follows from it names them first."""
        found: dict[str, None] = {}
        for name in reversed(self.order):
            for term in self.productions[name]:
                found.update(dict.fromkeys(leaf for leaf in term.leaves() if leaf not in self.productions))
        return tuple(found)

    def parts_of(self, term: Term) -> tuple[str, ...]:
        """Return the names in a term that are replaced in its place: those with productions that are not shared."""
        return tuple(leaf for leaf in term.leaves() if self._is_replaced(leaf))

    def numbers(self, name: str) -> tuple[int, ...]:
        """Return for every production of a name how many different things it stands for."""
        return tuple(math.prod(self.counts[part] for part in self.parts_of(term)) for term in self.productions[name])

    def filled(self, term: Term, parts: Sequence[Term]) -> Term:
        """Return a term whose `parts_of` are replaced by ``parts``, from left to right."""
        remaining = iter(parts)

        def fill(inner: Term) -> Term:
            if not inner.arguments:
                return next(remaining) if self._is_replaced(inner.name) else inner
            return Term(inner.name, tuple(map(fill, inner.arguments)))

        return fill(term)

    def matched(self, pattern: Term, term: Term) -> list[Term] | None:
        """Return what stands in the places of a production's `parts_of`; None where the term is another one."""
        if self._is_replaced(pattern.name):
            return [term]
        if pattern.name != term.name or len(pattern.arguments) != len(term.arguments):
            return None
        found = [self.matched(*pair) for pair in zip(pattern.arguments, term.arguments, strict=True)]
        return None if None in found else list(itertools.chain.from_iterable(part for part in found if part))

    def reachable(self, name: str) -> dict[str, list[str]]:
        """Return the productions that are used below a name; shared names in them are operations."""
        found: dict[str, list[str]] = {}
        waiting = [name]
        while waiting:
            each = waiting.pop()
            if each not in found:
                found[each] = [str(term) for term in self.productions[each]]
                waiting += [part for term in self.productions[each] for part in self.parts_of(term)]
        return found

    def spec(self) -> dict[str, Any]:
        """Return the plain data that the grammar is made of."""
        terms = {name: [str(term) for term in terms] for name, terms in self.productions.items()}
        return {"start": self.start, "productions": terms, "shared": list(self.shared)}

    def _is_replaced(self, name: str) -> bool:
        return name in self.productions and name not in self.shared

    def _uses(self, name: str) -> set[str]:
        return {leaf for term in self.productions[name] for leaf in term.leaves() if leaf in self.productions}

    def _check_functions(self, name: str, term: Term) -> None:
        if not term.arguments:
            return
        require(term.name not in self.productions, f"{term.name!r} has productions, so it takes no arguments: {term}")
        try:
            edges_of(term.name, len(term.arguments))
        except ParameterError as error:
            raise ParameterError(f"{error}, in a production of {name!r}: {shortened(str(term))}") from None
        for argument in term.arguments:
            self._check_functions(name, argument)

    def _in_order(self) -> list[str]:
        """Return the names, those that a name uses before it."""
        order: list[str] = []
        begun: dict[str, list[str]] = {}
        path: list[str] = []
        waiting = [self.start]
        while waiting:
            name = waiting[-1]
            if name not in begun:
                begun[name] = sorted(self._uses(name))
                path.append(name)
            if begun[name]:
                following = begun[name].pop()
                if following in path:
                    cycle = " -> ".join([*path[path.index(following) :], following])
                    raise ParameterError(f"a grammar must not be recursive, but this one has {cycle}")
                if following not in begun:
                    waiting.append(following)
                continue
            waiting.pop()
            path.pop()
            order.append(name)
        unused = [name for name in self.productions if name not in begun]
        require(not unused, f"the name {unused[0] if unused else ''!r} of the grammar is never used")
        return order

    def _check_lengths(self, order: Sequence[str]) -> None:
        longest: dict[str, int] = {}
        deepest: dict[str, int] = {}
        for name in order:
            terms = self.productions[name]
            longest[name] = max(_functions(term) + sum(longest[p] for p in self.parts_of(term)) for term in terms)
            deepest[name] = max(self._depth(term, deepest) for term in terms)
            require(
                longest[name] <= _MOST_FUNCTIONS,
                f"an architecture may have at most {_MOST_FUNCTIONS} functions; {name!r} can have more",
            )
            require(
                deepest[name] < DEEPEST,
                f"functions may be inside each other {DEEPEST} times at most; {name!r} can have more",
            )

    def _depth(self, term: Term, known: Mapping[str, int]) -> int:
        """Return how deep functions and names are inside each other."""
        inner = [self._depth(argument, known) for argument in term.arguments]
        return 1 + max(inner, default=known[term.name] if self._is_replaced(term.name) else 0)

    def _count(self, name: str) -> int:
        return _capped(sum(self.numbers(name)), repr(name))

    def _check_different(self) -> None:
        for name, terms in self.productions.items():
            for one, other in itertools.combinations(terms, 2):
                require(
                    not self._overlap(one, other),
                    f"two productions of {name!r} can give the same architecture: {one} and {other}",
                )

    def _overlap(self, one: Term, other: Term) -> bool:
        """Return whether something can be derived from both terms."""
        for first, second in ((one, other), (other, one)):
            if self._is_replaced(first.name):
                return self._overlaps_name(first.name, second)
        if one.name != other.name or len(one.arguments) != len(other.arguments):
            return False
        return all(self._overlap(*pair) for pair in zip(one.arguments, other.arguments, strict=True))

    @functools.cached_property
    def _known_overlaps(self) -> dict[tuple[str, Term], bool]:
        return {}

    def _overlaps_name(self, name: str, term: Term) -> bool:
        if term.name == name:
            return True
        key = (name, term)
        if key not in self._known_overlaps:
            self._known_overlaps[key] = any(self._overlap(each, term) for each in self.productions[name])
        return self._known_overlaps[key]

    def _check_shared_occur(self, order: Sequence[str]) -> None:
        always: dict[str, set[str]] = {}
        for name in order:
            of_terms = []
            for term in self.productions[name]:
                leaves = [leaf for leaf in term.leaves() if leaf in self.productions]
                of_terms.append({*leaves}.union(*(always[leaf] for leaf in leaves)))
            always[name] = set.intersection(*of_terms)
        for name in self.shared:
            require(
                name in always[self.start],
                f"{name!r} is shared, so every architecture must use it, but some do not",
            )


def _terms(name: Any, terms: Any) -> tuple[Term, ...]:
    """Return the checked productions of a name."""
    require(isinstance(name, str) and is_name(name), f"a name is letters, digits and _, got {shortened(name)}")
    good = isinstance(terms, Sequence) and not isinstance(terms, str) and 1 <= len(terms) <= _MOST_PRODUCTIONS
    require(good, f"the productions of {name!r} must be a list of 1 to {_MOST_PRODUCTIONS} texts")
    for text in terms:
        require(isinstance(text, str), f"a production of {name!r} must be a text, got {shortened(text)}")
    try:
        found = tuple(map(parse_term, terms))
    except OutOfSpaceError as error:
        raise ParameterError(f"a production of {name!r} is {error}") from None
    twice = [str(term) for term in found if found.count(term) > 1]
    require(not twice, f"{name!r} has the production {twice[0] if twice else ''} twice")
    return found


def _checked_shared(shared: Any, start: str, productions: Mapping[str, Any]) -> tuple[str, ...]:
    good = isinstance(shared, Sequence) and not isinstance(shared, str)
    require(good, f"shared must be a list of names, got {shortened(shared)}")
    for name in shared:
        require(
            isinstance(name, str) and name in productions and name != start and list(shared).count(name) == 1,
            f"shared must list different names with productions, without the start; got {shortened(name)}",
        )
    return tuple(shared)


def _functions(term: Term) -> int:
    return 1 + sum(map(_functions, term.arguments))


def _capped(number: int, what: str) -> int:
    require(number <= MOST_ARCHITECTURES, f"{what} stands for more than 2**63 - 1 architectures")
    return number
