"""Writing files and folders so that a reader sees the old content or the new, never half of it."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from nasbench_lab.errors import NasbenchLabError, OutputError

_TEMPORARY = ".nasbench-lab-"
"""How the names of temporary folders begin."""

_LEFT_BEHIND = 24 * 3600.0
"""Seconds without a change after which a temporary file belongs to a process that was killed: nothing is written for
a day without a byte added to it. (Whether its process is alive cannot be asked across machines that share a folder.)"""


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Give a temporary path next to ``target`` that becomes ``target`` when the block ends without an error.

    The folder is made if need be. After an error the temporary file is gone and ``target`` is as it was. Only a process
    that is killed leaves it behind; a later one that writes ``target`` removes it, when it is a day old.

    Raises:
        OutputError: the folder or file cannot be written (permissions, full disk, ...).
    """
    temporary: Path | None = None
    try:
        with _as_output_error(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            _remove_leftovers(target)
            handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
            os.close(handle)
            temporary = Path(name)
            yield temporary
            _flush_to_disk(temporary)
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(target)
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(target: Path, *, replace: Collection[str] | None = None) -> Iterator[Path]:
    """Give a temporary folder whose files are in ``target`` when the block ends without an error.

    A new folder appears at once, complete. Into a folder that exists already (it may be the current one, a link or a
    mount point), the finished files are moved one by one; none of them is ever half-written.

    Args:
        target: must not exist, or be empty, unless ``replace`` is given.
        replace: files of an existing folder are replaced if every name in it is among these; others stop everything.

    Raises:
        OutputError: ``target`` is in the way, or cannot be written. It is as it was.
    """
    temporary: Path | None = None
    try:
        with _as_output_error(target):
            place = Path(os.path.realpath(target))
            exists = _check_replaceable(target, place, replace)
            home = place if exists else place.parent
            home.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=home))
            yield temporary
            for path in temporary.iterdir():
                _flush_to_disk(path)
            if not exists:
                temporary.chmod(0o777 & ~_umask())
                temporary.rename(place)
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


def _remove_leftovers(target: Path) -> None:
    """Remove the temporary files of ``target`` that killed processes left behind."""
    for path in _aged_hidden_files(os.path.realpath(target.parent)):
        if _is_temporary(path.name, target):
            path.unlink(missing_ok=True)


@functools.cache  # no more get old soon, and a folder may have thousands of files that are written one by one
def _aged_hidden_files(folder: str) -> list[Path]:
    """Return the hidden files of a folder that nobody has written to for a day."""
    oldest, found = time.time() - _LEFT_BEHIND, []
    for path in Path(folder).iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process removed it
            if path.name.startswith(".") and path.is_file() and path.stat().st_mtime < oldest:
                found.append(path)
    return found


def _is_temporary(name: str, target: Path) -> bool:
    """Return whether a name is one that `atomic_path` makes up for ``target``."""
    start, end = f".{target.stem}-", target.suffix
    # What mkstemp adds are eight letters, digits or underscores; a longer name is that of another target's file.
    return name.startswith(start) and name.endswith(end) and len(name) == len(start) + 8 + len(end)


@contextlib.contextmanager
def _as_output_error(target: Path) -> Iterator[None]:
    """Turn an error of the operating system inside the block into an OutputError about ``target``."""
    try:
        yield
    except NasbenchLabError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error


def _check_replaceable(target: Path, place: Path, replace: Collection[str] | None) -> bool:
    """Return whether there is a folder already, or raise OutputError where it must not be written to."""
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


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
