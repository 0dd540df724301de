"""Checks whether a table and a suite have what a strategy needs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import first_line
from nasbench_lab.simulation.computed_measurements import sample_of
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.costs import allowed_trainings, spendings
from nasbench_lab.simulation.measurements import AnyMeasurements
from nasbench_lab.simulation.single_fidelity import one_fidelity
from nasbench_lab.simulation.zero_cost_scores import score_names, tables_with, wanted_score
from nasbench_lab.strategies import Strategy
from nasbench_lab.tables import AnyTable, ComputedTable, Table

_TRAININGS_PER_EVALUATION = 3.0
"""Approximate number of evaluations of a multi-fidelity strategy, most of them short, per full training."""

_SAMPLE = 64
"""Random architectures that tell what evaluations cost."""


def lacking(strategy: Strategy[Any], table: AnyTable, conditions: Conditions, measurements: AnyMeasurements) -> str:
    """Return why a strategy cannot search a table, in one line; empty if it can.

    >>> from nasbench_lab.simulation import Budget
    >>> from nasbench_lab.strategies import resolve
    >>> from nasbench_lab.testing import synthetic_table
    >>> table, conditions = synthetic_table("chain"), Conditions(Budget(evaluations=9), fidelity=4)
    >>> lacking(resolve("hyperband", {}), table, conditions, conditions.on(table).measurements)
    'it needs several fidelities, and the table has none below 4 epochs'
    """
    needs = strategy.needs
    # A given number of rungs is kept even if all rungs are at one fidelity, as in the BOHB runs of NAS-Bench-201.
    try:
        reason = one_fidelity(strategy, table, measurements.fidelity)
    except ParameterError as error:
        return first_line(error)
    if reason and getattr(strategy, "rungs", None) is None:
        return f"it needs several fidelities, and {reason}"
    if "neighbours" in needs and not table.space.has_neighbors:
        return "it needs neighbours, and the table's architectures have none"
    if "objectives" in needs and not conditions.objectives:
        return "it needs further objectives, and the suite names none"
    if "scores" in needs:
        return _without_score(table, wanted_score(strategy))
    if not fits(strategy, table, conditions, measurements):
        return f"no evaluation fits into {conditions.budget}"
    return ""


def _without_score(table: AnyTable, wanted: str | None) -> str:
    names = score_names(table.description)
    if not names:
        return f"it needs scores that cost no training, and the table has none; {tables_with(wanted)}"
    if wanted is not None and wanted not in names:
        return f"it needs the score {wanted!r}, and the table has {', '.join(names)}; {tables_with(wanted)}"
    return ""


def fits(strategy: Strategy[Any], table: AnyTable, conditions: Conditions, measurements: AnyMeasurements) -> bool:
    """Return whether the budget allows at least the cheapest evaluation."""
    fidelity = table.fidelities[0] if strategy.multi_fidelity else measurements.fidelity
    budget = conditions.stated_budget
    if budget.max_evaluations(fidelity) == 0:
        return False
    if allowed_trainings(spendings(budget, table, measurements), fidelity)[0] < 1:
        return False
    return budget.seconds is None or bool(np.nanmin(_seconds(table, fidelity)) <= budget.seconds)


def estimated_evaluations(
    strategy: Strategy[Any], table: AnyTable, conditions: Conditions, measurements: AnyMeasurements
) -> int:
    """Return the approximate number of evaluations per run, at least 1."""
    budget = conditions.stated_budget
    more = _TRAININGS_PER_EVALUATION if strategy.multi_fidelity else 1.0
    limits = [math.inf if budget.evaluations is None else float(budget.evaluations)]
    if budget.epochs is not None:
        limits.append(more * budget.epochs / measurements.fidelity)
    if budget.seconds is not None:
        seconds = float(np.nanmean(_seconds(table, measurements.fidelity)))
        limits.append(more * conditions.workers * budget.seconds / seconds)
    limits.append(more * allowed_trainings(spendings(budget, table, measurements), measurements.fidelity)[1])
    return max(1, round(min(limits)))


def _seconds(table: AnyTable, fidelity: int) -> FloatArray:
    """Return the seconds of evaluations: of all, or of random ones of a table that computes its answers.

    Where an answer is a training, nothing is known before; an epoch then counts as a second.
    """
    if isinstance(table, Table):
        return table.cost(fidelity)
    if not isinstance(table, ComputedTable) or not table.is_cheap:
        return np.array([float(fidelity)])
    cost = table.answers(sample_of(table, _SAMPLE), fidelity, 0).cost
    assert cost is not None  # noqa: S101 - a budget in seconds needs times
    return cost
