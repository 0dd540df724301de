"""The errors of the package: one class per kind of mistake.

A message is one line that says what was wrong and what is allowed. The command line prints the message and exits with
code 2.
"""

from __future__ import annotations

import functools
import os
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

_MOST_SUGGESTED = 3
_TELLING = 4  # letters that are enough to recognise a name
_MOST_NUMBERS = 20  # that a message lists
_AFTER_NUMBERS = 10**18
_MOST_SHOWN = 100  # characters
_SHOWN_OF_LONG = 64


class NasbenchLabError(Exception):
    """Base class of all errors of this package; ``except NasbenchLabError`` catches all of them."""


class UnknownNameError(NasbenchLabError, LookupError):
    """No table, space, strategy, metric or fidelity has the given name."""


class OutOfSpaceError(NasbenchLabError, ValueError):
    """An architecture is malformed or does not belong to the search space."""


class ParameterError(NasbenchLabError, ValueError):
    """A parameter has a value that is not allowed."""


class MissingDataError(NasbenchLabError, LookupError):
    """A measurement does not exist in the published data. Missing values are never imputed."""


class DataError(NasbenchLabError, ValueError):
    """A file is corrupt, truncated or hostile, or does not match its checksum."""


class SourceError(NasbenchLabError, OSError):
    """The published files of a table cannot be found or downloaded."""


class OutputError(NasbenchLabError, OSError):
    """A result cannot be written; no half-written file is left."""


class StrategyError(NasbenchLabError, RuntimeError):
    """A strategy broke its contract, for example by proposing an architecture outside the space."""


class SearchOnTestWarning(UserWarning):
    """The table has no validation measurements, so a search can only observe test measurements."""


class OneFidelityWarning(UserWarning):
    """All evaluations of a multi-fidelity strategy have one fidelity, so it is no multi-fidelity search."""


class MissingFontWarning(UserWarning):
    """No installed font has some characters of the names that a figure shows."""


