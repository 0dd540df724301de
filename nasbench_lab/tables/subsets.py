"""Tables with some of the architectures of another table."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.spaces import SubsetSpace
from nasbench_lab.tables.description import AXES
from nasbench_lab.tables.table import Table


def subset(
    table: Table,
    architectures: Sequence[int | str] | NDArray[np.integer] | None = None,
    *,
    name: str | None = None,
) -> Table:
    """Return a table of some architectures only, in memory, which can be searched like any other.

    The architectures keep their notation; their indices are new, in the order of the original table. See
    `nasbench_lab.spaces.SubsetSpace`.

    Args:
        table: the original table.
        architectures: indices or notations, in any order; by default those that have a value of the objective at some
            fidelity.
        name: name of the new table; by default that of the original one with the number of architectures.

    Raises:
        OutOfSpaceError: an architecture is not in the table.
        ParameterError: there are no architectures, or one is given twice.
        MissingDataError: no architectures are given, and none has a value.

    >>> import nasbench_lab as nl
    >>> small = subset(nl.load("digits/topology"), range(0, 15_625, 100))
    >>> small.name, small.space.size, small.space.members[:3].tolist()
    ('digits/topology (157 architectures)', 157, [0, 100, 200])
    >>> nl.simulate(small, "local-search", runs=3, budget=nl.Budget(evaluations=50)).final().shape
    (3,)
    """
    chosen = _measured(table) if architectures is None else _indices(table, architectures)
    description = dataclasses.replace(
        table.description,
        name=f"{table.name} ({len(chosen):,} architectures)" if name is None else name,
        space=SubsetSpace(table.space.parent or table.space, table.space.in_parent(chosen)).spec(),
    )
    values = {
        metric.name: table.values(metric.name)[chosen] if metric.axes[:1] == AXES[:1] else table.values(metric.name)
        for metric in description.metrics
    }
    published = {metric: table.published_means(metric) for metric in table.metrics}
    means = {metric: array[chosen] for metric, array in published.items() if array is not None}
    return Table(description, values, means)


def _indices(table: Table, architectures: Sequence[int | str] | NDArray[np.integer]) -> IntArray:
    chosen = np.array([table.space.resolve(each) for each in architectures], dtype=np.int64)
    unique, count = np.unique(chosen, return_counts=True)
    if not len(unique):
        raise ParameterError("a subset of a table needs at least one architecture")
    if (count > 1).any():
        twice = table.space.format(int(unique[count > 1][0]))
        raise ParameterError(f"the architectures of a subset must be different, got {twice} twice")
    return unique


def _measured(table: Table) -> IntArray:
    """Return the architectures with a value of the objective at some fidelity."""
    means = [table.mean_values(table.objective.name, epochs) for epochs in table.fidelities]
    found = np.flatnonzero(~np.isnan(means).all(axis=0))
    if not len(found):
        raise MissingDataError(f"table {table.name!r} has no values of {table.objective.name}")
    return found
