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
_LONGEST_NUMBER = 19  # digits
_MOST_LISTED = 8  # numbers
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


class PublishedFileWarning(UserWarning):
    """A file has the name of a published file but another content, or its table other numbers than published."""


class SearchOnTestWarning(UserWarning):
    """The table has no validation measurements, so a search can only observe test measurements."""


class OneFidelityWarning(UserWarning):
    """All evaluations of a multi-fidelity strategy have one fidelity, so it is no multi-fidelity search."""


class MissingFontWarning(UserWarning):
    """No installed font has some characters of the names that a figure shows."""


class CallbackWarning(UserWarning):
    """A callback of a training raised an error; the training goes on without it."""


class SettingWarning(UserWarning):
    """A setting of a search has no effect, or hides most of the table from it."""


NOTED = (CallbackWarning, OneFidelityWarning, SearchOnTestWarning, SettingWarning, MissingFontWarning)
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

    A few numbers are all listed; of many, the nearest in value are suggested:

    >>> print(unknown("fidelity", "150", ["12", "200", "90"]))
    unknown fidelity '150'; known: 12, 90, 200
    >>> print(unknown("fidelity", "0", map(str, range(1, 201))))
    unknown fidelity '0'; did you mean '1'?
    """
    names = _ordered(known)
    if len(names) > _MOST_LISTED or not all(map(_is_number, names)):
        near = _nearest(str(name), names) or suggestions(str(name), names, also_called)
    else:
        near = []  # a few numbers are listed
    asked = f"unknown {kind} {shortened(name)}"
    if near:
        return UnknownNameError(f"{asked}; did you mean {' or '.join(repr(n) for n in near)}?")
    return UnknownNameError(f"{asked}; {instead or f'known: {_listed(names)}'}")


def _listed(names: Sequence[str]) -> str:
    """Return names as text; of many numbers, only the first and the last."""
    if len(names) > _MOST_LISTED and all(map(_is_number, names)):
        return f"{', '.join(names[:_MOST_SUGGESTED])}, ..., {names[-1]}"
    return ", ".join(names) or "none"


def suggestions(name: str, known: Sequence[str], also_called: Mapping[str, Sequence[str]] | None = None) -> list[str]:
    """Return at most three known names that are similar to an unknown one.

    Args:
        name: the unknown name.
        known: the known names.
        also_called: other names in use, and the known names that each stands for; case and punctuation do not matter.
            The unknown name may have more characters after such a name.

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


def _ordered(names: Iterable[str]) -> list[str]:
    """Return names in alphabetical order, or numbers in ascending order if all names are numbers.

    >>> _ordered(["108", "12", "4"]), _ordered(["b", "a", "10"])
    (['4', '12', '108'], ['10', 'a', 'b'])
    """
    found = sorted(names)
    return sorted(found, key=int) if all(map(_is_number, found)) else found


def _nearest(name: str, numbers: Sequence[str]) -> list[str]:
    """Return the next smaller and the next larger of ascending numbers; nothing if one of the texts is no number.

    >>> _nearest("0", ["1", "2", "90"]), _nearest("50", ["1", "2", "90"]), _nearest("x", ["1"])
    (['1'], ['2', '90'], [])
    """
    if not _is_number(name.removeprefix("-")) or not all(map(_is_number, numbers)):
        return []
    smaller = [each for each in numbers if int(each) < int(name)]
    larger = [each for each in numbers if int(each) > int(name)]
    return [*smaller[-1:], *larger[:1]]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < _LONGEST_NUMBER


def _with(part: str, names: Sequence[str]) -> list[str]:
    """Return the names that end with a part; if there are none, the names that contain it."""
    ending = [each for each in names if _plain(each).endswith(part)]
    return ending or [each for each in names if part in _plain(each)]


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
