"""The plan of a suite: which strategies, tables and runs it comes to, in shards of some seconds each."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, final

from nasbench_lab.errors import MissingDataError, NasbenchLabError, ParameterError, first_line, unknown
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.measurements import Measurements
from nasbench_lab.simulation.results import origin
from nasbench_lab.strategies import PlainStrategy, Strategy, list_strategies, resolve
from nasbench_lab.suites.comparison import check_different
from nasbench_lab.suites.requirements import estimated_evaluations, lacking
from nasbench_lab.suites.spec import StrategyEntry, Suite, TableEntry
from nasbench_lab.tables import Table, catalogue, load

EVERY = "*"
"""Stands for all strategies where a table is skipped altogether."""

_SECONDS = 4.0
"""What a shard is to take, more or less."""

_STEP_SECONDS = 0.008
"""What one evaluation of a full batch of runs takes, more or less: batches are made for that (`runs_at_a_time`)."""

_PLAIN_RUNS_AT_A_TIME = 256  # what a plain strategy, run by run in a loop, is worth
_MOST_RUNS = 4096
_MOST_EVALUATIONS = 2**23  # of a shard, so that its traces stay below some hundred megabytes


@final
@dataclasses.dataclass(frozen=True)
class PlannedTable:
    """A table of a plan.

    Attributes:
        source: what it is opened by: its name in the catalogue, or the path of a file as the suite has it.
        name: of the table.
        checksum: digest of its content.
        conditions: under which it is searched.
        origin: its title, licence, citation, source and notes.
    """

    source: str
    name: str
    checksum: str
    conditions: Conditions
    origin: Mapping[str, Any]


@final
@dataclasses.dataclass(frozen=True)
class Simulation:
    """One strategy on one table.

    Attributes:
        table: its place among the tables of the plan.
        strategy: name.
        parameters: those that the suite gives.
        label: as results show it.
        shard_runs: how many runs a shard has, but for the last.
        run_seconds: estimated seconds per run.
        version: of the strategy.
    """

    table: int
    strategy: str
    parameters: Mapping[str, Any]
    label: str
    shard_runs: int
    run_seconds: float
    version: int = 1


@final
@dataclasses.dataclass(frozen=True)
class Skipped:
    """What cannot be simulated.

    Attributes:
        strategy: label, or `EVERY`.
        table: name.
        reason: why.
    """

    strategy: str
    table: str
    reason: str


class Shard(NamedTuple):
    """Consecutive runs of one simulation: what one process does at a time.

    Attributes:
        simulation: its place among the simulations of the plan.
        first_run: number of the first run.
        runs: how many.
        seconds: what it takes, more or less.
    """

    simulation: int
    first_run: int
    runs: int
    seconds: float

    @property
    def name(self) -> str:
        """What its files are called; sorted by name, shards are in order."""
        return f"{self.simulation:05d}-{self.first_run:010d}"


@final
@dataclasses.dataclass(frozen=True)
class Plan:
    """What a suite comes to on a machine: patterns are resolved, and tables have their checksums.

    Attributes:
        tables: every table that is searched.
        simulations: table by table, every strategy that can search it.
        skipped: the others, with the reasons.
        runs: of every simulation.
    """

    tables: tuple[PlannedTable, ...]
    simulations: tuple[Simulation, ...]
    skipped: tuple[Skipped, ...]
    runs: int

    @cached_property
    def shards(self) -> tuple[Shard, ...]:
        """All shards, in the order of the simulations and their runs."""
        return tuple(self._shards())

    def _shards(self) -> Iterator[Shard]:
        for number, simulation in enumerate(self.simulations):
            for first in range(0, self.runs, simulation.shard_runs):
                runs = min(simulation.shard_runs, self.runs - first)
                yield Shard(number, first, runs, runs * simulation.run_seconds)

    def to_data(self) -> dict[str, Any]:
        """Return plain data that JSON can hold."""
        tables = [{**vars(table), "conditions": table.conditions.to_data()} for table in self.tables]
        return {**dataclasses.asdict(self), "tables": tables}

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Plan:
        """Read what `to_data` gave."""
        tables = [{**table, "conditions": Conditions.of_data(table["conditions"])} for table in data["tables"]]
        return cls(
            tuple(PlannedTable(**table) for table in tables),
            tuple(Simulation(**simulation) for simulation in data["simulations"]),
            tuple(Skipped(**skipped) for skipped in data["skipped"]),
            data["runs"],
        )


class _Candidate(NamedTuple):
    """A strategy of a suite, once patterns and grids are resolved."""

    strategy: Strategy[Any]
    name: str
    parameters: Mapping[str, Any]
    may_be_left_out: bool


def make_plan(suite: Suite) -> Plan:
    """Resolve names and patterns, open the tables and check what every strategy needs.

    What a table lacks is no error but recorded as skipped, unless a strategy and the suite's only table are both
    given by name.

    Raises:
        UnknownNameError: no strategy, parameter or table has that name.
        ParameterError: a parameter has a bad value, something is listed twice, or nothing is left to simulate.
        SourceError, DataError: a table cannot be opened.
        MissingDataError: the only table lacks what a strategy given by name needs.

    >>> from nasbench_lab.simulation import Budget
    >>> plan = make_plan(Suite(["random-search"], ["digits/chain"], Budget(evaluations=50), runs=100))
    >>> [(shard.name, shard.runs) for shard in plan.shards]
    [('00000-0000000000', 100)]
    """
    candidates = list(_candidates(suite.strategies))
    check_different("strategy", [candidate.strategy.label for candidate in candidates])
    sources, skipped = _sources(suite)
    strict = len(suite.tables) == 1 and not suite.tables[0].is_pattern
    planned: list[PlannedTable] = []
    simulations: list[Simulation] = []
    for source, entry in sources:
        table = load(table_path(suite.folder, source))
        conditions = _conditions(suite, entry, table)
        try:
            measurements = conditions.on(table).measurements
        except NasbenchLabError as error:
            if strict:
                raise
            skipped.append(Skipped(EVERY, table.name, first_line(error)))
            continue
        doable, left_out = _split(candidates, table, conditions, measurements, strict, len(planned))
        simulations += doable
        skipped += left_out
        if doable:
            planned.append(PlannedTable(source, table.name, table.checksum, conditions, origin(table.description)))
    check_different("table", [table.name for table in planned])
    if not simulations:
        reasons = "; ".join(f"{skip.strategy} on {skip.table}: {skip.reason}" for skip in skipped[:1])
        raise ParameterError(f"nothing is left to simulate: {reasons}")
    return Plan(tuple(planned), tuple(simulations), tuple(skipped), suite.runs)


def table_path(folder: Path, source: str) -> str:
    """Return what `load` opens a table by; paths of files begin in a folder."""
    return str((folder / source).absolute()) if catalogue.is_table_file(source) else source


def _split(
    candidates: Sequence[_Candidate],
    table: Table,
    conditions: Conditions,
    measurements: Measurements,
    strict: bool,
    number: int,
) -> tuple[list[Simulation], list[Skipped]]:
    """Return the simulations on one table, and what is left out there."""
    doable, left_out = [], []
    for candidate in candidates:
        label = candidate.strategy.label
        reason = lacking(candidate.strategy, table, conditions, measurements)
        if reason and strict and not candidate.may_be_left_out:
            raise MissingDataError(f"{label!r} cannot search {table.name!r}: {reason}")
        if reason:
            left_out.append(Skipped(label, table.name, reason))
            continue
        evaluations = estimated_evaluations(candidate.strategy, table, conditions, measurements)
        size, seconds = _shard_size(candidate.strategy, evaluations)
        parameters, version = dict(candidate.parameters), candidate.strategy.version
        doable.append(Simulation(number, candidate.name, parameters, label, size, seconds, version))
    return doable, left_out


def _shard_size(strategy: Strategy[Any], evaluations: int) -> tuple[int, float]:
    """Return how many runs take some seconds, a power of two, and the seconds of one.

    Nothing is measured: a suite has the same shards on every machine.
    """
    together = strategy.runs_at_a_time
    if isinstance(strategy, PlainStrategy):
        together = min(together, _PLAIN_RUNS_AT_A_TIME)
    seconds = evaluations * _STEP_SECONDS / together
    runs = min(_SECONDS / seconds, _MOST_RUNS, _MOST_EVALUATIONS / evaluations)
    return 1 << max(0, int(runs).bit_length() - 1), seconds


def _conditions(suite: Suite, entry: TableEntry, table: Table) -> Conditions:
    """Return the conditions on a table: the suite's, but for what its entry says."""
    fidelity = entry.fidelity if entry.fidelity is not None else suite.conditions.fidelity
    budget = entry.budget or suite.conditions.budget
    assert budget is not None  # noqa: S101 - checked by the suite
    highest = table.fidelities[-1] if fidelity is None else fidelity
    return dataclasses.replace(suite.conditions, budget=budget.at(highest), fidelity=fidelity)


