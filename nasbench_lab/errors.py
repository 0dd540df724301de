"""Every error that the package raises on purpose: one class a kind of mistake, one line a message.

A message says what was wrong and what is allowed. The command line prints it as it is and exits with code 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

_MOST_SUGGESTED = 3
_TELLING = 4  # letters that say what is meant


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


def unknown(
    kind: str, name: object, known: Iterable[str], also_called: Mapping[str, Sequence[str]] | None = None
) -> UnknownNameError:
    """Build the error for an unknown name, with the nearest known names in it.

    Args:
        kind: what was looked up, as a noun, e.g. ``"table"``.
        name: what the user typed.
        known: every name that would have been right.
        also_called: see `suggestions`.

    >>> print(unknown("table", "nas-bench-graph/kora", ["nas-bench-graph/cora", "digits/chain"]))
    unknown table 'nas-bench-graph/kora'; did you mean 'nas-bench-graph/cora'?
    >>> print(unknown("split", "x", ["valid", "test"]))
    unknown split 'x'; known: test, valid
    """
    names = sorted(known)
    near = suggestions(str(name), names, also_called)
    if near:
        return UnknownNameError(f"unknown {kind} {name!r}; did you mean {' or '.join(repr(n) for n in near)}?")
    return UnknownNameError(f"unknown {kind} {name!r}; known: {', '.join(names) or 'none'}")


def suggestions(name: str, known: Sequence[str], also_called: Mapping[str, Sequence[str]] | None = None) -> list[str]:
    """Return what somebody may have meant who typed a name that there is not; three at most.

    Args:
        name: what was typed.
        known: the names that there are.
        also_called: what else people call them, and the names of that; case and punctuation do not matter. What was
            typed may go on after it, as names do.

    >>> tables = ["nas-bench-101/full", "nats-bench-tss/cifar10", "nats-bench-tss/cifar100"]
    >>> suggestions("NATS-Bench", tables), suggestions("nas_bench_101", tables)
    (['nats-bench-tss/cifar10', 'nats-bench-tss/cifar100'], ['nas-bench-101/full'])
    >>> also_called = {"nasbench201": tables[1:]}
    >>> suggestions("nas-bench-201/cifar100", tables, also_called), suggestions("nas-bench-2", tables, also_called)
    (['nats-bench-tss/cifar100'], ['nats-bench-tss/cifar10', 'nats-bench-tss/cifar100'])
    """
    import difflib

    typed = _plain(name)
    telling = len(typed) >= _TELLING
    others = {
        _plain(called): [each for each in names if each in known] for called, names in (also_called or {}).items()
    }
    for called, names in others.items():
        if names and (typed == called or (typed.startswith(called) and len(called) >= _TELLING)):
            return (_with(typed.removeprefix(called), names) or names)[:_MOST_SUGGESTED]
    near = [each for each in known if telling and _plain(each).startswith(typed)]
    near = near or [each for called, names in others.items() if telling and called.startswith(typed) for each in names]
    near = near or (_with(typed, known) if telling else [])
    near = near or difflib.get_close_matches(name, known, n=_MOST_SUGGESTED, cutoff=0.6)
    return list(dict.fromkeys(near))[:_MOST_SUGGESTED]


def _with(part: str, names: Sequence[str]) -> list[str]:
    """The names that end with a part; if none does, those that have it."""
    ending = [each for each in names if _plain(each).endswith(part)]
    return ending or [each for each in names if part in _plain(each)]


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
