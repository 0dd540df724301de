"""Traces on disk: one HDF5 file for any number of simulations, written atomically.

Layout, format version 4::

    /                          attributes: format, format_version, created_by, traces (their number)
    /references/<n>            attributes: header (JSON), checksum; datasets: one per split, shape (architectures,),
                               _feasible if there are limits, and _space (the space as JSON)
    /traces/<n>                attributes: header (JSON), checksum; datasets: the arrays of `Trace`

Simulations of one table with the same fidelity and repeat policy share a reference. A checksum is the SHA-256 of the
header and the arrays, and is verified on reading. A reference can also be in a separate file, named after that file's
SHA-256, to which many traces files link. The links are relative, so that the files can be moved together.

The same traces always give the same bytes if they are written by the same release with the same version of HDF5.
Files of older versions can be read, too. Version 2 does not store the space. Versions 2 and 3 do not store the version
of the strategy, which is 1 in these files.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

import nasbench_lab
from nasbench_lab.errors import DataError, NasbenchLabError, ParameterError, first_line
from nasbench_lab.files import atomic_path
from nasbench_lab.plain_files import is_plain
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.trace import MISSING, Reference, Setting, Trace
from nasbench_lab.strategies.base import shown
from nasbench_lab.tables.description import Metric
from nasbench_lab.tables.reading.hdf5_file import Hdf5Group, open_hdf5

FORMAT = "nasbench-lab traces"
FORMAT_VERSION = 4
_READABLE = (2, 3, FORMAT_VERSION)

_FEASIBLE, _SPACE = "_feasible", "_space"
_ARRAYS = (*MISSING, "stopped")

_PACKED = {"compression": "gzip", "compression_opts": 1, "shuffle": True, "track_times": False}


def save_traces(traces: Sequence[Trace], path: str | os.PathLike[str]) -> None:
    """Write traces to an HDF5 file.

    Raises:
        ParameterError: there are no traces.
        OutputError: the file cannot be written; an existing file is unchanged.
    """
    if not traces:
        raise ParameterError("there are no traces to save")
    with _image() as made:
        written: dict[str, Reference] = {}
        for number, trace in enumerate(traces):
            _save_trace(made.file, number, trace, _save_reference(made.file, written, trace.reference))
    with atomic_path(Path(path)) as temporary:
        temporary.write_bytes(made.content)


class Linked(NamedTuple):
    """The contents of a traces file with one trace, and of the reference file to which it links."""

    traces: bytes
    reference: bytes
    checksum: str  # SHA-256 of the reference file


def linked_images(trace: Trace, reference: Callable[[str], str]) -> Linked:
    """Return a file with one trace, and its reference as a separate file, which many traces can share.

    Args:
        trace: the trace to store.
        reference: function from the SHA-256 of the reference file to its path, relative to the folder of the traces
            file.
    """
    import h5py

    with _image() as shared:
        _save_reference(shared.file, {}, trace.reference)
    checksum = hashlib.sha256(shared.content).hexdigest()
    with _image() as made:
        _save_trace(made.file, 0, trace, "0")
        made.file.create_group("references")["0"] = h5py.ExternalLink(reference(checksum), "references/0")
    return Linked(made.content, shared.content, checksum)


def load_traces(path: str | os.PathLike[str]) -> list[Trace]:
    """Read the traces that `save_traces` wrote.

    Raises:
        DataError: the file is missing, truncated, corrupt or of a newer format, or has no traces.

    >>> import tempfile
    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "random-search", runs=2, budget=nl.Budget(evaluations=3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_traces([trace], f"{folder}/traces.h5")
    ...     bool((load_traces(f"{folder}/traces.h5")[0].observed == trace.observed).all())
    True
    """
    reader = TraceReader()
    with _reading(Path(path)) as file:
        return [reader.read(file, number) for number in range(file.group.whole("traces"))]


@final
class TraceReader:
    """Reads single traces, and keeps the last reference in memory, as many files share it."""

    def __init__(self) -> None:
        self._last: tuple[str, Reference] | None = None

    def trace(self, path: Path, number: int = 0) -> Trace:
        """Return one trace of a file.

        Raises:
            DataError: the file is missing or damaged.
        """
        with _reading(path) as file:
            return self.read(file, number)

    def later(self, path: Path, number: int = 0) -> Callable[[], Trace]:
        """Return a function that reads one trace of a file on demand."""
        return functools.partial(self.trace, path, number)

    def __getstate__(self) -> dict[str, Any]:
        return {"_last": None}

    def read(self, file: TracesFile, number: int) -> Trace:
        """Return one trace of an open file."""
        header, arrays = _load_group(file.group.group(f"traces/{number}"))
        with file.reference(str(header["reference"])) as group:
            checksum = group.text("checksum")
            if self._last is None or self._last[0] != checksum:
                self._last = checksum, _load_reference(group)
        return Trace(parse_setting(header["setting"]), self._last[1], **arrays)


def read_settings(path: Path) -> tuple[list[Setting], str]:
    """Return the settings of all traces of a file, without reading the traces, and the name and version of its writer.

    Raises:
        DataError: the file is missing or damaged.
    """
    with _reading(path) as file:
        traces = (file.group.group(f"traces/{number}") for number in range(file.group.whole("traces")))
        settings = [parse_setting(json.loads(trace.text("header"))["setting"]) for trace in traces]
        return settings, file.group.text("created_by")


def setting_text(setting: Setting) -> str:
    """Return a setting as JSON. Arguments of plain strategies that JSON cannot store become text."""
    data = {field.name: getattr(setting, field.name) for field in dataclasses.fields(setting)}
    data |= data.pop("conditions").to_data()
    return json.dumps({**data, "objective": dataclasses.asdict(setting.objective)}, default=shown, sort_keys=True)


def parse_setting(fields: Mapping[str, Any]) -> Setting:
    """Return the setting that `setting_text` wrote, given the parsed JSON."""
    conditions, rest = Conditions.split_data(fields)
    return Setting(**{**rest, "objective": _metric(fields["objective"])}, conditions=conditions)


class _Image:
    """A file built in memory, so that a full disk fails in one plain write and not inside HDF5."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.content = b""


@contextlib.contextmanager
def _image() -> Iterator[_Image]:
    """Yield a new file of this format to fill. Its content is complete after the block."""
    import h5py

    # Not HDF5's in-memory files: before HDF5 2.0, the content that they return does not match HDF5's own checksum.
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver="v110") as file:
        made = _Image(file)
        _set_text(file, "format", FORMAT)
        file.attrs["format_version"] = FORMAT_VERSION
        _set_text(file, "created_by", f"nasbench-lab {nasbench_lab.__version__}")
        yield made
        file.attrs["traces"] = len(file.get("traces", ()))
    made.content = memory.getvalue()


