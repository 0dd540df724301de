"""The plan of a suite: its strategies, tables and runs, in shards of a few seconds each."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nasbench_lab.errors import MissingDataError, NasbenchLabError, ParameterError
from nasbench_lab.messages import first_line
from nasbench_lab.simulation.conditions import Conditions, Prepared
from nasbench_lab.simulation.provenance import origin
from nasbench_lab.simulation.table_searches import TableSearch
from nasbench_lab.strategies.lookup import split_path
from nasbench_lab.suites.comparison import check_different
from nasbench_lab.suites.planned_simulations import (
    EVERY,
    Plan,
    PlannedTable,
    Simulation,
    Skipped,
    simulation_key,
    table_label,
)
from nasbench_lab.suites.searches import check_search_name, find_search, matching_names, plain_label, unavailable
from nasbench_lab.suites.spec import Suite, TableEntry
from nasbench_lab.suites.variants import Variant
from nasbench_lab.tables import Table, catalogue, load
from nasbench_lab.tables.tables_in_code import code_file, is_in_code


class _Place(NamedTuple):
    """Where simulations belong in a plan.

    Attributes:
        number: index of the table in the plan.
        label: name of the table, with the variant.
        variant: name of the variant; empty for none.
        strict: whether something that cannot be simulated is an error.
    """

    number: int
    label: str
    variant: str
    strict: bool


class _Candidate(NamedTuple):
    """An entry of a suite after patterns and grids are resolved.

    Attributes:
        search: what to simulate; None if it needs a package that is not installed.
        label: its label.
        name: its name or path in the suite.
        parameters: that the suite gives.
        may_be_left_out: whether it is skipped if the suite's only table lacks what it needs.
        code: SHA-256 of the file that defines it; empty for a name.
        variants: names of the variants under which it runs; empty for all.
    """

    search: TableSearch | None
    label: str
    name: str
    parameters: Mapping[str, Any]
    may_be_left_out: bool
    code: str = ""
    variants: Sequence[str] = ()


def make_plan(suite: Suite) -> Plan:
    """Resolve names and patterns, open the tables and check what every strategy needs.

    If a table lacks something that a strategy needs, the pair is skipped. It is an error only if the strategy and the
    suite's only table are both given by name.

    Raises:
        UnknownNameError: no strategy, parameter or table has that name.
        ParameterError: a parameter is invalid, something is listed twice, or nothing is left to simulate.
        SourceError, DataError: a table cannot be opened.
        MissingDataError: the only table lacks something that a strategy given by name needs.

    >>> from nasbench_lab.simulation import Budget
    >>> plan = make_plan(Suite(["random-search"], ["digits/chain"], Budget(evaluations=50), runs=100))
    >>> [(shard.first_run, shard.runs) for shard in plan.shards]
    [(0, 100)]
    """
    candidates = list(_candidates(suite))
    check_different("strategy", [candidate.label for candidate in candidates])
    sources, skipped = _sources(suite)
    strict = len(suite.tables) == 1 and not suite.tables[0].is_pattern and not suite.variants
    planned: list[PlannedTable] = []
    simulations: list[Simulation] = []
    for source, entry in sources:
        table = load(table_path(suite.folder, source))
        seen: dict[str, str] = {}  # keys of the simulations on this table, and the variants that have them
        for variant in suite.variants or (None,):
            name = "" if variant is None else variant.name
            what = table_label(table.name, name)
            conditions = _conditions(suite, entry, variant)
            try:
                prepared = conditions.on(table)
                _check_worth(table, variant)
            except NasbenchLabError as error:
                if strict:
                    raise
                skipped.append(Skipped(EVERY, what, first_line(error)))
                continue
            place = _Place(len(planned), what, name, strict)
            doable, left_out = _split(candidates, table, prepared, place, seen)
            simulations += doable
            skipped += left_out
            if doable:
                resolved = dataclasses.replace(conditions, budget=prepared.conditions.budget)
                facts = origin(table.description)
                planned.append(PlannedTable(source, table.name, table.checksum, resolved, facts, name))
    check_different("table", [table.label for table in planned])
    if not simulations:
        reasons = "; ".join(f"{skip.strategy} on {skip.table}: {skip.reason}" for skip in skipped[:1])
        raise ParameterError(f"nothing is left to simulate: {reasons}")
    return Plan(tuple(planned), tuple(simulations), tuple(skipped), suite.runs)


def table_path(folder: Path, source: str) -> str:
    """Return the argument of `load` for a table; relative paths of files are relative to the folder."""
    if catalogue.is_table_file(source):
        return str((folder / source).absolute())
    if is_in_code(source) and (file := code_file(source)):
        return f"{(folder / file).absolute()}{source[len(file) :]}"
    return source


def strategy_path(folder: Path, name: str) -> str:
    """Return the argument of `find_strategy` for a strategy; relative paths of files are relative to the folder."""
    place, parameters = split_path(name)
    file, _, kind = place.rpartition(":")
    if not file.endswith(".py"):
        return name
    return ":".join(filter(None, (str((folder / file).absolute()), kind, parameters)))


def code_digest(path: str) -> str:
    """Return the SHA-256 of the file that defines a strategy given by its place; empty for a registered strategy."""
    place, _ = split_path(path)
    file, _, _ = place.rpartition(":")
    if not place:
        return ""
    if not file.endswith(".py"):
        try:
            spec = importlib.util.find_spec(file)
        except (ImportError, ValueError):  # it is not there any more
            return ""
        file = spec.origin if spec is not None and spec.has_location and spec.origin else ""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else ""


def _split(
    candidates: Sequence[_Candidate], table: Table, prepared: Prepared, place: _Place, seen: dict[str, str]
) -> tuple[list[Simulation], list[Skipped]]:
    """Return the simulations on one table under one variant, and what is skipped.

    Args:
        candidates: the strategies.
        table: the table.
        prepared: the conditions.
        place: where they belong.
        seen: keys of simulations under earlier variants, with the names of these; gets those of this one.
    """
    doable, left_out = [], []
    for candidate in candidates:
        search, label = candidate.search, candidate.label
        if candidate.variants and place.variant not in candidate.variants:
            reason = f"the suite runs it only under {' and '.join(candidate.variants)}"
            left_out.append(Skipped(label, place.label, reason))
            continue
        if search is None:
            left_out.append(Skipped(label, place.label, unavailable(candidate.name)))
            continue
        reason = search.lacking(table, prepared)
        if reason and place.strict and not candidate.may_be_left_out:
            raise MissingDataError(f"{label!r} cannot search {place.label!r}: {reason}")
        if reason:
            left_out.append(Skipped(label, place.label, reason))
            continue
        key = simulation_key(search.setting(table, prepared), candidate.code)
        if key in seen:
            left_out.append(Skipped(label, place.label, f"the conditions are those of {seen[key]}"))
            continue
        seen[key] = place.variant
        size, seconds = search.shard_size(table, prepared)
        parameters, version = dict(candidate.parameters), search.version
        made = Simulation(place.number, candidate.name, parameters, label, size, seconds, version, candidate.code, key)
        doable.append(made)
    return doable, left_out


def _conditions(suite: Suite, entry: TableEntry, variant: Variant | None) -> Conditions:
    """Return the conditions on a table: those of the suite, replaced by the table's entry, then by the variant."""
    fidelity = entry.fidelity if entry.fidelity is not None else suite.conditions.fidelity
    budget = entry.budget or suite.conditions.budget
    conditions = dataclasses.replace(suite.conditions, budget=budget, fidelity=fidelity)
    return conditions if variant is None else variant.of(conditions)


