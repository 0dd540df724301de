"""The simulation of one shard: a pure function from plain data to the contents of files, for use in any process."""

from __future__ import annotations

import functools
import hashlib
import json
import platform
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import nasbench_lab
from nasbench_lab.errors import DataError, NasbenchLabError, StrategyError
from nasbench_lab.messages import described
from nasbench_lab.simulation import Trace
from nasbench_lab.simulation.arithmetic import arithmetic
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.table_searches import Places, Tell
from nasbench_lab.simulation.trace_files import linked_images, setting_text
from nasbench_lab.suites.plan import code_digest
from nasbench_lab.suites.planned_simulations import parse_shard_name, simulation_key
from nasbench_lab.suites.searches import find_search
from nasbench_lab.tables import Table, load

REFERENCES = "references"
"""Name of the folder of references (the means of every architecture of a table), beside the folder of shards."""

UNFINISHED, CALIBRATIONS = "unfinished", "calibrations"
"""Names of the folders of unfinished searches that train networks, and of what such searches share."""


class ShardJob(NamedTuple):
    """The job of simulating one shard.

    Attributes:
        name: name of the shard.
        table: name or path of the table.
        checksum: expected checksum of the table's content.
        strategy: name of the strategy, or its place as ``file.py:Class`` or ``package.module:Class``.
        parameters: parameters of the strategy.
        conditions: conditions of the search.
        first_run: number of the first run.
        runs: number of runs.
        version: release of this package that must simulate the shard.
        stored: checksums of the references that are already stored and need not be returned.
        code: expected SHA-256 of the file that defines the strategy; empty for a registered one.
        folder: the folder of the suite, in which a search that trains networks keeps from what it resumes after a kill,
            if this process sees the folder; everything else is returned, not written.
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
    code: str = ""
    folder: str = ""

    @property
    def places(self) -> Places | None:
        """Where a search may keep files; None where the folder of the suite is not there."""
        home = Path(self.folder)
        if not self.folder or not home.is_dir():
            return None
        return Places(home / UNFINISHED / self.name, home / CALIBRATIONS)


class Done(NamedTuple):
    """A simulated shard.

    Attributes:
        traces: content of the traces file.
        reference: content of the reference file to which the traces link; empty if it is already stored.
        checksum: SHA-256 of the reference file, which is also its name.
        manifest: other facts about the shard, as plain data.
    """

    traces: bytes
    reference: bytes
    checksum: str
    manifest: dict[str, Any]


class Failed(NamedTuple):
    """A shard whose simulation raised an error.

    Attributes:
        error: message in one line.
        details: traceback.
    """

    error: str
    details: str


class Unable(NamedTuple):
    """Why a process cannot simulate any shard: the table is missing or has changed, or the release differs.

    Attributes:
        error: the error to raise.
    """

    error: NasbenchLabError


def attempt(task: ShardJob, tell: Tell | None = None) -> Done | Failed | Unable:
    """Simulate a shard. Errors are returned, not raised.

    Args:
        task: the job.
        tell: called with the share of the shard that is finished, several times if it takes long.
    """
    try:
        table = _opened(task.table, task.checksum)
        if task.version != nasbench_lab.__version__:
            raise DataError(f"a worker has nasbench-lab {nasbench_lab.__version__}, and the suite {task.version}")
        if code_digest(task.strategy) != task.code:
            raise DataError(f"the file of {task.strategy} has changed since the suite was started, or is missing")
    except NasbenchLabError as error:
        return Unable(type(error)(str(error)))
    except OSError as error:
        return Unable(DataError(f"cannot read the file of {task.strategy}: {error.strerror or error}"))
    try:
        return simulate_shard(task, table, tell)
    except Exception as error:  # a strategy may raise anything
        return Failed(described(error), traceback.format_exc())


def open_checked(table: str, checksum: str) -> Table:
    """Open a table; raise DataError if its content differs from the planned table."""
    found = load(table)
    if found.checksum != checksum:
        raise DataError(
            f"table {found.name!r} has changed since the suite was started: "
            f"checksum {found.checksum[:12]}, not {checksum[:12]}"
        )
    return found


_opened = functools.lru_cache(maxsize=4)(open_checked)


def simulate_shard(task: ShardJob, table: Table, tell: Tell | None = None) -> Done:
    """Simulate a shard, and return the contents to store. See `attempt`.

    Raises:
        NasbenchLabError: the simulation cannot be done, see `simulate`.
    """
    started = time.perf_counter()
    search = find_search(task.strategy, task.parameters)
    trace = search.search(
        table, task.conditions, runs=task.runs, first_run=task.first_run, places=task.places, tell=tell
    )
    linked = linked_images(trace, lambda checksum: f"../{REFERENCES}/{checksum}.h5")
    took = time.perf_counter() - started
    named = parse_shard_name(task.name)
    if named is not None and simulation_key(trace.setting, task.code) != named[0]:
        raise StrategyError(f"the traces of {task.strategy} have another setting than it says before it searches")
    reference = b"" if linked.checksum in task.stored else linked.reference
    return Done(linked.traces, reference, linked.checksum, _manifest(task, trace, linked.traces, took))


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
        "arithmetic": arithmetic(),
    }


def versions() -> dict[str, str]:
    """Return the versions of the packages that results depend on."""
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
