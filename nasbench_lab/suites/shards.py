"""Simulating one shard: a pure function from plain data to the contents of files, whichever process calls it."""

from __future__ import annotations

import functools
import hashlib
import json
import platform
import time
import traceback
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import nasbench_lab
from nasbench_lab.errors import DataError, NasbenchLabError, SearchOnTestWarning, first_line
from nasbench_lab.simulation import Trace, simulate_under
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.trace_files import linked_images, setting_text
from nasbench_lab.strategies import resolve
from nasbench_lab.tables import Table, load

REFERENCES = "references"
"""The folder, beside that of the shards, of what tables say of every architecture."""


class ShardJob(NamedTuple):
    """A shard to be simulated.

    Attributes:
        name: of the shard.
        table: what its table is opened by.
        checksum: what the table's content must have.
        strategy: name.
        parameters: of the strategy.
        conditions: of the search.
        first_run: number of the first run.
        runs: how many.
        version: the release of this package that must simulate it.
        stored: names of references that need not be sent back.
    """

    name: str
    table: str
    checksum: str
    strategy: str
    parameters: Mapping[str, Any]
    conditions: Conditions
    first_run: int
    runs: int
    version: str
    stored: frozenset[str]


class Done(NamedTuple):
    """A simulated shard.

    Attributes:
        traces: content of its traces file.
        reference: content of the file to which that one links; empty where it is stored already.
        checksum: SHA-256 of that file, and its name.
        manifest: what is known of the shard besides, as plain data.
    """

    traces: bytes
    reference: bytes
    checksum: str
    manifest: dict[str, Any]


class Failed(NamedTuple):
    """A shard whose simulation raised an error.

    Attributes:
        error: one line.
        details: where it was raised.
    """

    error: str
    details: str


class Unable(NamedTuple):
    """Why a process can simulate no shard of a table at all: the table is not there, or not the same.

    Attributes:
        error: what to raise.
    """

    error: NasbenchLabError


def attempt(task: ShardJob) -> Done | Failed | Unable:
    """Simulate a shard; whatever goes wrong is an answer, not an exception."""
    try:
        table = _opened(task.table, task.checksum)
        if task.version != nasbench_lab.__version__:
            raise DataError(f"a worker has nasbench-lab {nasbench_lab.__version__}, and the suite {task.version}")
    except NasbenchLabError as error:
        return Unable(type(error)(str(error)))
    try:
        return simulate_shard(task, table)
    except Exception as error:  # whatever a strategy raises
        return Failed(first_line(error), traceback.format_exc())


def open_checked(table: str, checksum: str) -> Table:
    """Open a table, or raise DataError where it is not the one that was planned with."""
    found = load(table)
    if found.checksum != checksum:
        raise DataError(
            f"table {found.name!r} has another content than when the suite began: "
            f"checksum {found.checksum[:12]}, not {checksum[:12]}"
        )
    return found


_opened = functools.lru_cache(maxsize=4)(open_checked)


def simulate_shard(task: ShardJob, table: Table) -> Done:
    """Simulate a shard, and return what is to be stored of it.

    Raises:
        NasbenchLabError: the simulation cannot be done, see `simulate`.
    """
    started = time.perf_counter()
    trace = _simulate(task, table)
    linked = linked_images(trace, lambda checksum: f"../{REFERENCES}/{checksum}.h5")
    took = time.perf_counter() - started
    reference = b"" if linked.checksum in task.stored else linked.reference
    return Done(linked.traces, reference, linked.checksum, _manifest(task, trace, linked.traces, took))


def _simulate(task: ShardJob, table: Table) -> Trace:
    strategy = resolve(task.strategy, task.parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SearchOnTestWarning)
        return simulate_under(task.conditions, table, strategy, runs=task.runs, first_run=task.first_run)


def _manifest(task: ShardJob, trace: Trace, content: bytes, took: float) -> dict[str, Any]:
    return {
        "setting": json.loads(setting_text(trace.setting)),
        "first_run": task.first_run,
        "runs": task.runs,
        "evaluations": int(trace.evaluations.sum()),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "wall_seconds": round(took, 3),
        "versions": versions(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """Return the versions of what results depend on."""
    import h5py
    import numpy as np
    import scipy

    return {
        "nasbench-lab": nasbench_lab.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "h5py": h5py.__version__,
        "hdf5": h5py.version.hdf5_version,
    }
