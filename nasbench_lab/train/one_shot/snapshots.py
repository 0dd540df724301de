"""Snapshots: supernets that are saved during their training, by run and epoch.

A result folder has them at ``supernets/run-0/epoch-0030.pt``: the supernet of run 0 after 30 epochs.
"""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

from nasbench_lab.checks import AtLeast, whole
from nasbench_lab.errors import DataError
from nasbench_lab.plain_files import is_folder, is_plain

FOLDER = "supernets"
"""Name of the folder of snapshots inside a result folder."""

_RUN = re.compile(r"run-(\d{1,9})")
_EPOCH = re.compile(r"epoch-(\d{1,9})\.pt")


@dataclasses.dataclass(frozen=True, order=True)
class Snapshot:
    """A file of a supernet in a result folder.

    Attributes:
        run: number of the run.
        epoch: number of finished epochs.
        path: the file, for `nasbench_lab.train.one_shot.load_supernet`.
    """

    run: int
    epoch: int
    path: Path


def snapshot_path(folder: str | os.PathLike[str], run: int, epoch: int) -> Path:
    """Return the path of the snapshot of a run after a number of epochs.

    >>> snapshot_path("results/spos", 0, 30).as_posix()
    'results/spos/supernets/run-0/epoch-0030.pt'
    """
    run, epoch = whole("run", run, AtLeast(0)), whole("epoch", epoch, AtLeast(0))
    return Path(folder) / FOLDER / f"run-{run}" / f"epoch-{epoch:04d}.pt"


def find_snapshots(folder: str | os.PathLike[str]) -> list[Snapshot]:
    """Return the snapshots of a result folder by run and epoch; files with other names are ignored.

    Raises:
        DataError: the folder has no snapshots.
    """
    home = Path(folder)
    runs = home / FOLDER if is_folder(home / FOLDER) else home
    try:
        found = [
            Snapshot(int(run[1]), int(epoch[1]), path)
            for inner in (runs.iterdir() if is_folder(runs) else ())
            if (run := _RUN.fullmatch(inner.name)) and is_folder(inner)
            for path in inner.iterdir()
            if (epoch := _EPOCH.fullmatch(path.name)) and is_plain(path)
        ]
    except OSError as error:
        raise DataError(f"cannot read the folder {home}: {error.strerror}") from error
    if not found:
        what = "has no supernets" if is_folder(home) else "is not a folder"
        raise DataError(f"{home} {what}; they are at {FOLDER}/run-0/epoch-0030.pt and so on")
    return sorted(found)
