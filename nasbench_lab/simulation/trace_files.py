"""Traces on disk: one HDF5 file for any number of simulations, written atomically.

Layout, format version 5::

    /                          attributes: format, format_version, created_by, traces (their number)
    /references/<n>            attributes: header (JSON), checksum; datasets: one per split, shape (architectures,),
                               _feasible if there are limits, _space (the space as JSON), and _members (the
                               architectures) if they are not all
    /traces/<n>                attributes: header (JSON), checksum; datasets: the arrays of `Trace`, "recommended" only
                               for strategies that recommend

Simulations of one table with the same fidelity and repeat policy share a reference. A checksum is the SHA-256 of the
header and the arrays, and is verified on reading. A reference can also be in a separate file, named after that file's
SHA-256, to which many traces files link. The links are relative, so that the files can be moved together.

The same traces always give the same bytes if they are written by the same release with the same version of HDF5.
Files of older versions can be read, too. Version 2 does not store the space. Versions 2 and 3 do not store the version
of the strategy, which is 1 in these files. Versions up to 4 have no recommendations and no facts of trainings.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

import nasbench_lab
from nasbench_lab.errors import DataError, NasbenchLabError, ParameterError
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import is_plain
from nasbench_lab.simulation.array_pieces import ArrayPieces, DiskArray, Rows, row_bytes, row_pieces
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.disk import Disk
from nasbench_lab.simulation.reference import Reference, joined_reference
from nasbench_lab.simulation.run_arrays import ALWAYS, MISSING
from nasbench_lab.simulation.setting import Setting, joined_setting
from nasbench_lab.simulation.trace import Trace, row_blocks
from nasbench_lab.strategies.base import shown
from nasbench_lab.tables.description import Metric
from nasbench_lab.tables.reading.hdf5_file import Hdf5Group, open_hdf5

FORMAT = "nasbench-lab traces"
FORMAT_VERSION = 5
_READABLE = (2, 3, 4, FORMAT_VERSION)

_FEASIBLE, _SPACE, _MEMBERS = "_feasible", "_space", "_members"
_MOST_IN_MEMORY = 2**23
"""Evaluations of a simulation that wait in memory until they are written."""

_PACKED = {"compression": "gzip", "compression_opts": 1, "shuffle": True, "track_times": False}


def save_traces(traces: Sequence[Trace], path: str | os.PathLike[str]) -> None:
    """Write traces to an HDF5 file.

    Raises:
        ParameterError: there are no traces.
        OutputError: the file cannot be written; an existing file is unchanged.
    """
    if not traces:
        raise ParameterError("there are no traces to save")
    with atomic_path(Path(path)) as temporary, traces_writer(temporary) as writer:
        for trace in traces:
            writer.add([trace])


@final
class TracesWriter:
    """Writes one simulation after the other to a file; see `traces_writer`."""

    def __init__(self, file: Any, disk: Disk, folder: Path) -> None:
        self._file, self._disk, self._folder = file, disk, folder
        self._written: dict[str, Reference] = {}
        self._number = 0

    def add(self, blocks: Iterable[Trace]) -> None:
        """Write a simulation.

        Args:
            blocks: the traces of its consecutive runs, in order, as for `concatenate`. The file is the same for all
                sizes of blocks. Large simulations wait in a temporary file until all blocks are there.
        """
        with tempfile.TemporaryFile(dir=self._folder) as stream:
            kept = _kept(blocks, stream)
            joined = joined_reference([block.reference for block in kept])
            reference = _save_reference(self._file, self._written, joined)
            _save_trace(self._file, self._number, kept, reference, self._disk.check)
        self._number += 1
        self._disk.check()


@contextlib.contextmanager
def traces_writer(path: Path) -> Iterator[TracesWriter]:
    """Give a writer of a new traces file, for simulations that are not in memory together.

    The file is complete after the block, and has the bytes that `save_traces` would write.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("w+b", buffering=0) as stream:
        disk = Disk(stream)
        try:
            with _new_file(disk) as file:
                yield TracesWriter(file, disk, path.parent)
        finally:
            disk.check()


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
        _save_trace(made.file, 0, [_Block.of(trace)], "0")
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

    def blocks(self, path: Path, number: int = 0, evaluations: int | None = None) -> Iterator[Trace]:
        """Yield one trace of a file in blocks of runs, see `Trace.blocks`. Its checksum is verified before the first.

        Raises:
            DataError: the file is missing or damaged.
        """
        with _reading(path) as file:
            for part in self._parts(file, number, evaluations):
                yield from part.blocks(evaluations)

    def _parts(self, file: TracesFile, number: int, evaluations: int | None) -> Iterator[Trace]:
        """Yield one trace of an open file in parts that can be read at little cost: of whole chunks of the arrays."""
        group = file.group.group(f"traces/{number}")
        runs, *steps = group.dataset("architecture").shape
        first = next(row_blocks(runs, math.prod(steps), evaluations), None)
        if first is None or first.stop == runs:
            yield self.read(file, number)
            return
        header, arrays = _open_group(group)
        reference, setting = self._reference(file, header), parse_setting(header["setting"])
        shape = arrays["architecture"].shape
        for rows in row_pieces(shape, max((arrays[name].chunks or (1,))[0] for name in arrays if name in MISSING)):
            part = dataclasses.replace(setting, first_run=setting.first_run + rows.start)
            yield Trace(part, reference, **{name: array[rows] for name, array in arrays.items()})

    def __getstate__(self) -> dict[str, Any]:
        return {"_last": None}

    def read(self, file: TracesFile, number: int) -> Trace:
        """Return one trace of an open file."""
        header, arrays = _load_group(file.group.group(f"traces/{number}"))
        return Trace(parse_setting(header["setting"]), self._reference(file, header), **arrays)

    def _reference(self, file: TracesFile, header: Mapping[str, Any]) -> Reference:
        with file.reference(str(header["reference"])) as group:
            checksum = group.text("checksum")
            if self._last is None or self._last[0] != checksum:
                self._last = checksum, _load_reference(group)
        return self._last[1]


