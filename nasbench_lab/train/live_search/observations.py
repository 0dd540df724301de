"""What a live search observes of trainings, and what it tells its strategy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.measurements import MEAN
from nasbench_lab.simulation.objectives import penalised
from nasbench_lab.simulation.zero_cost_scores import score_names
from nasbench_lab.strategies.problem import Scores
from nasbench_lab.streams import scale
from nasbench_lab.tables.description import AXES, Description, Metric
from nasbench_lab.train.live_search.journal import Trained
from nasbench_lab.train.live_search.live_table import LiveTable
from nasbench_lab.train.live_search.proposals import Proposal


class Observation:
    """What is observed of trainings under conditions, and what a strategy is told.

    Args:
        table: the live table.
        conditions: of the search.

    Raises:
        UnknownNameError: there is no such metric.
        ParameterError: a metric cannot be an objective or a limit.
    """

    def __init__(self, table: LiveTable, conditions: Conditions) -> None:
        self._table, self._conditions = table, conditions
        self._objective = table.objective
        self._metrics = checked_metrics(table.description, conditions)
        self._ranges: dict[str, tuple[float, float]] = {}

    def observed(self, trained: Trained, proposal: Proposal, earlier: int | None) -> tuple[float, int]:
        """Return the observed value of a training in its unit, NaN if it failed, and the number of the repeat.

        Args:
            trained: the training.
            proposal: what was proposed.
            earlier: repeat that the resumed evaluation observed; None if none is resumed.
        """
        values = self._table.trainings.at_epoch(trained, proposal.epochs)[self._objective.name]
        repeat = self._conditions.repeat
        if earlier is not None and earlier != MEAN and self._table.description.resumable:
            return float(values[earlier]), earlier
        known = np.flatnonzero(~np.isnan(values))
        if not len(known):
            return float("nan"), MEAN
        if repeat == "mean":
            return float(values[known].sum() / len(known)), MEAN
        if repeat == "sample":
            chosen = int(known[scale(np.array([proposal.uniform]), len(known))[0]])
            return float(values[chosen]), chosen
        return float(values[int(repeat)]), int(repeat)

    def breaks_before_training(self, architecture: int) -> bool:
        """Return whether an architecture breaks a limit that is known without a training."""
        known = {name for name, metric in self._metrics.items() if metric.axes == AXES[:1]}
        limits = {name: limit for name, limit in self._conditions.limits.items() if name in known}
        return bool(limits) and self._violation(architecture, None, 0, limits) > 0

    def tell(self, proposal: Proposal, value: float, trained: Trained | None) -> None:
        """Set what the strategy is told about an evaluation that has ended.

        Args:
            proposal: the evaluation.
            value: observed value, in its unit.
            trained: the training; None if there was none, because the architecture breaks a limit.
        """
        conditions, epochs = self._conditions, proposal.epochs
        violation = self._violation(proposal.architecture, trained, epochs, conditions.limits)
        told = self._penalised(self._objective, self._signed(self._objective, value), violation, trained)
        if conditions.objectives:
            numbers = [told]
            for name in conditions.objectives:
                other = self._signed(self._metrics[name], self._number(name, proposal.architecture, trained, epochs))
                numbers.append(self._penalised(self._metrics[name], other, violation, trained))
            proposal.objectives = np.array(numbers)
        proposal.value = told

    def keeps_limits(self, architecture: int, trained: Trained | None, epochs: int) -> bool:
        """Return whether an architecture keeps all limits."""
        return self._violation(architecture, trained, epochs, self._conditions.limits) == 0

    def _violation(self, architecture: int, trained: Trained | None, epochs: int, limits: Mapping[str, float]) -> float:
        total = 0.0
        for name, limit in limits.items():
            number = self._number(name, architecture, trained, epochs)
            metric = self._metrics[name]
            excess = self._signed(metric, limit) - self._signed(metric, number)
            total += np.inf if np.isnan(excess) else max(excess, 0.0) / (abs(limit) or 1.0)
        return total

    def _number(self, name: str, architecture: int, trained: Trained | None, epochs: int) -> float:
        """Return a metric of an architecture; the mean over seeds where it was measured in training."""
        if self._metrics[name].axes == AXES[:1]:
            return self._table.trainings.numbers.value(name, architecture)
        if trained is None:
            return float("nan")
        values = self._table.trainings.at_epoch(trained, epochs)[name]
        known = values[~np.isnan(values)]
        return float(known.sum() / len(known)) if len(known) else float("nan")

    def _penalised(self, metric: Metric, value: float, violation: float, trained: Trained | None) -> float:
        """Return a value, higher is better, below all others if the architecture breaks a limit."""
        low, high = self._range(metric, value)
        if violation > 0 and trained is None and np.isnan(value):
            value = low  # not a failed training; the penalty does not depend on it
        return float(penalised(np.array([value]), np.array([violation]), np.array([low, high]))[0])

    def _range(self, metric: Metric, value: float) -> tuple[float, float]:
        """Return the lowest and highest value, higher is better; of values seen so far where it is not known."""
        known = self._table.value_range(metric.name)
        if known is not None:
            ends = sorted(self._signed(metric, each) for each in known)
            return ends[0], ends[1]
        low, high = self._ranges.get(metric.name, (np.inf, -np.inf))
        if not np.isnan(value):
            low, high = min(low, value), max(high, value)
            self._ranges[metric.name] = low, high
        return (low, high) if low <= high else (0.0, 1.0)

    @staticmethod
    def _signed(metric: Metric, value: float) -> float:
        return -value if metric.direction == "minimize" else value


def checked_metrics(description: Description, conditions: Conditions) -> dict[str, Metric]:
    """Return the metrics of objectives and limits by name.

    Raises:
        UnknownNameError: there is no such metric.
        ParameterError: a metric cannot be an objective or a limit.
    """
    found = {}
    for name in (*conditions.objectives, *conditions.limits):
        metric = description.metric(name)
        if metric.split == "test":
            raise ParameterError(f"{name!r} is a test measurement, which no search may see")
        if metric.direction == "none":
            raise ParameterError(f"{name!r} cannot be an objective or a limit: neither more nor less of it is better")
        if name == description.objective.name and name in conditions.objectives:
            raise ParameterError(f"{name!r} is the first objective of every search; name the others only")
        found[name] = metric
    return found


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
        rows: Sequence[Sequence[float]] = [
            [value(name, index) if index >= 0 else np.nan for index in row] for row in architecture.tolist()
        ]
        return np.array(rows, dtype=np.float64).reshape(architecture.shape)
