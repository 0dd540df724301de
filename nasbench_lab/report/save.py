"""Writing figures: the same picture gives the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("pdf", "png")
_METADATA: dict[str, dict[str, Any]] = {"pdf": {"CreationDate": None}, "png": {}}


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as PDF and PNG, without the date, and return the paths."""
    paths = [folder / f"{name}.{kind}" for kind in FORMATS]
    save_figure_as(figure, *paths)
    return paths


def save_figure_as(figure: Figure, *paths: Path) -> None:
    """Write a figure to files whose endings (.pdf, .png) say the format, without the date."""
    from matplotlib import rc_context

    from nasbench_lab.report import style

    with rc_context(style.RC):
        for path in paths:
            figure.savefig(path, metadata=_METADATA[path.suffix[1:]])
