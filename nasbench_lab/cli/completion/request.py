"""What the shell asks for: environment variables that typer's scripts set."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Iterator, Sequence

_BREAK = re.compile("[:=]+")

VARIABLE = "_NASBENCH_LAB_COMPLETE"
"""The variable that asks for completions: what to do, and the shell."""


def is_asked() -> bool:
    """Return whether a shell asks for completions, so that no command runs."""
    return VARIABLE in os.environ


def typed_words() -> set[str]:
    """Return the words of the line."""
    return set(" ".join(os.environ.get(name, "") for name in ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")).split())


@contextlib.contextmanager
def whole_words() -> Iterator[str]:
    """Join the words that bash splits at colons and equals signs.

    Bash replaces only the last part of such a word, so the completions must begin there.

    Yields:
        The beginning of completions that must be left out.
    """
    left_out = ""
    if os.environ[VARIABLE].endswith("_bash"):
        words, place = os.environ.get("COMP_WORDS", "").split("\n"), int(os.environ.get("COMP_CWORD", "0"))
        whole, left_out = join_words((*words, "")[: place + 1])
        os.environ |= {"COMP_WORDS": "\n".join(whole), "COMP_CWORD": str(len(whole) - 1)}
    yield left_out


def join_words(words: Sequence[str]) -> tuple[list[str], str]:
    """Return the words as they were typed, and the beginning of the value in the last one that bash keeps.

    Args:
        words: words as bash splits them, up to that with the cursor.

    >>> join_words(["run", "--strategy", "umda", ":", "sel"])
    (['run', '--strategy', 'umda:sel'], 'umda:')
    >>> join_words(["run", "--strategy", "=", "umda", ":"])
    (['run', '--strategy=umda:'], 'umda:')
    """
    whole: list[str] = []
    for before, word in itertools.pairwise(("", *words)):
        if len(whole) > 1 and (_BREAK.fullmatch(before) or _BREAK.fullmatch(word)):
            whole[-1] += word
        else:
            whole.append(word)
    last = "" if _BREAK.fullmatch(words[-1]) else words[-1]
    kept = whole[-1].removesuffix(last)
    return whole, kept.partition("=")[2] if kept.startswith("--") else kept
