"""Workers that do not wait for each other: in every run, one evaluation ends at a time, and another begins."""

from __future__ import annotations

from typing import final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.simulation.evaluator import Outcome


@final
class Workers:
    """What the workers of some runs are doing. In every run, one evaluation ends at a time.

    Args:
        runs: number of runs.
        workers: number of workers of every run.
    """

    def __init__(self, runs: int, workers: int) -> None:
        self._run = np.arange(runs)
        self._end: FloatArray = np.full((workers, runs), np.inf)
        self._number: IntArray = np.zeros((workers, runs), dtype=np.int64)
        self._doing: Outcome | None = None

    def start(self, worker: IntArray, now: FloatArray, number: int, outcome: Outcome) -> None:
        """Let a worker of every run begin with an evaluation, of shape (runs, 1).

        Args:
            worker: which worker, shape (runs,).
            now: when it begins, shape (runs,).
            number: of the proposal.
            outcome: what will come of it.
        """
        assert outcome.seconds is not None  # noqa: S101 - checked before anything is simulated
        if self._doing is None:
            self._doing = outcome.each(lambda array: np.zeros(self._end.shape, dtype=array.dtype))
        for kept, array in zip(self._doing, outcome, strict=True):
            if kept is not None and array is not None:
                kept[worker, self._run] = array[:, 0]
        end = now + outcome.seconds[:, 0]
        self._end[worker, self._run] = np.where(outcome.architecture[:, 0] < 0, np.inf, end)
        self._number[worker, self._run] = number

    def next(self) -> tuple[IntArray, FloatArray, IntArray, Outcome]:
        """Return what ends next in every run.

        Returns:
            The worker, shape (runs,); when it ends, shape (runs,), infinite where all workers are idle; the number of
            the proposal, shape (runs, 1); and what came of it, shape (runs, 1). Of equal times the lowest worker's.
        """
        assert self._doing is not None  # noqa: S101 - every worker was started
        worker = self._end.argmin(axis=0)
        outcome = self._doing.each(lambda kept: kept[worker, self._run][:, None])
        end = self._end[worker, self._run]
        idle = np.isinf(end)[:, None]
        outcome = outcome._replace(architecture=np.where(idle, -1, outcome.architecture))
        return worker, end, self._number[worker, self._run][:, None], outcome
