"""The weights of the trainings of a unit on disk: one file per seed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_lab.spaces import Space
from nasbench_lab.train.build.journal import Arrays, Unit
from nasbench_lab.train.build.spec import BuildSpec
from nasbench_lab.train.classification_metrics import MacroScores
from nasbench_lab.train.complexity import parameters
from nasbench_lab.train.described_networks import NetworkDescription
from nasbench_lab.train.network_copies import Build, weights_of_copies
from nasbench_lab.train.saved_weights import SUFFIX, are_saved, save_weights
from nasbench_lab.train.training import QUANTITIES, Training
from nasbench_lab.train.training_details import training_details


def weight_paths(folder: Path, spec: BuildSpec, unit: Unit) -> list[Path]:
    """Return the files of the weights of a unit, one per seed of the specification.

    >>> from nasbench_lab.train.recipes import recipe
    >>> spec = BuildSpec("mine", "", {"name": "topology"}, {"name": "digits"}, recipe("digits"), (0, 7))
    >>> [path.name for path in weight_paths(Path(), spec, (1462, 12))]
    ['topology-1462-seed-0.pt', 'topology-1462-seed-7.pt']
    """
    architecture, epochs = unit
    name = spec.label(architecture).replace(" ", "-") + (f"-epochs-{epochs}" if spec.budgets else "")
    return [folder / f"{name}-seed-{seed}{SUFFIX}" for seed in spec.seeds]


def has_weights(folder: Path, spec: BuildSpec, unit: Unit) -> bool:
    """Return whether the weights of a unit are in the folder, from all seeds."""
    return all(map(are_saved, weight_paths(folder, spec, unit)))


def save_unit(
    folder: Path, spec: BuildSpec, space: Space, unit: Unit, training: Training, build: Build, arrays: Arrays
) -> None:
    """Write the weights of a finished unit, one file per seed with its details beside it.

    Args:
        folder: where the files are written.
        spec: specification of the unit.
        space: search space of the specification.
        unit: what was trained.
        training: the finished training.
        build: builds its network.
        arrays: the measurements.
    """
    network = NetworkDescription.of(
        space, unit[0], image=training.dataset.image, classes=training.dataset.classes, options=spec.network
    )
    copies = weights_of_copies(training.averaged, build, len(spec.seeds))
    size = float(parameters(build(1)))
    for place, (path, weights) in enumerate(zip(weight_paths(folder, spec, unit), copies, strict=True)):
        curve = {name: arrays[name][place] for name in QUANTITIES}
        failed = bool(arrays["failed"][place])
        details = training_details(
            training.dataset,
            training.recipe,
            spec.seeds[place],
            precision=training.precision,
            metrics={**_end(curve, arrays["confusion"][place], failed=failed), "parameters": size},
            curve=curve,
        )
        save_weights(path, weights, network, {**details, "failed": failed})


def _end(curve: Arrays, confusion: Any, *, failed: bool) -> dict[str, float]:
    """Return the metrics at the end of a training."""
    found = {name: float(values[-1]) for name, values in curve.items()}
    found["seconds"] = float(np.nansum(curve["seconds"]))
    if not failed:
        scores = dataclasses.asdict(MacroScores.from_confusion(confusion))
        found |= {f"test_{name}": value for name, value in scores.items()}
    return found
