"""Which strategy is first, and which others cannot be distinguished from it: over all tasks, and on each task.

Each answer belongs to one statistic and to the test of that statistic. Over several tasks this is the average task
rank, with Nemenyi's test after Friedman's, or the sign test for two strategies; the unit is the task. On one task it is
the probability that a run ends better (A12), with the Mann-Whitney test, Holm-adjusted over all pairs; the unit is the
run.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

import numpy as np

from nasbench_lab.analysis.friedman import critical_difference
from nasbench_lab.analysis.pairwise import can_differ
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import MissingDataError
from nasbench_lab.simulation.trace import RegretKind

Finding = Literal["alone", "too few", "no difference", "group"]
"""Whether there is one strategy; too few runs or tasks for any significant difference; a test that does not reject; or
a test that separates the first group from the others."""

_DIGITS = 9  # decimals of ranks; smaller differences are rounding
_MOST_TASKS = 100


@dataclasses.dataclass(frozen=True)
class FirstGroup:
    """The first strategy and those that cannot be distinguished from it. Strategies are positions in `Study.labels`.

    Attributes:
        kind: which regret.
        tasks: positions of the tasks that count: one, or those on which all strategies ran.
        order: the compared strategies, best first: by average task rank over several tasks, by run rank on one.
        ranks: these ranks, in the same order.
        finding: what is known.
        first: the strategies that share the best rank.
        same: other strategies that cannot be distinguished from the first, best first; empty if there is no test.
        worse: strategies that are significantly worse than the first.
        needed: the least number of tasks, or of runs of each strategy, with which a difference can be significant; 0 if
            there are enough.
    """

    kind: RegretKind
    tasks: tuple[int, ...]
    order: tuple[int, ...]
    ranks: tuple[float, ...]
    finding: Finding
    first: tuple[int, ...]
    same: tuple[int, ...] = ()
    worse: tuple[int, ...] = ()
    needed: int = 0


def first_group(study: Study, kind: RegretKind | None = None, task: int | None = None) -> FirstGroup:
    """Return the first strategy and those that cannot be distinguished from it.

    Args:
        study: the study.
        kind: of regret; by default the most informative one.
        task: position of a task; by default all tasks on which all strategies ran.

    Raises:
        MissingDataError: no task has all strategies, or the task does not have this kind of regret.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> from nasbench_lab.analysis import study
    >>> traces = [nl.simulate(synthetic_table(), name, runs=50, budget=nl.Budget(evaluations=50))
    ...           for name in ("random-search", "regularized-evolution")]
    >>> found = first_group(study(traces))
    >>> found.finding, found.first, found.worse
    ('group', (1,), (0,))
    """
    kind = kind or study.kind
    if task is None:
        if kind not in study.ranks or not study.ranks[kind].tasks:
            raise MissingDataError(f"no task with {kind} regret has all strategies")
        tasks = study.ranks[kind].tasks
        if len(tasks) > 1:
            return _over_tasks(study, kind)
        task = tasks[0]
    if kind not in study.pairwise or kind not in study.tasks[task].kinds:
        raise MissingDataError(f"{study.tasks[task].name} has no comparison by {kind} regret")
    return _on_task(study, kind, task)


def _over_tasks(study: Study, kind: RegretKind) -> FirstGroup:
    found = study.ranks[kind]
    order, ranks, first = _ordered(np.arange(len(study.labels)), found.ranks)
    made = FirstGroup(kind, found.tasks, order, ranks, "alone", first)
    if len(order) < 2:
        return made
    if not _tasks_can_differ(len(order), len(found.tasks), found.level):
        return dataclasses.replace(made, finding="too few", needed=_tasks_needed(len(order), found.level))
    others = order[len(first) :]
    if not found.rejects:
        return dataclasses.replace(made, finding="no difference", same=others)
    same = tuple(s for s in others if found.nemenyi[first[0], s] >= 1 - found.level)
    return dataclasses.replace(made, finding="group", same=same, worse=tuple(s for s in others if s not in same))


def _on_task(study: Study, kind: RegretKind, task: int) -> FirstGroup:
    pairs = study.pairwise[kind]
    ran = np.flatnonzero(study.runs[:, task])
    order, ranks, first = _ordered(ran, run_ranks(pairs.a12[..., task][np.ix_(ran, ran)]))
    made = FirstGroup(kind, (task,), order, ranks, "alone", first)
    if len(order) < 2:
        return made
    others = order[len(first) :]
    beaten = (pairs.adjusted[..., task] < 1 - study.level) & (pairs.a12[..., task] > 0.5)
    worse = tuple(s for s in others if all(beaten[best, s] for best in first))
    if not worse and not can_differ(study.runs[ran, task].tolist(), study.level):
        return dataclasses.replace(made, finding="too few", needed=_runs_needed(len(order), study.level))
    finding: Finding = "group" if worse else "no difference"
    return dataclasses.replace(made, finding=finding, same=tuple(s for s in others if s not in worse), worse=worse)


def run_ranks(a12: FloatArray) -> FloatArray:
    """Return the run ranks on a task (see `expected_ranks`), shape (S,), of A12 of all pairs, shape (S, S).

    >>> run_ranks(np.array([[0.5, 1.0], [0.0, 0.5]])).tolist()
    [1.0, 2.0]
    """
    return a12.sum(axis=0) - np.diag(a12) + 1


def _ordered(strategies: np.ndarray, ranks: FloatArray) -> tuple[tuple[int, ...], tuple[float, ...], tuple[int, ...]]:
    """Return the strategies, best first, their ranks, and those that share the best rank."""
    rounded = ranks.round(_DIGITS)
    order = np.argsort(rounded, kind="stable")
    first = strategies[order][rounded[order] == rounded.min()]
    return tuple(strategies[order].tolist()), tuple(rounded[order].tolist()), tuple(first.tolist())


def _tasks_can_differ(strategies: int, tasks: int, level: float) -> bool:
    """Return whether the tests are significant if all tasks have the same order of strategies."""
    # If the strategies do not differ, all tasks have the same order with this probability.
    same = math.exp(-(tasks - 1) * math.lgamma(strategies + 1))
    farthest = strategies == 2 or critical_difference(strategies, tasks, level) < strategies - 1
    return tasks > 1 and same < 1 - level and farthest


def _tasks_needed(strategies: int, level: float) -> int:
    return next((n for n in range(2, _MOST_TASKS) if _tasks_can_differ(strategies, n, level)), _MOST_TASKS)


def _runs_needed(strategies: int, level: float) -> int:
    return next(n for n in range(2, 10_000) if can_differ([n] * strategies, level))
