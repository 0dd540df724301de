"""Breaking labels that are too long for their place."""

from __future__ import annotations

import re
from collections.abc import Callable

_BREAKS = tuple(re.compile(pattern) for pattern in (r"(?<=[ ,;|/-])(?=[^ ])", r"(?<=[=:_.])(?=[^ ])", r"(?<=.)(?=.)"))
"""Where a label may be broken: between words; if that is not enough, inside words; and if not even that, anywhere."""


def wrap_text(text: str, room: float, width: Callable[[str], float]) -> list[str]:
    """Return the lines of a text that is broken to fit: between words where that is possible.

    Args:
        text: to be broken.
        room: for each line.
        width: returns the width of one line of text, in the unit of ``room``. A single letter may be wider than room.

    >>> wrap_text("regularized-evolution (population_size=20)", 20, len)
    ['regularized-', 'evolution', '(population_size=20)']
    """
    if width(text) <= room:
        return [text]
    return [line.rstrip() for line in _lines(text, room, width, 0)]


def _lines(text: str, room: float, width: Callable[[str], float], level: int) -> list[str]:
    lines: list[str] = []
    for piece in _BREAKS[level].split(text):
        if lines and width((lines[-1] + piece).rstrip()) <= room:
            lines[-1] += piece
        elif level + 1 < len(_BREAKS) and width(piece.rstrip()) > room:
            lines += _lines(piece, room, width, level + 1)
        else:
            lines.append(piece)
    return lines
