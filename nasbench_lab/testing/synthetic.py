"""Small tables with random numbers for tests, on several kinds of search spaces."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from nasbench_lab import spaces
from nasbench_lab.spaces.gnn import PROTEINS_OPERATIONS
from nasbench_lab.tables.description import Description, Metric
from nasbench_lab.tables.table import Table

SPACES: dict[str, dict[str, Any]] = {
    "topology": {"name": "topology"},
    "gnn": {"name": "gnn", "operations": list(PROTEINS_OPERATIONS)},
    "chain": {"name": "chain", "choices": "012", "length": 5},
    "tiny": {"name": "chain", "choices": "ab", "length": 1},
}
"""Specifications of the search spaces of synthetic tables, by kind."""

Kind = Literal["topology", "gnn", "chain", "tiny"]


def synthetic_table(
    kind: Kind = "chain",
    *,
    seed: int = 0,
    noise: float = 0.01,
    failures: float = 0.0,
    constant: bool = False,
    direction: Literal["maximize", "minimize"] = "maximize",
) -> Table:
    """Make a table whose accuracies are the mean of a random quality per choice, plus noise per repeat.

    The table has two fidelities (4 and 12 epochs), three repeats (some are missing at 12 epochs), times, and a
    zero-cost score.

    Args:
        kind: the search space, a key of `SPACES`; ``"tiny"`` has two architectures.
        seed: seed of the random numbers.
        noise: standard deviation over repeats.
        failures: fraction of the architectures whose objective is always NaN.
        constant: whether all values of the objective are 0.5, so that all architectures tie.
        direction: direction of the objective.

    >>> synthetic_table("topology").space.size
    15625
    """
    space = spaces.make_space(SPACES[kind])
    random = np.random.default_rng(seed)
    axes = ("architecture",)
    description = Description(
        name=f"synthetic/{kind}",
        title=f"made-up numbers on the space {kind}",
        space=space.spec(),
        fidelities=(4, 12),
        repeats=("first", "second", "third"),
        metrics=(
            Metric("valid_accuracy", "valid", "fraction", direction, "made up"),
            Metric("test_accuracy", "test", "fraction", direction, "made up"),
            Metric("train_seconds", "none", "s", "minimize", "made up", ("architecture", "fidelity")),
            Metric("valid_seconds", "none", "s", "minimize", "made up", axes),
            Metric("parameters", "none", "millions", "minimize", "made up", axes),
            Metric("synflow", "none", "", "maximize", "made up: the hidden quality and much noise", axes),
            Metric("synflow_seconds", "none", "s", "minimize", "made up", axes),
        ),
        valid="valid_accuracy",
        test="test_accuracy",
        cost=("train_seconds", "valid_seconds"),
        licence="CC0-1.0",
    )
    features = space.features(np.arange(space.size)).astype(np.float64)
    quality = features @ random.random(features.shape[1]) / len(space.cardinalities)
    shape = (space.size, 2, 3)
    valid = np.multiply.outer(quality, [0.6, 0.9])[:, :, None] + noise * random.standard_normal(shape)
    test = valid + noise * random.standard_normal(shape)
    if constant:
        valid[:] = 0.5
    if direction == "minimize":
        valid, test = 1 - valid, 1 - test
    valid[random.random(space.size) < 0.3, 1, 2] = np.nan
    valid[random.random(space.size) < failures] = np.nan
    seconds = 1.0 + random.random(space.size)
    values = {
        "valid_accuracy": valid,
        "test_accuracy": test,
        "train_seconds": np.multiply.outer(seconds, [4.0, 12.0]),
        "valid_seconds": 0.1 * seconds,
        "parameters": 0.5 + random.random(space.size),
        "synflow": quality + 0.1 * random.standard_normal(space.size),
        "synflow_seconds": 0.01 * seconds,
    }
    return Table(description, values)
