"""Batches of runs: as many runs as are simulated together in one process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from nasbench_lab.errors import NasbenchLabError
from nasbench_lab.simulation.clock import Clock, Log
from nasbench_lab.simulation.conditions import Prepared
from nasbench_lab.simulation.search_loop import simulate_together
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.threads import one_thread
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.plain import PlainStrategy
from nasbench_lab.tables.any_table import AnyTable

RUNS_AT_A_TIME = 4096
"""Largest number of runs simulated together. The results do not depend on it."""

_STATE_ENTRIES = 2**27
"""Largest runs x architectures simulated together: on large listed spaces, fewer runs are simulated at a time."""


def runs_together(table: AnyTable, strategy: Strategy[Any]) -> int:
    """Return the largest number of runs of a strategy that are simulated together on a table."""
    most = min(RUNS_AT_A_TIME, strategy.runs_at_a_time)
    if not table.space.is_listed:  # memory does not depend on its size
        return most
    return max(1, min(most, _STATE_ENTRIES // table.space.size))


def simulate_runs(
    table: AnyTable,
    strategy: Strategy[Any],
    prepared: Prepared,
    setting: Setting,
    runs: int,
    watch: Callable[[Clock], None] | None = None,
) -> Log:
    """Simulate runs from ``setting.first_run`` on in this process, and return their log.

    Args:
        table: the table to search.
        strategy: the strategy.
        prepared: the conditions of the search, checked against the table.
        setting: the setting of the simulation.
        runs: number of runs.
        watch: called with the clock of a batch after every step.
    """
    log = new_log(strategy, setting, runs, table.space.size)
    fixed, together = _fixed_fidelity(strategy, setting), runs_together(table, strategy)
    for start in range(0, runs, together):
        clock = Clock(log, setting.budget, fixed, start, min(start + together, runs), prepared.spendings, watch)
        with one_thread(), _noting(strategy, table):
            simulate_together(table, strategy, prepared.measurements, prepared.goals, setting, clock)
    return log


def new_log(strategy: Strategy[Any], setting: Setting, runs: int, size: int) -> Log:
    """Return an empty log for runs of a strategy in a space of that size."""
    return Log(runs, setting.budget, _fixed_fidelity(strategy, setting), size)


def _fixed_fidelity(strategy: Strategy[Any], setting: Setting) -> int | None:
    return None if strategy.multi_fidelity else setting.fidelity


@contextlib.contextmanager
def _noting(strategy: Strategy[Any], table: AnyTable) -> Iterator[None]:
    """Add the strategy and the table to errors of a strategy that does not belong to this package."""
    try:
        yield
    except NasbenchLabError:
        raise
    except Exception as error:
        code = strategy.factory if isinstance(strategy, PlainStrategy) else type(strategy)
        if not str(getattr(code, "__module__", "")).startswith(f"{__package__.partition('.')[0]}."):
            error.add_note(f"strategy {strategy.label!r} on table {table.name!r}")
        raise
