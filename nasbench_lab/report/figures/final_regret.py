"""The distribution of the regret at the end of the runs: one panel per task and one box per strategy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_lab.analysis.quantiles import run_quantiles
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.arrays import FloatArray
from nasbench_lab.messages import unknown
from nasbench_lab.report.figures.axis_scales import Scale, check_scale, label_axis
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.highlight import Highlight, Looks, looks_of
from nasbench_lab.report.figures.names import CAPTION, write_caption
from nasbench_lab.report.figures.panels import check_something_drawn, label_rows, panel_grid, row_places, say, set_title
from nasbench_lab.report.figures.paper_styles import PaperStyle, fit_slide, paper_style
from nasbench_lab.report.figures.text_fit import line_count, wrap_label
from nasbench_lab.report.incumbent_words import mark_note, regret_label, table_kinds_note
from nasbench_lab.report.layout.log_axis import place_of_zero
from nasbench_lab.report.study_selection import (
    QUANTITIES,
    Quantity,
    check_optimum,
    chosen_kind,
    chosen_tasks,
    names_in,
    optimum_note,
    runs_in_words,
    shown_as_value,
    why_no_curves,
)
from nasbench_lab.report.study_source import StudySource, study_of
from nasbench_lab.simulation.trace import RegretKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of a box with its whiskers."""

_LABEL_SHARE = 0.36  # of the width of a figure, for the names of strategies
_BESIDE = 5.2  # height of a panel without its boxes, font sizes
_MARK_ROW = 0.9  # height of the row below the boxes in which the optimum is marked, lines of text
_AXIS_LINE = 1.4  # height of another line of the axis label, font sizes
_BEFORE = 0.06  # room before the line of the optimum, as a share of the axis
_ROW = 1.5  # height of a line of a label with its spacing, font sizes


