"""Opening tables, or an official archive, which is converted into a folder of tables once."""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np

from nasbench_lab.cache import cache_folder, make_once
from nasbench_lab.compat.nats.errors import ArgumentError, MissingResultError
from nasbench_lab.compat.nats.search_trainings import trainings_of
from nasbench_lab.compat.nats.training_table import TrainingTable
from nasbench_lab.compat.nats.trainings import EVALUATIONS, Trainings
from nasbench_lab.errors import SourceError, UnknownNameError
from nasbench_lab.pickling import state_without_caches
from nasbench_lab.spaces import Space
from nasbench_lab.tables import catalogue
from nasbench_lab.tables.store import FORMAT_VERSION

DATASETS = tuple(EVALUATIONS)
"""Official names of the data sets that networks were trained on."""

Sources = Mapping[tuple[str, str], Callable[[], Trainings]]
"""Data set and hyper-parameters to a function that opens the trainings."""

_REVISION = 1  # increased whenever the importer makes other tables from the same archive
_KEY = rf"({'|'.join(DATASETS)})-(\d+)"
_TABLE = re.compile(rf"{_KEY}\.h5")
_CURVES = re.compile(rf".*-curves/{_KEY}")
_LOG = logging.getLogger(__name__)


@final
class Archive:
    """The trainings on all data sets with all sets of hyper-parameters.

    Tables are opened at their first use.

    Args:
        sources: functions that open the trainings.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = dict(sorted(sources.items(), key=_official_order))
        self._open: dict[tuple[str, str], Trainings] = {}
        self.hps = tuple(dict.fromkeys(sorted((hp for _, hp in self._sources), key=int)))
        self.datasets = tuple(dict.fromkeys(dataset for dataset, _ in self._sources))

    @cached_property
    def space(self) -> Space:
        """The search space."""
        dataset, hp = next(iter(self._sources))
        return self.require(dataset, hp).space

    def trainings(self, dataset: str, hp: str) -> Trainings | None:
        """Return the trainings on a data set with some hyper-parameters, or None if there are none."""
        found = self._open.get((dataset, hp))
        if found is None and (dataset, hp) in self._sources:
            found = self._open[dataset, hp] = self._sources[dataset, hp]()
        return found

    def require(self, dataset: str, hp: str) -> Trainings:
        """Return the trainings on a data set with some hyper-parameters.

        Raises:
            MissingResultError: there are none.
        """
        found = self.trainings(dataset, hp)
        if found is None:
            known = ", ".join(f"{d} with hp {h}" for d, h in self._sources)
            raise MissingResultError(f"there are no trainings on {dataset!r} with hp {hp!r}; available: {known}")
        return found

    def hps_of(self, index: int) -> list[str]:
        """Return the hyper-parameters with which an architecture was trained."""
        return [hp for hp in self.hps if self.has(index, hp)]

    def has(self, index: int, hp: str) -> bool:
        """Return whether an architecture was trained with some hyper-parameters, on any data set."""
        return any(self._present(dataset, hp, index) for dataset in self.datasets)

    @cached_property
    def evaluated(self) -> tuple[int, ...]:
        """Indices of all architectures that have any training, ascending."""
        trained = [self.require(dataset, hp).trained() for dataset, hp in self._sources]
        return tuple(np.unique(np.concatenate(trained)).tolist())

    @cached_property
    def notations(self) -> list[str]:
        """Official notations of all architectures of the space, in order."""
        return self.space.format(np.arange(self.space.size))

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Index of every architecture by its notation."""
        return {text: index for index, text in enumerate(self.notations)}

    @cached_property
    def indices(self) -> dict[Any, int]:
        """Index of every architecture by what equals it, such as 5.0: the keys of the originals' dictionaries."""
        return {index: index for index in range(self.space.size)}

    def __getstate__(self) -> dict[str, Any]:
        return {**state_without_caches(self), "_open": {}}

    def _present(self, dataset: str, hp: str, index: int) -> tuple[int, ...]:
        trainings = self.trainings(dataset, hp)
        return () if trainings is None else trainings.present(index)


