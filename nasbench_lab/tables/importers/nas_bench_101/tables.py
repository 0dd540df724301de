"""NAS-Bench-101: the official files, and what a public repository has of all its architectures.

The official files (``nasbench_full.tfrecord``, 1.95 GB; ``nasbench_only108.tfrecord``, 499 MB) hold one record a
training: 423,624 cells, each trained three times for 4, 12, 36 and 108 epochs (or for 108 only), evaluated at the
start, halfway and at the end. See `nas_bench_101_rows` for the records, and the project's ``model_metrics.proto`` for
the message in each; of the evaluations, the one at the start is left out, as the official API does.

*FreeREA* has the mean test accuracy and the number of parameters of every cell, in the order of the hashes.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import DataError
from nasbench_lab.spaces.cell101_enumeration import MAX_VERTICES, SIZES
from nasbench_lab.tables.description import Description, Metric
from nasbench_lab.tables.fetching.sources import GitHubFile, UrlFile
from nasbench_lab.tables.importers.nas_bench_101.messages import WireField
from nasbench_lab.tables.importers.nas_bench_101.reader import PARAMETERS, Counts, Frame, RecordFormat
from nasbench_lab.tables.importers.nas_bench_101.reader import convert as _convert
from nasbench_lab.tables.importers.nats_topology import zero_cost
from nasbench_lab.tables.known_answers import check_known_answers
from nasbench_lab.tables.progress import Progress
from nasbench_lab.tables.reading import unpickle
from nasbench_lab.tables.recipe import AbstractRecipe, Arrays, Recipe, StreamedRecipe
from nasbench_lab.tables.table import Table

CITATION = """@inproceedings{ying2019nasbench101,
  title     = {{NAS-Bench-101}: Towards Reproducible Neural Architecture Search},
  author    = {Ying, Chris and Klein, Aaron and Christiansen, Eric and Real, Esteban and Murphy, Kevin and
               Hutter, Frank},
  booktitle = {Proceedings of the 36th International Conference on Machine Learning},
  series    = {Proceedings of Machine Learning Research},
  volume    = {97},
  pages     = {7105--7114},
  year      = {2019}
}"""

REPEATS = ("1st record", "2nd record", "3rd record")
"""The files do not say which seeds the three trainings had."""

_NAMES = {(4, 12, 36, 108): "full", (108,): "only108"}

HALFWAY, FINAL = 1, 2  # which of the evaluations in a message
EVALUATION = {"train_seconds": 2, "train_accuracy": 3, "valid_accuracy": 4, "test_accuracy": 5}
"""Field numbers of the messages of evaluations."""

REVISION = 1
"""Of the conversion; raised whenever it gives other numbers from the same file."""

FIELDS = {
    **{f"halfway_{name}": WireField((1, HALFWAY, number)) for name, number in EVALUATION.items()},
    **{name: WireField((1, FINAL, number), required=True) for name, number in EVALUATION.items()},
    PARAMETERS: WireField((2,), "count", required=True),
}


def metrics_of(when: str, prefix: str = "") -> tuple[Metric, ...]:
    """Return the metrics of one evaluation, as the files have them.

    Args:
        when: the evaluation, as a part of a sentence.
        prefix: of the names.
    """
    images = "10,000 images"
    return (
        Metric(f"{prefix}train_accuracy", "train", "fraction", "maximize", f"on {images} of the training set, {when}"),
        Metric(f"{prefix}valid_accuracy", "valid", "fraction", "maximize", f"on {images} held out, {when}"),
        Metric(f"{prefix}test_accuracy", "test", "fraction", "maximize", f"on the {images} for tests, {when}"),
        Metric(f"{prefix}train_seconds", "none", "s", "minimize", f"of training, without evaluations, {when}"),
    )


PARAMETERS_METRIC = Metric(PARAMETERS, "none", "millions", "minimize", "trainable parameters", ("architecture",))


def _describe(frame: Frame) -> Description:
    whole = frame.vertices == MAX_VERTICES
    name = _NAMES.get(frame.fidelities, "other") if whole else f"{frame.vertices}-vertices"
    epochs = ", ".join(map(str, frame.fidelities))
    return Description(
        name=f"nas-bench-101/{name}",
        title=f"NAS-Bench-101: cells on CIFAR-10, {epochs} epochs",
        space={"name": "cell101", "vertices": frame.vertices},
        fidelities=frame.fidelities,
        repeats=REPEATS,
        metrics=(
            *metrics_of("at the end"),
            *metrics_of("after half of the epochs", "halfway_"),
            PARAMETERS_METRIC,
        ),
        valid="valid_accuracy",
        test="test_accuracy",
        cost=("train_seconds",),
        resumable=False,
        licence="Apache-2.0",
        citation=CITATION,
        source="https://github.com/google-research/nasbench",
        notes=(
            "Every number of epochs is a training with a learning-rate schedule of its own: none goes on from another.",
        ),
    )


def _remarks(table: Table, counts: Counts) -> list[str]:
    """What is missing, or where a complete table is not as published."""
    lacking = int((counts.sum(axis=1) == 0).sum())
    if lacking:
        return [f"Measurements of {lacking:,} of the {table.space.size:,} models are missing; the file lacks them."]
    fewer = int((counts < len(REPEATS)).any(axis=1).sum())
    if fewer:
        return [f"{fewer:,} models were trained less often than {len(REPEATS)} times at some number of epochs."]
    wrong = [check for check in check_known_answers(table) if not check.ok]
    return [f"Not the official measurements: {check.what} is {check.found}." for check in wrong]


def convert(source: Path, target: Path, *, progress: Progress | None = None) -> None:
    """Convert an official file, or one that is written alike, into a table.

    The table has the cells of as many vertices as the file has, and its numbers of epochs. What is missing in the file
    is missing in the table, whose notes say so.

    Args:
        source: a TFRecord file.
        target: the table (``.h5``) to write.
        progress: called with bytes that are done and bytes in total.

    Raises:
        DataError: a record is damaged or does not make sense; the message has its number and where it is in the file.
        SourceError: the file cannot be read.
        OutputError: the table cannot be written.
    """
    _convert(source, target, RecordFormat(FIELDS, _describe, len(REPEATS), _remarks), progress)


def _freerea(name: str, sha256: str, size: int) -> GitHubFile:
    path = f"cached_metrics/nasbench101/cifar10/{name}.pkl.gz"
    commit = "9c2a726cd3adf526c43ae52a515a8fc5ea927fe7"
    return GitHubFile("NiccoloCavagnero/FreeREA", commit, path, "MIT", sha256, size)


_ACCURACIES = _freerea("accuracies", "84bcca117040f6f499e81743baee1ffaa3865f014bc7489fb1833dc06905f55e", 1_844_769)
_PARAMETERS = _freerea("params", "1b312e23917a312c6fc6f356e579ba1166870e6671f7cb1c093685a2558a1e6a", 4_105_386)
_MOST_BYTES = 2**25  # of an unpacked file

_MEANS = Description(
    name="nas-bench-101/means",
    title="NAS-Bench-101: cells on CIFAR-10, mean test accuracy of three trainings of 108 epochs",
    space={"name": "cell101", "vertices": MAX_VERTICES},
    fidelities=(108,),
    repeats=("mean of 3 trainings",),
    metrics=(
        Metric("test_accuracy", "test", "fraction", "maximize", "mean of 3 trainings, at the end", ("architecture",)),
        PARAMETERS_METRIC,
    ),
    valid=None,
    test="test_accuracy",
    licence="MIT",
    citation=f"{CITATION}\n\n{zero_cost.CITATION}",
    source=f"{_ACCURACIES}; {_PARAMETERS}",
    notes=(
        "Only the mean of three trainings is published there: its one repeat is that mean.",
        "No validation accuracies, so a search can only observe test accuracies, which is not a fair search.",
        "No training times are published there, so budgets in seconds are not possible.",
    ),
)


def _read_means(_description: Description, files: Sequence[bytes]) -> tuple[Arrays, Arrays]:
    accuracy, parameters = (
        _column(data, column, str(file))
        for data, column, file in zip(files, ("accuracy", "params"), (_ACCURACIES, _PARAMETERS), strict=True)
    )
    return {"test_accuracy": accuracy, PARAMETERS: parameters}, {}


class _Frame:
    """Stands for a pandas data frame in a pickle: keeps its columns by name."""

    columns: Mapping[str, Any]

    def __setstate__(self, state: Any) -> None:
        """Take the columns out of the blocks they are stored in."""
        self.columns = {
            name: column for values, names in state["_mgr"] for name, column in zip(names, values, strict=True)
        }


class _NewBlock:
    """Stands for the function that makes blocks of a data frame: gives an array and the columns that it holds."""

    def __setstate__(self, _state: Any) -> None:
        """Take the keywords that the function is bound to, which are always the same."""

    def __call__(self, values: Any, columns: slice) -> tuple[Any, slice]:
        return values, columns


def _manager(blocks: Any, axes: Any) -> list[tuple[Any, list[str]]]:
    """Stand for the manager of blocks: arrays and the names of the columns in each."""
    return [(values, [str(name) for name in axes[0][columns]]) for values, columns in blocks]


_PANDAS: unpickle.Allowed = {
    ("pandas.core.frame", "DataFrame"): _Frame,
    ("pandas.core.internals.managers", "BlockManager"): _manager,
    ("pandas.core.internals.blocks", "new_block"): _NewBlock(),
    ("functools", "partial"): lambda function: function,
    ("pandas.core.indexes.base", "Index"): "Index",
    ("pandas.core.indexes.range", "RangeIndex"): "RangeIndex",
    ("pandas.core.indexes.base", "_new_Index"): lambda _kind, state: state.get("data"),
}


def _column(data: bytes, column: str, name: str) -> FloatArray:
    """Read a column of a packed and pickled data frame with a row per cell, without pandas."""
    frame = unpickle.load(_unpacked(data, name), {**unpickle.ALLOWED, **_PANDAS})
    try:
        order, values = (np.array(frame.columns[key], dtype=np.float64) for key in ("index", column))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{name} is not the expected data frame: {error!r}") from error
    if not np.array_equal(order, np.arange(SIZES[MAX_VERTICES])) or values.shape != order.shape:
        raise DataError(f"{name} does not list the {SIZES[MAX_VERTICES]:,} cells in order")
    return values


def _unpacked(data: bytes, name: str) -> bytes:
    """The content of a gzip file, of bounded size."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        content = unpacker.decompress(data, _MOST_BYTES)
    except zlib.error as error:
        raise DataError(f"{name} is not a readable gzip file: {error}") from error
    if not unpacker.eof:
        raise DataError(f"{name} is truncated, or unpacks to more than {_MOST_BYTES:,} bytes")
    return content


def _official(name: str, sha256: str, size: int | None = None) -> UrlFile:
    return UrlFile(f"https://storage.googleapis.com/nasbench/{name}", "Apache-2.0", sha256, size)


_FILES = {
    (4, 12, 36, 108): _official(
        "nasbench_full.tfrecord", "3d64db8180fb1b0207212f9032205064312b6907a3bbc81eabea10db2f5c7e9c", 2_085_986_016
    ),
    (108,): _official(
        "nasbench_only108.tfrecord", "4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1", 522_767_376
    ),
}
"""The official files, with the checksums that their project states."""

RECIPES: tuple[AbstractRecipe, ...] = (
    *(
        StreamedRecipe(_describe(Frame(MAX_VERTICES, epochs)), file, convert, REVISION)
        for epochs, file in _FILES.items()
    ),
    Recipe(_MEANS, (_ACCURACIES, _PARAMETERS), _read_means),
)
