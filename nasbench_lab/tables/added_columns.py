"""Tables with further metrics, such as scores of supernets or of your own zero-cost proxy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import ParameterError
from nasbench_lab.tables.description import Metric
from nasbench_lab.tables.table import Table


def with_columns(
    table: Table, metrics: Sequence[Metric], values: Mapping[str, NDArray[Any]], *, notes: Sequence[str] = ()
) -> Table:
    """Return a table with further metrics, in memory. `nasbench_lab.tables.write` stores it.

    A metric without a split and with a direction is a score that strategies can use
    (``zero-cost-filter:score=NAME``), if there is a metric ``NAME_seconds`` with the seconds of a scoring.
    A metric ``NAME_training_seconds`` is paid once per run: the training of what gives the scores.

    Args:
        table: the original table, which stays unchanged.
        metrics: the new metrics. A metric of the table with the same name is replaced; but not what a search observes,
            what is reported, or what evaluations cost.
        values: name of every new metric to its values over its axes.
        notes: further notes for the description; those that it has already are not repeated.

    Raises:
        ParameterError: the values are not those of the metrics, or a metric has a role in the table.
        DataError: values have another shape than the axes of their metric say.

    >>> import nasbench_lab as nl
    >>> table = nl.load("digits/topology")
    >>> seconds = Metric("cheap_seconds", "none", "s", "minimize", "seconds of a score", ("architecture",))
    >>> score = Metric("cheap", "none", "", "maximize", "number of parameters", ("architecture",))
    >>> parameters = table.values("parameters")
    >>> more = with_columns(table, [score, seconds], {"cheap": parameters, "cheap_seconds": 0 * parameters + 0.01})
    >>> strategy = "zero-cost-filter"
    >>> trace = nl.simulate(more, strategy, runs=2, budget=nl.Budget(evaluations=9), score="cheap")
    """
    names = [metric.name for metric in metrics]
    if sorted(names) != sorted(values):
        raise ParameterError(f"the metrics are {', '.join(names)}, but there are values of {', '.join(values)}")
    old = table.description
    roles = {old.valid, old.test, *old.cost}
    if taken := [name for name in names if name in roles]:
        raise ParameterError(f"{', '.join(taken)} of {table.name!r} cannot be replaced: searches depend on it")
    kept = [metric for metric in old.metrics if metric.name not in names]
    description = dataclasses.replace(old, metrics=(*kept, *metrics), notes=tuple(dict.fromkeys((*old.notes, *notes))))
    arrays = {metric.name: table.values(metric.name) for metric in kept}
    published = {metric.name: table.published_means(metric.name) for metric in kept}
    means = {name: array for name, array in published.items() if array is not None}
    return Table(description, {**arrays, **{name: np.asarray(values[name]) for name in names}}, means)
