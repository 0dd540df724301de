"""What the shell asks for: environment variables that typer's scripts set."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Sequence

_BREAK = re.compile("[:=]+")
_OPTION = re.compile(r"(?<= )(--[a-z-]+=)\S*$")
_ZSH_VALUE = re.compile(r"""^(_arguments '\*: :\(\()?"(?=[^:])""")

VARIABLE = "_NASBENCH_LAB_COMPLETE"
"""The variable that asks for completions: what to do, and the shell."""


def is_asked() -> bool:
    """Return whether a shell asks for completions, so that no command runs."""
    return VARIABLE in os.environ


def typed_words() -> set[str]:
    """Return the words of the line."""
    return set(" ".join(os.environ.get(name, "") for name in ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")).split())


def adapt_words() -> Callable[[str], str]:
    """Give typer the words as they were typed, and return a function that adapts its answer, line by line.

    Bash splits words at colons and equals signs, and replaces only the last part. So the words are joined, and the
    beginning that bash keeps is left out of the answer. The other shells replace ``--option=value`` as a whole, of
    which typer answers only the value.
    """
    if os.environ[VARIABLE].endswith("_bash"):
        words, place = os.environ.get("COMP_WORDS", "").split("\n"), int(os.environ.get("COMP_CWORD", "0"))
        whole, kept = join_words((*words, "")[: place + 1])
        os.environ |= {"COMP_WORDS": "\n".join(whole), "COMP_CWORD": str(len(whole) - 1)}
        return lambda line: line.removeprefix(kept)
    option = _OPTION.search(os.environ.get("_TYPER_COMPLETE_ARGS", ""))
    if option is None:
        return lambda line: line
    if os.environ[VARIABLE].endswith("_zsh"):
        return lambda line: _ZSH_VALUE.sub(rf"\g<0>{option[1]}", line)
    return lambda line: option[1] + line if line else line


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
