"""Importing logs as results."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import one_of
from nasbench_lab.errors import DataError, ImportedResultsWarning, ParameterError
from nasbench_lab.messages import shortened
from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.logs.formats import LogFormat, find_log_format
from nasbench_lab.simulation.logs.log import LogSource, ReadOptions, Reports, SearchLog, digest
from nasbench_lab.simulation.logs.tabular import joined_cells
from nasbench_lab.simulation.measurements import RepeatPolicy
from nasbench_lab.simulation.results import Results
from nasbench_lab.simulation.steps.arrange import Arranged, StatedConditions, arranged
from nasbench_lab.simulation.steps.columns import StepColumns, first_row
from nasbench_lab.simulation.steps.options import name_of_strategy, step_options
from nasbench_lab.simulation.trace import Trace
from nasbench_lab.tables.catalogue import load
from nasbench_lab.tables.importers.columns.cells import Cells
from nasbench_lab.tables.importers.columns.hints import option
from nasbench_lab.tables.table import Table


class _Part(NamedTuple):
    """The rows of one strategy on one table in a log."""

    log: SearchLog
    format: LogFormat
    columns: StepColumns


def import_results(
    sources: Any,
    *,
    table: Table | str | os.PathLike[str] | None = None,
    strategy: str | None = None,
    format: str = "auto",  # noqa: A002 - the name that users expect
    columns: Mapping[str, str] | None = None,
    budget: Budget | None = None,
    repeat: RepeatPolicy | None = None,
    workers: int | None = None,
    seed: int | None = None,
    delimiter: str | None = None,
    encoding: str = "utf-8",
    reports: Reports = "all",
    **options: Any,
) -> Results:
    """Import the logs of other programs that searched a table, as results like any others.

    The logs' values are kept as observed values, and the table gives the true regrets. No file can run code.
    `docs/import-results.md` describes the formats and the rules.

    Args:
        sources: one log or several: paths of files or folders, addresses of databases, or studies of Optuna. Without a
            column ``run``, each is one run.
        table: the table that was searched, its name, or the path of a table file, if the logs do not name it.
        strategy: name of the strategy, if the logs do not name it, or in place of the name in the logs.
        format: name of the format; ``"auto"`` to detect it by content.
        columns: where a column has another name, its name in the logs, such as ``{"value": "val_acc"}``.
        budget: limits per run, which end the runs; by default the longest run.
        repeat: what an evaluation observed, see `Conditions`; by default judged by the values.
        workers: number of workers per run.
        seed: root seed.
        delimiter: separator of the cells of CSV files; by default taken from the header.
        encoding: encoding of CSV and JSON files.
        reports: of trainings that report several times, whether ``"all"`` reports are evaluations, or only the
            ``"last"`` of each training.
        **options: how to read the steps: ``unit``, ``error``, ``negated``, ``durations``, ``clock``, ``order``,
            ``fidelity`` and ``check``; see `nasbench_lab.simulation.StepOptions`.

    Returns:
        The results, one simulation for every strategy on every table.

    Raises:
        DataError: a file is missing, damaged or hostile, or its format is not supported.
        ParameterError: the logs contradict themselves or the table, or an option is not allowed.
        MissingDataError: the table lacks what the clock or the budget needs.
        UnknownNameError: no such table, format, column or fidelity.

    Warns:
        ImportedResultsWarning: something that a reader of the results should know.

    >>> import tempfile
    >>> import nasbench_lab as nl
    >>> trace = nl.simulate("digits/chain", "random-search", runs=2, budget=nl.Budget(evaluations=3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = trace.records().to_csv(f"{folder}/theirs.csv")
    ...     found = import_results(path, strategy="theirs")
    >>> found, bool((found.trace(0).regret("test") == trace.regret("test")).all())
    (<Results: 1 simulation, 1 strategy, 1 table>, True)
    """
    step_options(options)  # raises an error
    one_of("reports", reports, get_args(Reports))
    reading = ReadOptions(dict(columns or {}), delimiter, encoding, reports)
    stated = StatedConditions(budget, repeat, workers, seed)
    given = None if strategy is None else name_of_strategy(strategy)
    groups: dict[tuple[str, str], list[_Part]] = {}
    tables: dict[str, Table] = {}
    for source in map(LogSource.of, _several(sources)):
        found = find_log_format(source, format)
        for log in found.read(source, reading):
            if not len(log.columns):
                raise DataError(f"{source} has no evaluations")
            for name, where, rows in _split(log, given, table, source):
                if where not in tables:
                    tables[where] = table if isinstance(table, Table) else load(where)
                groups.setdefault((name, where), []).append(_Part(_noted(log, tables[where]), found, rows))
    made = {key: _arranged(parts, tables[key[1]], key[0], options, stated) for key, parts in groups.items()}
    for where, found_table in tables.items():
        shared = _shared([one for (_, other), (one, _) in made.items() if other == where])
        for key, (one, _) in made.items():
            if key[1] == where and one.setting.conditions != shared:
                made[key] = _arranged(groups[key], found_table, key[0], options, stated, shared)
    for (name, where), (_, notes) in made.items():
        start = f"{name} on {where}: " if len(groups) > 1 else ""
        for note in notes:
            warnings.warn(f"{start}{note}", ImportedResultsWarning, stacklevel=2)
    return Results.of([Trace(one.setting, one.reference, **one.arrays) for one, _ in made.values()])


def _noted(log: SearchLog, table: Table) -> SearchLog:
    """Return a log with a note if it names another table than the one that is used."""
    said = [] if log.columns.is_empty("table") else log.columns.distinct("table")[0]
    if len(said) != 1 or said[0] == table.name:
        return log
    note = f"the log is of table {shortened(said[0])}, but compared with {table.name}"
    return dataclasses.replace(log, notes=tuple(dict.fromkeys([*log.notes, note])))


def _several(sources: Any) -> list[Any]:
    """Return the logs as a list."""
    if isinstance(sources, Mapping) or hasattr(sources, "columns"):
        raise ParameterError("these are evaluations in memory, not a log; make a trace of them with Trace.from_steps")
    alone = isinstance(sources, str | os.PathLike) or not isinstance(sources, Iterable)
    found = [sources] if alone else list(sources)
    if not found:
        raise ParameterError("there are no logs to import")
    return found


def _split(log: SearchLog, strategy: str | None, table: Any, source: LogSource) -> list[tuple[str, str, StepColumns]]:
    """Return the rows of every strategy on every table in a log."""
    columns = log.columns
    names, name = _labels(columns, "strategy", strategy, log.strategy, source)
    wanted = None if table is None else table.name if isinstance(table, Table) else os.fspath(table)
    tables, place = _labels(columns, "table", wanted, "", source)
    rest = columns.without("strategy", "table")
    found = []
    for key in np.unique(name * len(tables) + place).tolist():
        rows = np.flatnonzero(name * len(tables) + place == key)
        part = rest if len(rows) == len(columns) else rest.take(rows)
        found.append((names[key // len(tables)], tables[key % len(tables)], part))
    return found


def _labels(
    columns: StepColumns, name: str, given: str | None, default: str, source: LogSource
) -> tuple[list[str], IntArray]:
    """Return the strategies or the tables, and the position of each row's: as given, as in its column, or a default."""
    everywhere = np.zeros(len(columns), dtype=np.int64)
    if columns.is_empty(name):
        label = given or default
        if not label:
            raise ParameterError(f"{source} does not name the {name}; give it as {option(name)}")
        return [label], everywhere
    known, place = columns.distinct(name)
    if given is not None:
        if len(known) > 1:
            shown = ", ".join(map(repr, known[:4]))
            several = "strategies" if name == "strategy" else "tables"
            raise ParameterError(f"{source} has several {several} ({shown}), so they cannot all be {given!r}")
        return [given], everywhere
    if "" in known:
        raise ParameterError(f"{columns.row(first_row(place, known.index('')))} has no {name}")
    return known, place


def _arranged(
    parts: Sequence[_Part],
    table: Table,
    strategy: str,
    given: Mapping[str, Any],
    stated: StatedConditions,
    shared: Conditions | None = None,
) -> tuple[Arranged, list[str]]:
    """Return the steps of a strategy on a table as the parts of a trace, and notes."""
    usual = [part.log.options for part in parts]
    if any(each != usual[0] for each in usual):
        raise ParameterError(f"the logs of {strategy} have different formats; import each format into its own folder")
    options = step_options({**usual[0], **given})
    located = [
        part.log.locate(table, part.columns, options) if part.log.locate is not None else part.columns for part in parts
    ]
    facts: dict[str, Any] = {}
    for part in parts:
        for key, fact in part.log.facts.items():
            facts[key] = [*facts.get(key, ()), *fact] if isinstance(fact, list) else fact
    origin = {
        "format": ", ".join(dict.fromkeys(part.format.name for part in parts)),
        "files": [{"name": path.name, "sha256": digest(path)} for path in _files(parts)],
        **facts,
    }
    made = arranged(_joined(located), table, strategy, options, stated, origin, shared)
    notes = [note for part in parts for note in part.log.notes]
    return made, list(dict.fromkeys([*notes, *made.notes]))


def _files(parts: Sequence[_Part]) -> list[Path]:
    return list(dict.fromkeys(part.log.file for part in parts if part.log.file is not None))


def _shared(made: Sequence[Arranged]) -> Conditions:
    """Return conditions that hold for all strategies on one table, so that they can be compared.

    The budget is the largest: in seconds if that of one strategy is, and all have times.
    """
    conditions = [one.setting.conditions for one in made]
    fidelity = max(one.fidelity for one in conditions if one.fidelity is not None)
    repeat: RepeatPolicy = "mean" if all(one.repeat == "mean" for one in conditions) else "sample"
    ends = [float(np.nanmax(one.arrays["time"], initial=0.0)) for one in made]
    steps = max(one.arrays["architecture"].shape[1] for one in made)
    in_seconds = any(one.stated_budget.seconds is not None for one in conditions) and min(ends) > 0
    budget = Budget(seconds=max(ends)) if in_seconds else Budget(evaluations=steps)
    return dataclasses.replace(conditions[0], budget=budget, fidelity=fidelity, repeat=repeat)


def _joined(parts: Sequence[StepColumns]) -> StepColumns:
    """Return the steps of several logs together; those without a column ``run`` are one run each."""
    if any("run" in part for part in parts) and not all("run" in part for part in parts):
        raise ParameterError("some logs have a column 'run' and others do not; import them into different folders")
    if len(parts) == 1:
        return parts[0]
    if "run" not in parts[0]:
        parts = [
            dataclasses.replace(part, cells={**part.cells, "run": np.full(len(part), number)})
            for number, part in enumerate(parts)
        ]
    names = dict.fromkeys(name for part in parts for name in part.cells)
    cells: dict[str, Cells] = {
        name: joined_cells([part.cells.get(name, [""] * len(part)) for part in parts]) for name in names
    }
    firsts = np.cumsum([0, *(len(part) for part in parts)])

    def row(position: int) -> str:
        part = int(np.searchsorted(firsts, position, side="right")) - 1
        return parts[part].row(position - int(firsts[part]))

    ignored = tuple(dict.fromkeys(name for part in parts for name in part.ignored))
    return StepColumns(cells, row, ignored)
