"""A table: the measurements of all architectures of a search space, with scalar and vectorised lookups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol, final, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from nasbench_lab import spaces
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.displays import html_card, html_notes, html_table
from nasbench_lab.errors import DataError, MissingDataError
from nasbench_lab.pickling import state_without_caches
from nasbench_lab.records import Categories, Column, Records
from nasbench_lab.tables.any_table import ENERGY, SECONDS_PER_EPOCH, AnyTable, Repeat
from nasbench_lab.tables.description import AXES, Description, Metric
from nasbench_lab.tables.point_queries import MetricColumn, PointQueries

if TYPE_CHECKING:
    import pandas as pd

_MOST_FIDELITIES_SHOWN = 6


@runtime_checkable
class _OnDisk(Protocol):
    """Arrays in a file, with known shapes, that can be verified row by row."""

    def shape(self, name: str) -> tuple[int, ...]: ...
    def unverified(self, name: str) -> NDArray[Any]: ...
    def verify_rows(self, name: str, first: int, end: int) -> None: ...


@final
class Table(AnyTable):
    """Dense arrays with the named axes (architecture, fidelity, repeat), one per metric. Missing values are NaN.

    Args:
        description: the metadata of the table.
        values: metric to an array over its axes. NaN marks values that were not measured or not published.
        means: metric to published means over repeats, shape (architectures, fidelities), used where only a mean was
            published. NaN where no mean was published.
        checksum: digest of the content; empty for a table made in memory.

    A table can be copied, pickled and sent to other processes. Of a table file, a copy has the path and the checksums,
    not the numbers: it opens the file when it first needs it.

    Raises:
        DataError: an array is missing, or its shape does not match the description.

    >>> from nasbench_lab.testing import synthetic_table
    >>> table = synthetic_table("chain")
    >>> table.space.size, table.fidelities, table.repeats
    (243, (4, 12), 3)
    >>> sorted(table.query("01020"))
    ['parameters', 'synflow', 'synflow_seconds', 'test_accuracy', 'train_seconds', 'valid_accuracy', 'valid_seconds']
    """

    def __init__(
        self,
        description: Description,
        values: Mapping[str, NDArray[Any]],
        means: Mapping[str, NDArray[Any]] | None = None,
        *,
        checksum: str = "",
    ) -> None:
        self.description = description
        self.space = spaces.make_space(description.space)
        if self.space.size > spaces.MOST_LISTED:
            raise DataError(
                f"table {self.name!r} has values of all architectures of its space, but the space "
                f"{self.space.name!r} has {self.space.size:,}; at most {spaces.MOST_LISTED:,} fit into such a table"
            )
        self.checksum = checksum
        self._values = {n: np.asarray(a) for n, a in values.items()} if isinstance(values, dict) else values
        self._means: Mapping[str, NDArray[Any]] = means if means is not None else {}
        for metric in self.metrics:
            if metric not in values:
                raise DataError(f"table {self.name!r} lacks the values of its metric {metric!r}")
            self._check_shape("values", metric, values, self.shape(metric))
            if metric in self._means:
                self._check_shape("means", metric, self._means, (self.space.size, len(self.fidelities)))

    def shape(self, metric: str) -> tuple[int, ...]:
        """Return the shape of a metric's values, in the order of its axes."""
        lengths = dict(zip(AXES, (self.space.size, len(self.fidelities), self.repeats), strict=True))
        return tuple(lengths[axis] for axis in self.description.metric(metric).axes)

    def values(self, metric: str) -> NDArray[Any]:
        """Return all values of a metric, read-only, over its axes (see `Metric.axes`); NaN where missing."""
        return _read_only(self._values[self.description.metric(metric).name])

    def row(self, metric: str, architecture: int) -> NDArray[Any]:
        """Return the values of one architecture, read-only, over the metric's axes after the first; NaN where missing.

        From a table file, only the blocks with this architecture are read and verified.

        Args:
            metric: name of the metric.
            architecture: index of the architecture, which is not checked.

        >>> from nasbench_lab.testing import synthetic_table
        >>> synthetic_table("chain").row("valid_accuracy", 7).shape
        (2, 3)
        """
        name = self.description.metric(metric).name
        if isinstance(self._values, _OnDisk):
            self._values.verify_rows(name, architecture, architecture + 1)
        return _unverified(self._values, name)[architecture]

    def published_means(self, metric: str) -> NDArray[Any] | None:
        """Return the means that were published instead of single repeats, (architectures, fidelities), or None."""
        return _read_only(self._means[metric]) if metric in self._means else None

    def repeat_values(self, metric: str, epochs: int | None = None) -> FloatArray:
        """Return the measurements of single repeats at one fidelity, (architectures, repeats), NaN where missing.

        A metric without a repeat axis has one column.
        """
        axes, array = self.description.metric(metric).axes, self.values(metric)
        position = self.fidelity_position(epochs)
        if "fidelity" in axes:
            array = array[:, position]
        return np.asarray(array, dtype=np.float64).reshape(self.space.size, -1)

    def mean_values(self, metric: str, epochs: int | None = None) -> FloatArray:
        """Return the mean over repeats of every architecture at one fidelity, shape (architectures,).

        The mean is over the measured repeats. Without any, it is the published mean; without that, NaN.
        """
        repeats = self.repeat_values(metric, epochs)
        present = ~np.isnan(repeats)
        count = present.sum(axis=1)
        # In another memory order, NumPy would sum in another order and round differently from point queries.
        known = np.ascontiguousarray(np.where(present, repeats, 0.0))
        with np.errstate(invalid="ignore"):
            mean = known.sum(axis=1) / count
        published = self.published_means(metric)
        if published is None:
            return mean
        return np.where(count > 0, mean, published[:, self.fidelity_position(epochs)])

    def _lookup(self, index: IntArray, metric: Metric, epochs: int, repeat: int | Literal["mean"]) -> FloatArray:
        return self._column(metric.name, epochs, repeat).take(index)

    def _query(self, index: int, epochs: int | None, repeat: Repeat) -> dict[str, float]:
        answer, dated = self._point_queries(epochs, repeat).answer(index)
        if not dated:
            at = epochs or self.fidelities[-1]
            raise MissingDataError(f"architecture {index} of {self.name!r} has no repeat {repeat} at {at} epochs")
        return answer

    def cost(self, epochs: int | None = None) -> FloatArray:
        """Return the cost of one evaluation in seconds: training and one validation.

        Shape (architectures, repeats), or (architectures, 1) if all repeats cost the same. A metric in seconds per
        epoch is multiplied by the number of epochs.

        Raises:
            MissingDataError: no times were published.
        """
        total = self.training_cost(epochs)
        for metric in self.description.cost[1:]:
            total = total + self._seconds(metric, epochs)
        return total

    def energy_cost(self, epochs: int | None = None) -> FloatArray:
        """Return the energy that one evaluation costs, in `energy_unit`; shaped as `cost` is.

        Raises:
            MissingDataError: no energies were published.
        """
        if self.energy_unit is None:
            raise MissingDataError(f"table {self.name!r} has no energies")
        return self.repeat_values(ENERGY, epochs)

    def training_cost(self, epochs: int | None = None) -> FloatArray:
        """Return the seconds of the training alone, from its start to a fidelity; in the shape of `cost`.

        Raises:
            MissingDataError: no times were published.
        """
        if not self.has_times:
            raise MissingDataError(f"table {self.name!r} has no times")
        return self._seconds(self.description.cost[0], epochs)

    def _seconds(self, metric: str, epochs: int | None) -> FloatArray:
        """Return one part of the cost, (architectures, repeats) or (architectures, 1)."""
        seconds = self.repeat_values(metric, epochs)
        if self.description.metric(metric).unit == SECONDS_PER_EPOCH:
            return seconds * self.fidelities[self.fidelity_position(epochs)]
        return seconds

    def optimum(self, split: str) -> float:
        """Return the best mean of the metric of a split, at the highest fidelity."""
        metric = self.description.split_metric(split)
        return best(self.mean_values(metric.name), metric)

    def _check_shape(self, what: str, metric: str, arrays: Mapping[str, NDArray[Any]], wanted: tuple[int, ...]) -> None:
        """Raise DataError if an array does not have the shape of the description; arrays in a file are not read."""
        found = arrays.shape(metric) if isinstance(arrays, _OnDisk) else np.shape(arrays[metric])
        if found != wanted:
            raise DataError(f"the {what} of {metric!r} in table {self.name!r} have shape {found}, not {wanted}")

    def _column(self, metric: str, epochs: int | None, repeat: Repeat) -> FloatArray:
        """Return one metric of all architectures, shape (architectures,); cached for the next lookup."""
        number = self.check_repeat(repeat)
        key = (metric, self.fidelity_position(epochs), number)
        if key not in self._columns:
            if number == "mean":
                column = self.mean_values(metric, epochs)
            else:
                repeats = self.repeat_values(metric, epochs)
                column = repeats[:, number if repeats.shape[1] > 1 else 0]
            self._columns[key] = np.ascontiguousarray(column)
        return self._columns[key]

    @cached_property
    def _columns(self) -> dict[tuple[str, int, Repeat], FloatArray]:
        return {}

    def _point_queries(self, epochs: int | None, repeat: Repeat) -> PointQueries:
        """Return the point queries at one fidelity and repeat; cached for the next query."""
        key = (epochs, repeat, type(epochs), type(repeat))  # with the types, as True equals 1
        if key not in self._known_point_queries:
            fidelity, repeat = self.fidelity_position(epochs), self.check_repeat(repeat)
            columns = [
                MetricColumn(
                    metric.name,
                    metric.split != "none",
                    _unverified(self._values, metric.name),
                    metric.axes,
                    _unverified(self._means, metric.name) if metric.name in self._means else None,
                )
                for metric in self.description.metrics
            ]
            self._known_point_queries[key] = PointQueries(columns, fidelity, repeat, self._verify_rows)
        return self._known_point_queries[key]

    def _verify_rows(self, first: int, end: int) -> None:
        for arrays in (self._values, self._means):
            if isinstance(arrays, _OnDisk):
                for name in arrays:
                    arrays.verify_rows(name, first, end)

    @cached_property
    def _known_point_queries(self) -> dict[tuple[int | None, Repeat, type, type], PointQueries]:
        return {}

    def __getstate__(self) -> dict[str, Any]:
        return state_without_caches(self)

    def records(
        self,
        fidelity: int | Literal["all"] | None = None,
        repeat: Repeat = "mean",
        *,
        metrics: Sequence[str] | None = None,
        notation: bool = True,
    ) -> Records:
        """Return measurements as columns: ``architecture``, ``notation``, ``fidelity``, ``repeat`` and the metrics.

        There is one row per architecture, or per (architecture, fidelity, repeat) where ``"all"`` is asked for, in this
        order. Missing values are NaN. A metric without one of these axes has the same value along it.

        Args:
            fidelity: training epochs; by default the highest; ``"all"`` for every fidelity.
            repeat: number or name of a repeat, ``"mean"`` over the repeats of each architecture, or ``"all"``.
            metrics: names of the metrics; by default all.
            notation: include the official notation of the architectures.

        Raises:
            UnknownNameError: no such metric or fidelity.
            ParameterError: no such repeat.

        >>> from nasbench_lab.testing import synthetic_table
        >>> table = synthetic_table("chain")
        >>> len(table.records()), len(table.records("all", "all"))
        (243, 1458)
        >>> table.records(4, metrics=["valid_accuracy"]).to_dict()["notation"][:2]
        ['00000', '00001']
        """
        names = self.metrics if metrics is None else tuple(metrics)
        epochs = self.fidelities if fidelity == "all" else (self.fidelities[self.fidelity_position(fidelity)],)
        numbers = list(range(self.repeats)) if repeat == "all" else [self.check_repeat(repeat)]
        shape = (self.space.size, len(epochs), len(numbers))
        architecture = np.arange(self.space.size)
        columns: dict[str, Column] = {"architecture": _along(architecture, 0, shape)}
        if notation:
            columns["notation"] = Categories(_along(architecture, 0, shape), tuple(self.space.format(architecture)))
        columns["fidelity"] = _along(np.array(epochs), 1, shape)
        if repeat != "mean":
            columns["repeat"] = _along(np.array(numbers), 2, shape)
        for name in names:
            parts = [[self._column(name, epoch, number) for number in numbers] for epoch in epochs]
            columns[name] = np.moveaxis(np.array(parts), -1, 0).reshape(-1)
        units = {"fidelity": "epochs", **{name: self.description.metric(name).unit for name in names}}
        return Records(columns, units)

    def to_frame(
        self,
        fidelity: int | Literal["all"] | None = None,
        repeat: Repeat = "mean",
        *,
        metrics: Sequence[str] | None = None,
        notation: bool = True,
    ) -> pd.DataFrame:
        """Return measurements as a pandas data frame; see `records` for rows and columns."""
        return self.records(fidelity, repeat, metrics=metrics, notation=notation).to_frame()

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the size, the metrics and the best architectures."""
        facts = {
            "title": self.description.title,
            "space": self.space.summary,
            "fidelities": _few(self.fidelities) + " epochs",
            "repeats": ", ".join(self.description.repeats),
            "licence": self.description.licence,
        }
        rows = []
        for metric in self.description.metrics:
            best = ""
            if metric.name in (self.description.valid, self.description.test):
                best = f"{self.optimum('valid' if metric.name == self.description.valid else 'test'):.6g}"
            objective = "objective" if metric.name == self.objective.name else ""
            rows.append([metric.name, metric.split, metric.unit, metric.direction, best, objective])
        header = ["metric", "split", "unit", "direction", "best mean at the highest fidelity", ""]
        return html_card(self.name, facts, html_table(header, rows), html_notes(self.description.notes))

    def __repr__(self) -> str:
        shape = f"{self.space.size} architectures x {len(self.fidelities)} fidelities x {self.repeats} repeats"
        return f"<Table {self.name}: {shape}>"


def _along(values: NDArray[Any], axis: int, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return values that differ along one axis of a shape only, flat."""
    place = [1] * len(shape)
    place[axis] = -1
    return np.broadcast_to(values.reshape(place), shape).reshape(-1)


def _few(numbers: Sequence[int]) -> str:
    """Return ascending numbers as text, shortened in the middle.

    >>> _few((4, 12)), _few(range(1, 201))
    ('4, 12', '1, 2, 3, ..., 200')
    """
    texts = [str(number) for number in numbers]
    return ", ".join(texts if len(texts) <= _MOST_FIDELITIES_SHOWN else [*texts[:3], "...", texts[-1]])


def best(values: NDArray[Any], metric: Metric) -> float:
    """Return the best value in the direction of the metric; NaN if all values are missing.

    >>> from nasbench_lab.tables import Metric
    >>> best(np.array([3.0, np.nan, 5.0]), Metric("error", "test", "percent", "minimize", "", ("architecture",)))
    3.0
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan")
    return float(known.min() if metric.direction == "minimize" else known.max())


def _unverified(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    """Return an array; if it is in a file, its rows must be verified before use."""
    return _read_only(arrays.unverified(name) if isinstance(arrays, _OnDisk) else np.asarray(arrays[name]))


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.setflags(write=False)
    return view
