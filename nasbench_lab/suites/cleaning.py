"""Cleaning the folder of a suite: leftovers, damaged files, and results that it no longer needs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from nasbench_lab.errors import DataError
from nasbench_lab.files import is_working, remove
from nasbench_lab.suites.folder import CLAIMS, FAILED, FOLDERS, LOCK, SHARDS, SUITE, OtherFormatError, SuiteFolder
from nasbench_lab.suites.shards import UNFINISHED


def clean(path: Path, *, results: bool = False, unused: bool = False) -> int:
    """Remove leftovers of killed processes, damaged files and reports of failures; return the number of files.

    A damaged ``suite.json`` is removed. If the same suite then runs in the folder, its finished shards are kept.

    Args:
        path: the folder of a suite.
        results: whether to remove all results too, so that the suite can start again.
        unused: whether to remove results that are no longer part of the suite.

    Raises:
        DataError: the folder has no suite, or one of a newer release.
        OutputError: another process is working in the folder.
    """
    try:
        folder = SuiteFolder.open(path)
    except OtherFormatError:
        raise
    except DataError:
        if not (path / SUITE).is_file():
            raise
        lost = results or not any((path / SHARDS).glob("*.json"))
        files = [each for name in FOLDERS for each in (path / name).glob("*") if lost or _left(each)]
        return _remove(path, [path / SUITE, *files])
    with folder.all_claims():
        doomed = [each for name in FOLDERS for each in (path / name).glob("*") if results or _left(each)]
        doomed += [each for each in path.glob("*") if is_working(each)]
        doomed += _needless(folder)
        if results:
            return _remove(path, [*doomed, path / SUITE, path / LOCK])
        return _remove(path, [*doomed, *folder.unusable(), *(folder.unused() if unused else [])])


def _remove(path: Path, doomed: Iterable[Path]) -> int:
    """Remove files, and then those folders of a suite that are empty; return the number of files."""
    removed = list(dict.fromkeys(doomed))
    for each in removed:
        remove(each)
    for name in FOLDERS:
        with contextlib.suppress(OSError):  # missing or not empty
            (path / name).rmdir()
    return len(removed)


def _needless(folder: SuiteFolder) -> list[Path]:
    """Return what no unfinished search resumes from: it is finished, failed, or not part of the suite any more."""
    going_on = {each.name for each in folder.plan.shards if not (folder.is_finished(each) or folder.failure(each))}
    return [each for each in (folder.path / UNFINISHED).glob("*") if each.name not in going_on]


def _left(path: Path) -> bool:
    """Return whether a file has no use when no process is working in the folder."""
    return path.name.startswith(".") or path.parent.name in (FAILED, CLAIMS)
