"""The files that can be imported, told apart by their content and never by their names.

A recogniser reads the first bytes of a file, or the listing of a folder, and nothing else. It may take a damaged or
hostile file for one of its kind; then the converter says what is wrong with it.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nasbench_lab.errors import DataError, ParameterError, unknown
from nasbench_lab.tables.importers import recognise
from nasbench_lab.tables.progress import Progress

Convert = Callable[[Path, Path, Progress | None, Mapping[str, Any]], list[Path]]
"""Writes the tables of a source to a target, and returns their files."""


@dataclasses.dataclass(frozen=True)
class FileFormat:
    """A format of published files.

    Attributes:
        name: as users write it.
        what: what it is, in a few words.
        recognise: whether a file (by its first bytes) or a folder is of this format.
        convert: writes its tables.
        several: whether that gives a folder of tables, and not one table file.
        options: whether users must say more of the file, such as which column is what.
    """

    name: str
    what: str
    recognise: Callable[[Path, bytes], bool]
    convert: Convert
    several: bool = False
    options: bool = False


def _nas_bench_101(source: Path, target: Path, progress: Progress | None, _options: Mapping[str, Any]) -> list[Path]:
    from nasbench_lab.tables.importers.nas_bench_101 import tables as nas_bench_101

    nas_bench_101.convert(source, target, progress=progress)
    return [target]


def _ec_nas(source: Path, target: Path, progress: Progress | None, _options: Mapping[str, Any]) -> list[Path]:
    from nasbench_lab.tables.importers import ec_nas

    ec_nas.convert(source, target, progress=progress)
    return [target]


def _nats_bench(source: Path, target: Path, progress: Progress | None, _options: Mapping[str, Any]) -> list[Path]:
    from nasbench_lab.tables.importers.nats_archives import archives as nats_archives

    return nats_archives.import_archive(source, target, progress=progress)


def _trans_nas_bench(source: Path, target: Path, progress: Progress | None, _options: Mapping[str, Any]) -> list[Path]:
    from nasbench_lab.tables.importers.trans_nas_bench import official as trans_nas_bench_official

    return trans_nas_bench_official.convert(source, target, progress=progress)


def _nas_bench_graph(source: Path, target: Path, progress: Progress | None, _options: Mapping[str, Any]) -> list[Path]:
    from nasbench_lab.tables.importers.nas_bench_graph import curves as nas_bench_graph_curves

    return [nas_bench_graph_curves.convert(source, target, progress=progress)]


def _accel_nasbench(source: Path, target: Path, progress: Progress | None, _options: Mapping[str, Any]) -> list[Path]:
    from nasbench_lab.tables.importers import accel_nasbench

    return [accel_nasbench.convert(source, target, progress=progress)]


def _columns(source: Path, target: Path, progress: Progress | None, options: Mapping[str, Any]) -> list[Path]:
    from nasbench_lab.tables.importers.columns import read as columns

    columns.read_columns(source, target, progress=progress, **options)
    return [target]


FORMATS = {
    format_.name: format_
    for format_ in (
        FileFormat("ec-nas", "EC-NAS (.tfrecord)", recognise.is_ec_nas, _ec_nas),
        FileFormat("nas-bench-101", "NAS-Bench-101 (.tfrecord)", recognise.is_nas_bench_101, _nas_bench_101),
        FileFormat(
            "nats-bench", "NATS-Bench (folder or .pickle.pbz2)", recognise.is_nats_bench, _nats_bench, several=True
        ),
        FileFormat("nas-bench-201", "NAS-Bench-201 (.pth)", recognise.is_nas_bench_201, _nats_bench, several=True),
        FileFormat(
            "trans-nas-bench-101",
            "TransNAS-Bench-101 (.pth)",
            recognise.is_trans_nas_bench_101,
            _trans_nas_bench,
            several=True,
        ),
        FileFormat(
            "nas-bench-graph",
            "NAS-Bench-Graph learning curves (.bench, or a folder of them)",
            recognise.is_nas_bench_graph,
            _nas_bench_graph,
        ),
        FileFormat("accel-nasbench", "Accel-NASBench (.tar.gz)", recognise.is_accel_nasbench, _accel_nasbench),
        FileFormat("columns", "CSV or Parquet", recognise.is_columns, _columns, options=True),
    )
}
"""Every format by name, in the order in which they are tried."""


def find_format(source: str | os.PathLike[str], name: str = "auto") -> FileFormat:
    """Return the format of a file or folder.

    Args:
        source: the file or folder.
        name: the format's name, where the user knows better than its first bytes.

    Raises:
        UnknownNameError: no format has that name.
        DataError: there is no such file, it cannot be read, or it is of no known format.

    >>> find_format(os.curdir)
    Traceback (most recent call last):
    nasbench_lab.errors.DataError: '.' is not known; what can be imported: EC-NAS (.tfrecord), ...
    """
    if name != "auto" and name not in FORMATS:
        raise unknown("format", name, FORMATS)
    path = Path(source)
    head = recognise.head(path)
    if name != "auto":
        return FORMATS[name]
    if recognise.is_table(path, head):
        raise DataError(f"{path} is a table already; look at it: nasbench-lab tables info {shlex.quote(str(path))}")
    for candidate in FORMATS.values():
        if candidate.recognise(path, head):
            return candidate
    known = ", ".join(each.what for each in FORMATS.values())
    raise DataError(f"{str(path)!r} is not known; what can be imported: {known}")


def import_tables(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    format: str = "auto",  # noqa: A002 - the name that users expect
    progress: Progress | None = None,
    **options: Any,
) -> list[Path]:
    """Turn an official file, or a file of one's own, into tables.

    Args:
        source: the file or folder; what it is, its content says.
        target: the table file to write, or the folder where the source has several tables.
        format: name of the format, where it is not recognised.
        progress: called with what is done and the total.
        options: for columns of numbers (CSV, Parquet), what they are.

    Returns:
        The table files.

    Raises:
        UnknownNameError: no format has that name.
        ParameterError: options for a format that has none.
        DataError: the file is of no known format, damaged or hostile; nothing is written.
        OutputError: the tables cannot be written.
    """
    found = find_format(source, format)
    if options and not found.options:
        raise ParameterError(f"{found.what} says itself what it holds; {', '.join(sorted(options))} must not be given")
    return found.convert(Path(source), Path(target), progress, options)
