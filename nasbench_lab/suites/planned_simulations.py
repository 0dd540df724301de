"""The plan of a suite as data: its tables, simulations and shards, and the names of shards."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple, final

from nasbench_lab.errors import DataError
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.trace_files import setting_text

EVERY = "*"
"""Stands for all strategies if a whole table is skipped."""

_MOST_SHARDS = 10**7  # in the plan of a file

_KEY_LENGTH = 16
_KEY = re.compile(rf"[0-9a-f]{{{_KEY_LENGTH}}}")
_NAME = re.compile(rf"([0-9a-f]{{{_KEY_LENGTH}}})-([0-9]{{10}})-([0-9]{{10}})")


def simulation_key(setting: Setting | Mapping[str, Any], code: str) -> str:
    """Return a digest of everything that the traces of a simulation depend on, except the release of this package.

    Args:
        setting: of the simulation, or its plain data; the number of the first run and facts of trainings are ignored.
        code: SHA-256 of the file that defines the strategy; empty for a registered one.
    """
    fields = json.loads(setting_text(setting)) if isinstance(setting, Setting) else dict(setting)
    del fields["first_run"]
    fields.pop("training", None)  # of a search that trains networks: measured, and so known only afterwards
    return hashlib.sha256(json.dumps([fields, code], sort_keys=True).encode()).hexdigest()[:_KEY_LENGTH]


def shard_name(key: str, first_run: int, runs: int) -> str:
    """Return the stem of the file names of a shard: the key of its simulation, its first run and its last run."""
    return f"{key}-{first_run:010d}-{first_run + runs - 1:010d}"


def parse_shard_name(name: str) -> tuple[str, int, int] | None:
    """Return the key, the first run and the number of runs in a name of `shard_name`; None for any other text.

    >>> parse_shard_name(shard_name("0123456789abcdef", 8, 4))
    ('0123456789abcdef', 8, 4)
    """
    found = _NAME.fullmatch(name)
    if found is None or int(found[3]) < int(found[2]):
        return None
    return found[1], int(found[2]), int(found[3]) - int(found[2]) + 1


def table_label(name: str, variant: str) -> str:
    """Return the name of a table with a variant.

    >>> table_label("digits/chain", ""), table_label("digits/chain", "four workers")
    ('digits/chain', 'digits/chain (four workers)')
    """
    return f"{name} ({variant})" if variant else name


@final
@dataclasses.dataclass(frozen=True)
class PlannedTable:
    """A table of a plan under the conditions of one variant.

    Attributes:
        source: its name in the catalogue, or the path of a table file as written in the suite.
        name: name of the table.
        checksum: digest of its content.
        conditions: conditions of the searches.
        origin: title, licence, citation, source and notes.
        variant: name of the variant of the suite; empty in a suite without variants.
    """

    source: str
    name: str
    checksum: str
    conditions: Conditions
    origin: Mapping[str, Any]
    variant: str = ""

    @property
    def label(self) -> str:
        """The name of the table, with the variant in parentheses: what tells the entries of a plan apart."""
        return table_label(self.name, self.variant)


@final
@dataclasses.dataclass(frozen=True)
class Simulation:
    """One strategy on one table.

    Attributes:
        table: index of the table in the plan.
        strategy: name of the strategy.
        parameters: parameters that the suite gives.
        label: label of the strategy in results.
        shard_runs: number of runs per shard; the last shard may have fewer.
        run_seconds: estimated seconds per run.
        version: version of the strategy.
        code: SHA-256 of the file that defines the strategy; empty for a registered one.
        key: see `simulation_key`; empty in plans of format 1.
        cuts: further numbers of runs at which a shard ends, ascending: where the suite ended before it got more runs.
    """

    table: int
    strategy: str
    parameters: Mapping[str, Any]
    label: str
    shard_runs: int
    run_seconds: float
    version: int = 1
    code: str = ""
    key: str = ""
    cuts: tuple[int, ...] = ()

    def pieces(self, runs: int) -> Iterator[tuple[int, int]]:
        """Yield the first run and the end of every shard of so many runs."""
        ends = {*range(0, runs, self.shard_runs), *(cut for cut in self.cuts if cut < runs), runs}
        return itertools.pairwise(sorted(ends))


@final
@dataclasses.dataclass(frozen=True)
class Skipped:
    """A strategy and a table that cannot be simulated.

    Attributes:
        strategy: label of the strategy, or `EVERY`.
        table: name of the table, with the variant.
        reason: why, in one line.
    """

    strategy: str
    table: str
    reason: str


class Shard(NamedTuple):
    """Consecutive runs of one simulation: the unit of work of a process.

    Attributes:
        simulation: index of the simulation in the plan.
        first_run: number of the first run.
        runs: number of runs.
        seconds: approximate duration.
        key: of the simulation.
    """

    simulation: int
    first_run: int
    runs: int
    seconds: float
    key: str = ""

    @property
    def name(self) -> str:
        """The stem of its file names: the same in every suite with this simulation, except in folders of format 1."""
        if not self.key:
            return f"{self.simulation:05d}-{self.first_run:010d}"
        return shard_name(self.key, self.first_run, self.runs)


@final
@dataclasses.dataclass(frozen=True)
class Plan:
    """The plan of a suite on a machine, with patterns resolved and the checksums of the tables.

    Attributes:
        tables: the tables to search.
        simulations: for each table, in order, every strategy that can search it.
        skipped: the other pairs of strategies and tables, with the reasons.
        runs: number of runs of every simulation.
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
            for first, end in simulation.pieces(self.runs):
                yield Shard(number, first, end - first, (end - first) * simulation.run_seconds, simulation.key)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all strategies, in order of appearance."""
        every = [each.label for each in self.simulations] + [each.strategy for each in self.skipped]
        return tuple(label for label in dict.fromkeys(every) if label != EVERY)

    @property
    def open_pairs(self) -> list[tuple[str, str]]:
        """The strategies and tables that are neither planned nor skipped, as in suites that were merged."""
        known = {(each.label, self.tables[each.table].label) for each in self.simulations}
        known |= {(each.strategy, each.table) for each in self.skipped}
        return [
            (label, table.label)
            for table in self.tables
            for label in self.labels
            if not known & {(label, table.label), (EVERY, table.label)}
        ]

    def to_data(self) -> dict[str, Any]:
        """Return the plan as plain data that JSON can store."""
        tables = [{**vars(table), "conditions": table.conditions.to_data()} for table in self.tables]
        tables = [table if table["variant"] else {k: v for k, v in table.items() if k != "variant"} for table in tables]
        return {**dataclasses.asdict(self), "tables": tables}

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Plan:
        """Return the plan that `to_data` converted to plain data.

        Raises:
            DataError: it is damaged.
            Exception: it is damaged in any other way.
        """
        tables = [{**table, "conditions": Conditions.of_data(table["conditions"])} for table in data["tables"]]
        plan = cls(
            tuple(PlannedTable(**table) for table in tables),
            tuple(Simulation(**{**each, "cuts": tuple(each.get("cuts", ()))}) for each in data["simulations"]),
            tuple(Skipped(**skipped) for skipped in data["skipped"]),
            data["runs"],
        )
        if not plan._is_possible():
            raise DataError("its plan has an impossible number of runs, shards or tables, or an impossible key")
        return plan

    def _is_possible(self) -> bool:
        """Return whether the numbers of a plan from a file have the right types and ranges."""
        numbers = [self.runs, *(simulation.shard_runs for simulation in self.simulations)]
        if not all(type(number) is int and number >= 1 for number in numbers):
            return False
        if sum(-(-self.runs // each.shard_runs) + len(each.cuts) for each in self.simulations) > _MOST_SHARDS:
            return False
        keys = {each.key for each in self.simulations}
        if keys != {""} and not all(isinstance(key, str) and _KEY.fullmatch(key) for key in keys):  # part of file names
            return False
        if not all(type(cut) is int and cut >= 1 for each in self.simulations for cut in each.cuts):
            return False
        places = [simulation.table for simulation in self.simulations]
        texts = [text for each in self.simulations for text in (each.strategy, each.label)]
        texts += [text for table in self.tables for text in (table.source, table.name, table.checksum, table.variant)]
        return (
            all(type(place) is int and 0 <= place < len(self.tables) for place in places)
            and all(isinstance(simulation.run_seconds, int | float) for simulation in self.simulations)
            and all(isinstance(text, str) for text in texts)
        )
