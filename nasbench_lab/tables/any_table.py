"""What every table has, whether its answers are stored (`Table`) or computed (`ComputedTable`)."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Literal

from numpy.typing import ArrayLike

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import require, whole
from nasbench_lab.messages import unknown
from nasbench_lab.spaces import Space
from nasbench_lab.tables.description import Description, Kind, Metric

Repeat = int | str
"""A number from 0, the name of a repeat (usually its seed), or ``"mean"``."""

SECONDS_PER_EPOCH = "s/epoch"
"""Unit of times that are the same at every epoch, so that the time of one epoch is stored."""

ENERGY = "energy"
"""Name of the metric that a budget in energy limits."""

MEAN_REPEAT = -1
"""Number of the repeat where the mean over repeats is meant."""

_MOST_REPEATS_NAMED = 8


class AnyTable(abc.ABC):
    """What a simulation, a suite or a listing asks of a table."""

    description: Description
    """The metadata of the table."""
    space: Space
    """The search space."""
    checksum: str
    """Digest of the content; empty if there is none."""

    @property
    def name(self) -> str:
        """Name of the table in the catalogue."""
        return self.description.name

    @property
    def kind(self) -> Kind:
        """Where the answers come from: ``"measured"``, ``"surrogate"``, ``"live"`` or ``"function"``."""
        return self.description.kind

    @property
    def fidelities(self) -> tuple[int, ...]:
        """Numbers of training epochs at which architectures were measured, ascending."""
        return self.description.fidelities

    @property
    def repeats(self) -> int:
        """Largest number of repeats (trainings from different seeds) of an architecture."""
        return len(self.description.repeats)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics."""
        return tuple(metric.name for metric in self.description.metrics)

    @property
    def objective(self) -> Metric:
        """The metric that a search observes."""
        return self.description.objective

    @property
    def has_times(self) -> bool:
        """Whether the seconds that an evaluation costs are known."""
        return bool(self.description.cost)

    @property
    def energy_unit(self) -> str | None:
        """Unit of the metric ``energy``, ``"J"`` or ``"kWh"``; None where the table has no such metric.

        That metric is the energy of one training, from its start to a fidelity.
        """
        units = {metric.unit for metric in self.description.metrics if metric.name == ENERGY}
        return next(iter(units & {"J", "kWh"}), None)

    def fidelity_position(self, epochs: int | None) -> int:
        """Return the position of a fidelity on its axis; None means the highest.

        Raises:
            UnknownNameError: the table has no measurements at that number of epochs.
        """
        if epochs is None:
            return len(self.fidelities) - 1
        if whole("fidelity", epochs) not in self.fidelities:
            raise unknown("fidelity", str(epochs), map(str, self.fidelities))
        return self.fidelities.index(int(epochs))

    def check_repeat(self, repeat: Repeat) -> int | Literal["mean"]:
        """Return the number of a repeat, or ``"mean"``; raise ParameterError if the table has no such repeat.

        A repeat can also be given by its name in the table, which often is its seed: as text, or as a number if no
        repeat has that number. For example, repeats named 777 and 888 have the numbers 0 and 1.

        >>> from nasbench_lab.testing import synthetic_table
        >>> table = synthetic_table("chain")
        >>> table.description.repeats
        ('first', 'second', 'third')
        >>> table.check_repeat(1), table.check_repeat("second"), table.check_repeat("mean")
        (1, 1, 'mean')
        """
        names, last = self.description.repeats, self.repeats - 1
        if isinstance(repeat, str):
            if repeat == "mean":
                return "mean"
            known = repeat in names
        else:
            number = whole('repeat, if not "mean" or the name of a repeat,', repeat)
            if 0 <= number <= last:
                return number
            known = str(number) in names
        text = f"table {self.name!r} has repeats 0..{last}{_in_brackets(names)}, not {repeat!r}"
        require(known, text)
        return names.index(str(repeat))

    def lookup(
        self,
        index: ArrayLike,
        fidelity: int | None = None,
        repeat: Repeat = "mean",
        metric: str | None = None,
    ) -> FloatArray:
        """Return one metric of many architectures, in the shape of ``index``; NaN where missing.

        Args:
            index: architecture indices, any shape.
            fidelity: training epochs; by default the highest.
            repeat: number of a repeat, its seed (see `check_repeat`), or ``"mean"`` over the repeats of each
                architecture.
            metric: name of the metric; by default the objective.

        Raises:
            OutOfSpaceError: an index is out of range.
            UnknownNameError: no such metric or fidelity.
            ParameterError: no such repeat.

        >>> from nasbench_lab.testing import synthetic_table
        >>> synthetic_table("chain").lookup([[0, 1], [2, 3]], fidelity=4, repeat=0).shape
        (2, 2)
        """
        where = self.space.check_index(index)
        chosen = self.objective if metric is None else self.description.metric(metric)
        epochs = self.fidelities[self.fidelity_position(fidelity)]
        return self._lookup(where, chosen, epochs, self.check_repeat(repeat))

    def query(self, architecture: str | int, epochs: int | None = None, repeat: Repeat = "mean") -> dict[str, float]:
        """Return all measurements of one architecture: metric name to value, in the units of the metrics.

        Missing values are omitted.

        Args:
            architecture: index, or official notation.
            epochs: training epochs; by default the highest.
            repeat: number of a repeat, its seed (see `check_repeat`), or ``"mean"``.

        Raises:
            OutOfSpaceError: no such architecture.
            UnknownNameError: no measurements at that number of epochs.
            ParameterError: no such repeat.
            MissingDataError: no measurements of this architecture at this fidelity and repeat.
        """
        return self._query(self.space.resolve(architecture), epochs, repeat)

    @abc.abstractmethod
    def _lookup(self, index: IntArray, metric: Metric, epochs: int, repeat: int | Literal["mean"]) -> FloatArray:
        """Return what `lookup` returns; everything is checked."""

    @abc.abstractmethod
    def _query(self, index: int, epochs: int | None, repeat: Repeat) -> dict[str, float]:
        """Return what `query` returns; only the architecture is checked, as queries of stored tables must be fast."""


def _in_brackets(names: Sequence[str]) -> str:
    """Return the names of repeats in brackets; an empty text if there are many, or a single one."""
    return f" ({', '.join(names)})" if 1 < len(names) <= _MOST_REPEATS_NAMED else ""
