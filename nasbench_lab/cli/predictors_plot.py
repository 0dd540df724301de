"""``nasbench-lab predictors plot``: figures of an evaluation of predictors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasbench_lab.cli.predictors_show import Folder, Only
from nasbench_lab.cli.verbosity import tell
from nasbench_lab.errors import ParameterError
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import unknown
from nasbench_lab.prediction import load_evaluation
from nasbench_lab.report.figures.paper_styles import paper_style
from nasbench_lab.report.figures.predictor_map import predictor_map_figure
from nasbench_lab.report.figures.predictor_quality import predictor_quality_figure
from nasbench_lab.report.figures.save import PAPER_FORMATS, save_figure_as

if TYPE_CHECKING:
    from matplotlib.figure import Figure

QUALITY, MAP = "quality", "map"


def plot(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="File to write: .pdf, .svg or .png.")],
    figure: Annotated[
        str, typer.Option(help="quality: lines over labels or seconds; map: models and encodings.")
    ] = QUALITY,
    measure: Annotated[
        str, typer.Option(help="Measure to draw, e.g. kendall, mae, precision_10, regret_1.")
    ] = "kendall",
    axis: Annotated[str, typer.Option(help="Horizontal axis of quality: labels or seconds.")] = "labels",
    labels: Annotated[
        int | None, typer.Option(min=0, help="Number of labels of the map. [default: the largest]")
    ] = None,
    predictor: Only = None,
    highlight: Annotated[
        list[str] | None, typer.Option(help="Draw all predictors in grey except this one. May be repeated.")
    ] = None,
    x_scale: Annotated[str, typer.Option(help="Scale of the horizontal axis: log or linear.")] = "log",
    spread: Annotated[str, typer.Option(help="Intervals: auto, bands, bars or none.")] = "auto",
    style: Annotated[str, typer.Option(help="Size: single or double column, or slide (16:9).")] = "single",
) -> None:
    """Draw stored results: lines of predictors, or a map of models and encodings."""
    if out.suffix[1:] not in PAPER_FORMATS:
        raise ParameterError(
            f"the file must end in {', '.join(f'.{form}' for form in PAPER_FORMATS)}, got {out.name!r}"
        )
    if figure not in (QUALITY, MAP):
        raise unknown("figure", figure, (QUALITY, MAP))
    chosen = paper_style(style)
    found = load_evaluation(folder)
    if predictor:
        found = found.only(predictor)
    drawn: Figure
    if figure == MAP:
        drawn = predictor_map_figure(found, measure, labels, style=chosen)
    else:
        drawn = predictor_quality_figure(
            found,
            measure,
            axis,  # type: ignore[arg-type] # checked there, as the following
            x_scale=x_scale,  # type: ignore[arg-type]
            spread=spread,  # type: ignore[arg-type]
            highlight=highlight,
            style=chosen,
        )
    with atomic_path(out) as temporary:
        save_figure_as(drawn, temporary, style=chosen)
    tell(f"wrote {out}")
