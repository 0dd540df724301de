"""What a live search observes of trainings, and what it tells its strategy."""

from __future__ import annotations

import dataclasses

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.messages import unknown
from nasbench_lab.simulation.conditions import Prepared
from nasbench_lab.simulation.measurements import MEAN
from nasbench_lab.simulation.objectives import penalised
from nasbench_lab.simulation.zero_cost_scores import score_names
from nasbench_lab.strategies.problem import Scores
from nasbench_lab.streams import scale
from nasbench_lab.train.live_search.journal import JournalledTraining
from nasbench_lab.train.live_search.live_table import LiveTable
from nasbench_lab.train.live_search.proposals import Proposal


class LiveObservation:
    """What is observed of trainings under conditions, and what a strategy is told; as in a simulation.

    Args:
        table: the live table.
        prepared: the conditions of the search.
    """

    def __init__(self, table: LiveTable, prepared: Prepared) -> None:
        self._table, self._repeat, self._goals = table, prepared.conditions.repeat, prepared.goals
        self._sign = -1.0 if table.objective.direction == "minimize" else 1.0
        self._observable = self._sign * prepared.measurements.observable()

    def observed(self, trained: JournalledTraining, proposal: Proposal, earlier: int | None) -> tuple[float, int]:
        """Return the observed value of a training in its unit, NaN if it failed, and the number of the repeat.

        Args:
            trained: the training.
            proposal: what was proposed.
            earlier: repeat that the resumed evaluation observed; None if none is resumed.
        """
        repeat = self._repeat
        if earlier is not None and self._table.description.resumable:
            repeat = "mean" if earlier == MEAN else earlier
        if repeat == "sample":
            repeat = int(scale(np.array([proposal.uniform]), self._table.repeats)[0])
        number = MEAN if repeat == "mean" else int(repeat)
        return self.value_of(trained, proposal.epochs, number), number

    def value_of(self, trained: JournalledTraining, epochs: int, repeat: int) -> float:
        """Return the value of a training after a number of epochs, of one repeat or of their mean; NaN if it failed."""
        values = self._table.trainings.at_epoch(trained, epochs)[self._table.objective.name]
        if repeat != MEAN:
            return float(values[repeat])
        known = values[~np.isnan(values)]
        return float(known.sum() / len(known)) if len(known) else float("nan")

    def violation(self, architecture: int) -> float:
        """Return by how much an architecture breaks the limits, 0 if it keeps them, without a training."""
        if self._goals is None or not self._goals.limits:
            return 0.0
        return float(self._goals.violation_of(np.array([architecture]))[0])

    def tell(self, proposal: Proposal, value: float, *, trained: bool) -> None:
        """Set what the strategy is told about an evaluation that has ended.

        Args:
            proposal: the evaluation.
            value: observed value, in its unit.
            trained: whether there was a training; there is none of an architecture that breaks a limit.
        """
        told = np.array([[self._sign * value if trained else 0.0]])
        violation: FloatArray | None = None
        if self._goals is not None and self._goals.limits:
            violation = np.array([[self.violation(proposal.architecture)]])
            told = penalised(told, violation, self._observable)
        if self._goals is not None and self._goals.objectives:
            proposal.objectives = self._goals.told(told, np.array([[proposal.architecture]]), violation)[0, 0]
        proposal.value = float(told[0, 0])


@dataclasses.dataclass(frozen=True, eq=False)
class LiveScores(Scores):
    """Zero-cost scores that are computed when a strategy asks for them; this takes real time.

    Attributes:
        table: the live table.
    """

    table: LiveTable

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the available scores."""
        return score_names(self.table.description)

    def score(self, name: str, architecture: IntArray) -> FloatArray:
        """Return the scores of architectures, higher is better, NaN where there is none."""
        if name not in self.names:
            raise unknown("score", name, self.names)
        value = self.table.trainings.numbers.value
        rows = [[value(name, index) if index >= 0 else np.nan for index in row] for row in architecture.tolist()]
        return np.array(rows, dtype=np.float64).reshape(architecture.shape)
