"""The distribution of the regret at the end of the runs: one panel per task and one box per strategy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_lab.analysis.quantiles import run_quantiles
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.arrays import FloatArray
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.panels import (
    KIND_WORDS,
    check_something_drawn,
    label_log_axis,
    label_rows,
    panel_grid,
    row_places,
    say,
    set_title,
)
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.figures.text_fit import line_count, wrap_label
from nasbench_lab.report.layout.log_axis import place_of_zero
from nasbench_lab.report.looks import line_look
from nasbench_lab.report.study_selection import chosen_kind, chosen_tasks, names_in, runs_in_words
from nasbench_lab.report.study_source import StudySource, study_of
from nasbench_lab.simulation.trace import RegretKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of a box with its whiskers."""

_LABEL_SHARE = 0.36  # of the width of a figure, for the names of strategies
_BESIDE = 0.62  # height of a panel without its boxes, inches
_MARK_ROW = 0.9  # height of the row below the boxes in which the optimum is marked, lines of text
_ROW = 1.5  # height of a line of a label with its spacing, font sizes


def final_figure(
    results: StudySource,
    kind: RegretKind | None = None,
    *,
    tasks: Sequence[int | str] | None = None,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw boxes of the regret at the end of the runs: median, quartiles, and whiskers to the 5 % and 95 % quantiles.

    Quantiles are values of actual runs. A regret of zero is drawn at the left edge, which is marked ``optimum``. A run
    without a value is infinitely bad, and infinite quantiles reach to the right edge.

    Args:
        results: a study, one trace or several, results, or the path of a folder of results or of a traces file.
        kind: of regret; by default the most informative one.
        tasks: their positions or names; by default all.
        style: ``"single"``, ``"double"``, or a style.

    Raises:
        UnknownNameError: there is no such kind, task or style.
        MissingDataError: no task has that kind of regret, or too few runs have a value.
    """
    study = study_of(results, resamples=0, curves_only=True)
    chosen, kind, places = paper_style(style), chosen_kind(study, kind), chosen_tasks(study, tasks)
    boxes = {place: _boxes(study, kind, place) for place in places}
    reasons = {place: _why_empty(study, kind, place, boxes[place]) for place in places}
    check_something_drawn([*reasons.values()])
    columns = 2 if len(places) == 4 and chosen.columns > 2 else min(chosen.columns, len(places))
    size = chosen.font_size
    labels = [wrap_label(label, _LABEL_SHARE * chosen.width, size) for label in study.labels]
    with drawing(chosen.rc, names_in(study)):
        title = f"regret at the end of {runs_in_words(study, places)}: median, quartiles, 5 % and 95 %"
        above = wrap_label(title, chosen.width - 0.1, size)
        figure, panels = panel_grid(chosen, len(places), columns, final_height(study, chosen), 0.2 * line_count(above))
        figure.suptitle(above, fontsize=size, x=0.01, ha="left")
        for number, (panel, place) in enumerate(zip(panels, places, strict=True)):
            if reasons[place]:
                say(panel, reasons[place])
            else:
                _draw_panel(panel, boxes[place], row_places(labels)[0])
                label_rows(panel, labels, shown=number % columns == 0)
                panel.set_ylim(panel.get_ylim()[0] + _MARK_ROW, 0)
            unit = study.tasks[place].unit(kind) if kind in study.tasks[place].kinds else ""
            set_title(panel, f"{study.tasks[place].name}{f' ({unit})' if unit else ''}", chosen, columns)
        for panel in panels[-columns:]:
            panel.set_xlabel(KIND_WORDS[kind])
    return figure


def final_height(study: Study, style: PaperStyle) -> float:
    """Return the height of a panel of `final_figure`, inches."""
    size = style.font_size
    lines = sum(line_count(wrap_label(label, _LABEL_SHARE * style.width, size)) for label in study.labels)
    return _BESIDE + (lines + _MARK_ROW) * _ROW * size / 72


def _boxes(study: Study, kind: RegretKind, place: int) -> FloatArray:
    """Return the quantiles of all strategies on a task, shape (S, levels); NaN where there are no runs."""
    regrets = [study.final[kind][s, place, :runs] for s, runs in enumerate(study.runs[:, place])]
    return np.stack(
        [run_quantiles(values, LEVELS) if len(values) else np.full(len(LEVELS), np.nan) for values in regrets]
    )


def _why_empty(study: Study, kind: RegretKind, place: int, boxes: FloatArray) -> str:
    """Return the reason why the panel of a task has no boxes; empty if it has."""
    if kind not in study.tasks[place].kinds:
        return f"no {kind} measurements"
    return "" if np.isfinite(boxes).any() else "too few runs have a value"


def _draw_panel(panel: Axes, boxes: FloatArray, rows: Sequence[float]) -> None:
    finite = boxes[np.isfinite(boxes)]
    floor, highest = place_of_zero(boxes), float(finite.max())
    right = max(highest * 1.4, floor * 10)
    panel.set_xscale("log")
    panel.set_xlim(floor if finite.min() <= 0 else float(finite.min()) / 1.4, right)
    label_log_axis(panel.xaxis)
    for number, (box, row) in enumerate(zip(boxes, rows, strict=True)):
        if not np.isnan(box).any():
            _draw_box(panel, np.clip(box, floor, right * 2), row, line_look(number, 1)["color"])
    if finite.min() <= 0:
        panel.axvline(floor, color="#666666", linewidth=0.8)
        note: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "fontsize": 6}
        panel.annotate(" optimum", (floor, 0.01), va="bottom", ha="left", color="#666666", **note)


def _draw_box(panel: Axes, box: FloatArray, row: float, color: str) -> None:
    """Draw one box: lower whisker, quartiles with median, upper whisker."""
    low, lower, median, upper, high = box.tolist()
    panel.hlines(row, low, high, color=color, linewidth=0.8)
    panel.barh(row, upper - lower, left=lower, height=0.6, color=color, alpha=0.35, linewidth=0)
    panel.vlines(median, row - 0.36, row + 0.36, color=color, linewidth=1.6)
