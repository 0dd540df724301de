"""Picks: the final architectures of a strategy's runs, which a user would train."""

from __future__ import annotations

import dataclasses

import numpy as np

from nasbench_lab.checks import AtLeast, whole
from nasbench_lab.errors import MissingDataError
from nasbench_lab.simulation.trace import Trace


@dataclasses.dataclass(frozen=True)
class Pick:
    """An architecture that some runs of a strategy ended with.

    Attributes:
        table: name of the table.
        strategy: name, and the parameters that differ from their defaults.
        rank: from 1, among the strategy's picks.
        architecture: index.
        runs: number of runs that ended with it.
        observed: best observed value among these runs; NaN if the strategy recommends architectures.
        promised: the table's mean test value at the highest fidelity (mean validation where there is no test).
    """

    table: str
    strategy: str
    rank: int
    architecture: int
    runs: int
    observed: float
    promised: float


def final_picks(trace: Trace, top: int) -> list[Pick]:
    """Return the best final incumbents of the runs of a strategy, each architecture once.

    They are ranked by observed value, as this is all that a user of the search would see. Ties are broken by the number
    of runs, most first, and then by index, smallest first. What a strategy recommends need not have been observed: it
    is ranked by the number of runs.

    Args:
        trace: of the strategy.
        top: largest number of picks.

    Raises:
        ParameterError: ``top`` is less than 1.
        MissingDataError: no run has an incumbent.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "random-search", runs=20, budget=nl.Budget(evaluations=30))
    >>> [pick.rank for pick in final_picks(trace, 3)]
    [1, 2, 3]
    """
    top = whole("top", top, AtLeast(1))
    final = trace.final_incumbent()
    if not (final >= 0).any():
        raise MissingDataError(f"no run of {trace.setting.label!r} on {trace.setting.table!r} observed a value")
    sign = -1.0 if trace.setting.objective.direction == "minimize" else 1.0
    observed = np.fmax.reduce(np.where(trace.mask, sign * trace.observed, np.nan), axis=1)
    if trace.incumbent_kind == "recommended":
        observed = np.full(trace.runs, -np.inf)
    found, where, runs = np.unique(final[final >= 0], return_inverse=True, return_counts=True)
    best = np.full(len(found), -np.inf)
    np.maximum.at(best, where, observed[final >= 0])
    split = "test" if "test" in trace.reference.means else "valid"
    promised = trace.reference.means_of(found, split)
    order = np.lexsort((found, -runs, -best))[:top]
    return [
        Pick(
            trace.setting.table,
            trace.setting.label,
            rank,
            int(found[each]),
            int(runs[each]),
            float(sign * best[each]) if np.isfinite(best[each]) else float("nan"),
            float(promised[each]),
        )
        for rank, each in enumerate(order, start=1)
    ]
