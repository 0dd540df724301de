"""Auditing a strategy by simulating a few runs again: results must be equal, and the table must not be read."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

import numpy as np

from nasbench_lab.simulation import Budget, Trace
from nasbench_lab.tables import Table

_RUNS = 3  # runs from the middle that are simulated again, without the other runs and at other places

_TABLE = inspect.getfile(Table)
_TABLES = str(Path(_TABLE).parent)
_MAY_READ = (str(Path(inspect.getfile(Budget)).parent), str(Path(__file__).parent))  # the simulation, and the checks


def audit_rerun(trace: Trace, simulate: Callable[[int, int], Trace]) -> list[str]:
    """Simulate some runs of a trace again and return what is wrong with the strategy, one line each.

    Args:
        trace: the runs.
        simulate: called as ``simulate(first_run, runs)``; returns the trace of the ``runs`` runs from ``first_run`` on.
    """
    first = trace.runs // 2
    runs = min(_RUNS, trace.runs - first)
    watch = TableWatch()
    with watch:
        again = simulate(trace.setting.first_run + first, runs)
    found = [f"validation only: the strategy reads the table while it searches, at {watch.seen}"] if watch.seen else []
    for run in range(runs):
        if not _same(trace, first + run, again, run):
            found.append(
                f"seeds: run {trace.setting.first_run + first + run} gives another result when it is simulated again "
                f"beside other runs; draw only from the streams of the problem, and always for all runs"
            )
            break
    return found


def _same(trace: Trace, run: int, other: Trace, other_run: int) -> bool:
    """Return whether two runs have the same evaluations."""
    count = int(trace.evaluations[run])
    if count != int(other.evaluations[other_run]):
        return False
    one, another = trace.arrays(), other.arrays()
    names = ("architecture", "fidelity", "repeat", "recommended")
    return one.keys() == another.keys() and all(
        np.array_equal(one[name][run, :count], another[name][other_run, :count]) for name in names if name in one
    )


class TableWatch:
    """Notices code outside the simulation that reads a table inside a ``with`` block.

    It watches the calls of this thread as a profiler does. It does not notice reads before the block.

    Attributes:
        seen: file and line of the first such code; empty if there was none.
    """

    def __init__(self) -> None:
        self.seen = ""

    def __enter__(self) -> Self:
        self._before = sys.getprofile()
        sys.setprofile(self._called)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        sys.setprofile(self._before)

    def _called(self, frame: FrameType, event: str, argument: Any) -> None:
        if event != "call" or self.seen or frame.f_code.co_filename != _TABLE:
            return
        caller: FrameType | None = frame
        while caller is not None and caller.f_code.co_filename.startswith((_TABLES, "<")):
            if caller.f_code.co_name == "__repr__":
                return  # the repr of a strategy with a table as parameter; it reads no numbers
            caller = caller.f_back
        if caller is not None and not caller.f_code.co_filename.startswith(_MAY_READ):
            self.seen = f"{Path(caller.f_code.co_filename).name}:{caller.f_lineno}"
