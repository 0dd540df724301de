"""Styles of figures: sizes for the columns of a paper and for slides.

Widths of column and page of two-column venues, in inches:

=====================  ======  =====
ICML                    3.25   6.75
CVPR, ICCV, WACV        3.28   6.88
ACM (``sigconf``)       3.33   7.00
IEEE                    3.50   7.16
AAAI                    3.30   7.00
=====================  ======  =====

The styles for papers have the narrowest widths, so a figure fits everywhere without scaling, and its text keeps its
size. Pages of NeurIPS, ICLR, TMLR and AutoML-Conf are 5.5 to 6.5 inches wide; there the double style is scaled to 81 %
or more. The slide style has the size of a 16:9 slide of Google Slides and PowerPoint, 10 x 5.625 inches.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, final

from nasbench_lab.messages import unknown
from nasbench_lab.report.figures import style

StyleName = Literal["single", "double", "slide"]

SMALLEST = 6.0
"""Least size of text in print, points."""

SMALLEST_ON_SLIDES = 9.0
"""Least size of text on a slide, points."""

_USUAL = 7.0  # font size for which heights are given


@final
@dataclass(frozen=True)
class PaperStyle:
    """The size of a figure and of its text.

    Attributes:
        name: ``"single"``, ``"double"`` or ``"slide"``.
        width: of the figure, inches.
        height: that a figure may have on a page or slide, inches; single figures with many panels can be taller.
        columns: largest number of wide panels, such as those with boxes, side by side.
        font_size: of all text, points; titles of panels may be smaller.
    """

    name: StyleName
    width: float
    height: float
    columns: int
    font_size: float

    @property
    def em(self) -> float:
        """The font size in inches."""
        return self.font_size / 72

    @property
    def scale(self) -> float:
        """How much larger text and lines are than in a column of a paper."""
        return self.font_size / _USUAL

    @property
    def small(self) -> float:
        """Size of text that is less important, points."""
        return max(self.smallest, 0.8 * self.font_size)

    @property
    def smallest(self) -> float:
        """Least size of text, points."""
        return SMALLEST_ON_SLIDES if self.name == "slide" else SMALLEST

    @property
    def rc(self) -> Any:
        """Settings of matplotlib, a dictionary."""
        size, scale = self.font_size, self.scale
        return {
            **style.RC,
            "font.size": size,
            "axes.titlesize": size,
            "axes.labelsize": size,
            "xtick.labelsize": size,
            "ytick.labelsize": size,
            "legend.fontsize": size,
            "legend.title_fontsize": size,
            "axes.linewidth": 0.6 * scale,
            "grid.linewidth": 0.5 * scale,
            "lines.linewidth": 1.1 * scale,
            "lines.markersize": 3.2 * scale,
            "xtick.major.width": 0.6 * scale,
            "ytick.major.width": 0.6 * scale,
            "xtick.minor.width": 0.4 * scale,
            "ytick.minor.width": 0.4 * scale,
            "xtick.major.size": 2.5 * scale,
            "ytick.major.size": 2.5 * scale,
            "xtick.minor.size": 1.5 * scale,
            "ytick.minor.size": 1.5 * scale,
            "legend.handlelength": 2.4,
            "legend.columnspacing": 1.4,
            "legend.handletextpad": 0.6,
            "savefig.dpi": 200 if self.name == "slide" else 300,
        }


STYLES = {
    "single": PaperStyle("single", 3.25, 8.5, 1, 7.0),
    "double": PaperStyle("double", 6.75, 8.5, 3, 7.5),
    "slide": PaperStyle("slide", 10.0, 5.625, 3, 14.0),
}
"""The styles by name."""

PAPER_STYLES = tuple(STYLES[name] for name in ("single", "double"))
"""The styles for the columns of a paper."""


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


def fit_slide(style: PaperStyle, height: Callable[[PaperStyle], float]) -> PaperStyle:
    """Return a style for a slide with smaller text, if a figure would otherwise be higher than the slide.

    Args:
        style: of the figure; one for papers is returned as it is.
        height: returns the height that the figure has in a style, inches.

    >>> fit_slide(STYLES["slide"], lambda style: 40 * style.em).font_size
    10.0
    >>> fit_slide(STYLES["single"], lambda style: 99.0).font_size
    7.0
    """
    if style.name != "slide":
        return style
    sizes = (size / 2 for size in range(round(2 * style.font_size), round(2 * SMALLEST_ON_SLIDES) - 1, -1))
    smaller = [dataclasses.replace(style, font_size=size) for size in sizes]
    return next((each for each in smaller if height(each) <= style.height), smaller[-1])
