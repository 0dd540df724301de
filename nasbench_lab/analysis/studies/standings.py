"""A leaderboard: the standings of the strategies by place, with short displays."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Self, final

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.displays import html_table

_MOST_NAMED = 3


@dataclasses.dataclass(frozen=True)
class Standing:
    """One row of a leaderboard: a strategy at the end of its runs, over all tasks on which all strategies ran.

    There are two kinds of average rank. On a task, the run rank is the rank of a run of the strategy among one run of
    each strategy, averaged over all ways to draw the runs (see `expected_ranks`), such as 1.8. The task rank is the
    rank of this number among those of the other strategies: 1, 2, 3, ... Both are averaged over tasks.

    Attributes:
        place: 1 is the best average task rank; strategies with equal ones share a place.
        strategy: its label.
        task_rank: average task rank, which Friedman's and Nemenyi's tests compare (see `RankComparison`).
        run_rank: average run rank; it orders strategies that share a place.
        iqm: interquartile mean of the normalised regret over the runs of all tasks together, with stratified bootstrap
            interval. With few tasks it can ignore some of them: see ``ignored``.
        mean: the same with the mean.
        improvement: probability that a run ends better than a run of the reference strategy on the same task, averaged
            over tasks, with stratified bootstrap interval. Ties count half; 0.5 for the reference itself.
        relative_improvement: improvement of the final incumbents' value over the average random architecture, in
            percent, averaged over runs and tasks, with stratified bootstrap interval (Yang et al. 2020).
        auc: area under the curve of the normalised regret over the budget, averaged over tasks and runs, with
            stratified bootstrap interval.
        solved: share of runs, averaged over tasks, whose regret at the end is 0; NaN where no optimum is known.
        unbeaten: number of tasks on which no other strategy is significantly better (Holm-adjusted p of the
            Mann-Whitney test below 1 - level). NaN with a single strategy, and where the runs on some task are too few
            for any significant difference, so that being unbeaten means nothing.
        without_value: number of runs without a value, over the tasks that count.
        ignored: positions of tasks of which no run counts in ``iqm``, as all are in the best or the worst quarter.
    """

    place: int
    strategy: str
    task_rank: float
    run_rank: float
    iqm: Interval
    mean: Interval
    improvement: Interval
    relative_improvement: Interval
    auc: Interval
    solved: float
    unbeaten: float
    without_value: int
    ignored: tuple[int, ...] = ()


@final
class Leaderboard(tuple[Standing, ...]):
    """The rows of a leaderboard by place, see `Standing`: a tuple that shows itself in a notebook.

    Attributes:
        reference: label of the strategy with which the others are compared.

    >>> Leaderboard([])
    <Leaderboard of 0 strategies>
    """

    reference: str

    def __new__(cls, standings: Iterable[Standing] = (), reference: str = "") -> Self:
        """Make the tuple, which cannot change afterwards.

        Args:
            standings: the rows.
            reference: label of the strategy with which the others are compared.
        """
        made = super().__new__(cls, standings)
        made.reference = reference
        return made

    def __repr__(self) -> str:
        first = ", ".join(f"{row.place}. {row.strategy}" for row in self[:_MOST_NAMED])
        more = ", ..." if len(self) > _MOST_NAMED else ""
        return f"<Leaderboard of {len(self)} strategies{': ' if first else ''}{first}{more}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: a row per strategy."""
        improvement = f"P(better than {self.reference})" if self.reference else "P(better than the reference)"
        header = ["", "strategy", "average task rank", "average run rank", "normalised regret (iqm)", improvement]
        rows = [
            [str(row.place), row.strategy, *ranks, str(row.iqm), str(row.improvement)]
            for row in self
            for ranks in [(f"{row.task_rank:.2f}", f"{row.run_rank:.2f}")]
        ]
        return html_table(header, rows)
