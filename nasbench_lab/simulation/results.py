"""Results: traces that are read one simulation at a time, since all of them together may not fit into memory."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from nasbench_lab.displays import counted, html_card, html_table
from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.messages import shortened
from nasbench_lab.plain_files import is_folder, is_plain
from nasbench_lab.records import Records
from nasbench_lab.simulation.concatenation import concatenate
from nasbench_lab.simulation.provenance import provenance, trained_searches
from nasbench_lab.simulation.setting import Setting, joined_setting, same_but_runs
from nasbench_lab.simulation.stored_runs import StoredRuns, check_same, in_file, in_memory
from nasbench_lab.simulation.trace import Trace
from nasbench_lab.simulation.trace_files import TraceReader, read_headers, setting_text

if TYPE_CHECKING:
    import pandas as pd

TRACES = "traces.h5"
"""Name of the traces file in a folder of ``nasbench-lab run``."""


@final
class Results:
    """The simulations of a comparison or a suite: every strategy on every table.

    Args:
        parts: the stored runs. Parts of one simulation, which differ only in the first run, are joined in the order of
            their runs.
        provenance: see `Results.provenance`.

    Raises:
        ParameterError: there are no parts.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> options = {"runs": 2, "budget": nl.Budget(evaluations=3)}
    >>> names = ("random-search", "local-search")
    >>> results = Results.of([nl.simulate(synthetic_table(), name, **options) for name in names])
    >>> [setting.strategy for setting in results.settings], results.trace(1).runs
    (['random-search', 'local-search'], 2)
    """

    def __init__(self, parts: Sequence[StoredRuns], provenance: Mapping[str, Any]) -> None:
        if not parts:
            raise ParameterError("there are no results")
        simulations: dict[str, list[StoredRuns]] = {}
        for part in parts:
            simulations.setdefault(_key(part.setting), []).append(part)
        self._simulations = [sorted(group, key=lambda part: part.setting.first_run) for group in simulations.values()]
        joined = [joined_setting([part.setting for part in group]) for group in self._simulations]
        settings = [dataclasses.replace(setting, first_run=0) for setting in joined]
        self._settings = tuple(_with_version(setting, settings) for setting in settings)
        self._provenance = {**provenance, "trained": trained_searches(self._settings)}

    @classmethod
    def of(cls, traces: Sequence[Trace]) -> Results:
        """Return results for traces that are already in memory.

        Raises:
            ParameterError: there are no traces, or they are something else.
        """
        given: Any = traces  # whatever a user gives
        if not isinstance(given, Iterable):
            raise ParameterError(f"give results or a list of traces, got {shortened(given)}")
        traces = list(given)
        for trace in traces:
            if not isinstance(trace, Trace):
                raise ParameterError(f"give results or a list of traces, got a list with {shortened(trace)}")
        return cls(list(map(in_memory, traces)), provenance([trace.setting for trace in traces], kind="memory"))

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The settings of all simulations, one for every strategy on every table, with 0 for the first run.

        If there are results of several versions of a strategy, the labels include the version.
        """
        return self._settings

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where the results come from, as plain data that JSON can store; always with these keys.

        - ``kind``: ``"suite"``, ``"traces"`` (a traces file, also one of ``nasbench-lab run``), ``"memory"``, or
          ``"combined"``.
        - ``title``: title of the suite; empty otherwise.
        - ``spec``, ``spec_hash``: specification of the suite and its SHA-256; otherwise ``None`` and empty.
        - ``versions``: for each package, the list of versions that wrote the results; usually one.
        - ``platforms``: operating systems and processors of the machines, if known.
        - ``arithmetic``: libraries of linear algebra with their kernels, and NumPy's instruction sets, if known.
        - ``wall_seconds``: real seconds of the simulations, summed over processes; ``None`` if unknown.
        - ``tables``: for each table its ``name``, ``checksum``, ``title``, ``licence``, ``citation`` (BibTeX),
          ``source`` and ``notes``. All but name and checksum are empty if neither a suite nor the catalogue
          describes the table.
        - ``skipped``: simulations that a suite skipped, each with ``strategy``, ``table`` and ``reason``.
        - ``missing``: number of shards of a suite that are not finished.
        - ``unfinished``: simulations that are left out because of them, each with ``strategy`` and ``table``.
        - ``repeated``: simulations with runs that were given more than once and count once, in words.
        - ``inputs``: for combined results, where each of them comes from: the ``source`` as given, its ``label``, the
          number of its ``simulations``, and the keys above except ``tables``, ``skipped`` and ``inputs``. Empty for
          results that are not combined.
        - ``imported``: simulations that were imported, each with ``strategy``, ``table`` and its `Setting.origin`:
          ``format``, ``files`` with their SHA-256, ``tool``, ``clock``, ``unknown`` conditions, and more by format.
        - ``trained``: searches that trained networks themselves, each with ``strategy``, ``table`` and its
          `Setting.training`.
        """
        return self._provenance

    def trace(self, number: int) -> Trace:
        """Return all runs of a simulation, given its index in `settings`. Every call reads the files again.

        All runs are in memory at once; `blocks` reads them block by block.

        Raises:
            DataError: a file is damaged, or the runs are not consecutive.
        """
        group = self._simulations[number]
        traces = [part.load() for part in group]
        for part, trace in zip(group, traces, strict=True):
            check_same(trace, part)
        try:
            joined = concatenate(traces)
        except ParameterError as error:
            raise self._not_consecutive(number) from error
        return self._labelled(joined, number)

    def blocks(self, number: int, evaluations: int | None = None) -> Iterator[Trace]:
        """Yield the runs of a simulation in order, as traces of consecutive runs that fit into little memory.

        Args:
            number: index of the simulation in `settings`.
            evaluations: limit for the size of a block; by default 2,097,152. A block has at least one run. The part of
                a file that is read at a time can be larger than a block, since the file is compressed in chunks.

        Raises:
            DataError: a file is damaged, or the runs are not consecutive. Earlier blocks may have been yielded.

        >>> import nasbench_lab as nl
        >>> from nasbench_lab.testing import synthetic_table
        >>> trace = nl.simulate(synthetic_table(), "random-search", runs=5, budget=nl.Budget(evaluations=3))
        >>> [block.runs for block in Results.of([trace]).blocks(0, evaluations=6)]
        [2, 2, 1]
        """
        expected = self._simulations[number][0].setting.first_run
        for part in self._simulations[number]:
            if part.first != expected:
                raise self._not_consecutive(number)
            for block in part.blocks(evaluations):
                check_same(block, part)
                expected += block.runs
                yield self._labelled(block, number)

    def _not_consecutive(self, number: int) -> DataError:
        setting = self._settings[number]
        return DataError(f"the runs of {setting.label!r} on {setting.table!r} are not consecutive")

    def _labelled(self, trace: Trace, number: int) -> Trace:
        label = self._settings[number].label
        if label == trace.setting.label:
            return trace
        return dataclasses.replace(trace, setting=dataclasses.replace(trace.setting, label=label))

    def records(self, *, notation: bool = True) -> Records:
        """Return the evaluations of all simulations in long form, one simulation below the other; see `Trace.records`.

        A regret that the table of a simulation does not have is NaN. All traces are in memory at once.

        Raises:
            DataError: a file is damaged, or the runs are not consecutive.
        """
        return Records.stack([trace.records(notation=notation) for trace in self])

    def to_frame(self, *, notation: bool = True) -> pd.DataFrame:
        """Return the evaluations of all simulations as a pandas data frame; see `records`."""
        return self.records(notation=notation).to_frame()

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the simulations."""
        rows = [[each.label, each.table, str(each.budget), each.objective.name] for each in self.settings]
        missing, skipped = self.provenance["missing"], len(self.provenance["skipped"])
        facts = {
            "simulations": str(len(self)),
            "skipped": str(skipped or ""),
            "unfinished shards": str(missing or ""),
        }
        table = html_table(["strategy", "table", "budget", "objective"], rows)
        return html_card(self.provenance["title"] or "Results", facts, table)

    def parts(self) -> list[StoredRuns]:
        """Return the stored runs of all simulations, in order, with their labels as they were stored."""
        return [part for group in self._simulations for part in group]

    def __len__(self) -> int:
        return len(self._simulations)

    def __iter__(self) -> Iterator[Trace]:
        return map(self.trace, range(len(self)))

    def __repr__(self) -> str:
        strategies = counted(len({setting.label for setting in self.settings}), "strategy", "strategies")
        tables = counted(len({setting.table for setting in self.settings}), "table")
        return f"<Results: {counted(len(self), 'simulation')}, {strategies}, {tables}>"


