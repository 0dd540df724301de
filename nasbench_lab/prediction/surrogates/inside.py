"""Replay inside a sample: the measured architectures are the truth, and out-of-fold predictions the surrogate."""

from __future__ import annotations

import dataclasses

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.prediction.surrogates.training_set import TrainingSet
from nasbench_lab.tables import Table, subset
from nasbench_lab.tables.surrogates.noise import RepeatNoise


def tables_inside(
    training: TrainingSet, predicted: FloatArray, deviation: FloatArray, noise: RepeatNoise, places: list[int]
) -> tuple[Table, Table]:
    """Return two tables of the measured architectures: what was measured, and what a surrogate says of them.

    Each architecture is predicted by models that have not seen its network, as if it were one of the others in the
    space. Both tables have the validation and the test metric after the highest fidelity.

    Args:
        training: the sample.
        predicted: out-of-fold predictions in units, shape (n, columns).
        deviation: standard deviations of repeats, shape (n, columns).
        noise: of the columns with a spread.
        places: the columns with a spread.
    """
    roles = [training.table.description.valid, training.table.description.test]
    names = list(dict.fromkeys(name for name in roles if name is not None))
    chosen = [training.place(name) for name in names]
    rows = np.flatnonzero(np.isfinite(np.stack([training.columns[place].mean for place in chosen])).all(axis=0))
    whole = training.table
    metrics = [dataclasses.replace(whole.description.metric(name), axes=_axes(training, name)) for name in names]
    description = dataclasses.replace(
        whole.description,
        name=f"{whole.name} (inside)",
        fidelities=training.fidelities[-1:],
        metrics=tuple(metrics),
        cost=(),
    )
    true, said = {}, {}
    for name, place in zip(names, chosen, strict=True):
        column = training.columns[place]
        measured = column.repeats if "repeat" in column.metric.axes else column.mean[:, None]
        measured = np.where(np.isfinite(measured).any(axis=1, keepdims=True), measured, column.mean[:, None])
        drawn = np.tile(predicted[:, place, None], measured.shape[1])
        if place in places and "repeat" in column.metric.axes:
            number = places.index(place)
            for repeat in range(drawn.shape[1]):
                which = np.full(len(drawn), repeat)
                drawn[:, repeat] += deviation[:, place] * noise.draw(training.architectures, which)[:, number]
        drawn = np.where(np.isfinite(measured), drawn, np.nan)
        shape = [
            {"fidelity": 1, "repeat": measured.shape[1]}[axis]
            for axis in _axes(training, name)
            if axis != "architecture"
        ]
        true[name], said[name] = (_spread(whole, training, rows, each, shape) for each in (measured, drawn))
    tables = [Table(dataclasses.replace(description), values) for values in (true, said)]
    parts = [subset(table, training.rows[rows], name=table.name) for table in tables]
    return parts[0], parts[1]


def _axes(training: TrainingSet, name: str) -> tuple[str, ...]:
    return training.table.description.metric(name).axes


def _spread(table: Table, training: TrainingSet, rows: IntArray, values: FloatArray, shape: list[int]) -> FloatArray:
    """Return values of all architectures of a table, NaN but for some rows."""
    every = np.full((table.space.size, *shape), np.nan)
    every[training.rows[rows]] = values[rows].reshape(len(rows), *shape)
    return every
