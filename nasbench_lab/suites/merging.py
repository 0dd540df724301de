"""Merging suites: the finished shards of several folders in a new folder, which can be continued as one suite."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nasbench_lab.errors import OutputError, ParameterError
from nasbench_lab.files import atomic_folder
from nasbench_lab.simulation.stored_runs import StoredRuns, first_difference, in_file
from nasbench_lab.simulation.trace_files import TraceReader
from nasbench_lab.suites.folder import SHARDS, SUITE, SuiteFolder, suite_content
from nasbench_lab.suites.manifests import read_manifest
from nasbench_lab.suites.merged_specification import merged_suite
from nasbench_lab.suites.plan_changes import fit_to_stored
from nasbench_lab.suites.planned_simulations import Plan, Shard, Simulation, Skipped, shard_name, simulation_key
from nasbench_lab.suites.sealed_json import file_digest, sealed
from nasbench_lab.suites.shards import REFERENCES
from nasbench_lab.suites.spec import Suite
from nasbench_lab.suites.stored_results import shard_header


class MergedSuite(NamedTuple):
    """A merged suite.

    Attributes:
        folder: its folder.
        damaged: files that were left out because they are damaged.
    """

    folder: SuiteFolder
    damaged: tuple[str, ...]


class _Stored(NamedTuple):
    """A finished shard in one of the folders. Its manifest is read again when it is needed, as there can be many.

    Attributes:
        traces: path of its traces.
        reference: path of its reference.
        runs: the first run and the end.
        key: of its simulation.
        code: SHA-256 of the file that defines the strategy.
        digest: SHA-256 of the manifest.
    """

    traces: Path
    reference: Path
    runs: tuple[int, int]
    key: str
    code: str
    digest: str

    @property
    def folder(self) -> Path:
        """The folder of its suite."""
        return self.traces.parent.parent

    def manifest(self) -> dict[str, Any]:
        """Return its manifest, under the name that the shard gets.

        Raises:
            OutputError: it is not the one that was there before.
        """
        path = self.traces.with_suffix(".json")
        found = read_manifest(path)
        if found is None or file_digest(path) != self.digest:
            raise OutputError(f"{path} changed while it was being merged; merge again")
        return {**found, "shard": shard_name(self.key, found["first_run"], found["runs"]), "code": self.code}


def merge_suites(sources: Sequence[str | os.PathLike[str]], out: str | os.PathLike[str]) -> MergedSuite:
    """Merge the folders of suites into a new folder, which can be continued like any suite.

    The suites may have the same specification, such as after runs on different machines, or different strategies,
    tables and numbers of runs under the same conditions. The new suite has all their strategies and tables, in order of
    appearance, and the largest number of runs. Finished shards are copied, each once; pairs of a strategy and a table
    that no suite has are simulated when the new suite runs. The folders are only read. Damaged shards are left out.

    The new folder appears at once, complete.

    Args:
        sources: the folders of the suites.
        out: the new folder: does not exist, or is empty.

    Raises:
        DataError: a folder has no suite, or a file is damaged.
        ParameterError: the suites cannot be one: they differ in what a suite has once, or have different results.
        OutputError: the folder exists, or cannot be written.

    >>> import tempfile
    >>> from nasbench_lab.simulation import Budget
    >>> from nasbench_lab.suites import Suite, run_suite
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("random-search", "local-search"):
    ...         _ = run_suite(Suite([name], ["digits/chain"], Budget(evaluations=20), runs=10), f"{folder}/{name}")
    ...     merged = merge_suites([f"{folder}/random-search", f"{folder}/local-search"], f"{folder}/both")
    ...     merged.folder.plan.labels
    ('random-search', 'local-search')
    """
    if not sources:
        raise ParameterError("give at least one folder of a suite")
    if Path(out).exists() and not (Path(out).is_dir() and not any(Path(out).iterdir())):
        raise OutputError(f"{out} exists and is not empty; choose a new folder")
    folders = [SuiteFolder.open(Path(source)) for source in sources]
    _check_releases(folders)
    suite, (labels, tables) = merged_suite(folders)
    damaged: list[str] = []
    stored, keyed = _stored(folders, damaged)
    for there in stored.values():
        _check_agree(there)
    plan = _merged_plan(keyed, suite, labels, tables)
    plan = fit_to_stored(plan, {key: [each.runs for each in there] for key, there in stored.items()})
    with atomic_folder(Path(out)) as target:
        _write(target, suite, plan, stored)
    return MergedSuite(SuiteFolder.open(Path(out)), tuple(dict.fromkeys(damaged)))


def _check_releases(folders: Sequence[SuiteFolder]) -> None:
    releases = {folder.begun_with["nasbench-lab"]: folder.path for folder in reversed(folders)}
    if len(releases) > 1:
        found = " and ".join(f"{path} was started with nasbench-lab {release}" for release, path in releases.items())
        raise ParameterError(f"{found}: report them together instead (nasbench-lab report)")


def _stored(
    folders: Sequence[SuiteFolder], damaged: list[str]
) -> tuple[dict[str, list[_Stored]], list[tuple[SuiteFolder, list[Simulation]]]]:
    """Return the undamaged shards of each simulation, by its key, and the simulations of each folder with their keys.

    Args:
        folders: the folders.
        damaged: gets the paths of damaged files.
    """
    stored: dict[str, list[_Stored]] = {}
    keyed = []
    references: dict[Path, bool] = {}
    for folder in folders:
        keys = {number: each.key for number, each in enumerate(folder.plan.simulations)}
        for shard in folder.plan.shards:
            manifest = folder.manifest(shard)
            if manifest is None:
                continue
            simulation, traces = folder.plan.simulations[shard.simulation], folder.traces_path(shard)
            keys[shard.simulation] = key = shard.key or simulation_key(manifest["setting"], simulation.code)
            runs = shard.first_run, shard.first_run + shard.runs
            digest = file_digest(traces.with_suffix(".json"))
            found = _Stored(traces, folder.reference_path(manifest), runs, key, simulation.code, digest)
            if found.reference not in references:
                references[found.reference] = file_digest(found.reference) == manifest["reference"]
            wrong = [found.traces] if file_digest(found.traces) != manifest["sha256"] else []
            wrong += [] if references[found.reference] else [found.reference]
            damaged += map(str, wrong)
            if not wrong:
                stored.setdefault(key, []).append(found)
        if not all(keys.values()):
            raise OutputError(f"{folder.path} is of an older format and not finished: run its suite to the end first")
        named_ones = [
            dataclasses.replace(each, key=keys[number]) for number, each in enumerate(folder.plan.simulations)
        ]
        keyed.append((folder, named_ones))
    return stored, keyed


def _check_agree(stored: Sequence[_Stored]) -> None:
    """Raise ParameterError if shards of one simulation have different runs."""
    reader = TraceReader()
    parts = [(each, _runs(each, reader)) for each in sorted(stored, key=lambda each: each.runs)]
    for place, (one, part) in enumerate(parts):
        for other, later in parts[place + 1 :]:
            if later.first >= part.end:
                break
            run = first_difference(part, later)
            if run is not None:
                what = f"run {run} of {part.setting.label!r} on {part.setting.table!r}"
                raise ParameterError(f"{what} is not the same in {one.folder} and {other.folder}, under one setting")


def _runs(stored: _Stored, reader: TraceReader) -> StoredRuns:
    return in_file(shard_header(stored.manifest(), stored.traces), reader, stored.traces)


def _merged_plan(
    keyed: Sequence[tuple[SuiteFolder, list[Simulation]]], suite: Suite, labels: Sequence[str], tables: Sequence[str]
) -> Plan:
    """Return the simulations of all folders as one plan: table by table, in the order of the strategies."""
    cells: dict[tuple[str, str], Simulation] = {}
    for folder, simulations in keyed:
        for simulation in simulations:
            cell = folder.plan.tables[simulation.table].label, simulation.label
            known = cells.setdefault(cell, simulation)
            if (known.key, known.shard_runs) != (simulation.key, simulation.shard_runs):
                what = f"{simulation.label!r} on {cell[0]!r}"
                raise ParameterError(
                    f"{what} is not the same in these suites (its code, version or parameters differ): report them "
                    "together instead, with labels (nasbench-lab report --label)"
                )
    planned = {table.label: table for folder, _ in reversed(keyed) for table in folder.plan.tables}
    skipped: dict[tuple[str, str], Skipped] = {}
    for skip in (one for folder, _ in keyed for one in folder.plan.skipped):
        skipped.setdefault((skip.table, skip.strategy), skip)
    return Plan(
        tuple(planned[name] for name in tables),
        tuple(
            dataclasses.replace(cells[name, label], table=number, cuts=())
            for number, name in enumerate(tables)
            for label in labels
            if (name, label) in cells
        ),
        tuple(skip for cell, skip in skipped.items() if cell not in cells),
        suite.runs,
    )


def _write(target: Path, suite: Suite, plan: Plan, stored: Mapping[str, Sequence[_Stored]]) -> None:
    (target / SHARDS).mkdir()
    (target / REFERENCES).mkdir()
    for shard, found in _chosen(plan, stored):
        manifest = found.manifest()
        traces = target / SHARDS / f"{shard.name}.h5"
        reference = target / REFERENCES / found.reference.name
        shutil.copyfile(found.traces, traces)
        if not reference.exists():
            shutil.copyfile(found.reference, reference)
        # The files could have been replaced after they were checked.
        if file_digest(traces) != manifest["sha256"] or file_digest(reference) != manifest["reference"]:
            raise OutputError(f"{found.traces} changed while it was being merged; merge again")
        traces.with_suffix(".json").write_bytes(sealed(manifest))
    (target / SUITE).write_bytes(suite_content(suite, plan))


def _chosen(plan: Plan, stored: Mapping[str, Sequence[_Stored]]) -> Iterator[tuple[Shard, _Stored]]:
    """Yield the shards to copy. Of several copies of a shard, the choice does not depend on the order of folders."""
    for shard in plan.shards:
        wanted = shard.first_run, shard.first_run + shard.runs
        copies = [each for each in stored.get(shard.key, ()) if each.runs == wanted]
        if copies:
            yield shard, copies[0] if len(copies) == 1 else min(copies, key=lambda each: sealed(each.manifest()))
