"""The formats of files that can be imported, detected by content, never by file name.

Detection reads only the first bytes of a file, or the listing of a folder. It may accept a damaged or hostile file; the
converter then reports the problem.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.tables.importers import format_detection, published_files
from nasbench_lab.tables.importers.columns.hints import option_name
from nasbench_lab.tables.progress_callbacks import Progress

Convert = Callable[[Path, Path, Progress | None, Mapping[str, Any]], list[Path]]
"""Writes the tables of a source to a target, and returns the paths of the table files."""


@dataclasses.dataclass(frozen=True)
class FileFormat:
    """A format of published files.

    Attributes:
        name: name of the format, as given by users.
        what: short description.
        detect: returns whether a file (by its first bytes) or a folder has this format.
        convert: converts a source to tables.
        several: whether the result is a folder of tables, not one table file.
        options: whether the format takes options, such as the names of columns.
        disk_needed: returns about how many bytes the tables of a source take; None if this is as little as the source.
    """

    name: str
    what: str
    detect: Callable[[Path, bytes], bool]
    convert: Convert
    several: bool = False
    options: bool = False
    disk_needed: Callable[[Path], int] | None = None


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


def _disk_of_nats_bench(source: Path) -> int:
    from nasbench_lab.tables.importers.nats_archives import archives as nats_archives

    return nats_archives.disk_needed(source)


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
        FileFormat("ec-nas", "EC-NAS (.tfrecord)", format_detection.is_ec_nas, _ec_nas),
        FileFormat("nas-bench-101", "NAS-Bench-101 (.tfrecord)", format_detection.is_nas_bench_101, _nas_bench_101),
        FileFormat(
            "nats-bench",
            "NATS-Bench (folder or .pickle.pbz2)",
            format_detection.is_nats_bench,
            _nats_bench,
            several=True,
            disk_needed=_disk_of_nats_bench,
        ),
        FileFormat(
            "nas-bench-201",
            "NAS-Bench-201 (.pth)",
            format_detection.is_nas_bench_201,
            _nats_bench,
            several=True,
            disk_needed=_disk_of_nats_bench,
        ),
        FileFormat(
            "trans-nas-bench-101",
            "TransNAS-Bench-101 (.pth)",
            format_detection.is_trans_nas_bench_101,
            _trans_nas_bench,
            several=True,
        ),
        FileFormat(
            "nas-bench-graph",
            "NAS-Bench-Graph learning curves (.bench, or a folder of them)",
            format_detection.is_nas_bench_graph,
            _nas_bench_graph,
        ),
        FileFormat("accel-nasbench", "Accel-NASBench (.tar.gz)", format_detection.is_accel_nasbench, _accel_nasbench),
        FileFormat("columns", "CSV, Parquet or JSON", format_detection.is_columns, _columns, options=True),
    )
}
"""Format name to format, in the order in which they are tried."""


def find_format(source: str | os.PathLike[str], name: str = "auto") -> FileFormat:
    """Return the format of a file or folder.

    Args:
        source: the file or folder.
        name: name of the format; ``"auto"`` to detect it.

    Raises:
        UnknownNameError: no format has that name.
        DataError: the file cannot be read, or its format is not supported.

    >>> find_format(os.curdir)
    Traceback (most recent call last):
    nasbench_lab.errors.DataError: the format of '.' is not supported; supported: EC-NAS (.tfrecord), ...
    """
    if name != "auto" and name not in FORMATS:
        raise unknown("format", name, FORMATS)
    path = Path(source)
    head = format_detection.head(path)
    if name != "auto":
        return FORMATS[name]
    if format_detection.is_table(path, head):
        raise DataError(
            f"{path} already is a table file; to show it: nasbench-lab tables info {shlex.quote(str(path))}"
        )
    for candidate in FORMATS.values():
        if candidate.detect(path, head):
            return candidate
    known = ", ".join(each.what for each in FORMATS.values())
    raise DataError(f"the format of {str(path)!r} is not supported; supported: {known}")


def import_tables(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    format: str = "auto",  # noqa: A002 - the name that users expect
    progress: Progress | None = None,
    **options: Any,
) -> list[Path]:
    """Convert an official file, or a CSV, Parquet or JSON file, to tables.

    Args:
        source: the file or folder.
        target: the table file to write, or the folder if the source has several tables.
        format: name of the format; ``"auto"`` to detect it by content.
        progress: called with the amount done, and the total.
        options: for CSV, Parquet and JSON files, the options of `nasbench_lab.tables.read_columns`.

    Returns:
        The table files.

    Raises:
        UnknownNameError: no format has that name.
        ParameterError: the format takes no options, or an option is invalid.
        DataError: the format is not supported, or the file is damaged or hostile; nothing is written.
        OutputError: the tables cannot be written.

    Warns:
        PublishedFileWarning: the file has the name of a published one and another SHA-256, or a table does not have
            numbers that are published about it, such as the number of architectures.
    """
    found = find_format(source, format)
    if options and not found.options:
        raise ParameterError(f"{found.what} takes no options, got {', '.join(map(option_name, sorted(options)))}")
    published_files.warn_of_other_content(Path(source))
    written = found.convert(Path(source), Path(target), progress, options)
    published_files.warn_of_other_numbers(written)
    return written
