"""Opening a folder of our tables, or an official archive, which is converted into such a folder once."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import final

import numpy as np

from nasbench_lab.cache import cache_folder, make_once
from nasbench_lab.compat.nats.errors import ArgumentError, MissingResultError
from nasbench_lab.compat.nats.training_table import EVALUATIONS, TrainingTable
from nasbench_lab.spaces import Space
from nasbench_lab.tables.store import FORMAT_VERSION

DATASETS = tuple(EVALUATIONS)
"""Official names of the data sets that networks were trained on."""

_REVISION = 1  # increased whenever the importer makes other tables from the same archive
_TABLE = re.compile(rf"({'|'.join(DATASETS)})-(\d+)\.h5")
_LOG = logging.getLogger(__name__)


@final
class Archive:
    """A folder with a table ``<data set>-<hp>.h5`` for every data set and set of hyper-parameters.

    Tables are opened at their first use.

    Args:
        folder: the folder of the tables, or the path of one table.

    Raises:
        ArgumentError: the folder has no tables.
    """

    def __init__(self, folder: Path) -> None:
        self._paths = _tables(folder)
        if not self._paths:
            raise ArgumentError(f"{folder} has no tables; their names are like cifar10-valid-200.h5")
        self._open: dict[tuple[str, str], TrainingTable] = {}
        self.hps = tuple(sorted({hp for _, hp in self._paths}, key=int))

    @cached_property
    def space(self) -> Space:
        """The search space."""
        dataset, hp = next(iter(self._paths))
        return self.require(dataset, hp).space

    def trainings(self, dataset: str, hp: str) -> TrainingTable | None:
        """Return the trainings on a data set with some hyper-parameters, or None if there are none."""
        found = self._open.get((dataset, hp))
        if found is None and (dataset, hp) in self._paths:
            found = self._open[dataset, hp] = TrainingTable(self._paths[dataset, hp], dataset, hp)
        return found

    def require(self, dataset: str, hp: str) -> TrainingTable:
        """Return the trainings on a data set with some hyper-parameters.

        Raises:
            MissingResultError: there are none.
        """
        found = self.trainings(dataset, hp)
        if found is None:
            known = ", ".join(f"{d} with hp {h}" for d, h in self._paths)
            raise MissingResultError(f"there are no trainings on {dataset!r} with hp {hp!r}; available: {known}")
        return found

    def hps_of(self, index: int) -> list[str]:
        """Return the hyper-parameters with which an architecture was trained."""
        return [hp for hp in self.hps if self.has(index, hp)]

    def has(self, index: int, hp: str) -> bool:
        """Return whether an architecture was trained with some hyper-parameters, on any data set."""
        return any(self._present(dataset, hp, index) for dataset in DATASETS)

    @cached_property
    def evaluated(self) -> tuple[int, ...]:
        """Indices of all architectures that have any training, ascending."""
        trained = [self.require(dataset, hp).trained() for dataset, hp in self._paths]
        return tuple(np.unique(np.concatenate(trained)).tolist())

    @cached_property
    def notations(self) -> list[str]:
        """Official notations of all architectures of the space, in order."""
        return self.space.format(np.arange(self.space.size))

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Index of every architecture by its notation."""
        return {text: index for index, text in enumerate(self.notations)}

    def _present(self, dataset: str, hp: str, index: int) -> tuple[int, ...]:
        trainings = self.trainings(dataset, hp)
        return () if trainings is None else trainings.present(index)


def open_archive(source: Path) -> Archive:
    """Open a folder of our tables, or an official archive.

    An official archive is converted into the cache at its first use. The tables are found again by the path, size and
    time of the archive (for a folder: its own time, and that of its list of architectures), so an archive that has
    changed is converted again. Processes that open the archive at the same time wait for the first one. The tables take
    1 to 3 GB however few architectures the archive has: they have a place for every architecture of the space.

    Args:
        source: a folder of tables, one table, a folder with an official archive, or an official file.

    Raises:
        ArgumentError: there is no such file or folder.
        DataError: the file is damaged, hostile or not an archive.
    """
    if not source.exists():
        raise ArgumentError(f"{source} is neither a file or a dir.")
    if _tables(source):
        return Archive(source)
    folder = cache_folder() / "archives" / f"{source.name.split('.')[0]}-{_identity(source)}"
    make_once(folder, lambda draft: _convert(source, draft, folder))
    return Archive(folder)


def is_ours(source: Path) -> bool:
    """Return whether a path is a folder of our tables, or one of them."""
    return bool(_tables(source))


def _tables(folder: Path) -> Mapping[tuple[str, str], Path]:
    """Return the paths of the tables in a folder, or of a single table, by data set and hyper-parameters."""
    paths = [folder] if folder.is_file() else folder.iterdir() if folder.is_dir() else ()
    names = {path: _TABLE.fullmatch(path.name) for path in paths}
    found = {(match[1], match[2]): path for path, match in names.items() if match}
    return dict(sorted(found.items(), key=lambda item: (DATASETS.index(item[0][0]), int(item[0][1]))))


def _convert(source: Path, draft: Path, folder: Path) -> None:
    from nasbench_lab.tables.importers.nats_archives.archives import disk_needed, import_archive

    size = disk_needed(source) / 1e9
    _LOG.warning("converting %s into %s; this is done once, and takes %.1f GB of disk", source, folder, size)
    import_archive(source, draft, progress=_report)


def _report(done: int, total: int) -> None:
    if total and done * 20 // total > (done - 1) * 20 // total:
        _LOG.info("converted %d of %d", done, total)


def _identity(source: Path) -> str:
    """Return a digest that differs between archives and between versions of an archive."""
    place = source.resolve()
    files = [place, *sorted(place.glob("meta.*"))] if place.is_dir() else [place]
    facts = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr((facts, FORMAT_VERSION, _REVISION)).encode()).hexdigest()[:16]
