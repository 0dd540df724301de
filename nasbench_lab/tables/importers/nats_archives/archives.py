"""Converting the official archives of NATS-Bench and NAS-Bench-201, which users download, to tables.

Archives come in three forms:

- a *folder* (``NATS-tss-v1_0-3ffb9-simple``, ``NATS-sss-v1_0-50262-simple``) has one compressed pickle per architecture
  and one with the list of all architectures;
- a *compressed pickle* (``NATS-tss-v1_0-3ffb9.pickle.pbz2``, ``NATS-sss-v1_0-50262.pickle.pbz2``) has everything in one
  file;
- a *torch file* (``NAS-Bench-201-v1_0-e61699.pth``, ``NAS-Bench-201-v1_1-096897.pth``) has everything, too.

All numbers go into learning-curve tables, one per data set and hyper-parameter set (``curve_tables.py``). The numbers
that searches use also go into one table per data set (``search_tables.py``). An archive may have only some
architectures; the others are missing in the tables. Only one architecture is in memory at a time.
"""

from __future__ import annotations

import bz2
import collections
import concurrent.futures
import contextlib
import dataclasses
import itertools
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from nasbench_lab.errors import DataError, OutputError
from nasbench_lab.files import atomic_folder
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import is_folder, open_plain, read_plain
from nasbench_lab.tables import store
from nasbench_lab.tables.importers.nats_archives import search_tables
from nasbench_lab.tables.importers.nats_archives.benchmarks import (
    DATASETS,
    NAS_BENCH_201_V10,
    NAS_BENCH_201_V11,
    SIZE,
    TOPOLOGY,
    Benchmark,
)
from nasbench_lab.tables.importers.nats_archives.curve_tables import (
    ArchiveLayout,
    CurveTableWriter,
    LayoutError,
    TableKey,
    describe,
    fitting,
)
from nasbench_lab.tables.importers.nats_archives.training import read
from nasbench_lab.tables.progress_callbacks import Progress
from nasbench_lab.tables.reading import pickle_stream, torch_file, unpickle
from nasbench_lab.tables.reading.untrusted_values import described

_META = "meta.pickle.pbz2"
_MEMBER = re.compile(r"(\d{1,6})\.pickle\.pbz2")
_ITEMS = "arch2infos"
_LIST = "meta_archs"
_MOST_BYTES = 2**21
"""Limit of a decompressed pickle: an architecture has a third of a million bytes, the list of architectures 1.6."""
_FREE_BYTES = 2**17
_MOST_EXPANSION = 500
"""Limit of the size of a pickle beyond that, relative to its compressed size; the list has 39 times that."""

_FILES = {f"{d}-{hp}.h5" for d in DATASETS for hp in (*TOPOLOGY.epochs, *SIZE.epochs)}
_FILES |= {f"search-{dataset}.h5" for dataset in DATASETS}
"""Every file that an import may write."""


def import_archive(source: Path, folder: Path, *, progress: Progress | None = None) -> list[Path]:
    """Write the tables of an official archive.

    Args:
        source: the archive: a folder, a ``.pickle.pbz2`` or a ``.pth``.
        folder: folder for the tables, ``<data set>-<hyper-parameters>.h5`` with learning curves and
            ``search-<data set>.h5``. Tables of an older import are replaced; the folder must have no other files.
        progress: called with the number of finished architectures, and the total. It starts again from 0 if the archive
            needs larger tables (see ``curve_tables.py``).

    Returns:
        The table files.

    Raises:
        DataError: the archive is damaged, hostile, or not an official archive. The folder stays unchanged.
        OutputError: the tables cannot be written, for example because the disk has not enough space (see
            `disk_needed`). The folder stays unchanged.
    """
    archive = _open(Path(source))
    with atomic_folder(Path(folder), replace=_FILES) as temporary:
        names = _write(archive, temporary, progress or _silent)
    return [Path(folder) / name for name in names]


def disk_needed(source: Path) -> int:
    """Return about how many bytes the tables of an archive take, judged by its first architecture.

    The number hardly depends on how many architectures the archive has: tables have a place for every architecture of
    the search space.

    Raises:
        DataError: the archive is damaged, hostile, or not an official archive.
    """
    archive = _open(Path(source))
    first = next(archive.items(), None)
    if first is None:
        return 0
    benchmark = _detect_benchmark(first[1])
    return _size(benchmark, ArchiveLayout(present=archive.expected), first[1])


