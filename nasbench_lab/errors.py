"""Every error that the package raises on purpose: one class a kind of mistake, one line a message.

A message says what was wrong and what is allowed. The command line prints it as it is and exits with code 2.
"""

from __future__ import annotations

from collections.abc import Iterable


class NasbenchLabError(Exception):
    """Base of all errors of this package; ``except NasbenchLabError`` catches every one of them."""


class UnknownNameError(NasbenchLabError, LookupError):
    """No table, space, strategy, metric or fidelity has that name."""


class OutOfSpaceError(NasbenchLabError, ValueError):
    """An architecture is malformed or does not belong to the search space."""


class ParameterError(NasbenchLabError, ValueError):
    """A parameter of a strategy, a budget or a simulation has a value that makes no sense."""


class MissingDataError(NasbenchLabError, LookupError):
    """A measurement was asked for that nobody published; it is never made up."""


class DataError(NasbenchLabError, ValueError):
    """A file is corrupt, truncated, hostile, or not what its checksum promises."""


class SourceError(NasbenchLabError, OSError):
    """The published files of a table could not be found or downloaded."""


class OutputError(NasbenchLabError, OSError):
    """A result could not be written; nothing was left half-written."""


class StrategyError(NasbenchLabError, RuntimeError):
    """A strategy broke its contract, for example proposed an architecture outside the space."""


class SearchOnTestWarning(UserWarning):
    """The table publishes no validation measurements, so a search can only observe test measurements."""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its class where it says nothing.

    >>> first_line(ValueError("wrong" + chr(10) + "details")), first_line(KeyError())
    ('wrong', 'KeyError')
    """
    return (str(error).splitlines() or [type(error).__name__])[0]


def unknown(kind: str, name: object, known: Iterable[str]) -> UnknownNameError:
    """Build the error for an unknown name, with the nearest known names in it.

    Args:
        kind: what was looked up, as a noun, e.g. ``"table"``.
        name: what the user typed.
        known: every name that would have been right.

    >>> print(unknown("table", "nas-bench-graph/kora", ["nas-bench-graph/cora", "digits/chain"]))
    unknown table 'nas-bench-graph/kora'; did you mean 'nas-bench-graph/cora'?
    >>> print(unknown("split", "x", ["valid", "test"]))
    unknown split 'x'; known: test, valid
    """
    import difflib

    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.6)
    if near:
        return UnknownNameError(f"unknown {kind} {name!r}; did you mean {' or '.join(repr(n) for n in near)}?")
    return UnknownNameError(f"unknown {kind} {name!r}; known: {', '.join(names) or 'none'}")
