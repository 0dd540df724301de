"""NAS-Bench-101: tables from the official files, and a table of means from a public repository.

The official files (``nasbench_full.tfrecord``, 1.95 GB; ``nasbench_only108.tfrecord``, 499 MB) have one record per
training: 423,624 cells, each trained three times for 4, 12, 36 and 108 epochs (or for 108 only), evaluated at the
start, halfway and at the end. The module ``rows`` beside this file describes the records, and the project's
``model_metrics.proto`` the message in each. As in the official API, the evaluation at the start is omitted.

The repository *FreeREA* has the mean test accuracy and the number of parameters of every cell, in the order of hashes.
"""

from __future__ import annotations

import io
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
from nasbench_lab.tables.importers.nas_bench_101.reader import PARAMETERS, Counts, Dimensions, RecordFormat
from nasbench_lab.tables.importers.nas_bench_101.reader import convert as _convert
from nasbench_lab.tables.importers.nats_topology import zero_cost
from nasbench_lab.tables.known_answers import check_known_answers
from nasbench_lab.tables.progress_callbacks import Progress
from nasbench_lab.tables.reading import gzip_file, unpickle
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

HALFWAY, FINAL = 1, 2  # numbers of the evaluations in a message
EVALUATION = {"train_seconds": 2, "train_accuracy": 3, "valid_accuracy": 4, "test_accuracy": 5}
"""Field numbers of the messages of evaluations."""

REVISION = 1
"""Version of the conversion; must be raised if the same file gives other numbers."""

FIELDS = {
    **{f"halfway_{name}": WireField((1, HALFWAY, number)) for name, number in EVALUATION.items()},
    **{name: WireField((1, FINAL, number), required=True) for name, number in EVALUATION.items()},
    PARAMETERS: WireField((2,), "count", required=True),
}


def metrics_of(when: str, prefix: str = "") -> tuple[Metric, ...]:
    """Return the metrics of one evaluation.

    Args:
        when: when the evaluation takes place, as part of a sentence.
        prefix: prefix of the metric names.
    """
    images = "10,000 images"
    return (
        Metric(f"{prefix}train_accuracy", "train", "fraction", "maximize", f"on {images} of the training set, {when}"),
        Metric(f"{prefix}valid_accuracy", "valid", "fraction", "maximize", f"on {images} held out, {when}"),
        Metric(f"{prefix}test_accuracy", "test", "fraction", "maximize", f"on the {images} for tests, {when}"),
        Metric(f"{prefix}train_seconds", "none", "s", "minimize", f"of training, without evaluations, {when}"),
    )


PARAMETERS_METRIC = Metric(PARAMETERS, "none", "millions", "minimize", "trainable parameters", ("architecture",))


def _describe(dimensions: Dimensions) -> Description:
    whole = dimensions.vertices == MAX_VERTICES
    name = _NAMES.get(dimensions.fidelities, "other") if whole else f"{dimensions.vertices}-vertices"
    epochs = ", ".join(map(str, dimensions.fidelities))
    return Description(
        name=f"nas-bench-101/{name}",
        title=f"NAS-Bench-101: cells on CIFAR-10, {epochs} epochs",
        space={"name": "cell101", "vertices": dimensions.vertices},
        fidelities=dimensions.fidelities,
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
    """Return notes on missing measurements, or on differences from the published numbers."""
    lacking = int((counts.sum(axis=1) == 0).sum())
    if lacking:
        return [f"Measurements of {lacking:,} of the {table.space.size:,} models are missing, as in the file."]
    fewer = int((counts < len(REPEATS)).any(axis=1).sum())
    if fewer:
        return [f"{fewer:,} models have fewer than {len(REPEATS)} trainings at some number of epochs."]
    wrong = [check for check in check_known_answers(table) if not check.ok]
    return [f"These are not the official measurements: {check.what} is {check.found}." for check in wrong]


def convert(source: Path, target: Path, *, progress: Progress | None = None) -> None:
    """Convert an official file, or another file in its format, to a table.

    The space of the table has all cells up to the largest number of vertices in the file. The notes of the table say if
    measurements are missing.

    Args:
        source: a TFRecord file.
        target: the table file (``.h5``) to write.
        progress: called with the number of bytes read, and the total.

    Raises:
        DataError: a record is damaged or inconsistent; the message has its number and its position in the file.
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


class _DataFrame:
    """Replaces a pandas data frame in a pickle: keeps its columns by name."""

    columns: Mapping[str, Any]

    def __setstate__(self, state: Any) -> None:
        """Extract the columns from the blocks of the data frame."""
        self.columns = {
            name: column for values, names in state["_mgr"] for name, column in zip(names, values, strict=True)
        }


class _NewBlock:
    """Replaces the function that makes blocks of a data frame: returns an array and the slice of its columns."""

    def __setstate__(self, _state: Any) -> None:
        """Ignore the keywords that the function is bound to, which are always the same."""

    def __call__(self, values: Any, columns: slice) -> tuple[Any, slice]:
        return values, columns


def _manager(blocks: Any, axes: Any) -> list[tuple[Any, list[str]]]:
    """Replace the manager of blocks: return the array of every block with the names of its columns."""
    named = [(values, list(axes[0][columns])) for values, columns in blocks]
    if not all(isinstance(name, str) for _, names in named for name in names):
        raise DataError("the pickle has a data frame whose columns are not named by texts")
    return named


_PANDAS: unpickle.Allowed = {
    ("pandas.core.frame", "DataFrame"): _DataFrame,
    ("pandas.core.internals.managers", "BlockManager"): _manager,
    ("pandas.core.internals.blocks", "new_block"): _NewBlock(),
    ("functools", "partial"): lambda function: function,
    ("pandas.core.indexes.base", "Index"): "Index",
    ("pandas.core.indexes.range", "RangeIndex"): "RangeIndex",
    ("pandas.core.indexes.base", "_new_Index"): lambda _kind, state: state.get("data"),
}


def _column(data: bytes, column: str, name: str) -> FloatArray:
    """Read a column of a compressed, pickled data frame with one row per cell, without pandas."""
    frame = unpickle.load(_unpacked(data, name), {**unpickle.ALLOWED, **_PANDAS})
    try:
        order, values = (np.array(frame.columns[key], dtype=np.float64) for key in ("index", column))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{name} is not the expected data frame: {error!r}") from error
    if not np.array_equal(order, np.arange(SIZES[MAX_VERTICES])) or values.shape != order.shape:
        raise DataError(f"{name} does not list the {SIZES[MAX_VERTICES]:,} cells in order")
    return values


def _unpacked(data: bytes, name: str) -> bytes:
    """Decompress a gzip file, up to a size limit."""
    try:
        return gzip_file.expand(io.BytesIO(data), _MOST_BYTES)
    except DataError as error:
        raise DataError(f"{name}: {error}") from error


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
"""Numbers of epochs to the official file, with the checksum stated by its project."""

PUBLISHED = {file.url.rpartition("/")[2]: file.sha256 for file in _FILES.values()}
"""Name of an official file to its SHA-256."""

RECIPES: tuple[AbstractRecipe, ...] = (
    *(
        StreamedRecipe(_describe(Dimensions(MAX_VERTICES, epochs)), file, convert, REVISION)
        for epochs, file in _FILES.items()
    ),
    Recipe(_MEANS, (_ACCURACIES, _PARAMETERS), _read_means),
)
