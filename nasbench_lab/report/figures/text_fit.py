"""How much room text takes in figures, and breaking labels that are too long for theirs."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from nasbench_lab.report.figures.fonts import font_of, without_glyph_warnings
from nasbench_lab.report.layout.wrapping import wrap_text

_SAMPLE = 6.0  # the line before a label of a legend and the space between columns, font sizes


@functools.cache
def text_width(text: str, size: float) -> float:
    """Return the width of one line of text of a font size in points, in inches; dollar signs are no formulas.

    >>> 0.3 < text_width("regret", 9) < 0.45
    True
    """
    from matplotlib.path import Path
    from matplotlib.textpath import TextPath

    if not text.strip():
        return 0.0
    with without_glyph_warnings():
        outline = TextPath((0, 0), text.replace("$", r"\$"), size=size, prop=font_of(text, size))
    # The outlines of letters have points where letters are widest: no need to follow the curves, which takes long.
    points = outline.vertices[outline.codes != Path.CLOSEPOLY]
    return float(np.ptp(points[:, 0])) / 72


def wrap_label(text: str, room: float, size: float) -> str:
    r"""Return a label broken into lines that fit into a room in inches: between words where that is possible.

    >>> wrap_label("regularized-evolution", 0.8, 7)
    'regularized-\nevolution'
    """
    return "\n".join(wrap_text(text, room, lambda line: text_width(line, size)))


def line_count(text: str) -> int:
    """Return the number of lines of a text."""
    return text.count("\n") + 1


def columns_that_fit(labels: Sequence[str], width: float, size: float, most: int = 4) -> tuple[int, float]:
    """Return how many columns of a legend fit into a width in inches, and the font size at which one column fits.

    >>> columns_that_fit(["a", "b", "c"], 4.0, 9.0)
    (3, 9.0)
    """
    column = max(text_width(label, size) for label in labels) + _SAMPLE * size / 72
    return max(1, min(most, len(labels), int(width / column))), min(size, size * width / column)
