"""Reading one training of an official archive: from its dictionaries to arrays, without changing numbers."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import DataError
from nasbench_lab.tables.importers.nats_archives.benchmarks import DATASETS
from nasbench_lab.tables.reading.untrusted_values import described

_LARGEST = sys.float_info.max

TOP5 = "train_top5_accuracy"

_PARTS = {"accuracy": "eval_acc1es", "loss": "eval_losses", "seconds": "eval_times"}


class ArchiveTraining(NamedTuple):
    """The measurements of one training of one architecture.

    Attributes:
        curves: metric to its values after every epoch, shape (epochs,), NaN where missing.
        seconds: metric to the seconds at every epoch, shape (epochs,); often all the same.
        latency: seconds of one batch, the mean of the measurements; NaN if there are none.
        parameters: millions.
        flops: millions.
    """

    curves: dict[str, FloatArray]
    seconds: dict[str, FloatArray]
    latency: float
    parameters: float
    flops: float


def read(result: Any, dataset: str, epochs: int) -> ArchiveTraining:
    """Read the dictionary of one training.

    Args:
        result: ``all_results[dataset, seed]`` of the archive.
        dataset: the data set that was trained on.
        epochs: the number of epochs of the training.

    Raises:
        DataError: an entry is missing, invalid or unexpected.
    """
    if not isinstance(result, Mapping):
        raise DataError("it is not a dictionary")
    length, name = _entry(result, "epochs"), _entry(result, "name")
    if (type(length), length, type(name), name) != (int, epochs, str, dataset):
        raise DataError(f"it is not a training of {epochs} epochs on {dataset}")
    counting = range(epochs)
    curves = {
        "train_accuracy": _column(_entry(result, "train_acc1es"), counting, "train_acc1es"),
        "train_loss": _column(_entry(result, "train_losses"), counting, "train_losses"),
    }
    if result.get("train_acc5es") is not None:
        curves[TOP5] = _column(result["train_acc5es"], counting, "train_acc5es")
    seconds = {"epoch_seconds": _column(result.get("train_times") or {}, counting, "train_times")}
    keys = _evaluation_keys(dataset, epochs)
    for what, name in _PARTS.items():
        mapping = _entry(result, name) or {}
        # All splits share one dictionary; they are read together, so that unexpected entries are noticed.
        columns = _column(mapping, [key for role in keys for key in keys[role]], name).reshape(len(keys), epochs)
        target = seconds if what == "seconds" else curves
        target.update({f"{role}_{what}": column for role, column in zip(keys, columns, strict=True)})
    return ArchiveTraining(
        curves,
        seconds,
        _latency(result.get("latency")),
        _number(_entry(result, "params"), "params"),
        _number(_entry(result, "flop"), "flop"),
    )


@functools.cache
def _evaluation_keys(dataset: str, epochs: int) -> dict[str, list[str]]:
    """Return split to the keys of its evaluations: ``name@epoch``, with official epochs, which count from 0."""
    return {role: [f"{name}@{epoch}" for epoch in range(epochs)] for role, name in DATASETS[dataset].items()}


def _entry(result: Mapping[str, Any], name: str) -> Any:
    if name not in result:
        raise DataError(f"it has no {name!r}")
    return result[name]


def _column(mapping: Any, keys: Sequence[Any], name: str) -> FloatArray:
    """Return the values of a dictionary in the order of the keys, NaN for missing keys; DataError for other keys."""
    if not isinstance(mapping, Mapping):
        raise DataError(f"{name!r} is not a dictionary")
    found = [mapping.get(key) for key in keys]
    missing = found.count(None)
    if len(keys) - missing != len(mapping):
        known = set(keys)
        unknown = next((key for key, value in mapping.items() if value is None or key not in known), None)
        raise DataError(
            f"{name!r} has the key {described(unknown)}, which is not an epoch of the training, or has no number"
        )
    if missing:
        found = [np.nan if value is None else value for value in found]
    if not _NUMBERS.issuperset(map(type, found)):
        raise DataError(f"{name!r} has a value that is not a number")
    try:
        return np.array(found, dtype=np.float64)
    except OverflowError as error:
        raise DataError(f"{name!r} has a number that is too large") from error


_NUMBERS = {float, int, np.float64, np.float32, np.int64}


def _number(value: Any, name: str) -> float:
    if type(value) not in _NUMBERS or not abs(value) <= _LARGEST:
        raise DataError(f"{name!r} is {described(value)}, which is not a number")
    return float(value)


def _latency(measured: Any) -> float:
    """Return the mean as the official code computes it: a sequential sum, without compensation for rounding."""
    if not isinstance(measured, list | tuple | None):
        raise DataError(f"'latency' is not a list but {type(measured).__name__}")
    total = 0.0
    for value in measured or ():
        total += _number(value, "latency")
    return total / len(measured) if measured else float("nan")
