"""Writing files and folders atomically: a reader sees the old content or the new, never a part of it."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from nasbench_lab.errors import NasbenchLabError, OutputError

_TEMPORARY = ".nasbench-lab-"
"""Prefix of the names of temporary folders."""

_RANDOM_DIGITS = 8
"""Hexadecimal digits that make the name of a temporary file or folder unique."""

_LEFT_BEHIND = 24 * 3600.0
"""Seconds without a change after which a temporary file counts as left behind by a killed process: a file that is still
being written grows at least once a day. (A process cannot ask whether a process on another machine is alive.)"""


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Give a temporary path next to ``target`` that becomes ``target`` when the block ends without an error.

    The folder is created if needed. After an error the temporary file is removed and ``target`` is unchanged. Only a
    killed process leaves its temporary file behind; a later call for the same ``target`` removes it once it is a day
    old.

    Raises:
        OutputError: the folder or file cannot be written (permissions, full disk, ...).
    """
    temporary: Path | None = None
    try:
        with _as_output_error(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            _remove_leftovers(target)
            temporary = _create(target.parent, f".{target.stem}-", target.suffix, _create_file)
            yield temporary
            _flush_to_disk(temporary)
            temporary.replace(target)
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(target: Path, *, replace: Collection[str] | None = None) -> Iterator[Path]:
    """Give a temporary folder whose files move to ``target`` when the block ends without an error.

    A new folder appears at once, complete. If the folder exists already (it may be the current folder, a link or a
    mount point), the finished files are moved into it one by one; none of them is ever half-written.

    Args:
        target: a path that does not exist, or an empty folder; with ``replace``, also a folder with these files.
        replace: names of files that may be replaced. A folder with any other file is refused.

    Raises:
        OutputError: ``target`` is in the way, or cannot be written. It is unchanged.
    """
    temporary: Path | None = None
    try:
        with _as_output_error(target):
            place = Path(os.path.realpath(target))
            exists = _check_replaceable(target, place, replace)
            home = place if exists else place.parent
            home.mkdir(parents=True, exist_ok=True)
            temporary = _create(home, _TEMPORARY, "", os.mkdir)
            yield temporary
            for path in temporary.iterdir():
                _flush_to_disk(path)
            if not exists and _renamed(temporary, place):
                return
            _check_replaceable(target, place, replace)
            finished = sorted(temporary.iterdir())
            names = {path.name for path in finished}
            outdated = [p for p in place.iterdir() if p.name not in names and not p.name.startswith(_TEMPORARY)]
            for path in finished:
                path.replace(place / path.name)
            for path in outdated:
                path.unlink()
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _renamed(temporary: Path, place: Path) -> bool:
    """Rename a folder; return False if another process has made a folder of that name meanwhile."""
    try:
        temporary.rename(place)
    except OSError:
        if not place.is_dir():
            raise
        return False
    return True


def _remove_leftovers(target: Path) -> None:
    """Remove the temporary files of ``target`` that killed processes left behind."""
    for path in _aged_hidden_files(os.path.realpath(target.parent)):
        if _is_temporary(path.name, target):
            path.unlink(missing_ok=True)


@functools.cache  # thousands of files may be written to one folder; listing it once per process is enough
def _aged_hidden_files(folder: str) -> list[Path]:
    """Return the hidden files of a folder that were last changed more than a day ago."""
    oldest, found = time.time() - _LEFT_BEHIND, []
    for path in Path(folder).iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process removed it
            if path.name.startswith(".") and path.is_file() and path.stat().st_mtime < oldest:
                found.append(path)
    return found


def _is_temporary(name: str, target: Path) -> bool:
    """Return whether a name has the form that `atomic_path` gives to the temporary files of ``target``."""
    start, end = f".{target.stem}-", target.suffix
    # A longer name is that of another target's temporary file.
    return name.startswith(start) and name.endswith(end) and len(name) == len(start) + _RANDOM_DIGITS + len(end)


def _create(folder: Path, prefix: str, suffix: str, create: Callable[[Path], None]) -> Path:
    """Create a file or folder with a new name and return its path.

    `tempfile` makes files and folders that only their owner can read, so their modes would have to be changed to those
    of ordinary files afterwards. That needs the umask, which belongs to the whole process and can only be read by
    setting it: other threads that create files at that moment would get wrong modes. Here, the operating system applies
    the umask (and a folder's default access list) itself, as it does for every file.
    """
    while True:
        path = folder / f"{prefix}{secrets.token_hex(_RANDOM_DIGITS // 2)}{suffix}"
        with contextlib.suppress(FileExistsError):
            create(path)
            return path


def _create_file(path: Path) -> None:
    """Create an empty file; a FileExistsError if there is one already."""
    path.touch(exist_ok=False)


@contextlib.contextmanager
def _as_output_error(target: Path) -> Iterator[None]:
    """Turn errors of the operating system inside the block into an OutputError about ``target``."""
    try:
        yield
    except NasbenchLabError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error


def _check_replaceable(target: Path, place: Path, replace: Collection[str] | None) -> bool:
    """Return whether the folder exists already; raise OutputError if it must not be written to."""
    if not place.exists():
        return False
    if not place.is_dir():
        raise OutputError(f"{target} is in the way: it is not a folder")
    present = sorted(path.name for path in place.iterdir() if not path.name.startswith(_TEMPORARY))
    if replace is None and present:
        raise OutputError(f"{target} already has {present[0]}; choose another folder, or allow overwriting it")
    foreign = [name for name in present if name not in (replace or ())]
    if foreign:
        raise OutputError(f"{target} has files that are no result ({foreign[0]}); it is not overwritten")
    return True


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
