"""The formats of logs: the built-in ones, and those that installed packages add.

Formats are detected by content. Another package adds one with an entry point that names a `LogFormat`::

    [project.entry-points."nasbench_lab.logs"]
    my-tool = "my_package.logs:MY_TOOL"
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.plugins import added_names, describe, load_entry_point, warn_of_ignored
from nasbench_lab.simulation.logs.log import LogSource, ReadOptions, SearchLog
from nasbench_lab.simulation.logs.naslib import is_naslib, read_naslib
from nasbench_lab.simulation.logs.naszilla import is_naszilla, read_naszilla
from nasbench_lab.simulation.logs.optuna import is_optuna, read_optuna
from nasbench_lab.simulation.logs.syne_tune import is_syne_tune, read_syne_tune
from nasbench_lab.simulation.logs.tabular import is_lines, read_columns_file, read_lines_file
from nasbench_lab.tables.importers.format_detection import is_columns

GROUP = "nasbench_lab.logs"


@dataclasses.dataclass(frozen=True)
class LogFormat:
    """A format of logs.

    Attributes:
        name: name of the format, as given by users.
        what: short description.
        detect: returns whether a source has this format. It may accept a damaged one, which `read` then refuses.
        read: reads a source: one log for every strategy or run in it.
    """

    name: str
    what: str
    detect: Callable[[LogSource], bool]
    read: Callable[[LogSource, ReadOptions], list[SearchLog]]


BUILT_IN = {
    format_.name: format_
    for format_ in (
        LogFormat("optuna", "Optuna (study, database, journal)", is_optuna, read_optuna),
        LogFormat("syne-tune", "Syne Tune (folder, results.csv.zip)", is_syne_tune, read_syne_tune),
        LogFormat("naszilla", "naszilla (.pkl)", is_naszilla, read_naszilla),
        LogFormat("naslib", "NASLib (folder, errors.json)", is_naslib, read_naslib),
        LogFormat(
            "jsonl",
            "JSON lines",
            is_lines,
            read_lines_file,
        ),
        LogFormat(
            "csv",
            "CSV, Parquet or JSON",
            lambda source: source.path is not None and is_columns(source.path, source.head),
            read_columns_file,
        ),
    )
}
"""Format name to format, in the order in which they are tried."""


def list_log_formats() -> list[str]:
    """Return the names of all formats of logs, in the order in which they are tried.

    >>> list_log_formats()[:6]
    ['optuna', 'syne-tune', 'naszilla', 'naslib', 'jsonl', 'csv']
    """
    return [*BUILT_IN, *added_names(GROUP, BUILT_IN)]


def log_format(name: str) -> LogFormat:
    """Return the format of a name.

    Raises:
        UnknownNameError: no format has that name.
        ParameterError: an installed package adds something else.
    """
    if name in BUILT_IN:
        warn_of_ignored(GROUP, name)
        return BUILT_IN[name]
    if name not in list_log_formats():
        raise unknown("format", name, ["auto", *list_log_formats()])
    found = load_entry_point(GROUP, name)
    if not isinstance(found, LogFormat):
        raise ParameterError(f"{describe(GROUP, name)} must name a LogFormat, but it names {found!r}")
    return dataclasses.replace(found, name=name)


def find_log_format(source: LogSource, name: str = "auto") -> LogFormat:
    """Return the format of a source.

    Args:
        source: the source.
        name: name of the format; ``"auto"`` to detect it.

    Raises:
        UnknownNameError: no format has that name.
        DataError: the format is not supported.
    """
    if name != "auto":
        return log_format(name)
    # Formats of other packages are asked before those that accept any text.
    added = added_names(GROUP, BUILT_IN)
    for candidate in [*(map(log_format, added)), *BUILT_IN.values()]:
        if candidate.detect(source):
            return candidate
    known = ", ".join(log_format(each).what for each in list_log_formats())
    raise DataError(f"the format of {source} is not supported; supported: {known}")
