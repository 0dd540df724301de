"""Opening the stored results of a suite or of ``nasbench-lab run``."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import is_folder, is_plain
from nasbench_lab.simulation.provenance import provenance
from nasbench_lab.simulation.results import TRACES, Results, open_traces
from nasbench_lab.simulation.stored_runs import in_file
from nasbench_lab.simulation.trace_files import TraceHeader, TraceReader, parse_setting
from nasbench_lab.suites.folder import SUITE, SuiteFolder
from nasbench_lab.suites.planned_simulations import Shard

_Found = list[tuple[Shard, dict[str, Any]]]


def open_results(path: str | os.PathLike[str], *, partial: bool = False) -> Results:
    """Open the results in the folder of a suite or of ``nasbench-lab run``, or in a traces file.

    This reads the settings only. Traces are read on demand.

    Args:
        path: the folder or file.
        partial: whether to open the finished simulations of an unfinished suite. By default, an unfinished suite is an
            error.

    Raises:
        DataError: there are no results, or they are damaged or incomplete.

    >>> import tempfile
    >>> import nasbench_lab as nl
    >>> from nasbench_lab.simulation import save_traces
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "random-search", runs=2, budget=nl.Budget(evaluations=3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_traces([trace], f"{folder}/traces.h5")
    ...     [found.final().tolist() == trace.final().tolist() for found in open_results(folder)]
    [True]
    """
    where = Path(path)
    if is_plain(where / SUITE):
        return suite_results(where, partial=partial)
    if is_folder(where) and not is_plain(where / TRACES):
        raise DataError(f"folder {path} has no results: neither a {TRACES} nor a {SUITE}")
    return open_traces(where)


def suite_results(path: Path, *, partial: bool = False) -> Results:
    """Open the results of a suite.

    Args:
        path: its folder.
        partial: whether to omit simulations with missing runs; otherwise, missing runs are an error.

    Raises:
        DataError: the folder is damaged, or shards are missing.
    """
    folder = SuiteFolder.open(path)
    finished = [(shard, folder.manifest(shard)) for shard in folder.plan.shards]
    lacking = {shard.simulation for shard, manifest in finished if manifest is None}
    missing = sum(manifest is None for _, manifest in finished)
    if missing and not partial:
        raise DataError(
            f"{missing} of {len(finished)} shards of the suite in {path} are missing or damaged; "
            "run it to the end first, or open what is finished with partial=True"
        )
    found = [(shard, known) for shard, known in finished if known is not None and shard.simulation not in lacking]
    if not found:
        raise DataError(f"no simulation of the suite in {path} is finished")
    reader = TraceReader()
    parts = [
        in_file(shard_header(known, path), reader, folder.traces_path(shard))._replace(code=known.get("code", ""))
        for shard, known in found
    ]
    try:
        return Results(parts, _provenance(folder, found, missing, lacking))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is damaged: {first_line(error)}") from error


def shard_header(manifest: Mapping[str, Any], path: Path) -> TraceHeader:
    """Return what a manifest tells about the traces of its shard.

    Raises:
        DataError: the manifest, which is at the path, is damaged.
    """
    try:
        # The file names its reference by a checksum, so that its digest covers the reference, too.
        return TraceHeader(parse_setting(manifest["setting"]), manifest["runs"], manifest["sha256"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"the manifest of shard {manifest.get('shard')} in {path} is damaged") from error


def _provenance(folder: SuiteFolder, found: _Found, missing: int, lacking: Collection[int]) -> dict[str, Any]:
    plan = folder.plan
    manifests = [manifest for _, manifest in found]
    tables = {(table.name, table.checksum): table for table in reversed(plan.tables)}  # once for all variants
    packages = sorted({package for manifest in manifests for package in manifest["versions"]})
    return provenance(
        [],
        kind="suite",
        title=folder.suite.title,
        spec=folder.suite.spec,
        spec_hash=folder.suite.hash,
        versions={name: sorted({manifest["versions"].get(name, "") for manifest in manifests}) for name in packages},
        platforms=sorted({manifest["platform"] for manifest in manifests}),
        arithmetic=sorted({manifest["arithmetic"] for manifest in manifests if manifest.get("arithmetic")}),
        wall_seconds=round(sum(manifest["wall_seconds"] for manifest in manifests), 3),
        tables=[
            {"name": table.name, "checksum": table.checksum, **table.origin} for table in reversed(tables.values())
        ],
        skipped=[dataclasses.asdict(skip) for skip in plan.skipped],
        missing=missing,
        unfinished=[
            {"strategy": simulation.label, "table": plan.tables[simulation.table].label}
            for number, simulation in enumerate(plan.simulations)
            if number in lacking
        ],
    )
