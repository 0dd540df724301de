"""Writing figures to files: the same figure gives the same bytes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasbench_lab.errors import ParameterError
from nasbench_lab.report.figures.fonts import drawing, lacks_glyphs
from nasbench_lab.report.figures.paper_styles import PaperStyle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("pdf", "png")
"""Formats of the figures in the folder of ``nasbench-lab run``."""
PAPER_FORMATS = ("pdf", "svg", "png")
"""Formats in which figures can be written."""

_METADATA: dict[str, dict[str, Any]] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}}
# Without a fixed salt, names inside an SVG are hashes of a random number.
_RC: Any = {"svg.hashsalt": "nasbench-lab"}


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as PDF and PNG, without the date, and return the paths."""
    paths = [folder / f"{name}.{kind}" for kind in FORMATS]
    save_figure_as(figure, *paths)
    return paths


def save_figure_as(figure: Figure, *paths: Path, style: PaperStyle | None = None) -> None:
    """Write a figure to files whose endings (.pdf, .svg, .png) say the format, without the date.

    A PDF embeds its fonts. An SVG contains letters as outlines, so it looks the same everywhere, unless no installed
    font has some of the characters: then it contains text, which other machines may be able to show.

    Args:
        figure: the figure.
        paths: of the files.
        style: with which the figure was drawn, for a figure of a paper.

    Raises:
        ParameterError: there is no such format.
    """
    import matplotlib as mpl

    from nasbench_lab.report.figures.style import RC

    for path in paths:
        if path.suffix[1:] not in _METADATA:
            allowed = ", ".join(f".{kind}" for kind in PAPER_FORMATS)
            raise ParameterError(f"a figure is written to a file that ends in {allowed}, not to {path.name!r}")
    settings: Any = {**(style.rc if style else RC), **_RC}
    if style:  # laid out once, so that a file does not depend on the files written before
        settings["figure.constrained_layout.use"] = False
    with drawing(settings):
        if style:
            # At the resolution of the file: at a lower one, text is rounded to whole pixels and may be narrower.
            figure.set_dpi(settings["savefig.dpi"])
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
        mpl.rcParams["svg.fonttype"] = "none" if lacks_glyphs(_text_of(figure)) else "path"
        for path in paths:
            kind = path.suffix[1:]
            drawn = io.BytesIO()  # if the disk is full, matplotlib would raise an error that does not say so
            figure.savefig(drawn, format=kind, metadata=_METADATA[kind])
            path.write_bytes(drawn.getvalue())


def _text_of(figure: Figure) -> str:
    """Return all texts of a figure, joined."""
    from matplotlib.text import Text

    return "".join(each.get_text() for each in figure.findobj() if isinstance(each, Text))
