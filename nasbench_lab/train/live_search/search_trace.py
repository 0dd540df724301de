"""The trace of a live search, which every analysis of simulations takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nasbench_lab.simulation.conditions import Prepared
from nasbench_lab.simulation.engine import setting_of
from nasbench_lab.simulation.reference import reference_of
from nasbench_lab.simulation.trace import Trace
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.train.live_search.live_table import LiveTable
from nasbench_lab.train.live_search.search_steps import LiveStep


def trace_of(
    table: LiveTable,
    strategy: Strategy[Any],
    prepared: Prepared,
    steps: Sequence[LiveStep],
    *,
    stopped: bool,
    recommends: bool,
) -> Trace:
    """Return the trace of a live search with one run; its seconds are those of the clock on the wall.

    Args:
        table: the live table.
        strategy: the strategy.
        prepared: conditions of the search.
        steps: the evaluations in the order in which they ended.
        stopped: whether the strategy proposed nothing more.
        recommends: whether the strategy recommends architectures.
    """
    architecture = np.array([[step.architecture for step in steps]], dtype=np.int64)
    recommended = np.array([[step.recommended for step in steps]], dtype=np.int64)
    dtype = np.int32 if table.space.size <= np.iinfo(np.int32).max else np.int64
    reference = reference_of(
        table, prepared.measurements, prepared.goals, lambda: np.concatenate([architecture[0], recommended[0]])
    )
    return Trace(
        setting_of(table, strategy, prepared),
        reference,
        architecture=architecture.astype(dtype),
        fidelity=np.array([[step.epochs for step in steps]], dtype=np.int32),
        repeat=np.array([[step.repeat for step in steps]], dtype=np.int16),
        observed=np.array([[step.observed for step in steps]], dtype=np.float64),
        time=np.array([[step.clock for step in steps]], dtype=np.float64),
        mask=np.ones((1, len(steps)), dtype=bool),
        stopped=np.array([stopped]),
        recommended=recommended.astype(dtype) if recommends else None,
    )
