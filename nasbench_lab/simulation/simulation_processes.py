"""Runs of one simulation in several processes. The traces have the same bytes as those of one process."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import pickle
import sys
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, final

from nasbench_lab.child_processes import (
    Child,
    check_may_start_processes,
    end_children,
    number_of_processes,
    start_child,
)
from nasbench_lab.errors import ParameterError, StrategyError
from nasbench_lab.messages import described
from nasbench_lab.simulation.clock import Log, LoggedRuns
from nasbench_lab.simulation.run_batches import new_log, runs_together, simulate_runs
from nasbench_lab.simulation.search_progress import Watch
from nasbench_lab.simulation.sent_errors import SentError, received_error, sent_error
from nasbench_lab.simulation.sent_objects import packed, packed_strategy, packed_table
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.plain import PlainStrategy
from nasbench_lab.tables.any_table import AnyTable
from nasbench_lab.tables.computed import ComputedTable
from nasbench_lab.tables.remembered_answers import NewAnswers

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_BLOCKS_OF_PLAIN = 4
"""Blocks per process of a plain strategy. More blocks end at about the same time, and cost a loop over runs nothing."""


class _Task(NamedTuple):
    """A block of runs to simulate.

    Attributes:
        search: number of the search; a process keeps the last one that it received.
        packed: table, strategy and setting of a search that the process does not have yet, see `packed`.
        first: number of the first run, counted from that of the setting.
        runs: number of runs.
        watched: whether to report progress.
    """

    search: int
    packed: tuple[bytes, bytes, bytes] | None
    first: int
    runs: int
    watched: bool


class _Advanced(NamedTuple):
    """How many runs of the block are done."""

    runs: float


class _Finished(NamedTuple):
    """A block that was simulated, with what its table has measured, and the warnings (see `warnings.warn_explicit`)."""

    logged: LoggedRuns
    answers: NewAnswers
    warned: list[tuple[Warning, type[Warning], str, int]]


@final
class SimulationProcesses:
    """Processes on this machine that simulate runs. They start when they are needed, and end with the block.

    Args:
        processes: number of processes; None for one per processor.

    Raises:
        ParameterError: the number is invalid, or this process may not start processes.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.simulation import Conditions, simulate_under
    >>> from nasbench_lab.strategies.lookup import find_strategy
    >>> conditions, searcher = Conditions(nl.Budget(evaluations=5)), find_strategy("random-search")
    >>> with SimulationProcesses(1) as processes:
    ...     trace = simulate_under(conditions, nl.load("digits/chain"), searcher, runs=2, processes=processes)
    """

    def __init__(self, processes: int | None) -> None:
        self.number = number_of_processes(processes)
        if self.number > 1:
            check_may_start_processes("use processes=1")
        self._children: list[Child] = []
        self._known: dict[Connection, int] = {}
        self._search = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all processes, including busy ones."""
        end_children(self._children)
        self._children, self._known = [], {}

    def simulate(
        self,
        table: AnyTable,
        strategy: Strategy[Any],
        setting: Setting,
        runs: int,
        report: Callable[[float], None] | None = None,
    ) -> Log:
        """Simulate runs from ``setting.first_run`` on, and return their log.

        Warnings of the strategy are raised here, each once.

        Args:
            table: the table to search.
            strategy: the strategy.
            setting: the setting of the simulation.
            runs: number of runs.
            report: called with the number of finished runs.

        Raises:
            ParameterError: the strategy cannot be sent to other processes.
            StrategyError: a process died.
            Exception: whatever the strategy raised.
        """
        try:
            return _Search(self, table, strategy, setting, runs, report).done()
        except BaseException:
            self.close()  # the other processes are still at work
            raise