def _size(benchmark: Benchmark, layout: ArchiveLayout, infos: Any) -> int:
    """Return the size of all tables of an archive in bytes, as far as its first architecture shows it."""
    names = {benchmark.keys.get(hp, hp): hp for hp in benchmark.epochs}
    keys = []
    try:
        for name, state in infos.items():
            for dataset, seeds in state["dataset_seed"].items():
                results, hp = state["all_results"], names[name]
                trainings = {seed: read(results[dataset, seed], dataset, benchmark.epochs[hp]) for seed in seeds}
                keys.append(TableKey(dataset, hp))
                layout = fitting(benchmark, layout, keys[-1], trainings)
    except (DataError, AttributeError, KeyError, TypeError):
        return 0  # the importer will say what is wrong
    curves = [describe(benchmark, layout, key, "") for key in keys]
    return sum(store.size_of(each) for each in (*curves, *search_tables.describe_all(benchmark, layout, keys, "")))


def _check_space(benchmark: Benchmark, layout: ArchiveLayout, infos: Any, name: str, folder: Path) -> None:
    """Raise OutputError if a folder's disk has not enough space for the tables."""
    size, free = _size(benchmark, layout, infos), shutil.disk_usage(folder).free
    if size > free:
        raise OutputError(
            f"the tables of {name} take {size / 1e9:.1f} GB of disk, but {folder.parent} has only {free / 1e9:.1f} GB"
        )


class _Archive(Protocol):
    """An archive of any form."""

    name: str
    expected: int | None
    """Number of architectures; None if it is not known before the end."""

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Yield the index and the results of every architecture."""

    def architectures(self) -> Any:
        """Return the archive's list of all architectures; call it after all items."""


def _write(archive: _Archive, folder: Path, progress: Progress) -> list[str]:
    """Write all tables; start again with another layout as long as the archive needs one."""
    layout = ArchiveLayout(present=archive.expected)
    while True:
        try:
            return _try(archive, layout, folder, progress)
        except LayoutError as error:
            layout = error.layout


def _try(archive: _Archive, layout: ArchiveLayout, folder: Path, progress: Progress) -> list[str]:
    """Write all tables in one layout, or raise LayoutError and leave none."""
    with contextlib.ExitStack() as stack:
        done: set[int] = set()
        for index, infos in archive.items():
            if not done:
                benchmark = _detect_benchmark(infos)
                layout = _complete(layout, benchmark, layout.present)
                _check_space(benchmark, layout, infos, archive.name, folder)
                tables = stack.enter_context(CurveTableWriter(benchmark, layout, archive.name, folder))
            _put(tables, benchmark, index, infos)
            done.add(index)
            progress(len(done), layout.present or benchmark.space.size)
        if not done:
            raise DataError(f"{archive.name} has no architectures")
        if archive.architectures() != benchmark.space.format(np.arange(benchmark.space.size)):
            raise DataError(f"{archive.name} does not list the architectures of {benchmark.title} in official order")
        if _complete(layout, benchmark, len(done)) != layout:
            raise LayoutError(_complete(layout, benchmark, len(done)))
    names = [f"{key}.h5" for key in tables.keys]
    return names + search_tables.write(benchmark, layout, tables.keys, folder, archive.name)


def _complete(layout: ArchiveLayout, benchmark: Benchmark, present: int | None) -> ArchiveLayout:
    """Return the layout with the number of architectures; None for all of them."""
    return dataclasses.replace(layout, present=None if present == benchmark.space.size else present)


def _detect_benchmark(infos: Any) -> Benchmark:
    """Return the benchmark that the results of an architecture belong to."""
    try:
        if infos.keys() <= {"less", "full"}:
            datasets = infos["less"]["dataset_seed"].keys()
            return NAS_BENCH_201_V10 if datasets == {"cifar10-valid"} else NAS_BENCH_201_V11
        return SIZE if ":" in next(iter(infos.values()))["arch_str"] else TOPOLOGY
    except (AttributeError, KeyError, TypeError, StopIteration) as error:
        raise DataError("the archive has no results in the format of NATS-Bench or NAS-Bench-201") from error


def _put(tables: CurveTableWriter, benchmark: Benchmark, index: Any, infos: Any) -> None:
    """Write all results of one architecture."""
    if type(index) is not int or not 0 <= index < benchmark.space.size:
        raise DataError(f"the archive has results of architecture {described(index)}, which does not exist")
    names = {benchmark.keys.get(hp, hp): hp for hp in benchmark.epochs}
    try:
        if not isinstance(infos, dict) or not infos or not infos.keys() <= names.keys():
            raise DataError(f"it has no results, or results of other hyper-parameters than {', '.join(names)}")
        for name, state in infos.items():
            tables.put(index, names[name], state)
    except DataError as error:
        raise DataError(f"architecture {index} of the archive is damaged: {error}") from error


