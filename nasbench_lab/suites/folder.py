"""The folder of a suite: its specification and every finished shard.

Processes may be killed at any time, and several processes may share the folder.

Layout::

    suite.json                   the suite, its hash and its plan; written when it starts or changes
    shards/<shard>.h5            traces; the same bytes on every machine and at any time
    shards/<shard>.json          manifest: setting and checksum of the traces, and how they were made. Written last: a
                                 shard with a manifest is finished; a damaged manifest is none
    references/<sha256>.h5       the means of every architecture of a table; the traces link to it
    failed/<shard>.json          why a simulation raised an error; removed when it succeeds
    claims/<shard>.lock          locked by the process that simulates the shard; the lock ends with the process
    unfinished/<shard>/          from which a search that trains networks resumes; removed when it is finished
    calibrations/                how many seconds of a table a second of a machine is, for such searches

The name of a shard tells which runs of which simulation it has, not the place of the simulation in the suite. So the
suite can change, and shards of other suites can be copied into the folder. In format 1, names told the place.

Files are written atomically. Processes that work on the same folder divide the shards among them by claims. If locks do
not work, as on some network file systems, a shard may be simulated twice, with the same bytes.
"""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, final

import filelock

import nasbench_lab
from nasbench_lab.displays import counted
from nasbench_lab.errors import ChangedSuiteWarning, DataError, OutputError
from nasbench_lab.files import as_output_error, is_working, remove
from nasbench_lab.messages import as_command, first_line
from nasbench_lab.suites.manifests import proves_its_name, read_manifest
from nasbench_lab.suites.plan import code_digest, make_plan, strategy_path, table_path
from nasbench_lab.suites.plan_changes import changes_in_words, first_difference, fit_to_stored, keep_sizes, share_a_task
from nasbench_lab.suites.planned_simulations import Plan, Shard, Simulation, parse_shard_name, shard_name
from nasbench_lab.suites.sealed_json import file_digest, json_bytes, sealed, unsealed, write_file
from nasbench_lab.suites.searches import became_available, find_search, unavailable
from nasbench_lab.suites.shards import (
    CALIBRATIONS,
    REFERENCES,
    UNFINISHED,
    Done,
    Failed,
    ShardJob,
    open_checked,
    versions,
)
from nasbench_lab.suites.spec import Suite
from nasbench_lab.suites.suite_display import folder_card
from nasbench_lab.suites.toml_files import suite_of

SUITE = "suite.json"
"""Name of the file with the suite and its plan."""

FORMAT = "nasbench-lab suite"
FORMAT_VERSION = 2
_READABLE = (1, FORMAT_VERSION)

SHARDS, FAILED, CLAIMS, LOCK = "shards", "failed", "claims", ".lock"
FOLDERS = (SHARDS, REFERENCES, FAILED, CLAIMS, UNFINISHED, CALIBRATIONS)
"""Names of the folders in the folder of a suite."""


