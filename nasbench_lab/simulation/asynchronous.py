"""Asynchronous workers: in every run, when an evaluation ends, its worker starts the next one at once."""

from __future__ import annotations

from typing import final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.simulation.evaluator import Outcome


@final
class Workers:
    """The workers of several runs and their current evaluations. In every run, one evaluation ends at a time.

    Args:
        runs: number of runs.
        workers: number of workers per run.
    """

    def __init__(self, runs: int, workers: int) -> None:
        self._run = np.arange(runs)
        self._end: FloatArray = np.full((workers, runs), np.inf)
        self._number: IntArray = np.zeros((workers, runs), dtype=np.int64)
        self._doing: Outcome | None = None

    def start(self, worker: IntArray, now: FloatArray, number: int, outcome: Outcome) -> None:
        """Start an evaluation, shape (runs, 1), on one worker per run.

        Args:
            worker: number of the worker, shape (runs,).
            now: simulated seconds at the start, shape (runs,).
            number: number of the proposal.
            outcome: the outcome of the evaluation, known in advance.
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
        """Return the evaluation that ends next in every run.

        Returns:
            The number of the worker, shape (runs,); the simulated seconds at the end, shape (runs,), infinite where all
            workers are idle; the number of the proposal, shape (runs, 1); and the outcome, shape (runs, 1). Ties: the
            worker with the lowest number.
        """
        assert self._doing is not None  # noqa: S101 - every worker was started
        worker = self._end.argmin(axis=0)
        outcome = self._doing.each(lambda kept: kept[worker, self._run][:, None])
        end = self._end[worker, self._run]
        idle = np.isinf(end)[:, None]
        outcome = outcome._replace(architecture=np.where(idle, -1, outcome.architecture))
        return worker, end, self._number[worker, self._run][:, None], outcome
