"""The folder for downloads, converted tables and enumerated spaces, and making what it lacks once for all processes."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from nasbench_lab.files import as_output_error

_UNFINISHED = ".unfinished"
_LOCK = ".lock"
_LOG = logging.getLogger(__name__)

CACHE_VARIABLE = "NASBENCH_LAB_CACHE"


def cache_folder() -> Path:
    """Return the cache folder.

    This is the folder in the environment variable ``NASBENCH_LAB_CACHE`` if it is set, otherwise a folder in the cache
    folder of the user.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("nasbench-lab"))


def make_once(target: Path, make: Callable[[Path], object]) -> None:
    """Make a file or folder in a folder of the cache, unless it exists.

    If several processes need it at the same time, one makes it and the others wait. If that process fails or is killed,
    the next one makes it. The next call for any file or folder beside ``target`` removes what a killed process left.

    Args:
        target: the file or folder.
        make: called with a path in an empty folder, where it must write the file or folder.

    Raises:
        OutputError: the cache cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for text in ("first", "second"):
    ...         make_once(Path(folder, "texts", "made.txt"), lambda path: path.write_text(text))
    ...     Path(folder, "texts", "made.txt").read_text()
    'first'
    """
    if target.exists():
        return
    with as_output_error(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target):
            _remove_unfinished(target.parent)
            if target.exists():
                return
            workshop = target.with_name(f".{target.name}{_UNFINISHED}")
            shutil.rmtree(workshop, ignore_errors=True)
            workshop.mkdir()
            try:
                make(workshop / target.name)
                (workshop / target.name).rename(target)
            finally:
                shutil.rmtree(workshop, ignore_errors=True)


@contextlib.contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Hold the lock of a file or folder. The operating system releases it when the process ends, however it ends."""
    import filelock

    lock = filelock.FileLock(_lock_path(target))
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        _LOG.warning("waiting for another process that makes %s", target)
        lock.acquire()
    # The empty file of the lock stays: to delete it safely, all processes would have to agree.
    try:
        yield
    finally:
        lock.release()


def _lock_path(target: Path) -> Path:
    """Return the path of the lock, apart from the folder of the target, whose listing it would disturb."""
    folder = target.parent.parent / "locks"
    folder.mkdir(exist_ok=True)
    return folder / f"{target.parent.name}-{target.name}{_LOCK}"


def _remove_unfinished(folder: Path) -> None:
    """Remove the unfinished files and folders of processes that were killed: their locks are free."""
    import filelock

    for path in folder.glob(f".*{_UNFINISHED}"):
        target = path.with_name(path.name.removeprefix(".").removesuffix(_UNFINISHED))
        lock = filelock.FileLock(_lock_path(target))
        with contextlib.suppress(filelock.Timeout, OSError), lock.acquire(blocking=False):
            shutil.rmtree(path, ignore_errors=True)
