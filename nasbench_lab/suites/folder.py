"""The folder of a suite: its specification and every finished shard.

Processes may be killed at any time, and several processes may share the folder.

Layout::

    suite.json                   the suite, its hash and its plan; written once
    shards/<shard>.h5            traces; the same bytes on every machine and at any time
    shards/<shard>.json          manifest: setting and checksum of the traces, and how they were made. Written last: a
                                 shard with a manifest is finished; a damaged manifest is none
    references/<sha256>.h5       the means of every architecture of a table; the traces link to it
    failed/<shard>.json          why a simulation raised an error; removed when it succeeds
    claims/<shard>.lock          locked by the process that simulates the shard; the lock ends with the process

JSON files end with a seal, the SHA-256 of their other content, so that any damage is noticed. Files of before seals are
read without.

Files are written atomically. Processes that work on the same folder divide the shards among them by claims. If locks do
not work, as on some network file systems, a shard may be simulated twice, with the same bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, final

import filelock

import nasbench_lab
from nasbench_lab.errors import DataError, OutputError
from nasbench_lab.files import atomic_path, is_working, remove
from nasbench_lab.messages import as_command, first_line
from nasbench_lab.strategies.lookup import find_strategy
from nasbench_lab.suites.plan import Plan, Shard, code_digest, make_plan, strategy_path, table_path
from nasbench_lab.suites.shards import REFERENCES, Done, Failed, ShardJob, open_checked, versions
from nasbench_lab.suites.spec import Suite
from nasbench_lab.suites.suite_display import folder_card
from nasbench_lab.suites.toml_files import suite_of

SUITE = "suite.json"
"""Name of the file with the suite and its plan."""

FORMAT = "nasbench-lab suite"
FORMAT_VERSION = 1

_SEAL = "seal"

_MANIFEST: dict[str, type | tuple[type, ...]] = {
    "shard": str,
    "spec_hash": str,
    "reference": str,
    "setting": dict,
    "first_run": int,
    "runs": int,
    "evaluations": int,
    "bytes": int,
    "sha256": str,
    "wall_seconds": (int, float),
    "versions": dict,
    "platform": str,
}
"""The keys of a manifest, and the types of their values."""

_NEWER = {"arithmetic": str}
"""Keys that older manifests of the same format lack."""

_SHARDS, _FAILED, _CLAIMS, _LOCK = "shards", "failed", "claims", ".lock"
_FOLDERS = (_SHARDS, REFERENCES, _FAILED, _CLAIMS)


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
        size = f"{len(self.plan.simulations)} simulations, {len(self.plan.shards)} shards"
        return f"<SuiteFolder {self.path}: {size}, {self.plan.runs:,} runs each>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: what is finished, and what failed or was skipped."""
        plan = self.plan
        tables = [plan.tables[simulation.table].name for simulation in plan.simulations]
        shards = [(tables[shard.simulation], self.is_finished(shard)) for shard in plan.shards]
        failures = filter(None, map(self.failure, plan.shards))
        notes = [f"failed: {each['strategy']} on {each['table']}: {each['error']}" for each in failures]
        notes += [f"skipped {each.strategy} on {each.table}: {each.reason}" for each in plan.skipped]
        return folder_card(str(self.path), self.suite.title, plan.runs, tables, shards, notes)

    @classmethod
    def begin(cls, path: Path, suite: Suite) -> SuiteFolder:
        """Start a suite in a new or empty folder, or continue it in its own folder.

        A continued suite keeps its original plan, even if its patterns would match other names now.

        Raises:
            OutputError: the folder contains other files or another suite, or cannot be written.
            DataError: a table has changed.
            NasbenchLabError: the suite cannot be planned, see `make_plan`.
        """
        if not (path / SUITE).exists():
            if not _has_shards_of(path, suite):
                _check_empty(path)
            _create(path, suite, make_plan(suite))
        found = cls.open(path)
        found._check_same(suite)
        found.suite = suite  # paths of table files are relative to the current folder of the suite's file
        found._check_versions()
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
            data = _unsealed(json.loads(where.read_bytes()))
            if (data["format"], data["format_version"]) != (FORMAT, FORMAT_VERSION):
                raise _OtherFormatError("it is not of a format that this release reads")
            suite, plan = suite_of(data["spec"]), Plan.of_data(data["plan"])
            if suite.hash != data["spec_hash"]:
                raise DataError("its suite does not match its hash")
            return cls(path, suite, plan, {**data["versions"], "nasbench-lab": data["versions"]["nasbench-lab"]})
        except _OtherFormatError as error:
            raise _OtherFormatError(f"cannot read {where}: {error}") from error
        except Exception as error:  # a damaged file can raise nearly anything
            remedy = f"{as_command('suite', 'clean', path)} removes it; then run the suite again to continue"
            raise DataError(f"cannot read {where}: {first_line(error)}; {remedy}") from error

    def _check_same(self, suite: Suite) -> None:
        """Raise OutputError unless the folder belongs to this suite and this release."""
        if suite.hash != self.suite.hash:
            what = _first_difference(self.suite.spec, suite.spec)
            raise OutputError(f"{self.path} has results of another suite: {what}; choose another folder")
        begun = self.begun_with["nasbench-lab"]
        if begun != nasbench_lab.__version__:
            now = nasbench_lab.__version__
            raise OutputError(
                f"{self.path} was started with nasbench-lab {begun}, and this is {now}; choose another folder"
            )

    def _check_versions(self) -> None:
        """Raise OutputError if the version of a strategy has changed since the suite was started."""
        for simulation in self.plan.simulations:
            path = strategy_path(self.suite.folder, simulation.strategy)
            now = find_strategy(path, simulation.parameters).version
            if code_digest(path) != simulation.code:
                raise OutputError(
                    f"the file of {simulation.strategy} has changed since {self.path} was started; choose another "
                    "folder, or remove its results: nasbench-lab suite clean --results"
                )
            if now != simulation.version:
                raise OutputError(
                    f"{self.path} was started with version {simulation.version} of {simulation.strategy!r}, and this "
                    f"is version {now}; choose another folder"
                )

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
        )

    def is_finished(self, shard: Shard) -> bool:
        """Return whether a shard is finished and its traces file has its full length."""
        manifest = self.manifest(shard)
        try:
            return manifest is not None and self.traces_path(shard).stat().st_size == manifest["bytes"]
        except OSError:
            return False

    def manifest(self, shard: Shard) -> dict[str, Any] | None:
        """Return the manifest of a finished shard; None if the shard is not finished or the manifest is damaged."""
        try:
            data = _unsealed(json.loads(self._file(_SHARDS, shard, "json").read_bytes()))
        except (OSError, ValueError, RecursionError):
            return None
        return data if self._is_manifest(data, shard) else None

    def _is_manifest(self, data: Mapping[str, Any], shard: Shard) -> bool:
        """Return whether data is a complete manifest of a shard of this suite."""
        kinds = {**_MANIFEST, **{key: kind for key, kind in _NEWER.items() if key in data}}
        if set(data) != set(kinds) or not all(isinstance(data[key], kind) for key, kind in kinds.items()):
            return False
        simulation = self.plan.simulations[shard.simulation]
        setting, versions = data["setting"], data["versions"]
        found = (data["spec_hash"], data["shard"], data["first_run"], data["runs"], versions.get("nasbench-lab"))
        wanted = (self.suite.hash, shard.name, shard.first_run, shard.runs, self.begun_with["nasbench-lab"])
        searched = (setting.get("label"), setting.get("checksum"), setting.get("version", 1))
        planned = (simulation.label, self.plan.tables[simulation.table].checksum, simulation.version)
        return (found, searched) == (wanted, planned) and all(isinstance(each, str) for each in versions.values())

    def traces_path(self, shard: Shard) -> Path:
        """Return the path of the traces of a shard, whether the file exists or not."""
        return self._file(_SHARDS, shard, "h5")

    def store(self, shard: Shard, done: Done) -> None:
        """Write a finished shard to the folder.

        Raises:
            OutputError: a file cannot be written (full disk, permissions); earlier shards are unchanged.
        """
        self._check_present()
        reference = self.path / REFERENCES / f"{done.checksum}.h5"
        if done.reference and not reference.exists():
            _write(reference, done.reference)
        self._stored.add(done.checksum)
        _write(self.traces_path(shard), done.traces)
        known = {"shard": shard.name, "spec_hash": self.suite.hash, "reference": done.checksum}
        _write(self._file(_SHARDS, shard, "json"), _sealed({**known, **done.manifest}))
        self._file(_FAILED, shard, "json").unlink(missing_ok=True)

    def fail(self, shard: Shard, failed: Failed) -> None:
        """Write why a shard could not be simulated."""
        self._check_present()
        simulation = self.plan.simulations[shard.simulation]
        known = {"strategy": simulation.label, "table": self.plan.tables[simulation.table].name}
        _write(self._file(_FAILED, shard, "json"), _json({**known, **failed._asdict()}))

    def _check_present(self) -> None:
        """Raise OutputError if the folder was removed. Otherwise, writing would create an incomplete one."""
        if not (self.path / SUITE).exists():
            raise OutputError(f"{self.path} was removed or moved while the suite was running")

    def failure(self, shard: Shard) -> dict[str, Any] | None:
        """Return why the last simulation of a shard failed: strategy, table, error and details; None if it did not."""
        try:
            data = json.loads(self._file(_FAILED, shard, "json").read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        keys = ("strategy", "table", "error", "details")
        return data if isinstance(data, dict) and all(isinstance(data.get(key), str) for key in keys) else None

    @contextlib.contextmanager
    def _all_claims(self) -> Iterator[None]:
        """Hold all claims inside the block; raise OutputError if another process holds one."""
        with contextlib.ExitStack() as stack:
            for path in sorted((self.path / _CLAIMS).glob("*.lock")):
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
        path = self._file(_CLAIMS, shard, "lock")
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
            manifest, path = self.manifest(shard), self._file(_SHARDS, shard, "json")
            wrong = self._not_as_written(shard, manifest) if manifest is not None else [path] if path.exists() else []
            problems += [f"{path} is missing or damaged" for path in wrong]
        return list(dict.fromkeys(problems))

    def clean(self, *, results: bool = False) -> int:
        """Remove leftovers of killed processes, damaged files and reports of failures; return the number of files.

        Args:
            results: whether to remove all results too, so that the suite can start again.

        Raises:
            OutputError: another process is working in the folder.
        """
        with self._all_claims():
            doomed = [path for folder in _FOLDERS for path in (self.path / folder).glob("*") if results or _left(path)]
            doomed += [path for path in self.path.glob("*") if is_working(path)]
            if results:
                doomed += [self.path / SUITE, self.path / _LOCK]
            else:
                doomed += self._unusable()
            return _remove(self.path, doomed)

    def _unusable(self) -> list[Path]:
        """Return the files of damaged shards and references. The next run makes them again."""
        doomed: set[Path] = set()
        for shard in self.plan.shards:
            manifest = self.manifest(shard)
            damaged = [] if manifest is None else self._not_as_written(shard, manifest)
            if manifest is None or damaged:
                doomed.update((*damaged, self.traces_path(shard), self._file(_SHARDS, shard, "json")))
        return sorted(path for path in doomed if path.exists())

    def _not_as_written(self, shard: Shard, manifest: Mapping[str, Any]) -> list[Path]:
        """Return the files of a finished shard that are damaged or missing."""
        written = {self.traces_path(shard): manifest["sha256"], self._reference(manifest): manifest["reference"]}
        return [path for path, digest in written.items() if _sha256(path) != digest]

    def _reference(self, manifest: Mapping[str, Any]) -> Path:
        return self.path / REFERENCES / f"{manifest['reference']}.h5"

    def _file(self, folder: str, shard: Shard, suffix: str) -> Path:
        return self.path / folder / f"{shard.name}.{suffix}"


class _OtherFormatError(DataError):
    """The file of a suite is of another release, not damaged."""


def clean(path: Path, *, results: bool = False) -> int:
    """Clean the folder of a suite, see `SuiteFolder.clean`, even if its file is damaged.

    A damaged ``suite.json`` is removed. If the same suite then runs in the folder, its finished shards are kept.

    Raises:
        DataError: the folder has no suite, or one of a newer release.
        OutputError: another process is working in the folder.
    """
    try:
        return SuiteFolder.open(path).clean(results=results)
    except _OtherFormatError:
        raise
    except DataError:
        if not (path / SUITE).is_file():
            raise
    lost = results or not any((path / _SHARDS).glob("*.json"))
    doomed = [path / SUITE, *(each for folder in _FOLDERS for each in (path / folder).glob("*") if lost or _left(each))]
    return _remove(path, doomed)


def _remove(path: Path, doomed: Iterable[Path]) -> int:
    """Remove files, and then those folders of a suite that are empty; return the number of files."""
    removed = list(doomed)
    for each in removed:
        remove(each)
    for folder in _FOLDERS:
        with contextlib.suppress(OSError):  # missing or not empty
            (path / folder).rmdir()
    return len(removed)


def _has_shards_of(path: Path, suite: Suite) -> bool:
    """Return whether a folder without ``suite.json`` has finished shards of a suite, and of no other."""
    hashes = set()
    for file in (path / _SHARDS).glob("*.json"):
        with contextlib.suppress(OSError, ValueError, RecursionError):
            hashes.add(_unsealed(json.loads(file.read_bytes())).get("spec_hash"))
    return hashes == {suite.hash}


def _create(path: Path, suite: Suite, plan: Plan) -> None:
    """Write ``suite.json`` unless another process has just written it."""
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "spec_hash": suite.hash,
        "spec": suite.spec,
        "versions": versions(),
        "plan": plan.to_data(),
    }
    try:
        path.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path / _LOCK):
            if not (path / SUITE).exists():
                _write(path / SUITE, _sealed(content))
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def _check_empty(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path} exists and is not a folder")
    found = path.iterdir() if path.exists() else ()
    others = sorted(each.name for each in found if each.name not in (_LOCK, SUITE) and not is_working(each))
    if others:
        raise OutputError(
            f"{path} has other files, such as {others[0]}, and is not the folder of a suite; choose another folder"
        )


