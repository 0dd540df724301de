"""The budget of steps: the stated one, which ends the runs, or one that the log shows."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.steps.clocks import sums_in_runs
from nasbench_lab.simulation.steps.run_order import RunOrder


@dataclasses.dataclass(frozen=True)
class Spent:
    """How the runs of a log spend a budget.

    Attributes:
        budget: the budget.
        counts: which evaluations are within it, in order, shape (rows,).
        stopped: runs that ended before the budget, shape (runs,).
        notes: what a user should know about it.
    """

    budget: Budget
    counts: NDArray[np.bool_]
    stopped: NDArray[np.bool_]
    notes: tuple[str, ...] = ()


def shown_budget(order: RunOrder, fidelity: IntArray, time: FloatArray | None) -> Budget:
    """Return the budget that a log shows: its longest run.

    It is in evaluations. If they differ in fidelity and have times, it is in seconds, as they do not cost the same.

    Args:
        order: the order of the rows.
        fidelity: training epochs of the evaluations, in order.
        time: seconds at their ends; None if unknown.
    """
    if time is not None and len(np.unique(fidelity)) > 1 and time.max() > 0:
        return Budget(seconds=float(time.max()))
    return Budget(evaluations=int(order.lengths.max()))


def shown_spent(budget: Budget, order: RunOrder) -> Spent:
    """Return that a log spends a budget that it shows: all evaluations count, and the end of a run is its last one."""
    shorter = order.lengths < budget.evaluations if budget.evaluations is not None else np.ones_like(order.lengths)
    return Spent(budget, np.ones(len(order.rows), dtype=bool), shorter.astype(bool))


def stated_budget(
    budget: Budget, order: RunOrder, fidelity: IntArray, before: IntArray, time: FloatArray | None
) -> Spent:
    """Return which evaluations of a log are within a budget.

    A run ends at the first evaluation that exceeds the budget, as in simulations.

    Args:
        budget: the budget, without full trainings.
        order: the order of the rows.
        fidelity: training epochs of the evaluations, in order.
        before: epochs after which each continues an earlier evaluation; 0 for a new training.
        time: seconds at their ends; None if unknown.

    Raises:
        ParameterError: the budget is in energy.
        MissingDataError: the budget is in seconds, which are unknown.
    """
    if budget.energy is not None:
        raise ParameterError("the energy of imported evaluations is not known; give another budget")
    if budget.seconds is not None and time is None:
        raise MissingDataError("the budget is in seconds, but the log has none")
    counts = np.ones(len(order.rows), dtype=bool)
    if budget.evaluations is not None:
        counts &= order.step < budget.evaluations
    if budget.epochs is not None:
        counts &= sums_in_runs((fidelity - before).astype(np.float64), order) <= budget.epochs
    if budget.seconds is not None and time is not None:
        counts &= time <= budget.seconds
    within = np.bincount(order.run[counts], minlength=len(order.lengths))
    exceeded = within < order.lengths
    left_out = int((~counts).sum())
    notes = (f"{left_out:,} evaluations after the end of the budget ({budget}) are left out",) if left_out else ()
    full = within == budget.evaluations if budget.evaluations is not None else np.zeros(len(within), dtype=bool)
    # A run whose budget is in seconds may have been evaluating at its end, so it did not end before.
    stopped = ~(exceeded | full) if budget.seconds is None else np.zeros(len(within), dtype=bool)
    return Spent(budget, counts, stopped, notes)
