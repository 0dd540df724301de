"""What a surrogate learns from: the measured architectures of a table, as rows with means and repeats."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.displays import counted
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.spaces import Space
from nasbench_lab.tables import Metric, Table

FEWEST = 20
"""Fewest architectures that a surrogate is fitted to."""

MOST_FIDELITIES = 4
"""Most fidelities that a surrogate has by default."""

_SIZES = ("parameters", "flops", "macs")


@dataclasses.dataclass(frozen=True, eq=False)
class MeasuredColumn:
    """Measurements of one metric after some epochs.

    Attributes:
        metric: the metric.
        epochs: the fidelity; None for a metric without fidelities.
        repeats: of every architecture, NaN where missing, shape (n, repeats).
        mean: over repeats, or the published mean; NaN where there is none, shape (n,).
    """

    metric: Metric
    epochs: int | None
    repeats: FloatArray
    mean: FloatArray

    @property
    def label(self) -> str:
        """The name of the metric, and the epochs."""
        return self.metric.name if self.epochs is None else f"{self.metric.name} after {counted(self.epochs, 'epoch')}"


@final
@dataclasses.dataclass(frozen=True, eq=False)
class TrainingSet:
    """The measured architectures of a table.

    Attributes:
        table: the table.
        space: the whole space, also where the table has a part of it.
        rows: their indices in the table, shape (n,).
        architectures: their indices in the space, shape (n,).
        networks: the number of the network that each is, shape (n,): architectures that are the same network have the
            same number.
        fidelities: epochs of the surrogate.
        columns: what was measured.
    """

    table: Table
    space: Space
    rows: IntArray
    architectures: IntArray
    networks: IntArray
    fidelities: tuple[int, ...]
    columns: tuple[MeasuredColumn, ...]

    @classmethod
    def of(
        cls, table: Table, metrics: Sequence[str] | None = None, fidelities: Sequence[int] | None = None
    ) -> TrainingSet:
        """Return the measured architectures of a table.

        Args:
            table: the table.
            metrics: metrics besides the validation and test metrics and the seconds of an evaluation; by default the
                energy, and the parameters, FLOPs and MACs where the table has them.
            fidelities: training epochs; by default those with at least 20 measured architectures, and of more than
                four, four that are spread evenly on a logarithmic scale.

        Raises:
            MissingDataError: fewer than 20 architectures have a value of the objective.
            UnknownNameError: there is no such metric or fidelity.
        """
        epochs = _fidelities(table, fidelities)
        means = np.stack([table.mean_values(table.objective.name, at) for at in epochs])
        rows = np.flatnonzero(np.isfinite(means[-1]))
        space = table.space.parent or table.space
        architectures = np.asarray(table.space.in_parent(rows), dtype=np.int64)
        columns = [
            column
            for name in _metrics(table, metrics)
            for column in _columns(table, table.description.metric(name), epochs, rows)
        ]
        networks = _networks(space, architectures)
        return cls(table, space, rows, architectures, networks, epochs, tuple(columns))

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of the columns."""
        return tuple({column.metric.name: column.metric for column in self.columns}.values())

    def place(self, metric: str) -> int:
        """Return the place of the column of a metric at the highest fidelity."""
        return max(place for place, column in enumerate(self.columns) if column.metric.name == metric)

    @property
    def objective(self) -> int:
        """The place of the column of the objective at the highest fidelity."""
        return self.place(self.table.objective.name)

    @property
    def judged(self) -> int:
        """The place of the column by which searches are judged: test, or validation where there is no test."""
        return self.place(self.table.description.test or self.table.objective.name)


def _fidelities(table: Table, given: Sequence[int] | None) -> tuple[int, ...]:
    if given is not None:
        chosen = sorted({table.fidelities[table.fidelity_position(epochs)] for epochs in given})
        if not chosen:
            raise ParameterError("a surrogate needs at least one fidelity")
    else:
        chosen = list(table.fidelities)
    counts = {at: int(np.isfinite(table.mean_values(table.objective.name, at)).sum()) for at in chosen}
    enough = [at for at in chosen if counts[at] >= FEWEST]
    if not enough or (given is not None and len(enough) < len(chosen)):
        fewest = min(counts.values()) if given is not None else max(counts.values())
        raise MissingDataError(
            f"table {table.name!r} has values of {table.objective.name} of {fewest} architectures; a surrogate needs "
            f"at least {FEWEST}"
        )
    if given is not None or len(enough) <= MOST_FIDELITIES:
        return tuple(enough)
    wanted = np.geomspace(enough[0], enough[-1], MOST_FIDELITIES)
    return tuple(sorted({min(enough, key=lambda at: abs(at - each)) for each in wanted.tolist()}))


def _metrics(table: Table, given: Sequence[str] | None) -> list[str]:
    description = table.description
    roles = [name for name in (description.valid, description.test, *description.cost) if name is not None]
    if given is None:
        more = [name for name in table.metrics if name in _SIZES or (name == "energy" and table.energy_unit)]
    else:
        more = [description.metric(name).name for name in given]
    return list(dict.fromkeys([*roles, *more]))


def _columns(table: Table, metric: Metric, fidelities: Sequence[int], rows: IntArray) -> list[MeasuredColumn]:
    found = []
    for epochs in fidelities if "fidelity" in metric.axes else (None,):
        repeats = table.repeat_values(metric.name, epochs)[rows]
        mean = table.mean_values(metric.name, epochs)[rows]
        if np.isfinite(mean).sum() < FEWEST:
            at = "" if epochs is None else f" at {epochs} epochs"
            raise MissingDataError(
                f"table {table.name!r} has {metric.name}{at} of {np.isfinite(mean).sum()} of the {len(rows):,} "
                f"architectures with a result; a surrogate needs at least {FEWEST}"
            )
        found.append(MeasuredColumn(metric, epochs, repeats, mean))
    return found


def _networks(space: Space, architectures: IntArray) -> IntArray:
    """Return the same number for architectures that are the same network."""
    numbers: dict[object, int] = {}
    forms = (space.network_form(codes) for codes in space.codes(architectures).tolist())
    return np.array([numbers.setdefault(form, len(numbers)) for form in forms], dtype=np.int64)