def _first_difference(old: Any, new: Any, where: str = "") -> str:
    """Return the first difference between two specifications, in words."""
    pairs: list[tuple[Any, Any, str]] = []
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [key for key in {**old, **new} if key not in ("title", "published")]
        pairs = [(old.get(key), new.get(key), f"{where}.{key}" if where else key) for key in keys]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [(one, two, f"{where}[{number}]") for number, (one, two) in enumerate(zip(old, new, strict=True))]
    for one, two, place in pairs:
        if one != two:
            return _first_difference(one, two, place)
    if isinstance(old, list) and isinstance(new, list) and len(old) != len(new):
        return f"it lists {len(old)} {where}, and this one {len(new)}"
    return f"{where} is {_short(old)} there and {_short(new)} here"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _left(path: Path) -> bool:
    """Return whether a file has no use when no process is working in the folder."""
    return path.name.startswith(".") or path.parent.name in (_FAILED, _CLAIMS)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _json(data: Mapping[str, Any]) -> bytes:
    return (json.dumps(data, indent=1, sort_keys=True) + "\n").encode()


def _sealed(data: Mapping[str, Any]) -> bytes:
    """Return data as JSON with a seal."""
    return _json({**data, _SEAL: hashlib.sha256(_json(data)).hexdigest()})


def _unsealed(data: Any) -> dict[str, Any]:
    """Return the data without its seal; raise DataError if it does not match its seal, or is no dictionary."""
    if not isinstance(data, dict):
        raise DataError("it is damaged")
    content = {key: value for key, value in data.items() if key != _SEAL}
    if _SEAL in data and data[_SEAL] != hashlib.sha256(_json(content)).hexdigest():
        raise DataError("it is damaged: it does not match its seal")
    return content


def _write(path: Path, content: bytes) -> None:
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
