"""Texts of messages: an error in one line, shortened values, and suggestions for unknown names."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shlex
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from nasbench_lab.errors import NasbenchLabError, UnknownNameError

_MOST_SUGGESTED = 3
_TELLING = 4  # letters that are enough to recognise a name
_LONGEST_NUMBER = 19  # digits
_MOST_LISTED = 8  # numbers
_MOST_SHOWN = 100  # characters
_SHOWN_OF_LONG = 64
_PLACE = "_place_in_other_process"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or the name of its class if the message is empty.

    >>> first_line(ValueError("wrong" + chr(10) + "details")), first_line(KeyError())
    ('wrong', 'KeyError')
    """
    return (str(error).splitlines() or [type(error).__name__])[0]


def described(error: BaseException) -> str:
    """Return an error in one line: its class, its message, and the line of the user's code that raised it.

    The class is left out for errors of this package, whose messages stand alone.

    >>> described(KeyError("oops")), described(UnknownNameError("no such table"))
    ("KeyError: 'oops'", 'no such table')
    """
    kind, message = type(error).__name__, first_line(error)
    text = message if isinstance(error, NasbenchLabError) or message == kind else f"{kind}: {message}"
    place = place_in_user_code(error.__traceback__) or str(getattr(error, _PLACE, ""))
    return f"{text} ({place})" if place else text


def set_place(error: BaseException, place: str) -> None:
    """Note where another process raised an error, for `described`: the traceback does not come with the error.

    >>> error = KeyError("oops")
    >>> set_place(error, "mine.py, line 7, in ask")
    >>> described(error)
    "KeyError: 'oops' (mine.py, line 7, in ask)"
    """
    with contextlib.suppress(AttributeError):  # a class with slots
        setattr(error, _PLACE, place)


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


def as_command(*words: object) -> str:
    """Return a command of the command line that can be pasted into a shell: paths with spaces are quoted.

    >>> print(as_command("suite", "run", "my suite.toml", "--out", "results"))
    nasbench-lab suite run 'my suite.toml' --out results
    """
    return shlex.join(["nasbench-lab", *map(str, words)])


def stands_for(name: str, known: Iterable[str], also_called: Mapping[str, Sequence[str]] | None = None) -> list[str]:
    """Return the known names that another spelling or an alias stands for. Case and punctuation do not matter.

    Args:
        name: the name in another spelling, or an alias.
        known: the known names.
        also_called: aliases, and the known names that each stands for.

    >>> also_called = {"rs": ["random-search"], "evolution": ["regularized-evolution", "genetic-algorithm"]}
    >>> stands_for("Random_Search", ["random-search"]), stands_for("rs", ["random-search"], also_called)
    (['random-search'], ['random-search'])
    >>> stands_for("evolution", ["random-search"], also_called), stands_for("random", ["random-search"], also_called)
    (['regularized-evolution', 'genetic-algorithm'], [])
    """
    typed = _plain(name)
    if not typed:
        return []
    spelled = [each for each in known if _plain(each) == typed]
    aliases = (names for alias, names in (also_called or {}).items() if _plain(alias) == typed)
    return spelled or list(dict.fromkeys(each for names in aliases for each in names))


def several(kind: str, name: str, meant: Sequence[str]) -> UnknownNameError:
    """Return the error for a name that stands for several.

    >>> print(several("strategy", "evolution", ["regularized-evolution", "genetic-algorithm"]))
    the strategy 'evolution' can be genetic-algorithm or regularized-evolution; name one of them
    """
    *others, last = sorted(meant)
    return UnknownNameError(f"the {kind} {shortened(name)} can be {', '.join(others)} or {last}; name one of them")


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
    return sorted(found, key=float) if all(map(_is_number, found)) else found


def _nearest(name: str, numbers: Sequence[str]) -> list[str]:
    """Return the next smaller and the next larger of ascending numbers; nothing if one of the texts is no number.

    >>> _nearest("0", ["1", "2", "90"]), _nearest("50.5", ["1", "2", "90"]), _nearest("x", ["1"])
    (['1'], ['2', '90'], [])
    """
    if not _is_number(name) or not all(map(_is_number, numbers)):
        return []
    smaller = [each for each in numbers if float(each) < float(name)]
    larger = [each for each in numbers if float(each) > float(name)]
    return [*smaller[-1:], *larger[:1]]


def _is_number(text: str) -> bool:
    return len(text) < _LONGEST_NUMBER and re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text, re.ASCII) is not None


def _with(part: str, names: Sequence[str]) -> list[str]:
    """Return the names that end with a part; if there are none, the names that contain it."""
    ending = [each for each in names if _plain(each).endswith(part)]
    return ending or [each for each in names if part in _plain(each)]


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
