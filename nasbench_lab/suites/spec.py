"""The specification of a suite: strategies, tables and conditions, as frozen plain data with a hash."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, final

from nasbench_lab.checks import AtLeast, AtMost, flag, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.simulation.budget import KINDS, Budget
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.published import Published
from nasbench_lab.strategies import Strategy
from nasbench_lab.strategies.lookup import parse_parameters, parse_strategy, split_path
from nasbench_lab.strategies.places import named_strategy
from nasbench_lab.streams import MOST_RUNS, check_seed
from nasbench_lab.suites.suite_display import suite_card, suite_line
from nasbench_lab.suites.variants import Variant

WILDCARDS = "*?["
"""Characters that make a name a pattern."""

_MOST_OF_A_GRID = 10**4


@final
@dataclass(frozen=True)
class StrategyEntry:
    """One strategy of a suite, a pattern that matches several, or one with a grid of parameters.

    Attributes:
        name: registered name, a pattern like ``*`` or ``zero-cost-*``, ``file.py:Class`` with a path relative to the
            suite's file, or ``package.module:Class``.
        parameters: its parameters.
        grid: for each parameter, the values to try; every combination is simulated, as in an ablation.
        optional: whether to skip it if a table lacks something that it needs, even in a suite with a single table.
        variants: names of the variants of the suite under which it runs; empty for all.

    >>> entry = StrategyEntry("regularized-evolution", {"sample_size": 5}, {"population_size": [10, 20]})
    >>> [sorted(parameters.values()) for parameters in entry.combinations()]
    [[5, 10], [5, 20]]
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    optional: bool = False
    variants: Sequence[str] = ()

    def __post_init__(self) -> None:
        _require_text("the name of a strategy", self.name)
        flag("optional", self.optional)
        if not isinstance(self.variants, list | tuple) or not all(isinstance(name, str) for name in self.variants):
            raise ParameterError(f"variants of {self.name!r} must be a list of names, got {self.variants!r}")
        object.__setattr__(self, "variants", tuple(self.variants))
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
        """Whether the name is a pattern."""
        return not split_path(self.name)[0] and any(character in self.name for character in WILDCARDS)

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Yield the parameters of every combination of the grid; the last parameter changes fastest."""
        for values in itertools.product(*self.grid.values()):
            yield {**self.parameters, **dict(zip(self.grid, values, strict=True))}


@final
@dataclass(frozen=True)
class TableEntry:
    """One table of a suite, or a pattern that matches several.

    Attributes:
        name: name in the catalogue, path of a table file relative to the suite's file, or a pattern of either.
        present: whether to match only tables of the catalogue that are already on this machine: converted earlier, or
            bundled with the package.
        budget: replaces the budget of the suite.
        fidelity: replaces the fidelity of the suite.
    """

    name: str
    present: bool = False
    budget: Budget | None = None
    fidelity: int | None = None

    def __post_init__(self) -> None:
        _require_text("the name of a table", self.name)
        flag("present", self.present)
        if self.fidelity is not None:
            object.__setattr__(self, "fidelity", whole("fidelity", self.fidelity, AtLeast(1)))
        if self.budget is not None and not isinstance(self.budget, Budget):
            raise ParameterError(f"budget must be a Budget, got {self.budget!r}")

    @property
    def is_pattern(self) -> bool:
        """Whether the entry can match several tables."""
        return self.present or any(character in self.name for character in WILDCARDS)


@final
@dataclass(frozen=True, repr=False)
class Suite:
    """A suite: every strategy on every table, with the same runs.

    Args:
        strategies: entries, or names with parameters like ``regularized-evolution:population_size=20``,
            ``file.py:Class``, or ``package.module:Class``. Objects and classes of files and modules become entries,
            too; those of a notebook have no place where the suite finds them again.
        tables: entries, or names.
        conditions: budget, fidelity, repeat, workers, objectives, limits and seed, or only a budget. The budget may be
            missing if every table has its own.
        title: one line of text; not part of the hash.
        runs: number of runs of every strategy on every table; run r of every strategy uses the random streams of run r.
        published: published results to show beside the suite's results; not part of the hash.
        folder: folder to which paths of files are relative; not part of the hash.
        variants: names and conditions that replace those of the suite. Every table is searched once under each of
            them; without variants, once under the conditions of the suite.

    Raises:
        ParameterError: a value is invalid. Names and the data in tables are checked later, by `make_plan`.

    >>> suite = Suite(["random-search"], ["digits/chain"], Budget(evaluations=50), runs=100)
    >>> suite.strategies[0].name, suite.hash[:8]
    ('random-search', 'd18e670b')
    """

    strategies: tuple[StrategyEntry, ...]
    tables: tuple[TableEntry, ...]
    conditions: Conditions = field(default_factory=Conditions)
    title: str = ""
    runs: int = 1000
    published: tuple[Published, ...] = ()
    folder: Path = field(default=Path(), compare=False)
    variants: tuple[Variant, ...] = ()

    def __post_init__(self) -> None:
        entries = tuple(_strategy(entry, self.folder) for entry in _listed("strategies", self.strategies))
        object.__setattr__(self, "strategies", entries)
        object.__setattr__(self, "tables", tuple(map(_table, _listed("tables", self.tables))))
        object.__setattr__(self, "published", tuple(map(_published, _listed("published", self.published, least=0))))
        object.__setattr__(self, "conditions", Conditions.of(self.conditions))
        _require_line("title", self.title)
        object.__setattr__(self, "runs", whole("runs", self.runs, AtLeast(1), AtMost(MOST_RUNS)))
        check_seed(self.conditions.seed, 0, self.runs)
        object.__setattr__(self, "variants", tuple(map(_variant, _listed("variants", self.variants, least=0))))
        self._check_variants()
        unlimited = not self.variants or any(variant.budget is None for variant in self.variants)
        if self.conditions.budget is None and unlimited and any(table.budget is None for table in self.tables):
            names = ", ".join(kind.name for kind in KINDS)
            raise ParameterError(f"budget is missing; write one of {names} under [budget]")

    def _check_variants(self) -> None:
        """Raise an error if two variants have one name, or a strategy names one that is not there."""
        names = [variant.name for variant in self.variants]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ParameterError(f"variant {twice!r} is listed twice")
        for name in (name for entry in self.strategies for name in entry.variants):
            if name not in names:
                raise unknown("variant", name, names, instead="the suite has no variants")

    def __repr__(self) -> str:
        strategies, tables = [entry.name for entry in self.strategies], [entry.name for entry in self.tables]
        return suite_line(self.title, strategies, tables, self.runs)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the conditions, the strategies and the tables."""
        strategies = [(entry.name, {**entry.parameters, **entry.grid}) for entry in self.strategies]
        tables = [(entry.name, entry.budget, entry.fidelity) for entry in self.tables]
        variants = [(variant.name, variant.replaced) for variant in self.variants]
        return suite_card(self.title, self.conditions, self.runs, strategies, tables, variants)

    @property
    def spec(self) -> dict[str, Any]:
        """The suite as plain data, with defaults filled in."""
        data = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "folder"}
        data |= {**data.pop("conditions").to_data(), "budget": _budget_data(self.conditions.budget)}
        data["strategies"] = [_without_empty(asdict(entry), "variants") for entry in self.strategies]
        data["tables"] = [{**asdict(entry), "budget": _budget_data(entry.budget)} for entry in self.tables]
        data["published"] = [asdict(row) for row in self.published]
        data["variants"] = [variant.to_data() for variant in self.variants]
        data = _without_empty(data, "variants")
        return json.loads(json.dumps(data))  # lists instead of tuples, as after reading

    @property
    def hash(self) -> str:
        """SHA-256 of `spec` as JSON, with sorted keys, no spaces, and without title and published."""
        data = {key: value for key, value in self.spec.items() if key not in ("title", "published")}
        return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _strategy(entry: Any, folder: Path) -> StrategyEntry:
    if isinstance(entry, str):
        place, text = split_path(entry)
        if place:
            return StrategyEntry(place, parse_parameters(entry, text) if text else {})
        return StrategyEntry(*parse_strategy(entry))
    if isinstance(entry, Strategy) or callable(entry):
        return StrategyEntry(*named_strategy(entry, folder))
    if not isinstance(entry, StrategyEntry):
        raise ParameterError(f"strategies are names or entries with a name, got {entry!r}")
    return entry


