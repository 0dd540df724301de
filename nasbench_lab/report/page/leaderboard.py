"""The leaderboard of the page: one row per strategy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from markupsafe import Markup

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.studies.leaders import first_group
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.analysis.studies.standings import Standing
from nasbench_lab.report.first_in_words import name_of_test
from nasbench_lab.report.incumbent_words import regret_in_words
from nasbench_lab.report.leaderboard_columns import RUN_RANK, TASK_RANK, LeaderboardColumn, columns_of
from nasbench_lab.report.page.answers import MARKS, against_first, answer_of
from nasbench_lab.report.page.svg import look, tag
from nasbench_lab.report.page.tables import (
    PageCell,
    PageColumn,
    PageTable,
    interval_cells,
    make_table,
    marked_cells,
    number_cells,
    sort_key,
)
from nasbench_lab.report.study_selection import in_words
from nasbench_lab.simulation.trace import RegretKind

_WHISKER = (144, 18)
_MARGIN = 6


def standings_table(study: Study, kind: RegretKind) -> PageTable | None:
    """Return the leaderboard by a kind of regret; None if no task has all strategies."""
    standings = study.leaderboard.get(kind, ())
    if not standings:
        return None
    rows = [(standing.strategy, study.labels.index(standing.strategy)) for standing in standings]
    tasks = len(study.ranks[kind].tasks) if kind in study.ranks else len(study.tasks)
    columns = [column for column in _columns(study, kind, standings, tasks) if _says_something(column[1])]
    caption = (
        f"By {regret_in_words(study, kind)} at the end, over {in_words(tasks, 'task')}; "
        f"in brackets {100 * study.level:g} % intervals. The best of a column is bold."
    )
    return make_table(
        caption, PageColumn("strategy", "ascending", kind="text"), columns, rows, _terms(study, kind, tasks)
    )


def _terms(study: Study, kind: RegretKind, tasks: int) -> list[tuple[str, str]]:
    """Return the meanings of words of the table that are no headings."""
    terms = [
        ("normalised", "divided by the regret of the average random architecture: 0 is the optimum, 1 is no search")
    ]
    found = first_group(study, kind)
    if found.finding in ("group", "no difference"):
        where = TASK_RANK.heading if tasks > 1 else "number"
        words = f"the result of a test of the {where} above: {name_of_test(study, found)}"
        terms.insert(0, (", ".join(MARKS.values()), words))
    return terms


def _columns(
    study: Study, kind: RegretKind, standings: Sequence[Standing], tasks: int
) -> list[tuple[PageColumn, list[PageCell]]]:
    drawn = PageColumn("", about="the same as a picture; zero is on the left", kind="drawn")
    failures = PageColumn("runs without value", "descending", "they count as infinitely bad", kind="wrapped")
    described = columns_of(standings, tasks)
    ranks = [column for column in described if column in (TASK_RANK, RUN_RANK)]
    regret, *others = described[len(ranks) :]
    return [
        *_ranks(study, kind, standings, ranks),
        _column(study, standings, regret),
        (drawn, _whiskers(study, standings)),
        *(_column(study, standings, column, kind="wrapped") for column in others),
        (failures, _failures(standings)),
    ]


def _ranks(
    study: Study, kind: RegretKind, standings: Sequence[Standing], ranks: Sequence[LeaderboardColumn]
) -> list[tuple[PageColumn, list[PageCell]]]:
    """Return the columns of ranks; the first one, or on a single task the one after it, has marks."""
    order = [study.labels.index(standing.strategy) for standing in standings]
    made = [_column(study, standings, column, sorted_by=number == 0) for number, column in enumerate(ranks)]
    if len(order) < 2:
        return made
    if len(ranks) == 1:
        return [*made, against_first(study, kind, study.ranks[kind].tasks[0], order)]
    marks = answer_of(study, first_group(study, kind)).marks
    (heading, cells), *rest = made
    return [(heading, marked_cells(cells, [marks.get(strategy, "") for strategy in order])), *rest]


def _column(
    study: Study, standings: Sequence[Standing], column: LeaderboardColumn, *, sorted_by: bool = False, kind: str = ""
) -> tuple[PageColumn, list[PageCell]]:
    heading = column.heading.format(reference=study.labels[study.reference])
    order: Literal["ascending", "descending"] = "ascending" if column.best == "low" else "descending"
    values = [column.value(row) for row in standings]
    intervals = [value for value in values if isinstance(value, Interval)]
    numbers = [value for value in values if not isinstance(value, Interval)]
    cells = interval_cells(intervals, column.best) if intervals else number_cells(numbers, column.best)
    return PageColumn(heading, order, column.about, sorted=sorted_by, kind=kind), cells


def _failures(standings: Sequence[Standing]) -> list[PageCell]:
    if not any(each.without_value for each in standings):
        return [PageCell() for _ in standings]
    return number_cells([float(each.without_value) for each in standings])


def _says_something(cells: Sequence[PageCell]) -> bool:
    return any(cell.value or cell.picture for cell in cells)


def _whiskers(study: Study, standings: Sequence[Standing]) -> list[PageCell]:
    """Draw the intervals of the normalised regret on a common axis from 0."""
    ends = [value for each in standings for value in (each.iqm.estimate, each.iqm.high) if math.isfinite(value)]
    most = max(ends, default=0.0)
    if most <= 0:
        return [PageCell() for _ in standings]
    return [
        PageCell(
            value=sort_key(each.iqm.estimate),
            picture=_whisker(each.iqm, most, study.labels.index(each.strategy))
            if math.isfinite(each.iqm.estimate)
            else None,
        )
        for each in standings
    ]


def _whisker(interval: Interval, most: float, strategy: int) -> Markup:
    width, height = _WHISKER

    def x(value: float) -> float:
        return _MARGIN + max(0.0, min(1.0, value / most)) * (width - 2 * _MARGIN)

    low, high = (value if math.isfinite(value) else interval.estimate for value in (interval.low, interval.high))
    return tag(
        "svg",
        tag("line", x1=x(low), x2=x(high), y1=height / 2, y2=height / 2),
        tag("circle", cx=x(interval.estimate), cy=height / 2, r=4),
        class_=f"whisker {look(strategy)}",
        viewBox=f"0 0 {width} {height}",
        aria_hidden="true",
    )
