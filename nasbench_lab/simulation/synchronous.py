"""When evaluations end that were proposed together: one after the other, or on several workers."""

from __future__ import annotations

import abc
from typing import final

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.simulation.evaluator import Outcome


class Timeline(abc.ABC):
    """The time of some runs, each with a clock of its own."""

    @abc.abstractmethod
    def advance(self, outcome: Outcome, before: FloatArray | None) -> tuple[Outcome, FloatArray]:
        """Let evaluations of shape (runs, k) happen.

        Args:
            outcome: what comes of them.
            before: seconds that every run spends before they start, shape (runs,); None for none.

        Returns:
            The evaluations in the order in which they end, and the simulated seconds at their ends, shape (k, runs).
        """


@final
class OneWorker(Timeline):
    """One evaluation after the other."""

    def __init__(self, runs: int) -> None:
        self._elapsed: FloatArray = np.zeros(runs)

    def advance(self, outcome: Outcome, before: FloatArray | None) -> tuple[Outcome, FloatArray]:
        """Add the seconds up; NaN where the table has no times."""
        runs, k = outcome.architecture.shape
        if outcome.seconds is None:
            return outcome, np.broadcast_to(np.nan, (k, runs))
        if before is not None:
            self._elapsed = self._elapsed + before
        time = np.empty((k, runs))
        for end, took in zip(time, outcome.seconds.T, strict=True):
            # One addition after the other, so that it does not matter how many evaluations come at a time.
            self._elapsed = np.add(self._elapsed, took, out=end)
        return outcome, time


@final
class SynchronousWorkers(Timeline):
    """Several workers that wait for each other: what was proposed together ends before anything else starts.

    Evaluations start in the order in which they were proposed, each on the worker that is free first (of several, the
    one with the lowest number): list scheduling (Graham, Bell System Technical Journal 1966).

    Args:
        runs: number of runs.
        workers: number of workers of every run.
    """

    def __init__(self, runs: int, workers: int) -> None:
        self._start: FloatArray = np.zeros(runs)
        self._workers = workers
        self._run = np.arange(runs)

    def advance(self, outcome: Outcome, before: FloatArray | None) -> tuple[Outcome, FloatArray]:
        """Distribute the evaluations over the workers."""
        runs, k = outcome.architecture.shape
        assert outcome.seconds is not None  # noqa: S101 - checked before anything is simulated
        if before is not None:
            self._start = self._start + before
        free = np.repeat(self._start[:, None], min(self._workers, k), axis=1)
        time = np.empty((runs, k))
        for step in range(k):
            worker = free.argmin(axis=1)
            free[self._run, worker] += outcome.seconds[:, step]
            time[:, step] = free[self._run, worker]
        self._start = free.max(axis=1)
        # What was not proposed never ends. NaN, a training of unknown length, is sorted to the end as well.
        order = np.argsort(np.where(outcome.architecture < 0, np.inf, time), axis=1, kind="stable")
        ended = outcome.each(lambda array: np.take_along_axis(array, order, axis=1))
        return ended, np.take_along_axis(time, order, axis=1).T