def open_traces(path: str | os.PathLike[str]) -> Results:
    """Open the results in a folder of ``nasbench-lab run``, or in a traces file.

    This reads the settings only. Traces are read on demand.

    Args:
        path: the folder or file.

    Raises:
        DataError: there are no results, or they are damaged.

    >>> import tempfile
    >>> import nasbench_lab as nl
    >>> from nasbench_lab.simulation import save_traces
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "random-search", runs=2, budget=nl.Budget(evaluations=3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_traces([trace], f"{folder}/traces.h5")
    ...     [found.final().tolist() == trace.final().tolist() for found in open_traces(folder)]
    [True]
    """
    where = Path(path)
    if not is_plain(where) and not is_folder(where):
        raise DataError(f"there are no results at {where}")
    if is_folder(where):
        where = where / TRACES
        if not is_plain(where):
            raise DataError(f"folder {path} has no {TRACES}")
    headers, writer = read_headers(where)
    if not headers:
        raise DataError(f"{where} has no traces")
    reader = TraceReader()
    parts = [in_file(header, reader, where, number) for number, header in enumerate(headers)]
    name, _, version = writer.rpartition(" ")
    settings = [header.setting for header in headers]
    return Results(parts, provenance(settings, kind="traces", versions={name: [version]}))


def _key(setting: Setting) -> str:
    """Return a text that is the same for the settings of all parts of a simulation."""
    return setting_text(same_but_runs(setting))


def _with_version(setting: Setting, others: Sequence[Setting]) -> Setting:
    """Add the version to the label of a strategy if the results contain several versions of it.

    The version of imported results is not known.
    """
    versions = {other.version for other in others if other.label == setting.label and not other.origin}
    if setting.origin or len(versions) == 1:
        return setting
    return dataclasses.replace(setting, label=f"{setting.label} (version {setting.version})")