def _save_trace(file: Any, number: int, trace: Trace, reference: str) -> None:
    header = {"setting": json.loads(setting_text(trace.setting)), "reference": reference}
    _save_group(file, f"traces/{number}", header, {name: getattr(trace, name) for name in _ARRAYS})


class TracesFile(NamedTuple):
    """An open file of traces."""

    path: Path
    group: Hdf5Group

    @contextlib.contextmanager
    def reference(self, name: str) -> Iterator[Hdf5Group]:
        """Yield the group of a reference, which may be in another file."""
        references = self.group.group("references")
        link = references.external(name)
        if link is None:
            yield references.group(name)
            return
        if Path(link.file).is_absolute():
            raise DataError(f"its reference is in {link.file!r}, but must be at a relative path")
        with open_hdf5(self.path.parent / link.file) as other:
            yield other.group(link.group)


@contextlib.contextmanager
def _reading(where: Path) -> Iterator[TracesFile]:
    """Yield an open file of this format. Any error inside the block becomes a DataError about the file."""
    if not is_plain(where):
        raise DataError(f"there is no file {where}")
    try:
        with open_hdf5(where) as group:
            if not group.is_of_format(FORMAT) or group.whole("format_version") not in _READABLE:
                raise DataError("it is not a traces file in a format that this release reads")
            yield TracesFile(where, group)
    except NasbenchLabError as error:  # also of settings and conditions
        raise DataError(f"cannot read traces from {where}: {first_line(error)}") from error


def _save_reference(file: Any, written: dict[str, Reference], reference: Reference) -> str:
    """Write a reference unless an equal one was already written; return its number."""
    for number, other in written.items():
        if _same(other, reference):
            return number
    number = str(len(written))
    written[number] = reference
    metrics = {split: dataclasses.asdict(metric) for split, metric in reference.metrics.items()}
    header = {"observable": reference.observable, "metrics": metrics}
    arrays: dict[str, NDArray[Any]] = {
        **reference.means,
        _SPACE: np.frombuffer(_space_text(reference).encode(), np.uint8),
    }
    if reference.feasible is not None:
        arrays[_FEASIBLE] = reference.feasible
    _save_group(file, f"references/{number}", header, arrays)
    return number


def _save_group(file: Any, path: str, header: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    group = file.create_group(path)
    text = json.dumps(header, sort_keys=True)
    _set_text(group, "header", text)
    _set_text(group, "checksum", _checksum(text, arrays))
    for name, array in arrays.items():
        # Flush now: positions in the file depend on the order of writing, which must not depend on garbage collection.
        group.create_dataset(name, data=array, **_PACKED).flush()


def _load_group(group: Hdf5Group) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the header and the arrays of a group after verifying the checksum."""
    text, arrays = group.text("header"), group.arrays()
    if group.text("checksum") != _checksum(text, arrays):
        raise DataError(f"{group.name} does not match its checksum")
    return json.loads(text), arrays


def _set_text(group: Any, name: str, text: str) -> None:
    """Store a text as an attribute.

    Its length is fixed: HDF5 keeps texts of variable length in a part of the file without checksums, and a single wrong
    bit there can make it search for ever. They were variable before format 4.
    """
    group.attrs[name] = np.bytes_(text.encode())


def _checksum(header: str, arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(header.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _same(one: Reference, other: Reference) -> bool:
    return one is other or (
        one.observable == other.observable
        and one.metrics == other.metrics
        and np.array_equal(_optional(one.feasible), _optional(other.feasible))
        and all(np.array_equal(one.means[split], other.means[split], equal_nan=True) for split in one.means)
        and _space_text(one) == _space_text(other)
    )


def _space_text(reference: Reference) -> str:
    return json.dumps(dict(reference.space), sort_keys=True)


def _optional(array: NDArray[Any] | None) -> NDArray[Any]:
    return np.empty(0) if array is None else array


def _load_reference(group: Hdf5Group) -> Reference:
    header, means = _load_group(group)
    metrics = {split: _metric(fields) for split, fields in header["metrics"].items()}
    feasible, space = means.pop(_FEASIBLE, None), means.pop(_SPACE, None)
    described = {} if space is None else json.loads(space.tobytes())
    return Reference(header["observable"], metrics, means, feasible, described)


def _metric(fields: dict[str, Any]) -> Metric:
    return Metric(**{**fields, "axes": tuple(fields["axes"])})
