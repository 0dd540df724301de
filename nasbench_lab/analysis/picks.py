"""What the runs of a strategy ended with: the architectures that a user would train."""

from __future__ import annotations

import dataclasses

import numpy as np

from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.simulation.trace import Trace


@dataclasses.dataclass(frozen=True)
class Pick:
    """One architecture that runs of a strategy ended with.

    Attributes:
        table: name of the table.
        strategy: name, and the parameters that differ from their defaults.
        rank: from 1, among the strategy's picks.
        architecture: index.
        runs: how many runs ended with it.
        observed: the best value with which a run ended with it; what the search saw.
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
    """Return the best incumbents that the runs of a strategy ended with, each architecture once.

    They are ranked by what the search observed, as a user would, who sees nothing else; among equal ones that with more
    runs comes first, then the one with the smaller index.

    Args:
        trace: of the strategy.
        top: how many at most.

    Raises:
        ParameterError: ``top`` is less than 1.
        MissingDataError: no run observed a value.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "random-search", runs=20, budget=nl.Budget(evaluations=30))
    >>> [pick.rank for pick in final_picks(trace, 3)]
    [1, 2, 3]
    """
    if top < 1:
        raise ParameterError(f"top must be at least 1, got {top}")
    final = trace.final_incumbent()
    if not (final >= 0).any():
        raise MissingDataError(f"no run of {trace.setting.label!r} on {trace.setting.table!r} observed a value")
    sign = -1.0 if trace.setting.objective.direction == "minimize" else 1.0
    observed = np.fmax.reduce(np.where(trace.mask, sign * trace.observed, np.nan), axis=1)
    found, where, runs = np.unique(final[final >= 0], return_inverse=True, return_counts=True)
    best = np.full(len(found), -np.inf)
    np.maximum.at(best, where, observed[final >= 0])
    split = "test" if "test" in trace.reference.means else "valid"
    promised = trace.reference.mean(split)
    order = np.lexsort((found, -runs, -best))[:top]
    return [
        Pick(
            trace.setting.table,
            trace.setting.label,
            rank,
            int(found[each]),
            int(runs[each]),
            float(sign * best[each]),
            float(promised[found[each]]),
        )
        for rank, each in enumerate(order, start=1)
    ]
