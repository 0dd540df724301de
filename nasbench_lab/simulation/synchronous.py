"""When the evaluations of one batch of proposals end: one after the other, or on several synchronous workers."""

from __future__ import annotations

import abc
from typing import final

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.simulation.evaluator import Outcome


class Timeline(abc.ABC):
    """The simulated time of several runs, each with its own clock."""

    @abc.abstractmethod
    def advance(self, outcome: Outcome, before: FloatArray | None) -> tuple[Outcome, FloatArray]:
        """Advance the time by evaluations of shape (runs, k).

        Args:
            outcome: the outcome of the evaluations.
            before: seconds that every run spends before the evaluations start, shape (runs,); None for none.

        Returns:
            The evaluations in the order of their ends, and the simulated seconds at their ends, shape (k, runs).
        """


@final
class OneWorker(Timeline):
    """One evaluation after the other."""

    def __init__(self, runs: int) -> None:
        self._elapsed: FloatArray = np.zeros(runs)

    def advance(self, outcome: Outcome, before: FloatArray | None) -> tuple[Outcome, FloatArray]:
        """Add up the seconds; NaN if the table has no times."""
        runs, k = outcome.architecture.shape
        if outcome.seconds is None:
            return outcome, np.broadcast_to(np.nan, (k, runs))
        if before is not None:
            self._elapsed = self._elapsed + before
        time = np.empty((k, runs))
        for end, took in zip(time, outcome.seconds.T, strict=True):
            # Add one by one, so that the result does not depend on the size of the batch.
            self._elapsed = np.add(self._elapsed, took, out=end)
        return outcome, time


@final
class SynchronousWorkers(Timeline):
    """Several workers that wait for each other: all evaluations of a batch end before the next batch starts.

    Evaluations start in the order of the proposals, each on the worker that is free first (ties: the lowest number).
    This is list scheduling (Graham, Bell System Technical Journal 1966).

    Args:
        runs: number of runs.
        workers: number of workers per run.
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
        # Missing proposals never end. NaN, a training of unknown duration, is also sorted to the end.
        order = np.argsort(np.where(outcome.architecture < 0, np.inf, time), axis=1, kind="stable")
        ended = outcome.each(lambda array: np.take_along_axis(array, order, axis=1))
        return ended, np.take_along_axis(time, order, axis=1).T
