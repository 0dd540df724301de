"""A table that answers with models of what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import DataError
from nasbench_lab.tables.computed import ComputedTable
from nasbench_lab.tables.description import Description
from nasbench_lab.tables.surrogates.columns import SurrogateColumn
from nasbench_lab.tables.surrogates.encoder import Encoder
from nasbench_lab.tables.surrogates.noise import RepeatNoise

_MOST_REMEMBERED = 2**17  # architectures
_BATCH = 4096  # architectures that are encoded at a time


class SurrogateParts(NamedTuple):
    """What a surrogate consists of.

    Attributes:
        encoder: makes vectors of architectures.
        columns: metrics, and their models.
        noise: of the columns with a variance, in their order.
        known: metric to its values, for metrics that are known of every architecture and not predicted.
        optima: split to the best expected value, where it is known.
        verdict: what was found when the surrogate was checked, as JSON can hold it.
    """

    encoder: Encoder
    columns: Sequence[SurrogateColumn]
    noise: RepeatNoise
    known: Mapping[str, FloatArray]
    optima: Mapping[str, float]
    verdict: Mapping[str, Any]


@final
class Surrogate(ComputedTable):
    """A surrogate table: it predicts what trainings of architectures would give, with the spread of repeats.

    Repeat r of an architecture is the expected value plus noise, which depends on the architecture and on r alone. The
    mean over repeats is the expected value.

    Args:
        description: of kind ``"surrogate"``, with one name for all repeats.
        parts: the models.
        checksum: digest of the content; empty for a surrogate made in memory.

    Raises:
        DataError: a metric of the description has no column.
    """

    is_cheap = True
    unlimited_repeats = True

    def __init__(self, description: Description, parts: SurrogateParts, *, checksum: str = "") -> None:
        super().__init__(description, space=parts.encoder.space, checksum=checksum)
        self.parts = parts
        self._places = _places(description, parts)

    @property
    def verdict(self) -> Mapping[str, Any]:
        """What was found when the surrogate was checked, as JSON can hold it; empty if it was not checked."""
        return self.parts.verdict

    def known_optimum(self, split: str) -> float:
        """Return the best expected value of a split, which was computed for spaces of moderate size; NaN for others."""
        self.description.split_metric(split)
        return self.parts.optima.get(split, float("nan"))

    def measure(self, architecture: IntArray, epochs: IntArray, repeat: IntArray) -> Mapping[str, ArrayLike]:
        """Return the answers to a batch of requests; see `ComputedTable.measure`."""
        expected, deviation = self._expected(architecture)
        drawn = np.zeros((len(architecture), len(self._noisy)))
        single = repeat >= 0
        if single.any() and self._noisy:
            drawn[single] = self.parts.noise.draw(architecture[single], repeat[single])
        found = {}
        for metric in self.description.metrics:
            if metric.axes != ("architecture",):
                values = np.empty(len(architecture))
                for at, place in self._places[metric.name].items():
                    rows = slice(None) if at is None else epochs == at
                    values[rows] = self._repeated(place, expected[rows], deviation[rows], drawn[rows])
                found[metric.name] = values
        return found

    def measure_untrained(self, architecture: IntArray, metrics: Sequence[str]) -> Mapping[str, ArrayLike]:
        """Return metrics that need no training; see `ComputedTable.measure_untrained`."""
        predicted = [name for name in metrics if name not in self.parts.known]
        expected = self._expected(architecture)[0] if predicted else np.empty((len(architecture), 0))
        return {
            name: self.parts.known[name][architecture]
            if name in self.parts.known
            else expected[:, self._places[name][None]]
            for name in metrics
        }

    def _repeated(self, place: int, expected: FloatArray, deviation: FloatArray, drawn: FloatArray) -> FloatArray:
        """Return single repeats of one column; the rows of all arrays are requests."""
        leader = self._leaders[place]
        if leader not in self._noisy:
            return expected[:, place]
        noise = drawn[:, self._noisy[leader]]
        values = self.parts.columns[leader].repeated(expected[:, leader], deviation[:, leader], noise)
        if leader == place:
            return values
        return expected[:, place] * (values / expected[:, leader])

    @cached_property
    def _noisy(self) -> dict[int, int]:
        """The columns with noise, and their places among them."""
        places = [place for place, column in enumerate(self.parts.columns) if column.variance is not None]
        return {place: number for number, place in enumerate(places)}

    @cached_property
    def _training_columns(self) -> list[int]:
        """The columns of the seconds of training, by epochs; empty if they have a single one."""
        if not self.description.cost:
            return []
        found = list(self._places.get(self.description.cost[0], {}).values())
        return found if len(found) > 1 else []

    @cached_property
    def _leaders(self) -> list[int]:
        """The column from which each takes its noise.

        The seconds of one training grow with its epochs, so all of them have the relative noise of the last.
        """
        last = self._training_columns[-1] if self._training_columns else -1
        if last < 0 or not self.parts.columns[last].is_log:
            return list(range(len(self.parts.columns)))
        return [last if place in self._training_columns else place for place in range(len(self.parts.columns))]

    def _expected(self, architecture: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the expected values and deviations of all columns, shape (n, columns) each; they are remembered."""
        remembered = self._remembered_rows
        wanted = architecture.tolist()
        new = [each for each in dict.fromkeys(wanted) if each not in remembered]
        if len(remembered) + len(new) > _MOST_REMEMBERED:
            remembered.clear()
            new = list(dict.fromkeys(wanted))
        for first in range(0, len(new), _BATCH):
            part = new[first : first + _BATCH]
            remembered.update(zip(part, self._predicted(np.array(part, dtype=np.int64)), strict=True))
        rows = np.array([remembered[each] for each in wanted])
        count = len(self.parts.columns)
        return rows[:, :count], rows[:, count:]

    def _predicted(self, architecture: IntArray) -> FloatArray:
        vectors = self.parts.encoder.short_vectors(architecture)
        pairs = [column.expected(vectors) for column in self.parts.columns]
        expected, deviation = (np.stack(each, axis=1) for each in zip(*pairs, strict=True))
        if training := self._training_columns:  # a longer training takes more seconds
            expected[:, training] = np.maximum.accumulate(expected[:, training], axis=1)
        return np.concatenate([expected, deviation], axis=1)

    @cached_property
    def _remembered_rows(self) -> dict[int, FloatArray]:
        return {}


def _places(description: Description, parts: SurrogateParts) -> dict[str, dict[int | None, int]]:
    """Return for every metric the column at each fidelity, in ascending order of the fidelities."""
    places: dict[str, dict[int | None, int]] = {}
    for place, column in enumerate(parts.columns):
        places.setdefault(column.metric, {})[column.epochs] = place
    for metric in description.metrics:
        if metric.name in parts.known and metric.axes == ("architecture",):
            continue
        wanted = description.fidelities if "fidelity" in metric.axes else (None,)
        if list(places.get(metric.name, ())) != list(wanted):
            raise DataError(f"surrogate {description.name!r} lacks a model of its metric {metric.name!r}")
    return places