def open_archive(source: str | os.PathLike[str]) -> Archive:
    """Open tables, or an official archive.

    An official archive is converted into the cache at its first use. The tables are found again by the path, size and
    time of the archive (for a folder: its own time, and that of its list of architectures), so an archive that has
    changed is converted again. Processes that open the archive at the same time wait for the first one. The tables take
    1 to 3 GB however few architectures the archive has: they have a place for every architecture of the space.

    Args:
        source: a table of the catalogue or all of a publication, a table file, a folder of table files, or a folder or
            file with an official archive.

    Raises:
        ArgumentError: there is no such table, file or folder.
        DataError: the file is damaged, hostile or not an archive.
    """
    path, names = Path(source), _catalogue_names(source)
    if names:
        return _of_tables(names)
    if not path.exists():
        raise ArgumentError(f"{path} is neither a file or a dir.{_hint(source)}")
    if _curve_files(path):
        return _of_curves(path)
    files = _table_files(path)
    if files:
        return _of_tables(files)
    folder = cache_folder() / "archives" / f"{path.name.split('.')[0]}-{_identity(path)}"
    make_once(folder, lambda draft: _convert(path, draft, folder))
    return _of_curves(folder)


def is_official(source: Path) -> bool:
    """Return whether a path is an official archive (or something else that exists), not tables of this package."""
    return source.exists() and not (_catalogue_names(source) or _curve_files(source) or _table_files(source))


def _catalogue_names(source: str | os.PathLike[str]) -> list[str]:
    """Return the name of the table in the catalogue, or those of all tables of a publication; else an empty list."""
    name = os.fspath(source)
    if catalogue.is_named(name):
        return [name]
    return [] if Path(name).exists() else [one for one in catalogue.list_tables() if one.partition("/")[0] == name]


def _hint(source: str | os.PathLike[str]) -> str:
    """Return similar names of the catalogue, if the source could be a name; else an empty text."""
    name = os.fspath(source)
    if Path(name).is_absolute() or Path(name).suffix or name.startswith("."):
        return ""
    try:
        catalogue.find_recipe(name)
    except (UnknownNameError, SourceError) as error:
        return f" As the name of a table: {error}"
    return ""


def _of_tables(names: list[str] | list[Path]) -> Archive:
    """Return the trainings of tables, given by their names in the catalogue or as files."""
    sources: dict[tuple[str, str], Callable[[], Trainings]] = {}
    for name in names:
        table = catalogue.load(name)
        curves = _CURVES.fullmatch(table.name)
        if curves and isinstance(name, Path):
            sources[curves[1], curves[2]] = functools.partial(TrainingTable, name.absolute(), curves[1], curves[2])
        else:
            sources |= trainings_of(table)
    return Archive(sources)


def _of_curves(folder: Path) -> Archive:
    """Return the trainings of a folder of learning-curve tables, or of one such table."""
    files = _curve_files(folder).items()
    return Archive({key: functools.partial(TrainingTable, path.absolute(), *key) for key, path in files})


def _curve_files(folder: Path) -> Mapping[tuple[str, str], Path]:
    """Return the learning-curve tables in a folder, or a single one, by the data set and hyper-parameters in names."""
    names = {path: _TABLE.fullmatch(path.name) for path in _files(folder)}
    return {(match[1], match[2]): path for path, match in names.items() if match}


def _table_files(folder: Path) -> list[Path]:
    """Return all table files in a folder, or a single one."""
    return sorted(path for path in _files(folder) if catalogue.is_table_file(path) and not path.name.startswith("."))


def _files(folder: Path) -> list[Path]:
    return [folder] if folder.is_file() else list(folder.iterdir()) if folder.is_dir() else []


def _official_order(item: tuple[tuple[str, str], Any]) -> tuple[int, str, int]:
    dataset, hp = item[0]
    return DATASETS.index(dataset) if dataset in DATASETS else len(DATASETS), dataset, int(hp)


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
