"""Traces on disk: one HDF5 file for any number of simulations, written atomically.

Layout, format version 1::

    /                          attributes: format, format_version, created_by
    /references/<n>            attribute: metrics (JSON), observable; datasets: one per split, shape (architectures,)
    /traces/<n>                attributes: setting (JSON), reference; datasets: the arrays of `Trace`, (runs, steps)

Simulations of one table with the same fidelity and repeat policy share a reference.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import nasbench_lab
from nasbench_lab.errors import DataError
from nasbench_lab.files import atomic_path
from nasbench_lab.simulate.budget import Budget
from nasbench_lab.simulate.trace import MISSING, Reference, Setting, Trace
from nasbench_lab.tables.description import Metric

FORMAT = "nasbench-lab traces"
FORMAT_VERSION = 1

_PACKED = {"compression": "gzip", "compression_opts": 1, "shuffle": True, "track_times": False}


def save_traces(traces: Sequence[Trace], path: str | os.PathLike[str]) -> None:
    """Write traces to an HDF5 file.

    Raises:
        OutputError: the file cannot be written; an older file is left as it was.
    """
    import h5py

    with atomic_path(Path(path)) as temporary, h5py.File(temporary, "w", libver="v110") as file:
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["created_by"] = f"nasbench-lab {nasbench_lab.__version__}"
        written: dict[str, Reference] = {}
        for number, trace in enumerate(traces):
            group = file.create_group(f"traces/{number}")
            group.attrs["setting"] = json.dumps(dataclasses.asdict(trace.setting), sort_keys=True, default=repr)
            group.attrs["reference"] = _save_reference(file, written, trace.reference)
            for name in MISSING:
                group.create_dataset(name, data=getattr(trace, name), **_PACKED)


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
                raise DataError(f"{where} has no traces in a format that this release reads")
            references = {name: _load_reference(group) for name, group in file["references"].items()}
            numbers = sorted(file["traces"], key=int)
            return [_load_trace(file["traces"][number], references) for number in numbers]
    except DataError:
        raise
    except Exception as error:  # a damaged file can raise nearly anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"{where} is truncated or corrupt: {reason}") from error


def _save_reference(file: Any, written: dict[str, Reference], reference: Reference) -> str:
    """Write a reference unless an equal one was written before; return its number."""
    for number, other in written.items():
        if _same(other, reference):
            return number
    number = str(len(written))
    written[number] = reference
    group = file.create_group(f"references/{number}")
    group.attrs["observable"] = reference.observable
    metrics = {split: dataclasses.asdict(metric) for split, metric in reference.metrics.items()}
    group.attrs["metrics"] = json.dumps(metrics, sort_keys=True)
    for split, means in reference.means.items():
        group.create_dataset(split, data=means, **_PACKED)
    return number


def _same(one: Reference, other: Reference) -> bool:
    return (
        one.observable == other.observable
        and one.metrics == other.metrics
        and all(np.array_equal(one.means[split], other.means[split], equal_nan=True) for split in one.means)
    )


def _load_reference(group: Any) -> Reference:
    metrics = {split: _metric(fields) for split, fields in json.loads(group.attrs["metrics"]).items()}
    means = {split: group[split][:] for split in metrics}
    return Reference(float(group.attrs["observable"]), metrics, means)


def _load_trace(group: Any, references: dict[str, Reference]) -> Trace:
    fields = json.loads(group.attrs["setting"])
    fields["budget"] = Budget(**fields["budget"])
    fields["objective"] = _metric(fields["objective"])
    arrays = {name: group[name][:] for name in MISSING}
    if len({array.shape for array in arrays.values()}) != 1:
        raise DataError("the arrays of a trace have different shapes")
    return Trace(Setting(**fields), references[group.attrs["reference"]], **arrays)


def _metric(fields: dict[str, Any]) -> Metric:
    return Metric(**{**fields, "axes": tuple(fields["axes"])})
