"""The search loop: ask, evaluate, count, tell, until the budgets of all runs are used up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import StrategyError
from nasbench_lab.simulation.asynchronous import Workers
from nasbench_lab.simulation.clock import Clock
from nasbench_lab.simulation.computed_measurements import fidelities_of
from nasbench_lab.simulation.evaluator import Evaluator, ManyFidelities, OneFidelity, Outcome
from nasbench_lab.simulation.measurements import AnyMeasurements
from nasbench_lab.simulation.objectives import AnyGoals, penalised
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.synchronous import OneWorker, SynchronousWorkers
from nasbench_lab.simulation.zero_cost_scores import TableScores
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.problem import Evaluations, Problem, Proposals
from nasbench_lab.streams import MEASUREMENT, SCORE, Streams
from nasbench_lab.tables.any_table import AnyTable
from nasbench_lab.tables.computed import ComputedTable


def simulate_together(
    table: AnyTable,
    strategy: Strategy[Any],
    measurements: AnyMeasurements,
    goals: AnyGoals | None,
    setting: Setting,
    clock: Clock,
) -> None:
    """Simulate the runs of one clock in lock step until their budgets are used up."""
    conditions, first_run = setting.conditions, setting.first_run + clock.first
    draws = Streams(conditions.seed, first_run, clock.runs, MEASUREMENT)
    streams = Streams(conditions.seed, first_run, clock.runs)
    fidelities: tuple[int, ...] = (measurements.fidelity,)
    evaluator: Evaluator = OneFidelity(measurements, draws)
    if strategy.multi_fidelity:
        several = fidelities_of(table, measurements)
        fidelities, evaluator = several.epochs, ManyFidelities(several, draws, strategy.name)
    objectives = (table.objective.name, *(goals.objectives if goals else ()))
    scores = TableScores(table, Streams(conditions.seed, first_run, clock.runs, SCORE), conditions.repeat)
    problem = Problem(table.space, streams, fidelities, conditions.workers, objectives, scores)
    search = _Search(strategy, problem, table, evaluator, _Teller(measurements, goals))
    if conditions.workers > 1 and strategy.asynchronous:
        _without_waiting(search, clock, conditions.workers)
    else:
        _in_batches(search, clock, conditions.workers)


class _Teller:
    """Converts outcomes to what the strategy receives: higher is better, and limits are applied."""

    def __init__(self, measurements: AnyMeasurements, goals: AnyGoals | None) -> None:
        self._sign = -1.0 if measurements.metric.direction == "minimize" else 1.0
        self._goals = goals
        self._limits = goals if goals is not None and goals.limits else None
        if self._limits is not None:
            self._observable = self._sign * measurements.observable()

    def evaluations(self, outcome: Outcome, number: IntArray) -> Evaluations:
        """Return the evaluations as the strategy receives them."""
        value = -outcome.value if self._sign < 0 else outcome.value
        objectives = violation = None
        if self._limits is not None:
            violation = self._limits.violation_of(np.maximum(outcome.architecture, 0))
            value = penalised(value, violation, self._observable)
        if self._goals is not None and self._goals.objectives:
            objectives = self._goals.told(value, outcome.architecture, violation)
        return Evaluations(outcome.architecture, value, number, outcome.fidelity, objectives)


class _Search:
    """The search of a table by one strategy."""

    def __init__(
        self, strategy: Strategy[Any], problem: Problem, table: AnyTable, evaluator: Evaluator, teller: _Teller
    ) -> None:
        self._strategy, self._table, self._evaluator, self._teller = strategy, table, evaluator, teller
        self._runs, self._size = problem.runs, table.space.size
        self._scores = problem.scores
        self._sparing = isinstance(table, ComputedTable) and not table.is_cheap
        self._state = strategy.start(problem)
        self.recommends = strategy.recommends(self._state)

    def ask(self) -> Proposals:
        """Return the strategy's proposals, after checking that they can be evaluated."""
        asked = self._strategy.ask(self._state)
        proposals = asked if isinstance(asked, Proposals) else Proposals(asked)
        if not self._strategy.multi_fidelity and any(array is not None for array in proposals[1:]):
            raise StrategyError(f"strategy {self._strategy.name!r} proposes fidelities, but is not multi_fidelity")
        return proposals._replace(architecture=self._check(proposals.architecture))

    def evaluate(self, proposals: Proposals, running: NDArray[np.bool_]) -> Outcome:
        """Return the outcome of proposals.

        Args:
            proposals: the proposals.
            running: which runs have budget left. The others go on, as all runs are in lock step, but nothing of them
                counts any more. Where evaluations are not cheap, theirs are like failed trainings.
        """
        if not self._sparing or running.all():
            return self._evaluator.evaluate(proposals)
        asked = proposals._replace(architecture=np.where(running[:, None], proposals.architecture, -1))
        outcome = self._evaluator.evaluate(asked)
        told = outcome._replace(architecture=proposals.architecture)
        return told if proposals.fidelity is None else told._replace(fidelity=np.asarray(proposals.fidelity))

    def tell(self, outcome: Outcome, number: IntArray) -> None:
        """Tell the strategy the outcome of its proposals."""
        self._strategy.tell(self._state, self._teller.evaluations(outcome, number))

    def recommendation(self) -> IntArray:
        """Return what the strategy recommends, shape (runs,); raise StrategyError if that is not in the space."""
        found, name, size = np.asarray(self._strategy.recommend(self._state)), self._strategy.name, self._size
        if found.shape != (self._runs,) or found.dtype.kind not in "iu":
            raise StrategyError(
                f"strategy {name!r} must recommend integers of shape ({self._runs},), "
                f"not {found.dtype} of shape {found.shape}"
            )
        if found.min() < -1 or found.max() >= size:
            wrong = found[(found < -1) | (found >= size)][0]
            raise StrategyError(
                f"strategy {name!r} recommended architecture {wrong}; {self._table.name!r} has 0..{size - 1}"
            )
        return found

    def due(self) -> FloatArray | None:
        """Return the seconds that every run owes for scores since the last call; None for none."""
        return self._scores.due() if isinstance(self._scores, TableScores) else None

    def _check(self, asked: Any) -> IntArray:
        """Return architectures as int64; raise StrategyError if they are not in the space."""
        proposals, name, size = np.asarray(asked), self._strategy.name, self._size
        if (
            proposals.ndim != 2
            or len(proposals) != self._runs
            or not proposals.shape[1]
            or proposals.dtype.kind not in "iu"
        ):
            raise StrategyError(
                f"strategy {name!r} must ask for integers of shape ({self._runs}, k), "
                f"not {proposals.dtype} of shape {proposals.shape}"
            )
        if proposals.min() < -1 or proposals.max() >= size:
            wrong = proposals[(proposals < -1) | (proposals >= size)][0]
            raise StrategyError(
                f"strategy {name!r} proposed architecture {wrong}; {self._table.name!r} has 0..{size - 1}"
            )
        return proposals.astype(np.int64, copy=False)


