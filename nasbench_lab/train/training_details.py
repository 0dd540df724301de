"""What is kept of a training beside its weights, as plain data that JSON can hold."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from nasbench_lab.arrays import FloatArray
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.recipes import TrainingRecipe


def training_details(
    dataset: Dataset,
    recipe: TrainingRecipe,
    seed: int,
    *,
    precision: str,
    metrics: Mapping[str, float],
    curve: Mapping[str, FloatArray],
) -> dict[str, Any]:
    """Return the details of a training; numbers that are missing (NaN) become None.

    ``normalisation`` has the mean and the deviation of every channel that images are normalised with; pixels of type
    uint8 are divided by 255 first.

    >>> from nasbench_lab.train.datasets import digits
    >>> from nasbench_lab.train.recipes import recipe
    >>> found = training_details(digits(), recipe("digits"), 3, precision="float32", metrics={}, curve={})
    >>> found["seed"], found["recipe"]["epochs"], len(found["normalisation"]["mean"])
    (3, 12, 1)
    """
    mean, deviation = dataset.statistics()
    return {
        "dataset": {"name": dataset.name, "sha256": dataset.digest(), "description": dataset.description},
        "normalisation": {"mean": mean.tolist(), "deviation": deviation.tolist()},
        "recipe": dataclasses.asdict(recipe),
        "seed": seed,
        "precision": precision,
        "metrics": {name: _plain(value) for name, value in metrics.items()},
        "curve": {name: [_plain(value) for value in values.tolist()] for name, values in curve.items()},
    }


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