@final
class SuiteFolder:
    """The folder of a suite that has started.

    Args:
        path: the folder.
        suite: the suite.
        plan: its plan.
        begun_with: versions of the packages that started the suite.
    """

    def __init__(self, path: Path, suite: Suite, plan: Plan, begun_with: Mapping[str, str]) -> None:
        self.path, self.suite, self.plan, self.begun_with = path, suite, plan, begun_with
        self._stored = {file.stem for file in (path / REFERENCES).glob("*.h5") if not file.name.startswith(".")}

    def __repr__(self) -> str:
        size = f"{counted(len(self.plan.simulations), 'simulation')}, {counted(len(self.plan.shards), 'shard')}"
        return f"<SuiteFolder {self.path}: {size}, {counted(self.plan.runs, 'run')} each>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: what is finished, and what failed or was skipped."""
        plan = self.plan
        tables = [plan.tables[simulation.table].label for simulation in plan.simulations]
        shards = [(tables[shard.simulation], self.is_finished(shard)) for shard in plan.shards]
        failures = filter(None, map(self.failure, plan.shards))
        notes = [f"failed: {each['strategy']} on {each['table']}: {each['error']}" for each in failures]
        notes += [f"skipped {each.strategy} on {each.table}: {each.reason}" for each in plan.skipped]
        return folder_card(str(self.path), self.suite.title, plan.runs, tables, shards, notes)

    @classmethod
    def begin(cls, path: Path, suite: Suite) -> SuiteFolder:
        """Start a suite in a new or empty folder, or continue it in its own folder.

        A continued suite keeps its plan, even if its patterns would match other names now. A suite that has changed is
        planned again, and keeps all shards that it still has. A `ChangedSuiteWarning` says what changed. Shards that
        the suite has no longer stay in the folder, but are not read.

        Raises:
            OutputError: the folder contains other files or another suite, or cannot be written.
            DataError: a table has changed.
            NasbenchLabError: the suite cannot be planned, see `make_plan`.
        """
        if not (path / SUITE).exists():
            if not (path / SHARDS).is_dir():
                _check_empty(path)
            plan, stored = make_plan(suite), _stored_shards(path)
            if not any(each.key in stored for each in plan.simulations):
                _check_empty(path)
            _create(path, suite, fit_to_stored(plan, stored))
        found = cls.open(path)
        if found._differs(suite):
            found = found._changed(suite)
        found.suite = suite  # paths of table files are relative to the current folder of the suite's file
        for table in found.plan.tables:
            open_checked(table_path(suite.folder, table.source), table.checksum)
        return found

    @classmethod
    def open(cls, path: Path) -> SuiteFolder:
        """Open the folder of a suite for reading.

        Raises:
            DataError: the folder has no suite, or the suite is damaged or of a newer release.
        """
        where = path / SUITE
        if not where.is_file():
            raise DataError(f"{path} is not the folder of a suite: it has no {SUITE}")
        try:
            data = unsealed(where.read_bytes())
            if data["format"] != FORMAT or data["format_version"] not in _READABLE:
                raise OtherFormatError("it is not of a format that this release reads")
            suite, plan = suite_of(data["spec"]), Plan.of_data(data["plan"])
            if suite.hash != data["spec_hash"]:
                raise DataError("its suite does not match its hash")
            if not isinstance(data["versions"]["nasbench-lab"], str):
                raise DataError("it does not name the release that started the suite")
            return cls(path, suite, plan, data["versions"])
        except OtherFormatError as error:
            raise OtherFormatError(f"cannot read {where}: {error}") from error
        except Exception as error:  # a damaged file can raise nearly anything
            remedy = f"{as_command('suite', 'clean', path)} removes it; then run the suite again to continue"
            raise DataError(f"cannot read {where}: {first_line(error)}; {remedy}") from error

    @property
    def is_old(self) -> bool:
        """Whether the folder has format 1: shards are named after the place of their simulation in the suite."""
        return not any(simulation.key for simulation in self.plan.simulations)

    def _differs(self, suite: Suite) -> bool:
        """Return whether a suite is not the one of this folder any more, or is not planned completely.

        Raises:
            OutputError: the folder is of another release.
        """
        begun, now = self.begun_with["nasbench-lab"], nasbench_lab.__version__
        if begun != now:
            raise OutputError(
                f"{self.path} was started with nasbench-lab {begun}, and this is {now}; choose another folder"
            )
        if suite.spec != self.suite.spec or self.plan.open_pairs or self._can_do_more():
            return True
        return any(self._has_changed(suite, simulation) for simulation in self.plan.simulations)

    def _can_do_more(self) -> bool:
        """Return whether something was skipped for want of a package that is installed now."""
        return any(map(became_available, {each.reason for each in self.plan.skipped}))

    @staticmethod
    def _has_changed(suite: Suite, simulation: Simulation) -> bool:
        """Return whether the file of a strategy, or its version, is not the planned one any more."""
        path = strategy_path(suite.folder, simulation.strategy)
        if code_digest(path) != simulation.code:
            return True
        if unavailable(path):  # its finished shards can still be read here
            return False
        return find_search(path, simulation.parameters).version != simulation.version

    def _changed(self, suite: Suite) -> SuiteFolder:
        """Plan a changed suite, and write it into the folder.

        Raises:
            OutputError: it is another suite, another process is working in the folder, or it cannot be written.
        """
        with _locked(self.path):
            before = SuiteFolder.open(self.path)
            if not before._differs(suite):  # another process has just written it
                return before
            plan = before.plan
            alike = suite.hash == before.suite.hash and not plan.open_pairs and not before._can_do_more()
            if not alike or any(self._has_changed(suite, simulation) for simulation in plan.simulations):
                with before.all_claims():
                    plan = before._replanned(suite)
            write_file(self.path / SUITE, suite_content(suite, plan))
        for sentence in changes_in_words(before.plan, plan):
            warnings.warn(sentence, ChangedSuiteWarning, stacklevel=4)
        return SuiteFolder.open(self.path)

    def _replanned(self, suite: Suite) -> Plan:
        plan = make_plan(suite)
        if self.is_old:
            raise OutputError(
                f"{self.path} is of an older format, in which a suite cannot change; copy it into a new folder first: "
                f"nasbench-lab suite merge {self.path} --out FOLDER"
            )
        for table in self.plan.tables:
            if any(table.name == other.name and table.checksum != other.checksum for other in plan.tables):
                open_checked(table_path(suite.folder, table.source), table.checksum)  # raises an error
        if not share_a_task(self.plan, plan):
            what = first_difference(self.suite.spec, suite.spec)
            raise OutputError(f"{self.path} has results of another suite: {what}; choose another folder")
        return fit_to_stored(keep_sizes(plan, self.plan), _stored_shards(self.path))

    def task(self, shard: Shard) -> ShardJob:
        """Return the job of a shard, with everything that a process needs to simulate it."""
        simulation = self.plan.simulations[shard.simulation]
        table = self.plan.tables[simulation.table]
        return ShardJob(
            shard.name,
            table_path(self.suite.folder, table.source),
            table.checksum,
            strategy_path(self.suite.folder, simulation.strategy),
            simulation.parameters,
            table.conditions,
            shard.first_run,
            shard.runs,
            nasbench_lab.__version__,
            frozenset(self._stored),
            simulation.code,
            str(self.path.absolute()),
        )

    def is_finished(self, shard: Shard) -> bool:
        """Return whether a shard is finished and its traces file has its full length."""
        return self.finished_manifest(shard) is not None

    def finished_manifest(self, shard: Shard) -> dict[str, Any] | None:
        """Return the manifest of a shard whose traces file has its full length; None if there is none."""
        manifest = self.manifest(shard)
        try:
            complete = manifest is not None and self.traces_path(shard).stat().st_size == manifest["bytes"]
        except OSError:
            return None
        return manifest if complete else None

    def manifest(self, shard: Shard) -> dict[str, Any] | None:
        """Return the manifest of a finished shard; None if the shard is not finished or the manifest is damaged."""
        data = read_manifest(self._file(SHARDS, shard, "json"))
        return data if data is not None and self._is_of(data, shard) else None

    def _is_of(self, manifest: Mapping[str, Any], shard: Shard) -> bool:
        """Return whether a manifest is of a shard of this suite, and of its release."""
        if manifest["versions"].get("nasbench-lab") != self.begun_with["nasbench-lab"]:
            return False
        if shard.key:
            return proves_its_name(manifest)
        simulation = self.plan.simulations[shard.simulation]
        setting = manifest["setting"]
        found = (manifest["spec_hash"], manifest["first_run"], manifest["runs"])
        searched = (setting.get("label"), setting.get("checksum"), setting.get("version", 1))
        planned = (simulation.label, self.plan.tables[simulation.table].checksum, simulation.version)
        return (found, searched) == ((self.suite.hash, shard.first_run, shard.runs), planned)

    def unused(self) -> list[Path]:
        """Return the manifests and traces of finished shards that the suite does not have any more."""
        planned = {shard.name for shard in self.plan.shards}
        stored = ((key, first, end) for key, pieces in _stored_shards(self.path).items() for first, end in pieces)
        names = [name for key, first, end in stored if (name := shard_name(key, first, end - first)) not in planned]
        return [self.path / SHARDS / f"{name}.{kind}" for name in names for kind in ("json", "h5")]

    def traces_path(self, shard: Shard) -> Path:
        """Return the path of the traces of a shard, whether the file exists or not."""
        return self._file(SHARDS, shard, "h5")

    def store(self, shard: Shard, done: Done) -> None:
        """Write a finished shard to the folder.

        Raises:
            OutputError: a file cannot be written (full disk, permissions); earlier shards are unchanged.
        """
        self._check_present()
        if self.is_finished(shard):  # by another process, where locks do not work: measured seconds would differ
            return
        reference = self.path / REFERENCES / f"{done.checksum}.h5"
        if done.reference and not reference.exists():
            write_file(reference, done.reference)
        self._stored.add(done.checksum)
        write_file(self.traces_path(shard), done.traces)
        known = {"shard": shard.name, "spec_hash": self.suite.hash, "reference": done.checksum}
        known["code"] = self.plan.simulations[shard.simulation].code
        write_file(self._file(SHARDS, shard, "json"), sealed({**known, **done.manifest}))
        self._file(FAILED, shard, "json").unlink(missing_ok=True)
        remove(self.path / UNFINISHED / shard.name)

    def fail(self, shard: Shard, failed: Failed) -> None:
        """Write why a shard could not be simulated."""
        self._check_present()
        simulation = self.plan.simulations[shard.simulation]
        known = {"strategy": simulation.label, "table": self.plan.tables[simulation.table].label}
        write_file(self._file(FAILED, shard, "json"), json_bytes({**known, **failed._asdict()}))

    def _check_present(self) -> None:
        """Raise OutputError if the folder was removed. Otherwise, writing would create an incomplete one."""
        if not (self.path / SUITE).exists():
            raise OutputError(f"{self.path} was removed or moved while the suite was running")

    def failure(self, shard: Shard) -> dict[str, Any] | None:
        """Return why the last simulation of a shard failed: strategy, table, error and details; None if it did not."""
        try:
            data = json.loads(self._file(FAILED, shard, "json").read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        keys = ("strategy", "table", "error", "details")
        return data if isinstance(data, dict) and all(isinstance(data.get(key), str) for key in keys) else None

    @contextlib.contextmanager
    def all_claims(self) -> Iterator[None]:
        """Hold all claims inside the block; raise OutputError if another process holds one."""
        with contextlib.ExitStack() as stack:
            for path in sorted((self.path / CLAIMS).glob("*.lock")):
                lock = filelock.FileLock(path)
                try:
                    stack.enter_context(lock.acquire(blocking=False))
                except filelock.Timeout:
                    raise OutputError(f"another process is working in {self.path} (on shard {path.stem})") from None
            yield

    def claim(self, shard: Shard) -> filelock.BaseFileLock | None:
        """Claim a shard and return the lock; None if another process has claimed or finished the shard.

        Raises:
            OutputError: the folder cannot be written.
        """
        self._check_present()
        path = self._file(CLAIMS, shard, "lock")
        lock = filelock.FileLock(path)
        try:
            path.parent.mkdir(exist_ok=True)
            lock.acquire(blocking=False)
        except filelock.Timeout:
            return None
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
        if self.is_finished(shard):
            self.release(lock)
            return None
        return lock

    @staticmethod
    def release(lock: filelock.BaseFileLock) -> None:
        """Release the claim on a shard, finished or not."""
        with contextlib.suppress(OSError):  # some systems do not delete open files
            Path(lock.lock_file).unlink()
        lock.release()

    def damaged(self) -> list[str]:
        """Read every finished file, and return one line per problem."""
        problems = []
        for shard in self.plan.shards:
            manifest, path = self.manifest(shard), self._file(SHARDS, shard, "json")
            wrong = self._not_as_written(shard, manifest) if manifest is not None else [path] if path.exists() else []
            problems += [f"{path} is missing or damaged" for path in wrong]
        return list(dict.fromkeys(problems))

    def unusable(self) -> list[Path]:
        """Return the files of damaged shards and references. The next run makes them again."""
        doomed: set[Path] = set()
        for shard in self.plan.shards:
            manifest = self.manifest(shard)
            damaged = [] if manifest is None else self._not_as_written(shard, manifest)
            if manifest is None or damaged:
                doomed.update((*damaged, self.traces_path(shard), self._file(SHARDS, shard, "json")))
        return sorted(path for path in doomed if path.exists())

    def _not_as_written(self, shard: Shard, manifest: Mapping[str, Any]) -> list[Path]:
        """Return the files of a finished shard that are damaged or missing."""
        written = {self.traces_path(shard): manifest["sha256"], self.reference_path(manifest): manifest["reference"]}
        return [path for path, digest in written.items() if file_digest(path) != digest]

    def reference_path(self, manifest: Mapping[str, Any]) -> Path:
        """Return the path of the reference to which the traces of a manifest link."""
        return self.path / REFERENCES / f"{manifest['reference']}.h5"

    def _file(self, folder: str, shard: Shard, suffix: str) -> Path:
        return self.path / folder / f"{shard.name}.{suffix}"


class OtherFormatError(DataError):
    """The file of a suite is of another release, not damaged."""


def _create(path: Path, suite: Suite, plan: Plan) -> None:
    """Write ``suite.json`` unless another process has just written it."""
    with _locked(path):
        if not (path / SUITE).exists():
            write_file(path / SUITE, suite_content(suite, plan))


def suite_content(suite: Suite, plan: Plan) -> bytes:
    """Return the content of ``suite.json``."""
    return sealed(
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION if all(each.key for each in plan.simulations) else 1,
            "spec_hash": suite.hash,
            "spec": suite.spec,
            "versions": versions(),
            "plan": plan.to_data(),
        }
    )


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of the folder, which only processes that write ``suite.json`` take."""
    with as_output_error(path):
        path.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path / LOCK):
            yield


def _stored_shards(path: Path) -> dict[str, list[tuple[int, int]]]:
    """Return the finished shards in a folder, whatever suite it has now: the first run and the end, by simulation."""
    found: dict[str, list[tuple[int, int]]] = {}
    for file in sorted((path / SHARDS).glob("*.json")):
        named, manifest = parse_shard_name(file.stem), read_manifest(file)
        if named is None or manifest is None or not proves_its_name(manifest):
            continue
        traces = file.with_suffix(".h5")
        of_release = manifest["versions"].get("nasbench-lab") == nasbench_lab.__version__
        if of_release and traces.is_file() and traces.stat().st_size == manifest["bytes"]:
            found.setdefault(named[0], []).append((named[1], named[1] + named[2]))
    return found


def _check_empty(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path} exists and is not a folder")
    found = path.iterdir() if path.exists() else ()
    others = sorted(each.name for each in found if each.name not in (LOCK, SUITE) and not is_working(each))
    if others and not (path / SUITE).exists():  # another process may have just written it, before any other file
        raise OutputError(
            f"{path} has other files, such as {others[0]}, and is not the folder of a suite; choose another folder"
        )
