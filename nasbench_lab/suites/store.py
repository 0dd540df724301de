"""Traces on disk: one HDF5 file for any number of simulations, written atomically.

Layout, format version 1::

    /                          attributes: format, format_version, created_by, traces (how many)
    /references/<n>            attributes: header (JSON), checksum; datasets: one per split, shape (architectures,)
    /traces/<n>                attributes: header (JSON), checksum; datasets: the arrays of `Trace`

Simulations of one table with the same fidelity and repeat policy share a reference. A checksum is the SHA-256 of the
header and the arrays, and is verified when they are read.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nasbench_lab
from nasbench_lab.errors import DataError, ParameterError, first_line
from nasbench_lab.files import atomic_path
from nasbench_lab.simulate.budget import Budget
from nasbench_lab.simulate.trace import MISSING, Reference, Setting, Trace
from nasbench_lab.tables.description import Metric

FORMAT = "nasbench-lab traces"
FORMAT_VERSION = 2

_FEASIBLE = "_feasible"
_ARRAYS = (*MISSING, "stopped")

_PACKED = {"compression": "gzip", "compression_opts": 1, "shuffle": True, "track_times": False}


def save_traces(traces: Sequence[Trace], path: str | os.PathLike[str]) -> None:
    """Write traces to an HDF5 file.

    Raises:
        ParameterError: there are no traces.
        OutputError: the file cannot be written; an older file is left as it was.
    """
    import h5py

    if not traces:
        raise ParameterError("there are no traces to save")
    with atomic_path(Path(path)) as temporary, h5py.File(temporary, "w", libver="v110") as file:
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["created_by"] = f"nasbench-lab {nasbench_lab.__version__}"
        file.attrs["traces"] = len(traces)
        written: dict[str, Reference] = {}
        for number, trace in enumerate(traces):
            setting = json.loads(json.dumps(dataclasses.asdict(trace.setting), default=repr))
            header = {"setting": setting, "reference": _save_reference(file, written, trace.reference)}
            _save_group(file, f"traces/{number}", header, {name: getattr(trace, name) for name in _ARRAYS})


def load_traces(path: str | os.PathLike[str]) -> list[Trace]:
    """Read the traces that `save_traces` wrote.

    Raises:
        DataError: the file is missing, truncated, corrupt, of a newer format, or has no traces.

    >>> import tempfile
    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "random-search", runs=2, budget=nl.Budget(evaluations=3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_traces([trace], f"{folder}/traces.h5")
    ...     bool((load_traces(f"{folder}/traces.h5")[0].observed == trace.observed).all())
    True
    """
    import h5py

    where = Path(path)
    if not where.is_file():
        raise DataError(f"there is no file {where}")
    try:
        with h5py.File(where, "r") as file:
            if file.attrs.get("format") != FORMAT or file.attrs["format_version"] != FORMAT_VERSION:
                raise DataError("it has no traces in a format that this release reads")
            references = {name: _load_reference(group) for name, group in file["references"].items()}
            count = int(file.attrs["traces"])
            return [_load_trace(file[f"traces/{number}"], references) for number in range(count)]
    except Exception as error:  # a damaged file can raise nearly anything
        raise DataError(f"cannot read traces from {where}: {first_line(error)}") from error


def _save_reference(file: Any, written: dict[str, Reference], reference: Reference) -> str:
    """Write a reference unless an equal one was written before; return its number."""
    for number, other in written.items():
        if _same(other, reference):
            return number
    number = str(len(written))
    written[number] = reference
    metrics = {split: dataclasses.asdict(metric) for split, metric in reference.metrics.items()}
    header = {"observable": reference.observable, "metrics": metrics}
    feasible = {} if reference.feasible is None else {_FEASIBLE: reference.feasible}
    _save_group(file, f"references/{number}", header, {**reference.means, **feasible})
    return number


def _save_group(file: Any, path: str, header: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    group = file.create_group(path)
    text = json.dumps(header, sort_keys=True)
    group.attrs["header"] = text
    group.attrs["checksum"] = _checksum(text, arrays)
    for name, array in arrays.items():
        group.create_dataset(name, data=array, **_PACKED)


def _load_group(group: Any) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the header and the arrays of a group, verified."""
    text = str(group.attrs["header"])
    arrays = {name: dataset[:] for name, dataset in group.items()}
    if group.attrs["checksum"] != _checksum(text, arrays):
        raise DataError(f"{group.name} does not match its checksum")
    return json.loads(text), arrays


def _checksum(header: str, arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(header.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _same(one: Reference, other: Reference) -> bool:
    return (
        one.observable == other.observable
        and one.metrics == other.metrics
        and np.array_equal(_optional(one.feasible), _optional(other.feasible))
        and all(np.array_equal(one.means[split], other.means[split], equal_nan=True) for split in one.means)
    )


def _optional(array: NDArray[Any] | None) -> NDArray[Any]:
    return np.empty(0) if array is None else array


def _load_reference(group: Any) -> Reference:
    header, means = _load_group(group)
    metrics = {split: _metric(fields) for split, fields in header["metrics"].items()}
    feasible = means.pop(_FEASIBLE, None)
    return Reference(header["observable"], metrics, means, feasible)


def _load_trace(group: Any, references: dict[str, Reference]) -> Trace:
    header, arrays = _load_group(group)
    fields = header["setting"]
    fields["budget"] = Budget(**fields["budget"])
    fields["objective"] = _metric(fields["objective"])
    fields["objectives"] = tuple(fields["objectives"])
    return Trace(Setting(**fields), references[header["reference"]], **arrays)


def _metric(fields: dict[str, Any]) -> Metric:
    return Metric(**{**fields, "axes": tuple(fields["axes"])})