class TraceHeader(NamedTuple):
    """What is known of a trace in a file before it is read: its setting, number of runs, and a digest of its content.

    The digest is empty for a trace whose reference has no checksum.
    """

    setting: Setting
    runs: int
    digest: str


def read_headers(path: Path) -> tuple[list[TraceHeader], str]:
    """Return the headers of all traces of a file, without reading the traces, and the name and version of its writer.

    Raises:
        DataError: the file is missing or damaged.
    """
    with _reading(path) as file:
        headers = [_trace_header(file, number) for number in range(file.group.whole("traces"))]
        return headers, file.group.text("created_by")


def _trace_header(file: TracesFile, number: int) -> TraceHeader:
    group = file.group.group(f"traces/{number}")
    header = json.loads(group.text("header"))
    with file.reference(str(header["reference"])) as reference:
        digest = f"{group.text('checksum')} {reference.text('checksum')}"
    return TraceHeader(parse_setting(header["setting"]), group.dataset("architecture").shape[0], digest)


def setting_text(setting: Setting) -> str:
    """Return a setting as JSON. Arguments of plain strategies that JSON cannot store become text."""
    data = {field.name: getattr(setting, field.name) for field in dataclasses.fields(setting)}
    data |= data.pop("conditions").to_data()
    for name in ("origin", "training"):  # files of simulations do not have them
        if not data[name]:
            del data[name]
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
    # Not HDF5's in-memory files: before HDF5 2.0, the content that they return does not match HDF5's own checksum.
    memory = io.BytesIO()
    with _new_file(memory) as file:
        made = _Image(file)
        yield made
    made.content = memory.getvalue()


@contextlib.contextmanager
def _new_file(target: io.BytesIO | Disk) -> Iterator[Any]:
    """Yield a new file of this format to fill."""
    import h5py

    with h5py.File(target, "w", libver="v110") as file:
        _set_text(file, "format", FORMAT)
        file.attrs["format_version"] = FORMAT_VERSION
        _set_text(file, "created_by", f"nasbench-lab {nasbench_lab.__version__}")
        yield file
        file.attrs["traces"] = len(file.get("traces", ()))


class _Block(NamedTuple):
    """Consecutive runs that are to be written; their arrays can be on disk."""

    setting: Setting
    reference: Reference
    arrays: Mapping[str, Any]

    @classmethod
    def of(cls, trace: Trace) -> _Block:
        return cls(trace.setting, trace.reference, trace.arrays())


def _kept(blocks: Iterable[Trace], stream: BinaryIO) -> list[_Block]:
    """Return blocks of runs, the first ones in memory, and what does not fit into a stream."""
    kept: list[_Block] = []
    evaluations = 0
    for trace in blocks:
        block = _Block.of(trace)
        evaluations += trace.runs * trace.steps
        if kept and evaluations > _MOST_IN_MEMORY:
            block = block._replace(arrays={name: DiskArray.store(each, stream) for name, each in block.arrays.items()})
        kept.append(block)
    return kept


