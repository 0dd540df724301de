"""Performance over all tasks while the budget is spent: average run ranks, and normalised regret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from nasbench_lab.analysis.intervals import Intervals
from nasbench_lab.analysis.studies.results import ProgressCurves
from nasbench_lab.errors import MissingDataError
from nasbench_lab.messages import unknown
from nasbench_lab.report.figures.axis_scales import Scale, check_scale, label_axis, scale_for, set_x_axis
from nasbench_lab.report.figures.curves import (
    CurveOptions,
    Spread,
    chosen_spread,
    draw_curves,
    draw_losses,
    spread_in_words,
)
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.highlight import Highlight, looks_of
from nasbench_lab.report.figures.names import Names
from nasbench_lab.report.figures.panels import panel_grid
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.figures.text_fit import wrap_label
from nasbench_lab.report.incumbent_words import mark_note, regret_in_words, regret_label
from nasbench_lab.report.study_selection import chosen_kind, in_words, names_in, part_of
from nasbench_lab.report.study_source import StudySource, study_of
from nasbench_lab.simulation.trace import RegretKind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HEIGHT = 2.0  # of a panel, inches
_SHARE = "share of the budget"


def rank_figure(
    results: StudySource,
    kind: RegretKind | None = None,
    *,
    x_scale: Scale = "linear",
    highlight: Highlight = None,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw the average run rank of each strategy over tasks, against the spent share of the budget.

    On each task the strategies are ranked by their runs (see `analysis.ranks`); 1 is the best.

    Raises:
        UnknownNameError: there is no such kind, scale, strategy or style.
        MissingDataError: no task has that kind of regret, or some run ended before all comparisons.
    """
    check_scale("x scale", x_scale)
    study = study_of(results, resamples=0)
    chosen, kind = paper_style(style), chosen_kind(study, kind)
    looks = looks_of(study, highlight, kind)
    progress = part_of(study.progress, kind, "ranks over time")
    if not np.isfinite(progress.run_rank).any():
        raise MissingDataError("there is nothing to draw: some run ended before the first comparison of ranks")
    tasks = in_words(len(progress.tasks), "task")
    title = f"average run rank by {regret_in_words(study, kind)} over {tasks} (1 is the best){mark_note(study, kind)}"
    with drawing(chosen.rc, names_in(study)):
        names = Names.plan(looks, title, chosen, 1, 1, _HEIGHT)
        figure, (panel,) = panel_grid(chosen, 1, 1, names.panel_height, names.above)
        how = CurveOptions(looks, x_scale, "linear", "none", chosen.width, chosen)
        draw_curves(panel, progress.fractions, np.stack([progress.run_rank] * 3), how)
        set_x_axis(panel, x_scale, float(progress.fractions[0]), 1.0)
        label_axis(panel.yaxis)
        panel.set_xlabel(_SHARE)
        panel.set_ylabel("average run rank")
        names.draw(figure, [panel])
    return figure


def normalised_figure(
    results: StudySource,
    kind: RegretKind | None = None,
    *,
    statistic: Literal["mean", "iqm"] = "iqm",
    x_scale: Scale = "linear",
    y_scale: Scale | None = None,
    spread: Spread = "auto",
    highlight: Highlight = None,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw the normalised regret over all tasks and runs, with bootstrap intervals, against the spent budget.

    Args:
        results: a study, one trace or several, results, or the path of a folder of results or of a traces file.
        kind: of regret; by default the most informative one.
        statistic: ``"iqm"``, the interquartile mean, or ``"mean"``.
        x_scale: ``"linear"`` or ``"log"``.
        y_scale: ``"linear"`` or ``"log"``; by default logarithmic if the largest regret is a multiple of the smallest.
        spread: ``"bands"``, ``"bars"`` or ``"none"``; by default bands around up to five lines, and bars otherwise.
        highlight: names of strategies, as in legends; the others are grey and thin.
        style: ``"single"``, ``"double"``, ``"slide"``, or a style.

    Raises:
        UnknownNameError: there is no such kind, statistic, scale, spread, strategy or style.
        MissingDataError: that kind of regret cannot be normalised, see `Task.scale`.
    """
    check_scale("x scale", x_scale)
    check_scale("y scale", y_scale)
    study = study_of(results)
    chosen, kind = paper_style(style), chosen_kind(study, kind)
    looks = looks_of(study, highlight, kind)
    progress = part_of(study.progress, kind, "normalised regret over time")
    intervals, name = _intervals(progress, statistic)
    shown = np.stack([intervals.low, intervals.estimate, intervals.high])
    if not np.isfinite(intervals.estimate).any():
        raise MissingDataError(
            f"{regret_in_words(study, kind)} has no values that can be normalised and averaged over tasks"
        )
    around = chosen_spread(spread, looks) if study.resamples else "none"
    what = f"its {100 * study.level:g} % bootstrap interval"
    title = f"lines: {name} over {in_words(len(progress.normalised_tasks), 'task')} and all runs"
    with drawing(chosen.rc, names_in(study)):
        names = Names.plan(looks, title + spread_in_words(around, what) + mark_note(study, kind), chosen, 1, 1, _HEIGHT)
        figure, (panel,) = panel_grid(chosen, 1, 1, names.panel_height, names.above)
        how = CurveOptions(looks, x_scale, y_scale or scale_for([shown[1]]), around, chosen.width, chosen)
        draw_losses(panel, progress.fractions, shown, how)
        panel.set_xlabel(_SHARE)
        label = f"normalised {regret_label(study, kind)}"
        panel.set_ylabel(wrap_label(label, names.panel_height - 4.5 * chosen.em, chosen.font_size))
        names.draw(figure, [panel])
    return figure


def _intervals(progress: ProgressCurves, statistic: str) -> tuple[Intervals, str]:
    if statistic == "iqm":
        return progress.iqm, "interquartile mean"
    if statistic == "mean":
        return progress.mean, "mean"
    raise unknown("statistic", statistic, ("mean", "iqm"))
