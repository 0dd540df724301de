"""The map of models and encodings: how well each model predicts with each encoding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.displays import counted, short_number
from nasbench_lab.errors import MissingDataError
from nasbench_lab.prediction import PredictorEvaluation
from nasbench_lab.prediction.evaluation_results import measure_of
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.names import CAPTION, write_caption
from nasbench_lab.report.figures.paper_styles import PaperStyle, fit_slide, paper_style
from nasbench_lab.report.figures.text_fit import line_count, text_width, wrap_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NO_ENCODING = "none"
"""Column of predictors without an encoding, such as those that read learning curves."""

_ROW = 1.9  # height of a row, font sizes
_AROUND = 1.5  # below the rows, font sizes
_DARK = 0.55  # share of the colours from which text is white
_COLORS = "YlGnBu"
_MISSING = "#f2f2f2"


def predictor_map_figure(
    evaluation: PredictorEvaluation,
    measure: str = "kendall",
    size: int | None = None,
    *,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw a measure of every model with every encoding, with models and encodings in the order of their best values.

    Args:
        evaluation: from `nasbench_lab.prediction.evaluate`.
        measure: one of `nasbench_lab.prediction.MEASURES`.
        size: number of labels; by default the largest.
        style: ``"single"``, ``"double"``, ``"slide"``, or a style.

    Raises:
        UnknownNameError: there is no such measure, number of labels or style.
        MissingDataError: no predictor has this measure.
    """
    from nasbench_lab.report.figures.shown_figure import ShownFigure

    words, place = measure_of(measure), evaluation.place(size)
    models, encodings, values = _values(evaluation, measure, place)
    if not np.isfinite(values).any():
        raise MissingDataError(f"there is nothing to draw: no predictor has {words.words}")
    title = (
        f"{evaluation.settings.table}: {words.words}"
        f"{f' ({evaluation.unit})' if words.has_unit and evaluation.unit else ''} with "
        f"{counted(evaluation.sizes[place], 'label')}, mean of trials"
    )
    chosen = fit_slide(paper_style(style), lambda each: _height(each, models, encodings, title)[0])
    height, upright = _height(chosen, models, encodings, title)
    settings: Any = {**chosen.rc, "axes.grid": False}
    with drawing(settings, [evaluation.settings.table, *models]):
        figure = ShownFigure(figsize=(chosen.width, height))
        panel = figure.subplots()
        panel.set_facecolor(_MISSING)
        shown = -values if words.better == "lower" else values
        panel.imshow(shown, cmap=_COLORS, aspect="auto", interpolation="nearest")
        panel.set_yticks(range(len(models)), models)
        panel.set_xticks(range(len(encodings)), encodings, rotation=90 if upright else 0)
        panel.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False, pad=2)
        panel.spines[:].set_visible(False)
        _write(panel, values, shown, chosen, has_unit=words.has_unit)
        write_caption(figure, wrap_label(title, chosen.width - 0.1, chosen.font_size), chosen)
    return figure


def _values(evaluation: PredictorEvaluation, measure: str, place: int) -> tuple[list[str], list[str], FloatArray]:
    """Return models and encodings, the best first, and the means, shape (models, encodings)."""
    models = list(dict.fromkeys(each.name for each in evaluation.predictors))
    encodings = list(dict.fromkeys(each.encoding or NO_ENCODING for each in evaluation.predictors))
    values = np.full((len(models), len(encodings)), np.nan)
    for each in evaluation.predictors:
        where = models.index(each.name), encodings.index(each.encoding or NO_ENCODING)
        values[where] = each.intervals(measure).estimate[place]
    sign = -1.0 if measure_of(measure).better == "higher" else 1.0
    worst = np.where(np.isnan(values), np.inf, sign * values)
    rows = np.argsort(worst.min(axis=1), kind="stable")
    columns = np.argsort(worst.min(axis=0), kind="stable")
    return [models[row] for row in rows], [encodings[column] for column in columns], values[np.ix_(rows, columns)]


def _height(style: PaperStyle, models: list[str], encodings: list[str], title: str) -> tuple[float, bool]:
    """Return the height of the figure, and whether names of encodings are upright, as they would overlap."""
    left = max(text_width(model, style.font_size) for model in models) + 2 * style.em
    cell = (style.width - left) / len(encodings)
    widest = max(text_width(each, style.font_size) for each in encodings)
    upright = widest > cell - 0.6 * style.em
    above = widest if upright else style.em
    caption = CAPTION * line_count(wrap_label(title, style.width - 0.1, style.font_size)) * style.em
    return caption + above + (_ROW * len(models) + _AROUND) * style.em, upright


def _write(panel: Any, values: FloatArray, shown: FloatArray, style: PaperStyle, *, has_unit: bool) -> None:
    """Write the numbers into the cells."""
    finite = shown[np.isfinite(shown)]
    low, span = float(finite.min()), float(np.ptp(finite)) or 1.0
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            ink = "white" if (shown[row, column] - low) / span > _DARK else "black"
            text = short_number(float(value)) if has_unit else f"{round(value, 2) + 0.0:.2f}"  # no minus zero
            panel.text(column, row, text, ha="center", va="center", color=ink, fontsize=style.small)
