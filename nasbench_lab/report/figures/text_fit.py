"""How much room text takes, and breaking labels that are too long for theirs."""

from __future__ import annotations

import functools
import re

import numpy as np

_BREAKS = tuple(re.compile(pattern) for pattern in (r"(?<=[ ,;|/-])(?=[^ ])", r"(?<=[=:_.])(?=[^ ])", r"(?<=.)(?=.)"))
"""Where a label may be broken: between words, then inside of them, and at last anywhere."""


@functools.cache
def text_width(text: str, size: float) -> float:
    """Return the width of one line of text of a font size in points, in inches.

    >>> 0.3 < text_width("regret", 9) < 0.45
    True
    """
    from matplotlib.path import Path
    from matplotlib.textpath import TextPath

    if not text.strip():
        return 0.0
    outline = TextPath((0, 0), text, size=size)
    # Letters have points of their outlines where they are widest: no need to look along the curves, which takes long.
    points = outline.vertices[outline.codes != Path.CLOSEPOLY]
    return float(np.ptp(points[:, 0])) / 72


def wrap_label(text: str, room: float, size: float) -> str:
    r"""Break a label into lines that fit into a room in inches: between words where that is possible.

    >>> wrap_label("regularized-evolution", 0.8, 7)
    'regularized-\nevolution'
    """
    if text_width(text, size) <= room:
        return text
    return "\n".join(line.rstrip() for line in _lines(text, room, size, 0))


def _lines(text: str, room: float, size: float, level: int) -> list[str]:
    lines: list[str] = []
    for piece in _BREAKS[level].split(text):
        if lines and text_width((lines[-1] + piece).rstrip(), size) <= room:
            lines[-1] += piece
        elif level + 1 < len(_BREAKS) and text_width(piece.rstrip(), size) > room:
            lines += _lines(piece, room, size, level + 1)
        else:
            lines.append(piece)
    return lines


def line_count(text: str) -> int:
    """Return the number of lines of a text."""
    return text.count("\n") + 1
