"""Performance over all tasks while the budget is spent: average ranks, and normalised regret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nasbench_lab.analysis.intervals import Intervals
from nasbench_lab.analysis.studies.results import ProgressCurves
from nasbench_lab.errors import MissingDataError
from nasbench_lab.messages import unknown
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.legend import Legend
from nasbench_lab.report.figures.panels import KIND_WORDS, draw_losses, panel_grid
from nasbench_lab.report.figures.paper_styles import PaperStyle, marker_places, paper_style
from nasbench_lab.report.study_selection import chosen_kind, in_words, looks_of, names_in, part_of
from nasbench_lab.report.study_source import StudySource, study_of
from nasbench_lab.simulation.trace import RegretKind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HEIGHT = 2.0  # of a panel, inches
_SHARE = "share of the budget"


def rank_figure(results: StudySource, kind: RegretKind | None = None, *, style: PaperStyle | str = "single") -> Figure:
    """Draw the average rank of each strategy over tasks, against the spent share of the budget.

    On each task the strategies are ranked by their runs (see `analysis.ranks`); 1 is the best.

    Raises:
        UnknownNameError: there is no such kind or style.
        MissingDataError: no task has that kind of regret, or some run ended before all comparisons.
    """
    study = study_of(results, resamples=0)
    chosen, kind = paper_style(style), chosen_kind(study, kind)
    progress = part_of(study.progress, kind, "ranks over time")
    if not np.isfinite(progress.rank).any():
        raise MissingDataError("there is nothing to draw: some run ended before the first comparison of ranks")
    title = f"average rank by {KIND_WORDS[kind]} over {in_words(len(progress.tasks), 'task')} (1 is the best)"
    with drawing(chosen.rc, names_in(study)):
        legend = Legend.plan(study.labels, title, chosen)
        figure, (panel,) = panel_grid(chosen, 1, 1, _HEIGHT, legend.height)
        for number, (ranks, look) in enumerate(zip(progress.rank, looks_of(study), strict=True)):
            known = np.isfinite(ranks)
            grid = progress.fractions[known]
            marks: dict[str, Any] = {"markevery": marker_places(grid, number, log=False)} if look["marker"] else {}
            panel.plot(grid, ranks[known], drawstyle="steps-post", **look, **marks)
        panel.set_xlim(0, 1)
        panel.set_xlabel(_SHARE)
        panel.set_ylabel("average rank")
        legend.draw(figure, looks_of(study))
    return figure


def normalised_figure(
    results: StudySource,
    kind: RegretKind | None = None,
    *,
    statistic: Literal["mean", "iqm"] = "iqm",
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw the normalised regret over all tasks and runs, with bootstrap intervals, against the spent budget.

    Args:
        results: a study, one trace or several, results, or the path of a folder of results or of a traces file.
        kind: of regret; by default the most informative one.
        statistic: ``"iqm"``, the interquartile mean, or ``"mean"``.
        style: ``"single"``, ``"double"``, or a style.

    Raises:
        UnknownNameError: there is no such kind, statistic or style.
        MissingDataError: that kind of regret cannot be normalised, see `Task.scale`.
    """
    study = study_of(results)
    chosen, kind = paper_style(style), chosen_kind(study, kind)
    progress = part_of(study.progress, kind, "normalised regret over time")
    intervals, name = _intervals(progress, statistic)
    shown = np.stack([intervals.low, intervals.estimate, intervals.high])
    if not np.isfinite(intervals.estimate).any():
        raise MissingDataError(f"{KIND_WORDS[kind]} has no values that can be normalised and averaged over tasks")
    tasks = in_words(len(progress.normalised_tasks), "task")
    title = f"{name} over {tasks} and all runs, with its {100 * study.level:g} % bootstrap interval"
    with drawing(chosen.rc, names_in(study)):
        legend = Legend.plan(study.labels, title, chosen)
        figure, (panel,) = panel_grid(chosen, 1, 1, _HEIGHT, legend.height)
        looks = looks_of(study)
        draw_losses(panel, progress.fractions, shown, looks)
        panel.set_xlabel(_SHARE)
        panel.set_ylabel(f"normalised {KIND_WORDS[kind].removeprefix('mean ')}")
        legend.draw(figure, looks)
    return figure


def _intervals(progress: ProgressCurves, statistic: str) -> tuple[Intervals, str]:
    if statistic == "iqm":
        return progress.iqm, "interquartile mean"
    if statistic == "mean":
        return progress.mean, "mean"
    raise unknown("statistic", statistic, ("mean", "iqm"))