def _table(entry: Any) -> TableEntry:
    if isinstance(entry, str):
        return TableEntry(entry)
    if not isinstance(entry, TableEntry):
        raise ParameterError(f"tables are names or entries with a name, got {entry!r}")
    return entry


def _variant(entry: Any) -> Variant:
    if not isinstance(entry, Variant):
        raise ParameterError(f"variants have a name and conditions, got {entry!r}")
    return entry


def _without_empty(data: dict[str, Any], key: str) -> dict[str, Any]:
    """Return data without a key whose value is empty: older specifications do not have it, and keep their hash."""
    return data if data[key] else {name: value for name, value in data.items() if name != key}


def _published(row: Any) -> Published:
    if not isinstance(row, Published):
        raise ParameterError(f"published rows are tables with strategy, table and source, got {row!r}")
    return row


def _budget_data(budget: Budget | None) -> dict[str, Any] | None:
    """Return a budget as plain data; its keys are part of the hash of a suite."""
    return None if budget is None else {**budget.to_data(), "trainings": budget.trainings}


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


def _require_plain(what: str, value: Any) -> None:
    """Raise ParameterError unless a value is unchanged by JSON: numbers, texts, and lists and tables of them."""
    if value is None or isinstance(value, bool | int | str):
        return
    if isinstance(value, float) and math.isfinite(value):
        return
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        value = list(value.values())
    if not isinstance(value, list | tuple):
        raise ParameterError(
            f"{what} must be a number, a text, true, false, or a list or table of these, got {value!r}"
        )
    for item in value:
        _require_plain(what, item)
