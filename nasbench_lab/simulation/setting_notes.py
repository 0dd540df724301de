"""Settings of a search that have no effect, or that hide most of the table from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.simulation.computed_measurements import sample_of
from nasbench_lab.simulation.conditions import Prepared
from nasbench_lab.simulation.objectives import AnyGoals, Goals
from nasbench_lab.tables.any_table import AnyTable
from nasbench_lab.tables.computed import ComputedTable
from nasbench_lab.tables.coverage import coverage_note
from nasbench_lab.tables.description import Metric
from nasbench_lab.tables.table import Table

_SAMPLE = 64
"""Random architectures that tell whether a limit excludes all or none."""


def setting_notes(table: AnyTable, prepared: Prepared) -> Iterator[str]:
    """Yield one sentence for every setting of a search that its user should know about.

    Args:
        table: the table to search.
        prepared: the conditions of the search, checked against the table.
    """
    goals, fidelity = prepared.goals, prepared.conditions.fidelity
    if isinstance(table, ComputedTable):
        if goals is not None and goals.limits:
            yield from _notes_of_sample(table, goals)
        return
    assert isinstance(table, Table)  # noqa: S101 - there are two kinds of tables
    if isinstance(goals, Goals) and goals.limits:
        measured = ~np.isnan(table.mean_values(table.objective.name, fidelity))
        for name in idle_limits(goals.limits, goals.metrics, goals.columns, measured):
            extreme = "smallest" if goals.metrics[name].direction == "maximize" else "largest"
            values = goals.columns[name][measured]
            value = values.min() if extreme == "smallest" else values.max()
            yield (
                f"the limit {name} {goals.limits[name]:g} excludes no architecture of {table.name}, "
                f"whose {extreme} value is {value:g}"
            )
    if fidelity == table.fidelities[-1] and (note := coverage_note(table)):
        yield f"{table.name}: {note}"


def _notes_of_sample(table: ComputedTable, goals: AnyGoals) -> Iterator[str]:
    """Yield notes about limits that none or all of some random architectures keep."""
    sample = sample_of(table, _SAMPLE)
    for name, limit in goals.limits.items():
        values = goals.values(name, sample)
        keeps = values >= limit if goals.metrics[name].direction == "maximize" else values <= limit
        if keeps.all() or not keeps.any():
            which = "all" if keeps.all() else "none"
            yield f"{which} of {len(sample)} random architectures of {table.name} keep the limit {name} {limit:g}"


def idle_limits(
    limits: Mapping[str, float], metrics: Mapping[str, Metric], columns: Mapping[str, FloatArray], measured: FloatArray
) -> list[str]:
    """Return the names of the limits that all measured architectures keep.

    Args:
        limits: metric to its limit.
        metrics: the metrics by name.
        columns: metric to its value of every architecture, shape (architectures,).
        measured: whether each architecture has a value of the objective, shape (architectures,).

    >>> metric = Metric("params", "none", "millions", "minimize", "")
    >>> params, measured = np.array([1.0, 2.0, np.nan]), np.array([True, True, False])
    >>> [idle_limits({"params": most}, {"params": metric}, {"params": params}, measured) for most in (1.5, 2)]
    [[], ['params']]
    """
    found = []
    for name, limit in limits.items():
        values = columns[name][measured]
        if (values >= limit if metrics[name].direction == "maximize" else values <= limit).all():
            found.append(name)
    return found
