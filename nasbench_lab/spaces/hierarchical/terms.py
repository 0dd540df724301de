"""Functional notation: ``Linear2(conv3x3, Residual2(id, id, conv1x1))`` as a tree of names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.messages import shortened

_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|[(),])")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
DEEPEST = 60
"""How often functions may be inside each other."""

_LONGEST = 10**6  # characters


@dataclass(frozen=True)
class Term:
    """A function with its arguments, or a name alone.

    Attributes:
        name: of the function.
        arguments: what it is applied to.

    >>> str(parse_term("Linear2( conv3x3,id )"))
    'Linear2(conv3x3, id)'
    """

    name: str
    arguments: tuple[Term, ...] = ()

    def __str__(self) -> str:
        if not self.arguments:
            return self.name
        return f"{self.name}({', '.join(map(str, self.arguments))})"

    def leaves(self) -> Iterator[str]:
        """Yield the names without arguments, from left to right.

        >>> list(parse_term("Linear2(conv3x3, Linear2(id, conv1x1))").leaves())
        ['conv3x3', 'id', 'conv1x1']
        """
        if not self.arguments:
            yield self.name
        for argument in self.arguments:
            yield from argument.leaves()


def is_name(text: str) -> bool:
    """Return whether a text is a name: letters, digits and ``_``, but no digit first."""
    return bool(_NAME.fullmatch(text))


def parse_term(text: str) -> Term:
    """Return the tree of a text in functional notation; spaces have no meaning.

    Raises:
        OutOfSpaceError: the text is malformed; the message says where.
    """
    if len(text) > _LONGEST:
        raise OutOfSpaceError(f"an architecture has at most {_LONGEST} characters, got {len(text)}")
    open_terms: list[tuple[str, list[Term]]] = []
    finished: Term | None = None  # the term that ends where we are
    name = ""  # a name without its arguments yet
    for piece, place in _tokens(text):
        if piece == "(" and name:
            open_terms.append((name, []))
            name = ""
            if len(open_terms) > DEEPEST:
                raise OutOfSpaceError(f"{shortened(text)} has functions inside each other {DEEPEST} times and more")
        elif piece not in "(),":
            if name or finished is not None:
                raise _malformed(text, place)
            name = piece
        else:
            if name:
                name, finished = "", Term(name)
            if finished is None or not open_terms or piece == "(":
                raise _malformed(text, place)
            open_terms[-1][1].append(finished)
            finished = None
            if piece == ")":
                function, arguments = open_terms.pop()
                finished = Term(function, tuple(arguments))
    if name:
        finished = Term(name)
    if finished is None or open_terms:
        raise _malformed(text, len(text))
    return finished


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    place = 0
    end = len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            raise _malformed(text, place)
        yield match[1], match.start(1)
        place = match.end()


def _malformed(text: str, place: int) -> OutOfSpaceError:
    rest = text[place:].strip()
    where = f"at {shortened(rest)}" if rest else "at its end"
    return OutOfSpaceError(f"malformed {where}: {shortened(text)}; write Function(argument, argument)")