def _save_trace(
    file: Any, number: int, blocks: Sequence[_Block], reference: str, check: Callable[[], None] = lambda: None
) -> None:
    setting = joined_setting([block.setting for block in blocks])
    header = {"setting": json.loads(setting_text(setting)), "reference": reference}
    _save_group(file, f"traces/{number}", header, _joined(blocks), check)


def _joined(blocks: Sequence[_Block]) -> dict[str, ArrayPieces]:
    """Return the arrays of joined blocks. An optional array is there if any block has it."""
    arrays = [block.arrays for block in blocks]
    names = (name for name in (*MISSING, "stopped") if any(name in each for each in arrays))
    return {name: ArrayPieces.joined(arrays, name) for name in names}


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
    header: dict[str, Any] = {"observable": reference.observable, "metrics": metrics}
    arrays: dict[str, NDArray[Any]] = {
        **reference.means,
        _SPACE: np.frombuffer(_space_text(reference).encode(), np.uint8),
    }
    if reference.feasible is not None:
        arrays[_FEASIBLE] = reference.feasible
    if reference.members is not None:
        arrays[_MEMBERS] = reference.members
        header |= {"optima": dict(reference.optima)}
    if reference.kind != "measured":
        header |= {"kind": reference.kind}
    _save_group(file, f"references/{number}", header, arrays)
    return number


def _save_group(
    file: Any,
    path: str,
    header: dict[str, Any],
    arrays: Mapping[str, Rows],
    check: Callable[[], None] = lambda: None,
) -> None:
    """Write a group; ``check`` is called now and then, and may raise an error."""
    group = file.create_group(path)
    text = json.dumps(header, sort_keys=True)
    _set_text(group, "header", text)
    _set_text(group, "checksum", _checksum(text, arrays))
    for name, array in arrays.items():
        column = ArrayPieces.of(array)
        dataset = group.create_dataset(name, column.shape, column.dtype, **_PACKED)
        for first, rows in _of_height(column, dataset.chunks[0]):
            dataset[first : first + len(rows)] = rows
            check()
        # Flush now: positions in the file depend on the order of writing, which must not depend on garbage collection.
        dataset.flush()


def _of_height(column: ArrayPieces, height: int) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield the rows of a column, with the number of the first, so that no chunk of the file is written twice."""
    first, waiting = 0, []
    for piece in column.pieces():
        waiting.append(piece)
        ready = sum(map(len, waiting)) // height * height
        if ready:
            rows = np.concatenate(waiting)
            yield first, rows[:ready]
            first, waiting = first + ready, [rows[ready:]]
    rest = np.concatenate(waiting) if waiting else np.empty(0)
    if len(rest):
        yield first, rest


def _open_group(group: Hdf5Group) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the datasets of a trace, without reading them, after verifying shapes and checksum."""
    text, arrays = group.text("header"), {name: group.plausible(name) for name in group.names()}
    shapes = {name: array.shape for name, array in arrays.items()}
    shape = shapes["architecture"]
    names = [name for name in MISSING if name in ALWAYS or name in shapes]
    if shapes != {**dict.fromkeys(names, shape), "stopped": shape[:1]} or len(shape) != 2:
        raise DataError(f"the arrays of {group.name} do not fit together")
    if group.text("checksum") != _checksum(text, arrays):
        raise DataError(f"{group.name} does not match its checksum")
    return json.loads(text), arrays


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


def _checksum(header: str, arrays: Mapping[str, Rows]) -> str:
    digest = hashlib.sha256(header.encode())
    for name, array in sorted(arrays.items()):
        column = ArrayPieces.of(array)
        digest.update(f"{name} {column.dtype.str} {column.shape}".encode())
        for rows in column.pieces():
            digest.update(row_bytes(rows))
    return digest.hexdigest()


def _same(one: Reference, other: Reference) -> bool:
    return one is other or (
        str(one.observable) == str(other.observable)
        and one.metrics == other.metrics
        and np.array_equal(_optional(one.feasible), _optional(other.feasible))
        and np.array_equal(_optional(one.members), _optional(other.members))
        and str(one.optima) == str(other.optima)  # with NaN, which equals nothing
        and one.kind == other.kind
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
    members, kind = means.pop(_MEMBERS, None), header.get("kind", "measured")
    return Reference(header["observable"], metrics, means, feasible, described, members, header.get("optima", {}), kind)


def _metric(fields: dict[str, Any]) -> Metric:
    return Metric(**{**fields, "axes": tuple(fields["axes"])})