def _check_worth(table: Table, variant: Variant | None) -> None:
    """Raise MissingDataError if a variant asks for means of repeats, and there is one repeat."""
    if variant is not None and variant.replaced.get("repeat") == "mean" and table.repeats == 1:
        raise MissingDataError("it has one repeat, so the mean over repeats is what every evaluation observes")


def _candidates(suite: Suite) -> Iterator[_Candidate]:
    """Yield all strategies in order. A pattern does not repeat strategies that another entry names."""
    entries = suite.strategies
    taken = {entry.name for entry in entries if not entry.is_pattern}
    for entry in entries:
        if not entry.is_pattern:
            path = strategy_path(suite.folder, entry.name)
            for parameters in entry.combinations():
                found = _candidate(path, entry.name, parameters, entry.optional)
                yield found._replace(variants=entry.variants)
            continue
        names = matching_names(entry.name)
        for name in names:
            if name not in taken:
                yield _candidate(name, name, {}, may_be_left_out=True)._replace(variants=entry.variants)
        taken.update(names)


def _candidate(path: str, name: str, parameters: Mapping[str, Any], may_be_left_out: bool) -> _Candidate:
    if unavailable(path):
        check_search_name(path)
        return _Candidate(None, plain_label(path, parameters), name, parameters, may_be_left_out)
    search = find_search(path, parameters)
    return _Candidate(search, search.label, name, parameters, may_be_left_out, code_digest(path))


def _sources(suite: Suite) -> tuple[list[tuple[str, TableEntry]], list[Skipped]]:
    """Return the sources of the tables, in order. A pattern does not repeat tables that another entry names."""
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
    """Return what a pattern matches: names in the catalogue, or table files."""
    if catalogue.is_table_file(entry.name):
        where = Path(entry.name)
        root = Path(where.anchor) if where.is_absolute() else folder
        files = sorted(root.glob(str(where.relative_to(where.anchor))))
        if not files:
            raise MissingDataError(f"no table file matches {entry.name!r} in {folder.absolute()}")
        return [str(path) if where.is_absolute() else path.relative_to(folder).as_posix() for path in files]
    names = catalogue.matching([entry.name])
    return [name for name in names if catalogue.is_present(name)] if entry.present else names
