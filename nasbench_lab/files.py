"""Writing files and folders so that a reader sees the old content or the new, never half of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from nasbench_lab.errors import NasbenchLabError, OutputError


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Give a temporary path next to ``target`` that becomes ``target`` when the block ends without an error.

    The folder is made if need be. After an error the temporary file is gone and ``target`` is as it was.

    Raises:
        OutputError: the folder or file cannot be written (permissions, full disk, ...).
    """
    temporary: Path | None = None
    try:
        with _as_output_error(target):
            target.parent.mkdir(parents=True, exist_ok=True)
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
    """Give a temporary folder next to ``target`` that becomes ``target`` when the block ends without an error.

    Args:
        target: must not exist, or be empty, unless ``replace`` is given.
        replace: an existing folder is replaced if every name in it is among these; others are never deleted.

    Raises:
        OutputError: ``target`` is in the way, or cannot be written. It is as it was.
    """
    temporary: Path | None = None
    try:
        with _as_output_error(target):
            _check_replaceable(target, replace)
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
            yield temporary
            for path in temporary.iterdir():
                _flush_to_disk(path)
            temporary.chmod(0o777 & ~_umask())
            _check_replaceable(target, replace)
            _swap_in(temporary, target)
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def _as_output_error(target: Path) -> Iterator[None]:
    """Turn an error of the operating system inside the block into an OutputError about ``target``."""
    try:
        yield
    except NasbenchLabError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error


def _check_replaceable(target: Path, replace: Collection[str] | None) -> None:
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise OutputError(f"{target} is in the way: it is not a folder")
    present = sorted(path.name for path in target.iterdir())
    if replace is None and present:
        raise OutputError(f"{target} already has {present[0]}; choose another folder, or allow overwriting it")
    foreign = [name for name in present if name not in (replace or ())]
    if foreign:
        raise OutputError(f"{target} has files that are no result ({foreign[0]}); it is not overwritten")


def _swap_in(temporary: Path, target: Path) -> None:
    """Move a folder to its place. An older one is moved aside first, and deleted only when the new one is there."""
    if not target.exists():
        temporary.replace(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    target.replace(old)
    temporary.replace(target)
    shutil.rmtree(old)


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