NOTED = (OneFidelityWarning, SearchOnTestWarning, MissingFontWarning)
"""The warnings that the command line prints as notes."""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or the name of its class if the message is empty.

    >>> first_line(ValueError("wrong" + chr(10) + "details")), first_line(KeyError())
    ('wrong', 'KeyError')
    """
    return (str(error).splitlines() or [type(error).__name__])[0]


def described(error: BaseException) -> str:
    """Return an error in one line: its class, its message, and the line of the user's code that raised it.

    The class is left out for errors of this package, whose messages stand alone.

    >>> described(KeyError("oops")), described(ParameterError("runs must be at least 1"))
    ("KeyError: 'oops'", 'runs must be at least 1')
    """
    kind, message = type(error).__name__, first_line(error)
    text = message if isinstance(error, NasbenchLabError) or message == kind else f"{kind}: {message}"
    place = place_in_user_code(error.__traceback__)
    return f"{text} ({place})" if place else text


def place_in_user_code(trace: TracebackType | None) -> str:
    """Return the file, line and function of the user's code in which an error was raised; empty if it was not there.

    It is the innermost frame that belongs neither to this package nor to Python or an installed package, among those
    that this package called.
    """
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(trace)]
    ours = [place for place, (code, _) in enumerate(frames) if code.co_filename.startswith(_own_folder())]
    for code, line in reversed(frames[ours[0] :] if ours else []):
        file = code.co_filename
        if not file.startswith(("<", _own_folder(), *_library_folders())):
            return f"{Path(file).name}, line {line}, in {code.co_name}"
    return ""


@functools.cache
def _own_folder() -> str:
    return f"{Path(__file__).parent}{os.sep}"


@functools.cache
def _library_folders() -> tuple[str, ...]:
    """Return the folders of Python and of installed packages."""
    import site
    import sysconfig

    paths = sysconfig.get_paths()
    folders = {*site.getsitepackages(), *(paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib"))}
    return tuple(f"{folder}{os.sep}" for folder in folders)


def shortened(value: object) -> str:
    """Return the `repr` of a value for messages, cut if it is long.

    >>> shortened("digits/chain"), shortened("x" * 5000)
    ("'digits/chain'", "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... (5,002 characters)")
    """
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write integers of more than some thousand digits
        return "an integer with thousands of digits"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_SHOWN_OF_LONG]}... ({len(text):,} characters)"


def unknown(
    kind: str,
    name: object,
    known: Iterable[str],
    also_called: Mapping[str, Sequence[str]] | None = None,
    *,
    instead: str = "",
) -> UnknownNameError:
    """Return the error for an unknown name, with suggestions in its message.

    Args:
        kind: what the name stands for, as a noun, e.g. ``"table"``.
        name: the unknown name.
        known: all known names.
        also_called: other names, see `suggestions`.
        instead: what the message says instead of listing all known names, if there are many and none is similar.

    >>> print(unknown("table", "nas-bench-graph/kora", ["nas-bench-graph/cora", "digits/chain"]))
    unknown table 'nas-bench-graph/kora'; did you mean 'nas-bench-graph/cora'?
    >>> print(unknown("split", "x", ["valid", "test"]))
    unknown split 'x'; known: test, valid
    >>> print(unknown("fidelity", "3", ["200", "12"]))
    unknown fidelity '3'; known: 12, 200
    """
    names = sorted(known, key=_in_order)
    near = suggestions(str(name), names, also_called)
    asked = f"unknown {kind} {shortened(name)}"
    if near:
        return UnknownNameError(f"{asked}; did you mean {' or '.join(repr(n) for n in near)}?")
    return UnknownNameError(f"{asked}; {instead or f'known: {_listed(names)}'}")


def _listed(names: Sequence[str]) -> str:
    """Return names as text; of many numbers, only the first and the last."""
    if len(names) > _MOST_NUMBERS and all(map(_is_number, names)):
        return f"{', '.join(names[:_MOST_SUGGESTED])}, ..., {names[-1]}"
    return ", ".join(names) or "none"


def _in_order(name: str) -> tuple[int, str]:
    """Return a key that sorts numbers by their value, and other names after them."""
    return (int(name), "") if _is_number(name) else (_AFTER_NUMBERS, name)


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) <= 18


def suggestions(name: str, known: Sequence[str], also_called: Mapping[str, Sequence[str]] | None = None) -> list[str]:
    """Return at most three known names that are similar to an unknown one.

    Args:
        name: the unknown name.
        known: the known names.
        also_called: other names in use, and the known names that each stands for; case and punctuation do not matter.
            The unknown name may have more characters after such a name.

    Numbers are similar if their values are near. They are only suggested if there are too many to list them all.

    >>> tables = ["nas-bench-101/full", "nats-bench-tss/cifar10", "nats-bench-tss/cifar100"]
    >>> suggestions("NATS-Bench", tables), suggestions("nas_bench_101", tables)
    (['nats-bench-tss/cifar10', 'nats-bench-tss/cifar100'], ['nas-bench-101/full'])
    >>> also_called = {"nasbench201": tables[1:]}
    >>> suggestions("nas-bench-201/cifar100", tables, also_called), suggestions("nas-bench-2", tables, also_called)
    (['nats-bench-tss/cifar100'], ['nats-bench-tss/cifar10', 'nats-bench-tss/cifar100'])
    """
    import difflib

    if known and all(map(_is_number, known)):
        if not _is_number(name) or len(known) <= _MOST_NUMBERS:
            return []
        near = sorted(known, key=lambda number: (abs(int(number) - int(name)), int(number)))[:_MOST_SUGGESTED]
        return sorted(near, key=int)
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
    """Return the names that end with a part; if there are none, the names that contain it."""
    ending = [each for each in names if _plain(each).endswith(part)]
    return ending or [each for each in names if part in _plain(each)]


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
