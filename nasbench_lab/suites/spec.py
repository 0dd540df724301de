"""A suite: which strategies search which tables, under which conditions; frozen plain data with a hash."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, final

from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.engine import MOST_WORKERS
from nasbench_lab.simulation.measurements import RepeatPolicy
from nasbench_lab.streams import check_seed
from nasbench_lab.suites.published import Published
from nasbench_lab.suites.strategy_strings import parse_strategy

WILDCARDS = "*?["
"""What makes a pattern of a name."""

_MOST_RUNS = 10**9
_MOST_OF_A_GRID = 10**4


@final
@dataclass(frozen=True)
class SuiteBudget:
    """Limits of one run, as a suite states them for tables with different fidelities.

    Attributes:
        evaluations: see `Budget`.
        epochs: see `Budget`.
        seconds: see `Budget`.
        trainings: as many epochs as so many trainings at the highest fidelity of the search take. So strategies of one
            and of several fidelities get the same on every table, also on those without times.

    >>> SuiteBudget(trainings=300).at(12)
    Budget(evaluations=None, epochs=3600, seconds=None)
    """

    evaluations: int | None = None
    epochs: int | None = None
    seconds: float | None = None
    trainings: int | None = None

    def __post_init__(self) -> None:
        _require_whole("budget.trainings", self.trainings, 1, _MOST_RUNS, optional=True)
        limits = {name: value for name, value in asdict(self).items() if value is not None}
        if not limits:
            raise ParameterError("a budget needs evaluations, epochs, seconds or trainings")
        limits.pop("trainings", None)
        for name, value in asdict(Budget(**limits)).items() if limits else ():
            object.__setattr__(self, name, value)  # as Budget has it: 300 for 300.0

    def at(self, fidelity: int) -> Budget:
        """Return the budget of a search whose highest fidelity is so many epochs."""
        epochs = [self.epochs] if self.epochs is not None else []
        if self.trainings is not None:
            epochs.append(self.trainings * fidelity)
        return Budget(self.evaluations, min(epochs) if epochs else None, self.seconds)

    def __str__(self) -> str:
        parts = [f"{value:g} {unit}" for unit, value in asdict(self).items() if value is not None]
        return ", ".join(parts)


@final
@dataclass(frozen=True)
class StrategyEntry:
    """One strategy of a suite, several that a pattern stands for, or one with a grid of parameters.

    Attributes:
        name: registered name, or a pattern like ``*`` or ``zero-cost-*``.
        parameters: its parameters.
        grid: parameters to the values to try, every combination of them: an ablation.
        optional: whether it may be left out where a table lacks what it needs, even of a suite with a single table.

    >>> entry = StrategyEntry("regularized-evolution", {"sample_size": 5}, {"population_size": [10, 20]})
    >>> [sorted(parameters.values()) for parameters in entry.combinations()]
    [[5, 10], [5, 20]]
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    optional: bool = False

    def __post_init__(self) -> None:
        _require_text("the name of a strategy", self.name)
        _require_bool("optional", self.optional)
        for key in ("parameters", "grid"):
            if not isinstance(getattr(self, key), Mapping):
                raise ParameterError(f"{key} of {self.name!r} must be a table of parameters and values")
        for key, value in self.parameters.items():
            _require_plain(f"parameter {key!r} of {self.name!r}", value)
        for key, values in self.grid.items():
            if not isinstance(values, list | tuple) or not values:
                raise ParameterError(f"grid.{key} of {self.name!r} must be a list of values, got {values!r}")
            if key in self.parameters:
                raise ParameterError(f"{key!r} of {self.name!r} is in the parameters and in the grid")
            for value in values:
                _require_plain(f"grid.{key} of {self.name!r}", value)
        if self.is_pattern and (self.parameters or self.grid):
            raise ParameterError(f"the pattern {self.name!r} stands for several strategies, which share no parameters")
        if math.prod(map(len, self.grid.values())) > _MOST_OF_A_GRID:
            raise ParameterError(f"the grid of {self.name!r} has more than {_MOST_OF_A_GRID} combinations")

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for several strategies."""
        return any(character in self.name for character in WILDCARDS)

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Yield the parameters of every combination of the grid; the last parameter changes fastest."""
        for values in itertools.product(*self.grid.values()):
            yield {**self.parameters, **dict(zip(self.grid, values, strict=True))}


