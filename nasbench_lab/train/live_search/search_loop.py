"""A live search: proposals of a strategy are trained in parallel, until the real time or the evaluations run out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.simulation.conditions import Conditions, Prepared
from nasbench_lab.simulation.measurements import MEAN
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.problem import Problem
from nasbench_lab.streams import MEASUREMENT, Streams
from nasbench_lab.train.live_search.failures import NOT_FINITE, RETRIED, kind_of
from nasbench_lab.train.live_search.journal import JournalledTraining
from nasbench_lab.train.live_search.live_table import LiveTable
from nasbench_lab.train.live_search.observations import LiveObservation, LiveScores
from nasbench_lab.train.live_search.one_training import Request
from nasbench_lab.train.live_search.proposals import Proposal, ProposedEvaluations
from nasbench_lab.train.live_search.search_log import Event, LiveSearchLog
from nasbench_lab.train.live_search.search_steps import LiveStep, Report, SearchState
from nasbench_lab.train.live_search.workers import AnyWorkers

MOST_FAILURES = 5
"""Number of first trainings that all fail after which a search gives up."""
MOST_KNOWN = 1000
"""Number of evaluations in a row that needed no training after which a search without a limit of evaluations ends."""

_TICK = 1.0  # seconds between reports
_BETWEEN_CLOCKS = 5.0  # seconds between two records of the clock


class SearchLoop:
    """The search of a space by one strategy with real trainings.

    Args:
        table: the live table.
        strategy: the strategy.
        prepared: conditions of the search, checked against the table. The budget is in evaluations, in seconds of real
            time, or both.
        log: of the search. What it has is replayed without training.
        report: called with the state.
        inherit: how children inherit weights; empty for not at all.

    Raises:
        NasbenchLabError: the conditions do not fit the table.
    """

    def __init__(
        self,
        table: LiveTable,
        strategy: Strategy[Any],
        prepared: Prepared,
        log: LiveSearchLog,
        report: Report,
        *,
        inherit: str = "",
    ) -> None:
        conditions = prepared.conditions
        self._table, self._log, self._report = table, log, report
        self._budget = conditions.stated_budget
        self._observation = LiveObservation(table, prepared)
        self._proposed = ProposedEvaluations(
            strategy,
            _problem(table, strategy, conditions, inherits=bool(inherit)),
            Streams(conditions.seed, 0, 1, MEASUREMENT),
            draws_always=conditions.repeat == "sample" and table.repeats > 1,
            most=self._budget.evaluations,
        )
        self._workers_at_most = conditions.workers
        self._running: dict[int, Proposal] = {}
        self._inherit = inherit
        self._requests: dict[int, Request] = {}
        self._steps: list[LiveStep] = []
        self._before, self._started = 0.0, time.monotonic()
        self._clock_saved = -np.inf
        self.stopped = ""

    @property
    def steps(self) -> Sequence[LiveStep]:
        """The evaluations that have ended, in this order."""
        return self._steps

    @property
    def recommends(self) -> bool:
        """Whether the strategy recommends architectures."""
        return self._proposed.recommends

    @property
    def proposes_nothing(self) -> bool:
        """Whether the strategy has nothing more to propose."""
        return self._proposed.exhausted and (
            self._budget.evaluations is None or len(self._proposed.all) < self._budget.evaluations
        )

    def run(self, workers: AnyWorkers | None) -> None:
        """Search until the budget is used up.

        Args:
            workers: train the networks; None to replay only what has happened.
        """
        self._replay()
        if workers is None or self.is_over:
            return
        with workers:
            workers.get_ready()
            self._started = time.monotonic()
            for proposal in list(self._running.values()):
                self._start(proposal, workers)
            try:
                while not self.is_over:
                    self._hand_out(workers)
                    if not self._running:
                        break
                    for request, answer in workers.wait(self._patience()):
                        for proposal in self._waiting_for(request):
                            self._end(proposal, answer.trained, answer.fresh)
                    self._tick(workers)
            finally:
                self._log.set_clock(self._now())

    def _replay(self) -> None:
        """Repeat what the log has, so that the strategy is where it was."""
        for event in self._log.events():
            if event.kind == "start":
                proposal = self._proposed.take()
                if proposal is None or proposal.named != (event.proposal, event.architecture, event.epochs):
                    raise DataError(
                        f"the strategy does not repeat the search in {self._log.path.parent}: its code has changed; "
                        "start again in another folder, with --trainings to use what was trained"
                    )
                self._running[proposal.number] = proposal
                continue
            if event.proposal not in self._running:
                raise DataError(f"{self._log.path} is damaged: evaluation {event.proposal} ends without a start")
            self._finish(self._running[event.proposal], event)
        self._before, self._started = self._log.clock(), time.monotonic()

    def _now(self) -> float:
        return self._before + time.monotonic() - self._started

    def _patience(self) -> float:
        if self._budget.seconds is None:
            return _TICK
        return max(0.0, min(_TICK, self._budget.seconds - self._now()))

    @property
    def is_over(self) -> bool:
        """Whether the budget is used up, or there is nothing new to train."""
        budget, done = self._budget, len(self._steps)
        if budget.evaluations is not None and done >= budget.evaluations:
            return True
        if budget.seconds is not None and self._now() >= budget.seconds:
            return True
        if budget.evaluations is None and done >= MOST_KNOWN and not any(s.fresh for s in self._steps[-MOST_KNOWN:]):
            self.stopped = f"the last {MOST_KNOWN:,} proposals were trained before, so there is nothing new to train"
            return True
        return False

    def _hand_out(self, workers: AnyWorkers) -> None:
        """Start proposals while workers are free. What needs no training ends at once."""
        while len(self._running) < self._workers_at_most and not self.is_over:
            proposal = self._proposed.take()
            if proposal is None:
                return
            self._log.add(Event("start", *proposal.named, MEAN, np.nan, self._now(), fresh=False))
            self._running[proposal.number] = proposal
            self._start(proposal, workers)

    def _start(self, proposal: Proposal, workers: AnyWorkers) -> None:
        if self._observation.violation(proposal.architecture) > 0:
            self._end(proposal, None, fresh=False)
            return
        request = self._request(proposal)
        known = self._table.trainings.known(request)
        if known is not None:
            self._end(proposal, known, fresh=False)
        elif len(self._waiting_for(request)) <= 1:
            workers.submit(request)

    def _request(self, proposal: Proposal) -> Request:
        number, trainings = proposal.number, self._table.trainings
        if number not in self._requests:
            parent = self._request(self._proposed.all[proposal.parent]) if proposal.parent >= 0 else None
            request = None
            if parent is not None:
                request = trainings.child(proposal.architecture, proposal.epochs, parent, self._inherit)
            self._requests[number] = request or trainings.request(proposal.architecture, proposal.epochs)
        return self._requests[number]

    def _waiting_for(self, request: Request) -> list[Proposal]:
        return [each for each in self._running.values() if self._request(each) == request]

    def _end(self, proposal: Proposal, trained: JournalledTraining | None, fresh: bool) -> None:
        """Observe an evaluation, log its end, and tell the strategy."""
        value, repeat = np.nan, MEAN
        if trained is not None:
            earlier = self._proposed.all[proposal.resume].repeat if proposal.resume >= 0 else None
            value, repeat = self._observation.observed(trained, proposal, earlier)
        event = Event("end", *proposal.named, repeat, value, self._now(), fresh)
        if self._budget.seconds is not None and event.clock > self._budget.seconds:
            return  # the training is kept, but the evaluation ended too late to count
        self._log.add(event)
        self._finish(proposal, event)
        if trained is not None and trained.reason:
            self._check_failures(trained.reason)

    def _finish(self, proposal: Proposal, event: Event) -> None:
        """Note an evaluation that has ended, now or in a log, and tell the strategy."""
        proposal.repeat = event.repeat
        feasible = self._observation.violation(proposal.architecture) == 0
        self._observation.tell(proposal, event.value, trained=feasible)
        del self._running[proposal.number]
        before = self._steps[-1].recommended if self._steps else -1
        step = LiveStep(
            proposal.architecture,
            proposal.epochs,
            event.repeat,
            event.value,
            event.clock,
            feasible,
            before,
            event.fresh,
            -1 if self._request(proposal).origin is None else proposal.parent,
        )
        told = self._proposed.end(proposal)
        if told and self._proposed.recommends:
            step = step._replace(recommended=self._proposed.recommendation())
        self._steps.append(step)

    def without_value(self) -> dict[int, str]:
        """Return why evaluations of allowed architectures have no value, by number of the proposal, in order.

        The text is empty where the journal now has a value, or nothing.
        """
        found = {}
        for event in self._log.events():
            if event.kind == "end" and np.isnan(event.value):
                proposal = self._proposed.all[event.proposal]
                if self._observation.violation(proposal.architecture) == 0:
                    found[proposal.number] = self._reason(proposal)
        return found

    def _reason(self, proposal: Proposal) -> str:
        trained = self._table.trainings.known(self._request(proposal))
        if trained is None or trained.reason:
            return "" if trained is None else trained.reason
        # One of several networks can fail alone.
        return NOT_FINITE if np.isnan(self._observation.value_of(trained, proposal.epochs, proposal.repeat)) else ""

    def _check_failures(self, reason: str) -> None:
        """Give up if nothing that was trained has worked."""
        if len(self._steps) == MOST_FAILURES and all(np.isnan(step.observed) for step in self._steps):
            again = "; --retry-failed tries them again" if kind_of(reason) in RETRIED else ""
            raise ParameterError(f"the first {MOST_FAILURES} trainings all failed; the last one: {reason}{again}")

    def _tick(self, workers: AnyWorkers) -> None:
        now = self._now()
        if now - self._clock_saved > _BETWEEN_CLOCKS:
            self._log.set_clock(now)
            self._clock_saved = now
        self._report(SearchState(self._steps, workers.running, now))


def _problem(table: LiveTable, strategy: Strategy[Any], conditions: Conditions, *, inherits: bool) -> Problem:
    """Return what the strategy knows before the first evaluation."""
    highest = table.fidelities[table.fidelity_position(conditions.fidelity)]
    fidelities = tuple(epochs for epochs in table.fidelities if epochs <= highest)
    return Problem(
        table.space,
        Streams(conditions.seed, 0, 1),
        fidelities if strategy.multi_fidelity else (highest,),
        conditions.workers,
        (table.objective.name, *conditions.objectives),
        LiveScores(table),
        inherits,
    )
