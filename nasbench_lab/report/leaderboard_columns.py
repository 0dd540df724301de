"""The columns of a leaderboard, described once for the page and for tables in papers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.studies.standings import Standing


@dataclass(frozen=True)
class LeaderboardColumn:
    """A column of numbers or of estimates with intervals.

    Attributes:
        heading: on the page; ``{reference}`` stands for the strategy that others are compared with.
        about: one line below the heading.
        value: of a row: a number or an interval.
        best: whether the lowest or the highest value is the best.
        short: heading in tables for papers; empty for a column that they do not have.
        explanation: of the short heading, for the caption; ``{reference}`` as above.
        decimals: of numbers in tables for papers.
    """

    heading: str
    about: str
    value: Callable[[Standing], float | Interval]
    best: Literal["low", "high"]
    short: str = ""
    explanation: str = ""
    decimals: int = 1


TASK_RANK = LeaderboardColumn(
    "average task rank",
    "place among the strategies on each task, averaged over tasks; 1 is best",
    lambda row: row.task_rank,
    "low",
    "task rank",
    "average place among the strategies on each table",
    decimals=2,
)
"""The first column over several tasks: rows are sorted by it, and tests over tasks compare it."""

RUN_RANK = LeaderboardColumn(
    "average run rank",
    "place of a run among one run of each strategy, averaged over runs and tasks; 1 is best",
    lambda row: row.run_rank,
    "low",
    "run rank",
    "average place of a run among one run of each strategy",
    decimals=2,
)
"""The next column; the first on one task, where task ranks are 1, 2, 3, ..."""

REGRET = LeaderboardColumn(
    "normalised regret",
    "interquartile mean of all runs; 1 is the average random architecture",
    lambda row: row.iqm,
    "low",
    "regret",
    "interquartile mean of the normalised regret over the runs of all tables together",
)
"""The column after the ranks; the page draws it, too."""

MEAN = LeaderboardColumn(
    "mean regret",
    "normalised; every run of every task counts",
    lambda row: row.mean,
    "low",
    "mean",
    "mean of the normalised regret, in which every run counts",
)
"""The next column, where the interquartile mean ignores a task."""

COLUMNS = (
    LeaderboardColumn(
        "P(better than {reference})",
        "probability of improvement",
        lambda row: row.improvement,
        "high",
        "improvement",
        "probability that a run ends better than one of {reference}",
    ),
    LeaderboardColumn(
        "gain over random architecture, %",
        "relative improvement",
        lambda row: row.relative_improvement,
        "high",
    ),
    LeaderboardColumn(
        "area under curve",
        "of the normalised regret, over the budget",
        lambda row: row.auc,
        "low",
        "AUC",
        "area under the curve of the normalised regret",
    ),
    LeaderboardColumn(
        "optimum found, %",
        "share of runs",
        lambda row: 100 * row.solved,
        "high",
        "solved (%)",
        "runs that found the optimum",
    ),
    LeaderboardColumn(
        "tasks unbeaten",
        "no other strategy is significantly better",
        lambda row: row.unbeaten,
        "high",
        "unbeaten",
        "number of tables on which no strategy is significantly better (Mann-Whitney over runs, Holm-adjusted)",
        decimals=0,
    ),
)
"""The other columns, in order."""


def columns_of(standings: Sequence[Standing], tasks: int) -> tuple[LeaderboardColumn, ...]:
    """Return the columns of a leaderboard, in order: the ranks, the normalised regret, the others.

    Args:
        standings: rows of the leaderboard.
        tasks: number of tasks that count.
    """
    ranks = (TASK_RANK, RUN_RANK) if tasks > 1 else (RUN_RANK,)
    ignored = any(row.ignored for row in standings)
    return (*ranks, REGRET, *([MEAN] if ignored else []), *COLUMNS)