def _in_batches(search: _Search, clock: Clock, workers: int) -> None:
    """Tell the strategy the outcomes of all its proposals before asking again."""
    timeline = OneWorker(clock.runs) if workers == 1 else SynchronousWorkers(clock.runs, workers)
    count = 0
    while not clock.finished:
        proposals = search.ask()
        proposals = _cut(proposals, 0, clock.room(proposals.architecture.shape[1]))
        outcome = search.evaluate(proposals, clock.running)
        clock.record(*timeline.advance(outcome, search.due()))
        steps = outcome.architecture.shape[1]
        _learn(search, clock, outcome, np.broadcast_to(np.arange(count, count + steps), outcome.architecture.shape))
        count += steps


def _without_waiting(search: _Search, clock: Clock, workers: int) -> None:
    """Tell the strategy about every evaluation when it ends, and give the free worker the next proposal."""
    queue = _Queue(search)
    busy = Workers(clock.runs, workers)
    for first in range(workers):
        _give(np.full(clock.runs, first), np.zeros(clock.runs), queue, search, busy, clock.running)
    while not clock.finished:
        worker, end, number, outcome = busy.next()
        clock.record(outcome, end[None])
        _learn(search, clock, outcome, number)
        if not clock.finished:
            _give(worker, end, queue, search, busy, clock.running)


def _learn(search: _Search, clock: Clock, outcome: Outcome, number: IntArray) -> None:
    """Tell the strategy the outcome, and record what it recommends. At the end this matters only if it recommends."""
    if search.recommends or not clock.finished:
        search.tell(outcome, number)
    if search.recommends:
        clock.recommend(search.recommendation())


def _give(
    worker: IntArray,
    now: FloatArray,
    queue: _Queue,
    search: _Search,
    busy: Workers,
    running: NDArray[np.bool_],
) -> None:
    """Give one worker per run the next proposal."""
    number, proposals = queue.number, queue.take()
    busy.start(worker, queue.start(now, search.due()), number, search.evaluate(proposals, running))


class _Queue:
    """Proposals that wait for a worker. The strategy is asked when the queue is empty."""

    def __init__(self, search: _Search) -> None:
        self._search = search
        self._waiting: Proposals | None = None
        self._taken = 0
        self._scored: FloatArray | float = 0.0  # when the scores of every run are computed that were asked for so far
        self.number = 0  # number of the next proposal

    def start(self, now: FloatArray, due: FloatArray | None) -> FloatArray:
        """Return when the evaluation of the proposal taken last starts, after the seconds that runs owe for scores.

        A run computes scores one after the other, so a proposal also waits for those that were asked for earlier.
        """
        begin = np.maximum(now, self._scored)
        if due is not None:
            self._scored = begin = begin + due
        return begin

    def take(self) -> Proposals:
        """Return the next proposal of every run, shape (runs, 1)."""
        if self._waiting is None or self._taken == self._waiting.architecture.shape[1]:
            self._waiting, self._taken = self._search.ask(), 0
        proposals = _cut(self._waiting, self._taken, self._taken + 1)
        self._taken += 1
        self.number += 1
        return proposals


def _cut(proposals: Proposals, first: int, end: int) -> Proposals:
    """Return the proposals in columns ``first .. end - 1``."""
    rest = (None if array is None else array[:, first:end] for array in proposals[1:])
    return Proposals(proposals.architecture[:, first:end], *rest)
