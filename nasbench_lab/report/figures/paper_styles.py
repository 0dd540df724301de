"""Styles of figures for papers: widths of columns and sizes of text.

Widths of column and page of two-column venues, in inches:

=====================  ======  =====
ICML                    3.25   6.75
CVPR, ICCV, WACV        3.28   6.88
ACM (``sigconf``)       3.33   7.00
IEEE                    3.50   7.16
AAAI                    3.30   7.00
=====================  ======  =====

The styles have the narrowest widths, so a figure fits everywhere without scaling, and its text keeps its size. Pages of
NeurIPS, ICLR, TMLR and AutoML-Conf are 5.5 to 6.5 inches wide; there the double style is scaled to 81 % or more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import unknown
from nasbench_lab.report.figures import style

StyleName = Literal["single", "double"]

_MARKERS_ON_A_LINE = 6
_STAGGER = 0.37  # of the distance between markers, from line to line


@final
@dataclass(frozen=True)
class PaperStyle:
    """The size of a figure and of its text.

    Attributes:
        name: ``"single"`` or ``"double"``.
        width: of the figure, inches.
        columns: largest number of panels side by side.
        font_size: of all text, points; titles of panels may be smaller.
    """

    name: StyleName
    width: float
    columns: int
    font_size: float

    @property
    def rc(self) -> Any:
        """Settings of matplotlib, a dictionary."""
        size = self.font_size
        return {
            **style.RC,
            "font.size": size,
            "axes.titlesize": size,
            "axes.labelsize": size,
            "xtick.labelsize": size,
            "ytick.labelsize": size,
            "legend.fontsize": size,
            "legend.title_fontsize": size,
            "axes.linewidth": 0.6,
            "lines.linewidth": 1.1,
            "lines.markersize": 3.2,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "xtick.minor.width": 0.4,
            "ytick.minor.width": 0.4,
            "legend.handlelength": 2.6,
            "savefig.dpi": 300,
        }


STYLES = {
    "single": PaperStyle("single", 3.25, 1, 7.0),
    "double": PaperStyle("double", 6.75, 3, 7.5),
}
"""The styles by name."""


def paper_style(style: PaperStyle | str) -> PaperStyle:
    """Return the style with a name, or the style itself.

    Raises:
        UnknownNameError: no style has that name.

    >>> paper_style("single").width
    3.25
    """
    if isinstance(style, PaperStyle):
        return style
    if style not in STYLES:
        raise unknown("style", style, STYLES)
    return STYLES[style]


def marker_places(grid: FloatArray, number: int, *, log: bool) -> list[int]:
    """Return the points of a line that have markers: few, evenly along the axis, and different for each line.

    Args:
        grid: ascending places of the points on the axis, shape (points,).
        number: of the line.
        log: whether the axis is logarithmic; the grid is positive then.

    >>> marker_places(np.arange(1.0, 61.0), 0, log=False), marker_places(np.arange(1.0, 61.0), 0, log=True)
    ([0, 10, 20, 30, 40, 50], [0, 1, 3, 7, 15, 30])
    """
    if not len(grid):
        return []
    along = np.log(grid) if log else grid
    shift = number * _STAGGER % 1
    wanted = along[0] + (np.arange(_MARKERS_ON_A_LINE) + shift) / _MARKERS_ON_A_LINE * (along[-1] - along[0])
    return np.unique(np.searchsorted(along, wanted)).tolist()
