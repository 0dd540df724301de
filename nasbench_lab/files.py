"""Writing files and folders atomically: a reader sees the old content or the new, never a part of it.

A file or folder is written in a hidden working folder beside its target and then moved. The working folder has a lock
file that its process holds. The operating system releases the lock when the process ends, however it ends, so the next
process that writes to the same place can tell that a killed process left the folder behind, and removes it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import os
import platform
import re
import secrets
import shutil
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nasbench_lab.errors import NasbenchLabError, OutputError

if TYPE_CHECKING:
    import filelock

_WORKING = ".nasbench-lab-"
"""Prefix of the names of working folders."""

_RANDOM_DIGITS = 8
"""Hexadecimal digits that make the name of a working folder unique."""

_LEFT_BEHIND = 24 * 3600.0
"""Seconds without a change after which a working folder whose lock cannot be asked counts as left behind: one of
another machine, or on a file system without locks. A file that is still being written grows at least once a day."""

_LONGEST_NAME = 150

_HDF5_ERROR_NUMBER = re.compile(r"errno = (\d{1,4})")


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Give a temporary path that becomes ``target`` when the block ends without an error.

    The folder is created if needed. After an error the temporary file is removed and ``target`` is unchanged. Only a
    killed process leaves its temporary file behind; the next process that writes to the same folder removes it.

    Raises:
        OutputError: the folder or file cannot be written (permissions, full disk, ...).
    """
    with as_output_error(target), _working_folder(target.parent) as folder:
        temporary = folder / target.name
        with _naming(target, temporary):
            temporary.touch()
            yield temporary
            _flush_to_disk(temporary)
            temporary.replace(target)


@contextlib.contextmanager
def atomic_folder(target: Path, *, replace: Collection[str] | None = None) -> Iterator[Path]:
    """Give a temporary folder whose content moves to ``target`` when the block ends without an error.

    A new folder appears at once, complete. If the folder exists already (it may be the current folder, a link or a
    mount point), the finished files and folders are moved into it one by one; none of them is ever half-written.

    Args:
        target: a path that does not exist, or an empty folder; with ``replace``, also a folder with these files.
        replace: names of files and folders that may be replaced. A folder with any other file is refused.

    Raises:
        OutputError: ``target`` is in the way, or cannot be written. It is unchanged.
    """
    with as_output_error(target):
        place = Path(os.path.realpath(target))
        exists = _check_replaceable(target, place, replace)
        with _working_folder(place if exists else place.parent) as folder:
            temporary = folder / "content"
            temporary.mkdir()
            with _naming(target, temporary):
                yield temporary
                for path in temporary.rglob("*"):
                    if path.is_file():
                        _flush_to_disk(path)
                if not exists and _renamed(temporary, place):
                    return
                _check_replaceable(target, place, replace)
                finished = sorted(temporary.iterdir())
                names = {path.name for path in finished}
                outdated = [path for path in place.iterdir() if path.name not in names and not is_working(path)]
                for path in finished:
                    if path.is_dir() and (place / path.name).exists():  # a folder that is not empty cannot be replaced
                        (place / path.name).rename(folder / f"{path.name}.old")
                    path.replace(place / path.name)
                for path in outdated:
                    remove(path)


def _renamed(temporary: Path, place: Path) -> bool:
    """Rename a folder; return False if another process has made a folder of that name meanwhile."""
    try:
        temporary.rename(place)
    except OSError:
        if not place.is_dir():
            raise
        return False
    return True


def file_names(texts: Iterable[str]) -> list[str]:
    """Return texts in a form for file names. Equal names get numbers, so that no file replaces another.

    >>> file_names(["nas-bench-graph/Cora (12 epochs)", "a/b", "a b", "随机", "搜索"])
    ['nas-bench-graph-cora-12-epochs', 'a-b', 'a-b-2', 'table', 'table-2']
    """
    names: list[str] = []
    for text in texts:
        name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST_NAME].strip("-") or "table"
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        names.append(next(each for each in itertools.chain([name], numbered) if each not in names))
    return names


def is_working(path: Path) -> bool:
    """Return whether a path is the working folder of an atomic write."""
    return path.name.startswith(_WORKING)


