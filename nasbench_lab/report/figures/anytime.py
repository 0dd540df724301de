"""The anytime regret of a study, one panel a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from nasbench_lab.analysis.curves import Axis
from nasbench_lab.analysis.studies.results import AnytimeCurves, Study
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import unknown
from nasbench_lab.report.figures.legend import Legend
from nasbench_lab.report.figures.panels import (
    AXIS_WORDS,
    KIND_WORDS,
    draw_losses,
    label_outer,
    panel_grid,
    say,
    set_title,
)
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.study_selection import chosen_kind, chosen_tasks, looks_of, runs_in_words
from nasbench_lab.simulation.trace import RegretKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Statistic = Literal["median", "mean", "iqm"]
STATISTICS: tuple[Statistic, ...] = ("median", "mean", "iqm")

PANEL_HEIGHTS = {1: 2.0, 2: 1.5, 3: 1.6, 4: 1.4}
"""Height of a panel in inches, by the number of columns."""


def anytime_figure(
    study: Study,
    kind: RegretKind | None = None,
    axis: Axis = "evaluations",
    *,
    statistic: Statistic = "median",
    tasks: Sequence[int | str] | None = None,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw the regret over time on log axes, a panel for every task and a line for every strategy.

    A regret of zero is drawn on a line at the bottom that is marked ``optimum``. A line ends where the first run of
    its strategy ends.

    Args:
        study: what was compared.
        kind: of regret; by default the most telling one.
        axis: ``"evaluations"`` or ``"seconds"``.
        statistic: ``"median"`` with the interquartile range, or ``"mean"`` or ``"iqm"`` with its bootstrap interval.
        tasks: their positions or names; by default all.
        style: ``"single"``, ``"double"``, or a style.

    Raises:
        UnknownNameError: no such kind, axis, statistic, task or style.
        MissingDataError: no task has that kind of regret.
    """
    from matplotlib import rc_context

    chosen, kind, places = paper_style(style), chosen_kind(study, kind), chosen_tasks(study, tasks)
    if axis not in AXIS_WORDS:
        raise unknown("axis", axis, AXIS_WORDS)
    if statistic not in STATISTICS:
        raise unknown("statistic", statistic, STATISTICS)
    columns = anytime_columns(chosen, len(places))
    with rc_context(chosen.rc):
        legend = Legend.plan(study.labels, _title(study, places, statistic), chosen)
        figure, panels = panel_grid(chosen, len(places), columns, PANEL_HEIGHTS[columns], legend.height)
        for panel, place in zip(panels, places, strict=True):
            _draw_panel(panel, study, study.curves.get((kind, axis, place)), place, kind, axis, statistic)
            set_title(panel, study.tasks[place].name, chosen, columns)
        words = AXIS_WORDS[axis], KIND_WORDS[kind]
        label_outer(figure, panels, columns, legend.height, words, _units(study, places, kind))
        legend.draw(figure, looks_of(study))
    return figure


def anytime_columns(style: PaperStyle, tasks: int) -> int:
    """Return how many panels stand side by side.

    >>> from nasbench_lab.report.figures.paper_styles import STYLES
    >>> anytime_columns(STYLES["single"], 1), anytime_columns(STYLES["double"], 20)
    (1, 4)
    """
    if style.name == "single":
        return min(tasks, 2)
    return min(tasks, 3 if tasks <= 9 else 4)


def _title(study: Study, places: Sequence[int], statistic: Statistic) -> str:
    runs = runs_in_words(study, places)
    if statistic == "median":
        return f"median (line) and interquartile range (band) of {runs}"
    name = {"mean": "mean", "iqm": "interquartile mean"}[statistic]
    return f"{name} (line) of {runs}, with its {100 * study.level:g} % bootstrap interval (band)"


def _units(study: Study, places: Sequence[int], kind: RegretKind) -> list[str]:
    """Return the unit on every panel; one without measurements has that of the others."""
    units = [study.tasks[place].unit(kind) if kind in study.tasks[place].kinds else "" for place in places]
    known = [unit for unit in units if unit]
    return [unit or next(iter(known), "") for unit in units]


def _lines(curves: AnytimeCurves, statistic: Statistic) -> FloatArray:
    """Return lower end, middle and upper end, shape (3, S, P)."""
    if statistic == "median":
        return curves.quartiles
    intervals = curves.mean if statistic == "mean" else curves.iqm
    return np.stack([intervals.low, intervals.estimate, intervals.high])


def _draw_panel(
    panel: Axes,
    study: Study,
    curves: AnytimeCurves | None,
    place: int,
    kind: RegretKind,
    axis: Axis,
    statistic: Statistic,
) -> None:
    if curves is None:
        missing = f"no {kind} measurements" if kind not in study.tasks[place].kinds else f"no {AXIS_WORDS[axis]}"
        return say(panel, missing)
    lines = _lines(curves, statistic)
    if not np.isfinite(lines[1]).any():
        return say(panel, "too few runs have a value")
    return draw_losses(panel, curves.grid, lines, looks_of(study))