def final_figure(
    results: StudySource,
    kind: RegretKind | None = None,
    *,
    tasks: Sequence[int | str] | None = None,
    x_scale: Scale = "log",
    highlight: Highlight = None,
    y: Quantity | None = None,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw boxes of the regret at the end of the runs: median, quartiles, and whiskers to the 5 % and 95 % quantiles.

    Where the optimum is not known, panels show values instead, on a linear axis.

    Quantiles are values of actual runs. On a logarithmic axis, a regret of zero is drawn on a line at the left that is
    marked ``optimum``. A run without a value is infinitely bad, and infinite quantiles reach to the right edge.

    Args:
        results: a study, one trace or several, results, or the path of a folder of results or of a traces file.
        kind: of regret; by default the most informative one.
        tasks: their positions or names; by default all.
        x_scale: ``"log"`` or ``"linear"``.
        highlight: names of strategies, as in legends; the others are grey.
        y: ``"value"`` shows values in the metric's unit, ``"regret"`` regrets; by default regrets where the optimum is
            known.
        style: ``"single"``, ``"double"``, ``"slide"``, or a style.

    Raises:
        UnknownNameError: there is no such kind, task, scale, strategy or style.
        MissingDataError: no task has that kind of regret, or too few runs have a value.
    """
    check_scale("x scale", x_scale)
    if y not in (*QUANTITIES, None):
        raise unknown("quantity", str(y), QUANTITIES)
    study = study_of(results, resamples=0, curves_only=True)
    chosen, kind, places = paper_style(style), chosen_kind(study, kind), chosen_tasks(study, tasks)
    looks = looks_of(study, highlight, kind)
    boxes = {place: _boxes(study, kind, place) for place in places}
    reasons = {place: _why_empty(study, kind, place, boxes[place]) for place in places}
    check_something_drawn([*reasons.values()])
    columns = final_columns(chosen, len(places))
    if y == "regret":
        for place in places:
            check_optimum(study.tasks[place], kind)
    as_value = {place: shown_as_value(study.tasks[place], kind, y) for place in places}
    runs = runs_in_words(study, places)
    what = "value" if all(as_value.values()) else "regret"
    title = f"{what} at the end of {runs}; box: median and quartiles; whiskers: 5 % and 95 % of runs"
    title += mark_note(study, kind) + table_kinds_note(study, places) + optimum_note(study, places, kind, y)
    caption = wrap_label(title, chosen.width - 0.1, chosen.font_size)
    above = CAPTION * line_count(caption) * chosen.em
    rows = -(-len(places) // columns)
    units = {place: study.tasks[place].unit(kind) if kind in study.tasks[place].kinds else "" for place in places}
    same = len(set(units.values())) == 1
    words = regret_label(study, kind, values=what == "value")
    words += f" ({units[places[0]]})" if same and units[places[0]] else ""

    def axis_label(style: PaperStyle) -> str:
        return wrap_label(words, _room(style, columns), style.font_size)

    def height(style: PaperStyle) -> float:
        return final_height(looks.labels, style) + (line_count(axis_label(style)) - 1) * _AXIS_LINE * style.em / rows

    fitted = fit_slide(chosen, lambda style: rows * height(style) + above)
    labels = _labels(looks.labels, fitted)
    room = _room(fitted, columns)
    inks = [looks.ink(number) for number in range(len(looks.labels))]
    with drawing(fitted.rc, names_in(study)):
        figure, panels = panel_grid(fitted, len(places), columns, height(fitted), above)
        write_caption(figure, caption, chosen)
        for number, (panel, place) in enumerate(zip(panels, places, strict=True)):
            unit = f" ({units[place]})" if units[place] else ""
            if reasons[place]:
                say(panel, reasons[place])
            else:
                label_rows(panel, labels, shown=number % columns == 0, inks=inks)
                panel.set_ylim(panel.get_ylim()[0] + _MARK_ROW, 0)
                if as_value[place]:
                    values = study.tasks[place].value(kind, boxes[place])
                    _draw_values(panel, values, row_places(labels)[0], looks, fitted)
                else:
                    _draw_panel(panel, boxes[place], row_places(labels)[0], looks, x_scale, fitted)
                label_axis(panel.xaxis, room)
            set_title(panel, study.tasks[place].name + ("" if same else unit), fitted, room)
            if number >= len(panels) - columns:
                panel.set_xlabel(axis_label(fitted))
    return figure


def _room(style: PaperStyle, columns: int) -> float:
    """Return the width of a panel, inches."""
    return style.width * (1 - _LABEL_SHARE) / columns - 1.5 * style.em


def _labels(names: Sequence[str], style: PaperStyle) -> list[str]:
    return [wrap_label(name, _LABEL_SHARE * style.width, style.font_size) for name in names]


def final_columns(style: PaperStyle, panels: int) -> int:
    """Return how many panels of `final_figure` stand side by side."""
    if style.name == "single":
        return 1 if panels < 3 else 2
    return 2 if panels == 4 else min(style.columns, panels)


def final_height(names: Sequence[str], style: PaperStyle) -> float:
    """Return the height of a panel of `final_figure` with the names of strategies, inches."""
    return (_BESIDE + (sum(map(line_count, _labels(names, style))) + _MARK_ROW) * _ROW) * style.em


def _boxes(study: Study, kind: RegretKind, place: int) -> FloatArray:
    """Return the quantiles of all strategies on a task, shape (S, levels); NaN where there are no runs."""
    regrets = [study.final[kind][s, place, :runs] for s, runs in enumerate(study.runs[:, place])]
    return np.stack(
        [run_quantiles(values, LEVELS) if len(values) else np.full(len(LEVELS), np.nan) for values in regrets]
    )


def _why_empty(study: Study, kind: RegretKind, place: int, boxes: FloatArray) -> str:
    """Return the reason why the panel of a task has no boxes; empty if it has."""
    if kind not in study.tasks[place].kinds:
        return why_no_curves(study, place, kind, "evaluations")
    return "" if np.isfinite(boxes).any() else "too few runs have a value"


def _draw_panel(
    panel: Axes, boxes: FloatArray, rows: Sequence[float], looks: Looks, scale: Scale, style: PaperStyle
) -> None:
    finite = boxes[np.isfinite(boxes)]
    lowest, highest = float(finite.min()), float(finite.max())
    if scale == "log":
        floor = place_of_zero(boxes)
        right = max(highest, floor * 10) * 1.4
        panel.set_xscale("log")
        # The line of the optimum is inside the panel, so that boxes that begin or end at it stay visible.
        panel.set_xlim(floor / (right / floor) ** _BEFORE if lowest <= 0 else lowest / 1.4, right)
    else:
        floor, right = 0.0, highest * 1.05 or 1.0
        panel.set_xlim(-_BEFORE / 2 * right, right)
    for number, (box, row) in enumerate(zip(boxes, rows, strict=True)):
        if not np.isnan(box).any():
            _draw_box(panel, np.clip(box, floor, right * 2), row, looks.color(number), style.scale)
    if lowest <= 0 and scale == "log":
        panel.axvline(floor, color="#666666", linewidth=0.8 * style.scale, zorder=0.8)
        note: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "fontsize": style.small}
        panel.annotate(" optimum", (floor, 0.01), va="bottom", ha="left", color="#555555", **note)


def _draw_values(panel: Axes, boxes: FloatArray, rows: Sequence[float], looks: Looks, style: PaperStyle) -> None:
    finite = boxes[np.isfinite(boxes)]
    low, high = float(finite.min()), float(finite.max())
    room = _BEFORE * ((high - low) or abs(high) or 1.0)
    panel.set_xlim(low - room, high + room)
    for number, (box, row) in enumerate(zip(boxes, rows, strict=True)):
        if not np.isnan(box).any():
            _draw_box(panel, np.clip(box, low - 2 * room, high + 2 * room), row, looks.color(number), style.scale)


def _draw_box(panel: Axes, box: FloatArray, row: float, color: str, scale: float) -> None:
    """Draw one box: lower whisker, quartiles with median, upper whisker; a box without width is a line."""
    from matplotlib.colors import to_rgba

    low, lower, median, upper, high = box.tolist()
    panel.hlines(row, low, high, color=color, linewidth=0.9 * scale)
    look: dict[str, Any] = {"edgecolor": color, "facecolor": to_rgba(color, 0.35), "linewidth": 0.8 * scale}
    panel.barh(row, upper - lower, left=lower, height=0.6, **look)
    panel.vlines(median, row - 0.36, row + 0.36, color=color, linewidth=2.0 * scale)