def remove(path: Path) -> None:
    """Remove a file, or a folder with its content; do nothing if it does not exist."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _working_folder(home: Path) -> Iterator[Path]:
    """Give a new hidden folder in ``home``, locked by this process until it is removed at the end of the block."""
    home.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(os.path.realpath(home))
    folder = _create_folder(home)
    lock = _lock(folder / _lock_name())
    try:
        yield folder
    finally:
        if lock is not None:
            lock.release()
        shutil.rmtree(folder, ignore_errors=True)


def _create_folder(home: Path) -> Path:
    """Create a folder with a new name and return its path.

    `tempfile` makes folders that only their owner can read, so their modes would have to be changed to those of
    ordinary folders afterwards. That needs the umask, which belongs to the whole process and can only be read by
    setting it: other threads that create files at that moment would get wrong modes. Here, the operating system applies
    the umask (and a folder's default access list) itself, as it does for every folder.
    """
    while True:
        folder = home / f"{_WORKING}{secrets.token_hex(_RANDOM_DIGITS // 2)}"
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            return folder


@functools.cache  # thousands of files may be written to one folder; listing it once per process is enough
def _remove_leftovers(home: str) -> None:
    """Remove the working folders in a folder that killed processes left behind."""
    for folder in Path(home).iterdir():
        if is_working(folder):
            with contextlib.suppress(OSError):  # its process has just removed it, or it belongs to another user
                _remove_if_left(folder)


def _remove_if_left(folder: Path) -> None:
    """Remove a working folder unless its process may still be at work."""
    own = folder / _lock_name()
    # A process creates its lock file, locks it and only then writes. Without content, it may not have locked it yet.
    if own.exists() and any(path != own for path in folder.iterdir()):
        lock = _lock(own)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            lock.release()
            shutil.rmtree(folder, ignore_errors=True)  # Windows keeps a locked file
            return
    newest = max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
    if newest < time.time() - _LEFT_BEHIND:
        shutil.rmtree(folder, ignore_errors=True)


def _lock(path: Path) -> filelock.BaseFileLock | None:
    """Lock a file without waiting; return None if another process holds the lock, or if there are no locks here."""
    import filelock

    lock = filelock.FileLock(path)
    try:
        lock.acquire(blocking=False)
    except (filelock.Timeout, OSError, NotImplementedError):
        return None
    return lock


@functools.cache
def _lock_name() -> str:
    """Return the name of the lock files of this machine: on some network file systems, others do not see the locks."""
    return f"{hashlib.sha256(platform.node().encode()).hexdigest()[:8]}.lock"


@contextlib.contextmanager
def _naming(target: Path, temporary: Path) -> Iterator[None]:
    """Let errors inside the block name the target instead of the temporary path."""
    try:
        yield
    except OutputError as error:
        if str(temporary) not in str(error):
            raise
        raise OutputError(str(error).replace(str(temporary), str(target))) from error


@contextlib.contextmanager
def as_output_error(target: Path) -> Iterator[None]:
    """Turn errors of the operating system inside the block into an OutputError about ``target``."""
    try:
        yield
    except NasbenchLabError:
        raise
    except (OSError, RuntimeError) as error:
        reason = _reason(error)
        if not reason:
            raise
        raise OutputError(f"cannot write {target}: {reason}") from error


def _reason(error: OSError | RuntimeError) -> str:
    """Return why the operating system refused something, in one line; empty for an error of another kind.

    HDF5 hides the reason in a long text, and raises a RuntimeError when a file is closed.
    """
    hidden = _HDF5_ERROR_NUMBER.search(str(error))
    if hidden:
        return os.strerror(int(hidden[1]))
    if isinstance(error, OSError):
        return " ".join(str(error.strerror or error).split())
    return ""


def _check_replaceable(target: Path, place: Path, replace: Collection[str] | None) -> bool:
    """Return whether the folder exists already; raise OutputError if it must not be written to."""
    if not place.exists():
        return False
    if not place.is_dir():
        raise OutputError(f"{target} is in the way: it is not a folder")
    present = sorted(path.name for path in place.iterdir() if not is_working(path))
    if replace is None and present:
        raise OutputError(f"{target} already has {present[0]}; choose another folder, or overwrite it (--overwrite)")
    foreign = [name for name in present if name not in (replace or ())]
    if foreign:
        raise OutputError(f"{target} has files that are no result ({foreign[0]}); it is not overwritten")
    return True


def _flush_to_disk(path: Path) -> None:
    if path.is_dir():
        for inside in path.iterdir():
            _flush_to_disk(inside)
        return
    with path.open("rb+") as file:
        os.fsync(file.fileno())