def _candidates(entries: Sequence[StrategyEntry]) -> Iterator[_Candidate]:
    """Yield all strategies in order. A pattern does not repeat what is named elsewhere."""
    taken = {entry.name for entry in entries if not entry.is_pattern}
    for entry in entries:
        if not entry.is_pattern:
            for parameters in entry.combinations():
                yield _Candidate(resolve(entry.name, parameters), entry.name, parameters, entry.optional)
            continue
        found = [name for name in list_strategies() if fnmatch.fnmatchcase(name, entry.name)]
        if not found:
            raise unknown("strategy", entry.name, list_strategies())
        for name in found:
            if name not in taken:
                yield _Candidate(resolve(name, {}), name, {}, may_be_left_out=True)
        taken.update(found)


def _sources(suite: Suite) -> tuple[list[tuple[str, TableEntry]], list[Skipped]]:
    """Return what tables are opened by, in order. A pattern does not repeat what is named elsewhere."""
    named = [entry.name for entry in suite.tables if not entry.is_pattern]
    check_different("table", named)
    taken, found, skipped = set(named), [], []
    for entry in suite.tables:
        names = [entry.name]
        if entry.is_pattern:
            names = [name for name in _matching(suite.folder, entry) if name not in taken]
            taken.update(names)
        if entry.present and not names:
            skipped.append(Skipped(EVERY, entry.name, "no such table is on this machine: nasbench-lab tables fetch"))
        found += [(name, entry) for name in names]
    return found, skipped


def _matching(folder: Path, entry: TableEntry) -> list[str]:
    """Return what a pattern stands for: tables of the catalogue, or files."""
    if catalogue.is_table_file(entry.name):
        where = Path(entry.name)
        root = Path(where.anchor) if where.is_absolute() else folder
        files = sorted(root.glob(str(where.relative_to(where.anchor))))
        if not files:
            raise MissingDataError(f"no table file is like {entry.name!r} in {folder.absolute()}")
        return [str(path) if where.is_absolute() else path.relative_to(folder).as_posix() for path in files]
    names = catalogue.matching([entry.name])
    return [name for name in names if catalogue.is_present(name)] if entry.present else names