class _Search:
    """One simulation, whose blocks of runs are divided among processes."""

    def __init__(
        self,
        pool: SimulationProcesses,
        table: AnyTable,
        strategy: Strategy[Any],
        setting: Setting,
        runs: int,
        report: Callable[[float], None] | None,
    ) -> None:
        pool._search += 1
        self._pool, self._strategy, self._setting, self._report = pool, strategy, setting, report
        self._log = new_log(strategy, setting, runs, table.space.size)
        # A table file is sent as its path, a table made in memory with all its measurements.
        self._table = table
        self._packed = (packed_table(table), packed_strategy(strategy), packed(setting))
        size = _block_size(table, strategy, runs, pool.number)
        self._left = collections.deque(
            _Task(pool._search, None, first, min(size, runs - first), report is not None)
            for first in range(0, runs, size)
        )
        self._busy: dict[Connection, tuple[Child, _Task]] = {}
        self._done: dict[int, float] = {}
        self._warned: set[tuple[str, type[Warning], str, int]] = set()

    def done(self) -> Log:
        """Simulate all blocks and return the log."""
        from multiprocessing.connection import wait

        for child in list(self._pool._children):
            self._give(child)
        while self._left and len(self._pool._children) < self._pool.number:
            self._pool._children.append(start_child(_serve))
            self._give(self._pool._children[-1])
        while self._busy:
            for line in wait(list(self._busy)):
                self._take(line)  # type: ignore[arg-type] # one of the connections
        return self._log

    def _give(self, child: Child) -> None:
        """Give the next block to a process, if there is one."""
        if not self._left:
            return
        task = self._left.popleft()
        known = self._pool._known.get(child.line) == task.search
        self._busy[child.line] = child, task
        self._pool._known[child.line] = task.search
        child.send(task if known else task._replace(packed=self._packed))  # if it has died, so does its connection

    def _take(self, line: Connection) -> None:
        """Take a message of a process."""
        child, task = self._busy[line]
        try:
            answer = pickle.loads(line.recv_bytes())  # noqa: S301 - of a process that this one started
        except (EOFError, OSError):
            child.end()
            raise StrategyError(
                f"the process that simulated {self._runs(task)} of {self._strategy.label!r} "
                f"on {self._setting.table!r} died ({child.how_it_died})"
            ) from None
        if isinstance(answer, SentError):
            raise received_error(answer, StrategyError)
        if isinstance(answer, _Advanced):
            self._advance(task, answer.runs)
            return
        self._log.insert(task.first, answer.logged)
        if isinstance(self._table, ComputedTable) and answer.answers:
            self._table.remember(answer.answers)
        del self._busy[line]
        self._give(child)
        self._advance(task, task.runs)
        for warned in answer.warned:
            self._warn(*warned)

    def _runs(self, task: _Task) -> str:
        first = self._setting.first_run + task.first
        return f"run {first}" if task.runs == 1 else f"runs {first} to {first + task.runs - 1}"

    def _advance(self, task: _Task, runs: float) -> None:
        before, self._done[task.first] = self._done.get(task.first), float(runs)
        if self._report is not None and before != runs:
            self._report(sum(self._done.values()))

    def _warn(self, message: Warning, category: type[Warning], file: str, line: int) -> None:
        """Warn like the other process, unless another one has already warned of the same."""
        key = (str(message), category, file, line)
        if key not in self._warned:
            self._warned.add(key)
            warnings.warn_explicit(message, category, file, line)


def _block_size(table: AnyTable, strategy: Strategy[Any], runs: int, processes: int) -> int:
    """Return the number of runs in a block: as many as possible where runs advance in lock step."""
    blocks = processes * (_BLOCKS_OF_PLAIN if isinstance(strategy, PlainStrategy) else 1)
    return min(runs_together(table, strategy), max(1, -(-runs // blocks)))


def _serve(line: Connection) -> None:
    """Simulate the blocks that arrive over the connection until it closes."""
    worker = _Worker(line)
    while True:
        try:
            line.send_bytes(worker.answer(line.recv()))
        except (EOFError, OSError):
            return


class _Worker:
    """The other end of a connection: it simulates in a process of its own."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._table: tuple[bytes, AnyTable] | None = None  # kept, as reading it again means verifying it again
        self._objects: Any = None

    def answer(self, task: _Task) -> bytes:
        """Simulate a block and return the answer, packed."""
        try:
            return packed(self._simulate(task))
        except BaseException as error:  # a strategy may raise anything
            return packed(sent_error(error))
        finally:
            _show_prints()

    def _simulate(self, task: _Task) -> _Finished:
        if task.packed is not None:
            table, strategy, setting = self._loaded(*task.packed)
            self._objects = table, strategy, setting, setting.conditions.on(table)
        table, strategy, setting, prepared = self._objects
        watch = Watch(self._advance) if task.watched else None
        with warnings.catch_warnings():
            noted = _Noted()
            warnings.simplefilter("always")
            warnings.showwarning = noted.note
            here = dataclasses.replace(setting, first_run=setting.first_run + task.first)
            log = simulate_runs(table, strategy, prepared, here, task.runs, watch)
        answers = table.new_answers() if isinstance(table, ComputedTable) else []
        return _Finished(log.logged(), answers, noted.warned)

    def _loaded(self, table: bytes, strategy: bytes, setting: bytes) -> tuple[AnyTable, Strategy[Any], Setting]:
        """Return what the parent has packed."""
        try:
            if self._table is None or self._table[0] != table:
                self._objects = self._table = None  # before the next table takes memory
                self._table = table, pickle.loads(table)  # noqa: S301 - of the parent
            return self._table[1], pickle.loads(strategy), pickle.loads(setting)  # noqa: S301
        except Exception as error:  # a module that is not found here, or a class of the user that cannot be made again
            raise ParameterError(
                f"the strategy or the table cannot be loaded in another process: {described(error)}; use one process"
            ) from error

    def _advance(self, runs: float) -> None:
        self._line.send_bytes(packed(_Advanced(runs)))


def _show_prints() -> None:
    """Write what the strategy printed: this process may be ended before Python does."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # closed, or whatever the strategy put there
            stream.flush()


class _Noted:
    """Takes warnings, and keeps each once, however often a strategy warns."""

    def __init__(self) -> None:
        self.warned: list[tuple[Warning, type[Warning], str, int]] = []
        self._known: set[tuple[str, type[Warning], str, int]] = set()

    def note(
        self,
        message: Any,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: object = None,
        line: str | None = None,
    ) -> None:
        """Note a warning, in place of `warnings.showwarning`."""
        key = (str(message), category, filename, lineno)
        if key not in self._known:
            self._known.add(key)
            self.warned.append((message, category, filename, lineno))
