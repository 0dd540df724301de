"""The specification of a suite that is merged from several."""

from __future__ import annotations

import dataclasses
import fnmatch
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from nasbench_lab.errors import ParameterError
from nasbench_lab.suites.folder import SuiteFolder
from nasbench_lab.suites.planned_simulations import EVERY
from nasbench_lab.suites.spec import StrategyEntry, Suite, TableEntry

_SHARED = ("repeat", "workers", "objectives", "limits", "seed")
"""Conditions that a suite has once, for all tables."""

_Value = TypeVar("_Value")


def merged_suite(folders: Sequence[SuiteFolder]) -> tuple[Suite, tuple[list[str], list[str]]]:
    """Return the suite with the strategies and tables of all folders, and their labels and names in order.

    Suites with one specification stay as they are. Otherwise, patterns are replaced by the names that they matched.

    Raises:
        ParameterError: the suites differ in something that a suite has once.
    """
    suites, plans = [folder.suite for folder in folders], [folder.plan for folder in folders]
    labels = _each_once(label for plan in plans for label in plan.labels)
    tables = _each_once(table.label for plan in plans for table in plan.tables)
    _check_conditions(folders)
    _check_tables(folders)
    first = suites[0]
    same_strategies = _all_same(suite.strategies for suite in suites) and _all_same(set(plan.labels) for plan in plans)
    same_budget = _all_same((suite.conditions.budget, suite.conditions.fidelity) for suite in suites)
    same_tables = same_budget and _all_same(suite.tables for suite in suites)
    same_tables = same_tables and _all_same({table.name for table in plan.tables} for plan in plans)
    merged = Suite(
        strategies=first.strategies if same_strategies else _strategies(folders),
        tables=first.tables if same_tables else tuple(_tables(folders, same_budget=same_budget)),
        conditions=first.conditions
        if same_budget
        else dataclasses.replace(first.conditions, budget=None, fidelity=None),
        title=" + ".join(_each_once(suite.title for suite in suites if suite.title)),
        runs=max(suite.runs for suite in suites),
        published=tuple(_each_once(row for suite in suites for row in suite.published)),
        folder=Path(),
        variants=first.variants,
    )
    return merged, (labels, tables)


def _check_conditions(folders: Sequence[SuiteFolder]) -> None:
    first = folders[0]
    for other in folders[1:]:
        for name in _SHARED:
            values = [getattr(folder.suite.conditions, name) for folder in (first, other)]
            if values[0] != values[1]:
                what = f"{name} is {values[0]!r} in {first.path} and {values[1]!r} in {other.path}"
                raise _cannot(first, other, what)
        if first.suite.variants != other.suite.variants:
            raise _cannot(first, other, f"the variants of {first.path} and {other.path} are different")


def _check_tables(folders: Sequence[SuiteFolder]) -> None:
    """Raise ParameterError if a table has another content, or is searched otherwise, in another suite."""
    known: dict[str, tuple[SuiteFolder, Any]] = {}
    for folder in folders:
        for table in folder.plan.tables:
            other, same = known.setdefault(table.label, (folder, table))
            if same.checksum != table.checksum:
                raise _cannot(other, folder, f"{table.name} has another content in {other.path} than in {folder.path}")
            if same.conditions != table.conditions:
                what = f"{table.label} is searched under different conditions in {other.path} and {folder.path}"
                raise _cannot(other, folder, f"{what} ({_differing(same.conditions, table.conditions)})")


def _differing(one: Any, other: Any) -> str:
    name = next(each.name for each in dataclasses.fields(one) if getattr(one, each.name) != getattr(other, each.name))
    return f"{name} {getattr(one, name)} and {getattr(other, name)}"


def _cannot(one: SuiteFolder, other: SuiteFolder, why: str) -> ParameterError:
    remedy = f"report them together instead: nasbench-lab report {one.path} {other.path}"
    return ParameterError(f"{why}, which one suite cannot have; {remedy}")


def _strategies(folders: Sequence[SuiteFolder]) -> tuple[StrategyEntry, ...]:
    """Return one entry for each strategy of all suites, in order of appearance."""
    simulations = [each for folder in folders for each in folder.plan.simulations]
    labels = {(each.strategy, _text(dict(each.parameters))): each.label for each in simulations}
    first = {each.label: each for each in reversed(simulations)}
    found: dict[tuple[str, str], StrategyEntry] = {}
    for entry in (one for folder in folders for one in _expanded(folder)):
        # The same strategy can be written differently: with a default, or with another path to the same file.
        same = first.get(labels.get((entry.name, _text(dict(entry.parameters))), ""))
        name, parameters = (entry.name, entry.parameters) if same is None else (same.strategy, same.parameters)
        key = name, _text(dict(parameters))
        optional, variants = entry.optional, entry.variants
        if key in found:
            optional = optional or found[key].optional
            both = variants and found[key].variants  # without names, it runs under all
            variants = tuple(_each_once([*found[key].variants, *variants])) if both else ()
        found[key] = StrategyEntry(name, dict(parameters), optional=optional, variants=variants)
    return tuple(found.values())


def _expanded(folder: SuiteFolder) -> Iterator[StrategyEntry]:
    """Yield the strategies of a suite without grids and patterns."""
    entries, plan = folder.suite.strategies, folder.plan
    named = {entry.name for entry in entries if not entry.is_pattern}
    matched = [each.strategy for each in plan.simulations if not each.parameters]
    matched += [each.strategy for each in plan.skipped]
    for entry in entries:
        if entry.is_pattern:
            names = (name for name in _each_once(matched) if fnmatch.fnmatchcase(name, entry.name))
            yield from (
                StrategyEntry(name, optional=True, variants=entry.variants)
                for name in names
                if name not in (*named, EVERY)
            )
        else:
            for parameters in entry.combinations():
                yield StrategyEntry(entry.name, parameters, optional=entry.optional, variants=entry.variants)


def _tables(folders: Sequence[SuiteFolder], *, same_budget: bool) -> Iterator[TableEntry]:
    """Yield one entry per table; entries repeat budget and fidelity where those of the suites differ."""
    seen: set[str] = set()
    for folder in folders:
        conditions, entries = folder.suite.conditions, folder.suite.tables
        for table in folder.plan.tables:
            if table.name in seen:
                continue
            seen.add(table.name)
            entry = next((one for one in entries if one.name == table.source), None)
            entry = entry or next((one for one in entries if fnmatch.fnmatchcase(table.source, one.name)), entries[0])
            budget, fidelity = entry.budget, entry.fidelity
            if not same_budget:
                budget = budget or conditions.budget
                fidelity = conditions.fidelity if fidelity is None else fidelity
            yield TableEntry(table.source, budget=budget, fidelity=fidelity)


def _text(data: Any) -> str:
    return json.dumps(data, sort_keys=True, default=list)


def _all_same(values: Iterable[Any]) -> bool:
    return len(_each_once(values)) <= 1


def _each_once(values: Iterable[_Value]) -> list[_Value]:
    found: list[_Value] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found