@final
@dataclass(frozen=True)
class TableEntry:
    """One table of a suite, or several that a pattern stands for.

    Attributes:
        name: in the catalogue; or the path of a table file, seen from the suite's file; or a pattern of either.
        present: whether only those tables of the catalogue are meant that are on this machine already: converted
            earlier, or shipped with the package.
        budget: instead of the suite's.
        fidelity: instead of the suite's.
    """

    name: str
    present: bool = False
    budget: SuiteBudget | None = None
    fidelity: int | None = None

    def __post_init__(self) -> None:
        _require_text("the name of a table", self.name)
        _require_bool("present", self.present)
        _require_whole("fidelity", self.fidelity, 1, _MOST_RUNS, optional=True)
        object.__setattr__(self, "budget", _budget(self.budget))

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for several tables."""
        return self.present or any(character in self.name for character in WILDCARDS)


@final
@dataclass(frozen=True)
class Suite:
    """What to simulate: every strategy on every table, with the same runs.

    Args:
        strategies: entries, or names with parameters like ``regularized-evolution:population_size=20``.
        tables: entries, or names.
        budget: limits of every run; may be left out where every table has its own.
        title: one line for people; no part of the hash.
        runs: runs of every strategy on every table.
        fidelity: training epochs of an evaluation; by default each table's highest.
        repeat: what an evaluation observes: ``"sample"``, ``"mean"`` or the number of a repeat.
        workers: how many evaluations of a run happen at the same time.
        objectives: further metrics that strategies are told.
        limits: the most that a metric may be (or the least, where more is better), by its name.
        seed: root seed; run r of every strategy uses the streams of run r.
        published: what publications report, to be shown beside the results; no part of the hash.
        folder: where relative paths of table files begin; no part of the hash.

    Raises:
        ParameterError: a value makes no sense. Whether names exist, and tables have what is asked for, is found out
            when the suite is planned.

    >>> suite = Suite(["random-search"], ["digits/chain"], Budget(evaluations=50), runs=100)
    >>> suite.strategies[0].name, suite.hash[:8]
    ('random-search', 'd18e670b')
    """

    strategies: tuple[StrategyEntry, ...]
    tables: tuple[TableEntry, ...]
    budget: SuiteBudget | None = None
    title: str = ""
    runs: int = 1000
    fidelity: int | None = None
    repeat: RepeatPolicy = "sample"
    workers: int = 1
    objectives: tuple[str, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    published: tuple[Published, ...] = ()
    folder: Path = field(default=Path(), compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "strategies", tuple(map(_strategy, _listed("strategies", self.strategies))))
        object.__setattr__(self, "tables", tuple(map(_table, _listed("tables", self.tables))))
        object.__setattr__(self, "objectives", tuple(_listed("objectives", self.objectives, least=0)))
        object.__setattr__(self, "published", tuple(map(_published, _listed("published", self.published, least=0))))
        object.__setattr__(self, "budget", _budget(self.budget))
        _require_line("title", self.title)
        _require_whole("runs", self.runs, 1, _MOST_RUNS)
        _require_whole("workers", self.workers, 1, MOST_WORKERS)
        _require_whole("fidelity", self.fidelity, 1, _MOST_RUNS, optional=True)
        _require_whole("seed", self.seed, 0, 2**128 - 1)
        check_seed(self.seed, 0, self.runs)
        if self.repeat not in ("sample", "mean") and not _is_whole(self.repeat, 0):
            raise ParameterError(f'repeat must be "sample", "mean" or a number from 0, got {self.repeat!r}')
        self._check_goals()
        if self.budget is None and any(table.budget is None for table in self.tables):
            raise ParameterError("budget is missing; write evaluations, epochs, seconds or trainings under [budget]")

    def _check_goals(self) -> None:
        for name in self.objectives:
            _require_text("an objective", name)
        if not isinstance(self.limits, Mapping):
            raise ParameterError("limits must be a table of metrics and numbers")
        for name, limit in self.limits.items():
            if isinstance(limit, bool) or not isinstance(limit, int | float) or not math.isfinite(limit):
                raise ParameterError(f"limits.{name} must be a number, got {limit!r}")

    @property
    def spec(self) -> dict[str, Any]:
        """All that the suite says, as plain data: what was left out has its default."""
        data = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "folder"}
        data["strategies"] = [asdict(entry) for entry in self.strategies]
        data["tables"] = [asdict(entry) for entry in self.tables]
        data["published"] = [asdict(row) for row in self.published]
        data["budget"] = None if self.budget is None else asdict(self.budget)
        return json.loads(json.dumps(data))  # lists for tuples, as it is read again

    @property
    def hash(self) -> str:
        """SHA-256 of the `spec` without what changes no result, as JSON with sorted keys and without blanks."""
        data = {key: value for key, value in self.spec.items() if key not in ("title", "published")}
        return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _strategy(entry: Any) -> StrategyEntry:
    if isinstance(entry, str):
        name, parameters = parse_strategy(entry)
        return StrategyEntry(name, parameters)
    if not isinstance(entry, StrategyEntry):
        raise ParameterError(f"strategies are names or entries with a name, got {entry!r}")
    return entry


def _table(entry: Any) -> TableEntry:
    if isinstance(entry, str):
        return TableEntry(entry)
    if not isinstance(entry, TableEntry):
        raise ParameterError(f"tables are names or entries with a name, got {entry!r}")
    return entry


def _published(row: Any) -> Published:
    if not isinstance(row, Published):
        raise ParameterError(f"published rows are tables with strategy, table and source, got {row!r}")
    return row


def _budget(budget: Any) -> SuiteBudget | None:
    if isinstance(budget, Budget):
        return SuiteBudget(**asdict(budget))
    if budget is not None and not isinstance(budget, SuiteBudget):
        raise ParameterError(f"budget must have evaluations, epochs, seconds or trainings, got {budget!r}")
    return budget


def _listed(key: str, values: Any, least: int = 1) -> Iterable[Any]:
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise ParameterError(f"{key} must be a list, got {values!r}")
    if len(values) < least:
        raise ParameterError(f"{key} must name at least one")
    return values


def _require_text(what: str, value: Any) -> None:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ParameterError(f"{what} must be a text, got {value!r}")


def _require_line(key: str, value: Any) -> None:
    if not isinstance(value, str) or not value.isprintable():
        raise ParameterError(f"{key} must be one line of text, got {value!r}")


def _require_bool(key: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise ParameterError(f"{key} must be true or false, got {value!r}")


def _require_whole(key: str, value: Any, least: int, most: int, *, optional: bool = False) -> None:
    if optional and value is None:
        return
    if not _is_whole(value, least) or value > most:
        bound = f" up to {most}" if most < _MOST_RUNS else ""
        raise ParameterError(f"{key} must be a whole number from {least}{bound}, got {value!r}")


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _require_plain(what: str, value: Any) -> None:
    """Raise ParameterError unless JSON gives a value back as it was: numbers, texts, lists of them."""
    if value is None or isinstance(value, bool | int | str):
        return
    if isinstance(value, float) and math.isfinite(value):
        return
    if not isinstance(value, list | tuple):
        raise ParameterError(f"{what} must be a number, a text, true, false or a list of these, got {value!r}")
    for item in value:
        _require_plain(what, item)
