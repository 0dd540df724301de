"""Logs of Syne Tune: ``results.csv.zip``, and ``metadata.json`` beside it. The pickle of the tuner is never opened.

A row is a report of a trial. Reports at the number of epochs that the scheduler uses are evaluations at this fidelity.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import is_plain, read_plain
from nasbench_lab.simulation.logs.log import LogSource, ReadOptions, SearchLog, row_of
from nasbench_lab.simulation.logs.tabular import columns_in
from nasbench_lab.simulation.steps.architectures import from_choices
from nasbench_lab.simulation.steps.columns import StepColumns, columns_by_name
from nasbench_lab.simulation.steps.options import StepOptions
from nasbench_lab.tables.importers.columns.cells import Cells, texts
from nasbench_lab.tables.importers.columns.hints import option
from nasbench_lab.tables.table import Table

RESULTS, METADATA = "results.csv.zip", "metadata.json"

_CONFIG = "config_"
_TRIAL, _TIME = "trial_id", "st_tuner_time"
_EPOCHS = ("epoch", "hp_epoch", "epochs")
_ARCHITECTURE = ("architecture", "arch", "arch_str", "notation")
_EDGES = tuple(f"x{edge}" for edge in range(6))
_MOST_BYTES = 2**30
_MOST_METADATA = 2**24
_MOST_EXPANSION, _FREE_BYTES = 200, 2**27


def is_syne_tune(source: LogSource) -> bool:
    """Return whether a folder or file is of Syne Tune."""
    path = source.file(RESULTS)
    if path is None:
        return False
    if source.path != path:
        return True
    return source.head.startswith(b"PK") or _TIME.encode() in source.head.partition(b"\n")[0]


def read_syne_tune(source: LogSource, options: ReadOptions) -> list[SearchLog]:
    """Read one experiment.

    Raises:
        DataError: the files are damaged, or the metric is unknown.
    """
    path = source.file(RESULTS)
    if path is None:
        raise DataError(f"{source} has no {RESULTS}; Syne Tune writes it at the end of an experiment")
    about = _metadata(path.with_name(METADATA))
    with _unpacked(path) as file:
        names, cells, numbers = columns_in(file, options)
    if not {_TRIAL, _TIME} <= set(names):
        raise DataError(f"{path.name} has no columns {_TRIAL} and {_TIME}, so it is not of Syne Tune")
    renamed = {"training": _TRIAL, "seconds": _TIME, **_epochs(names, about), **options.columns}
    if "value" not in renamed:
        renamed["value"] = _metric(path, names, about)
    places = columns_by_name([name for name in names if name in renamed.values()], renamed)
    kept: dict[str, Cells] = {name: cells[place] for name, place in places.items()}
    steps = StepColumns(kept, row_of(path, numbers))
    rows = _last_reports(texts(cells[_TRIAL])) if options.reports == "last" else np.arange(len(numbers))
    configuration = {name[len(_CONFIG) :]: texts(cells[name]) for name in names if name.startswith(_CONFIG)}
    chosen = {name: [column[row] for row in rows.tolist()] for name, column in configuration.items()}
    trials = len(set(texts(cells[_TRIAL])))
    notes = []
    if options.reports == "all" and len(numbers) > trials:
        notes.append(
            f"each of the {len(numbers):,} reports of {trials:,} trials is an evaluation; "
            f"{option('reports', 'last')} counts the last of every trial"
        )
    locate = None if "architecture" in places else _located(chosen)
    facts = {"scheduler": str(about.get("scheduler_name", ""))} if about else {}
    return [
        SearchLog(
            steps.take(rows),
            strategy=str(about.get("scheduler_name", "")),
            # The rows are in the order in which the reports came.
            options={"order": "rows"},
            locate=locate,
            file=path,
            notes=tuple(notes),
            facts=facts,
        )
    ]


def _metadata(path: Path) -> dict[str, Any]:
    """Return the metadata of an experiment; empty if there is no file."""
    if not is_plain(path):
        return {}
    try:
        found = json.loads(read_plain(path, _MOST_METADATA))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is not readable JSON: {first_line(error)}") from None
    return found if isinstance(found, dict) else {}


def _arguments(about: Mapping[str, Any]) -> Mapping[str, Any]:
    found = about.get("scheduler_kwargs")
    return found if isinstance(found, dict) else {}


def _metric(path: Path, names: tuple[str, ...], about: Mapping[str, Any]) -> str:
    """Return the name of the metric that the experiment optimised."""
    arguments = _arguments(about)
    found = about.get("metric_names") or arguments.get("metrics") or [arguments.get("metric")]
    known = [name for name in found if isinstance(name, str) and name in names] if isinstance(found, list) else []
    if len(known) == 1:
        return known[0]
    hint = option("columns", {"value": "NAME"})
    if known:
        raise ParameterError(f"{path.name} has several metrics ({', '.join(known)}); choose one with {hint}")
    others = [name for name in names if not name.startswith((_CONFIG, "st_")) and name != _TRIAL]
    raise ParameterError(f"the metric of {path.name} is not known; choose one with {hint}, of {', '.join(others)}")


def _epochs(names: tuple[str, ...], about: Mapping[str, Any]) -> dict[str, str]:
    """Return the name of the column with the epochs of a report, if there is one."""
    arguments = _arguments(about)
    wanted = (arguments.get("time_attr"), arguments.get("resource_attr"), *_EPOCHS)
    return next(({"fidelity": name} for name in wanted if isinstance(name, str) and name in names), {})


def _last_reports(trials: list[str]) -> Any:
    """Return the positions of the last report of every trial, in order."""
    return np.array(sorted({trial: row for row, trial in enumerate(trials)}.values()), dtype=np.int64)


def _located(configuration: Mapping[str, list[str]]) -> Any:
    """Return a function that adds the architectures of configurations."""

    def locate(table: Table, columns: StepColumns, _options: StepOptions) -> StepColumns:
        return StepColumns({**columns.cells, **_architectures(table, columns, configuration)}, columns.row)

    return locate


def _architectures(table: Table, columns: StepColumns, configuration: Mapping[str, list[str]]) -> dict[str, Cells]:
    """Return the column of architectures."""
    for name in _ARCHITECTURE:
        if name in configuration:
            return {"architecture": configuration[name]}
    plain = {name.removeprefix("hp_"): column for name, column in configuration.items()}
    if set(_EDGES) <= plain.keys():  # the edges of NAS-Bench-201, as Syne Tune's own benchmark names them
        cells = zip(*(plain[edge] for edge in _EDGES), strict=True)
        return {"architecture": [f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|" for a, b, c, d, e, f in cells]}
    found = from_choices(table.space, configuration, columns.row)
    if found is None:
        raise ParameterError(
            f"the configurations ({', '.join(configuration)}) do not say the architecture: they need its index or "
            f"notation as one of {', '.join(_ARCHITECTURE)}, the choices of space {table.space.name!r}, or its codes "
            "as code_0, code_1, ..."
        )
    missing = np.flatnonzero(found < 0)
    if len(missing):
        raise ParameterError(f"{columns.row(int(missing[0]))}: the configuration is no architecture")
    return {"architecture": found}


@contextlib.contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """Give the CSV file in an archive, or the file itself if it is none.

    Raises:
        DataError: the archive is damaged, has several files, or expands too much.
    """
    with path.open("rb") as file:
        packed = file.read(2) == b"PK"
    if not packed:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="nasbench-lab-") as folder:
        target = Path(folder) / path.name.removesuffix(".zip")
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
                if len(members) != 1:
                    raise DataError(f"{path.name} has {len(members)} files; Syne Tune writes one")
                most = max(_FREE_BYTES, _MOST_EXPANSION * members[0].compress_size)
                most = min(most, _MOST_BYTES)
                if members[0].file_size > most:
                    raise DataError(f"{path.name} unpacks to more than {most:,} bytes; unpack it first if you trust it")
                with archive.open(members[0]) as content, target.open("wb") as copy:
                    shutil.copyfileobj(content, copy)  # of at most the stated size, see zipfile.ZipExtFile
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError) as error:
            raise DataError(f"{path.name} is damaged: {first_line(error)}") from error
        yield target