def _open(source: Path) -> _Archive:
    """Open an archive; its first bytes say which form it has."""
    try:
        if is_folder(source):
            return _Folder(source)
        with open_plain(source) as file:
            begin = file.read(2**12)
    except OSError as error:
        raise DataError(f"cannot read {source}: {error.strerror or first_line(error)}") from error
    if begin.startswith(b"BZh"):
        return _OneFile(source.name, lambda: bz2.open(source))  # type: ignore[arg-type,return-value]
    if begin.startswith(b"PK\x03\x04"):
        return _OneFile(source.name, lambda: _open_zip(source))
    position = torch_file.stream_header(begin)
    return _OneFile(source.name, lambda: _open_at(source, position), followed=True)


class _Folder:
    """A folder with one file per architecture."""

    def __init__(self, source: Path) -> None:
        self.name, self._source = source.name, source
        members = {int(match[1]): path for path in source.iterdir() if (match := _MEMBER.fullmatch(path.name))}
        self._members = dict(sorted(members.items()))
        self.expected: int | None = len(members)

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Yield the index and the results of every architecture."""
        # A thread decompresses the next file while one is read; this takes a third of the time and releases the GIL.
        with concurrent.futures.ThreadPoolExecutor(max_workers=1) as pool:
            waiting: collections.deque[concurrent.futures.Future[bytes]] = collections.deque()
            paths = iter(self._members.values())
            waiting += (pool.submit(_content, path) for path in itertools.islice(paths, 2))
            for index, path in self._members.items():
                content = waiting.popleft().result()
                waiting += (pool.submit(_content, following) for following in itertools.islice(paths, 1))
                yield index, _unpickled(path, content)

    def architectures(self) -> Any:
        """Return the archive's list of all architectures."""
        meta = _read(self._source / _META)
        return meta.get(_LIST) if isinstance(meta, dict) else None


class _OneFile:
    """A single pickle with everything."""

    def __init__(self, name: str, open_stream: pickle_stream.OpenStream, *, followed: bool = False) -> None:
        self.name = name
        self.expected: int | None = None
        self._stream = pickle_stream.PickleStream(open_stream, _ITEMS, unpickle.ALLOWED, followed=followed)

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Yield the index and the results of every architecture."""
        try:
            yield from self._stream
        except (OSError, EOFError) as error:
            reason = getattr(error, "strerror", None) or first_line(error)
            raise DataError(f"cannot read {self.name}: {reason}") from error

    def architectures(self) -> Any:
        """Return the archive's list of all architectures."""
        return self._stream.rest.get(_LIST)


def _open_at(source: Path, position: int) -> BinaryIO:
    file = source.open("rb")
    file.seek(position)
    return file


@contextlib.contextmanager
def _open_zip(source: Path) -> Iterator[BinaryIO]:
    """Open the pickle inside a torch file of the zip form."""
    with torch_file.zip_errors(), zipfile.ZipFile(source) as archive:
        members = torch_file.zip_members(archive, source.stat().st_size)
        with archive.open(members[torch_file.PICKLE]) as stream:
            yield stream  # type: ignore[misc]


def _read(path: Path) -> Any:
    """Read one compressed pickle of bounded size."""
    return _unpickled(path, _content(path))


def _unpickled(path: Path, content: bytes) -> Any:
    try:
        return unpickle.load(content)
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from error


def _content(path: Path) -> bytes:
    try:
        return _decompress(read_plain(path, _MOST_BYTES))
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or first_line(error)}") from error


def _decompress(data: bytes) -> bytes:
    decompressor = bz2.BZ2Decompressor()
    most = min(_MOST_BYTES, _FREE_BYTES + _MOST_EXPANSION * len(data))
    try:
        content = decompressor.decompress(data, most + 1)
    except (OSError, ValueError) as error:
        raise DataError(f"it is not bz2-compressed data: {first_line(error)}") from error
    if len(content) > most:
        raise DataError(f"it has more than {most} bytes when it is decompressed")
    if not decompressor.eof:
        raise DataError("it is truncated")
    if decompressor.unused_data:
        raise DataError("it is corrupt: something follows the compressed data")
    return content


def _silent(_done: int, _total: int) -> None: ...
