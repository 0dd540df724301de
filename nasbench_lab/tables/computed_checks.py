"""Checks of the answers of computed tables: each broken rule is one clear line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import DataError
from nasbench_lab.messages import shortened
from nasbench_lab.tables.any_table import ENERGY, SECONDS_PER_EPOCH
from nasbench_lab.tables.description import Metric


def checked_answers(
    what: str, given: Any, metrics: Sequence[Metric], architecture: IntArray, cost: Sequence[str]
) -> dict[str, FloatArray]:
    """Return the answers to a batch of requests as floats.

    Args:
        what: what gave the answers, for messages.
        given: the answers.
        metrics: the metrics that were asked for.
        architecture: architectures of the requests, shape (n,).
        cost: the metrics that may not be missing.

    Raises:
        DataError: a metric is missing or unknown, an array has the wrong shape, or a number is not allowed.
    """
    if not isinstance(given, Mapping):
        raise DataError(f"{what} must return a mapping from metrics to arrays, got {type(given).__name__}")
    names = [metric.name for metric in metrics]
    if missing := [name for name in names if name not in given]:
        raise DataError(f"{what} must answer {', '.join(names)}; {missing[0]} is missing")
    if unknown := [name for name in given if name not in names]:
        raise DataError(f"{what} must answer {', '.join(names)} only; got {shortened(unknown[0])}")
    return {metric.name: _checked(what, metric, given[metric.name], architecture, cost) for metric in metrics}


def _checked(what: str, metric: Metric, given: Any, architecture: IntArray, cost: Sequence[str]) -> FloatArray:
    name, count = metric.name, len(architecture)
    try:
        array = np.asarray(given)
        if array.dtype.kind not in "fiub":
            raise TypeError
        values = array.astype(np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{what} must return numbers for {name!r}, got {shortened(given)}") from None
    if values.shape != (count,):
        raise DataError(f"{what} must return shape ({count},) for {name!r}, got {values.shape}")
    never_negative = name in cost or name == ENERGY or metric.unit in ("s", SECONDS_PER_EPOCH)
    rules = (
        (np.isinf(values), "must be finite, or NaN where it is missing"),
        (np.isnan(values) & (name in cost or name == ENERGY), "must not be missing: a failed training costs, too"),
        ((values < 0) & never_negative, "must not be negative"),
    )
    for broken, rule in rules:
        if broken.any():
            place = int(broken.argmax())
            raise DataError(f"{what} gave {name} {values[place]:g} for architecture {architecture[place]}; it {rule}")
    return values
