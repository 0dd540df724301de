"""Assembling a table from the journals of a build."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nasbench_lab import __version__
from nasbench_lab.errors import DataError
from nasbench_lab.tables.description import AXES, Description, Metric
from nasbench_lab.tables.table import Table
from nasbench_lab.train.build.journal import Journal, Unit
from nasbench_lab.train.build.run import identity, units
from nasbench_lab.train.build.spec import BuildSpec
from nasbench_lab.train.classification_metrics import MacroScores
from nasbench_lab.train.complexity import multiply_additions, parameters
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.devices import Precision
from nasbench_lab.train.equivalent_networks import stand_ins
from nasbench_lab.train.network_builders import network_builder

_PER_TRAINING = ("test_precision", "test_recall", "test_f1")

_AFTER = "after the epoch"
_DURING = "of the epoch's batches as they were trained on"
_PER_REPEAT = (AXES[0], AXES[2])

METRICS = (
    Metric("train_loss", "train", "nats", "minimize", f"mean cross-entropy {_DURING}"),
    Metric("train_accuracy", "train", "percent", "maximize", f"accuracy {_DURING}"),
    Metric("valid_loss", "valid", "nats", "minimize", f"mean cross-entropy {_AFTER}"),
    Metric("valid_accuracy", "valid", "percent", "maximize", f"accuracy {_AFTER}"),
    Metric("test_loss", "test", "nats", "minimize", f"mean cross-entropy {_AFTER}"),
    Metric("test_accuracy", "test", "percent", "maximize", f"accuracy {_AFTER}"),
    Metric(
        "seconds",
        "none",
        "s",
        "minimize",
        "from the start of training to the end of this epoch, with the validation after every epoch; repeats were "
        "trained side by side, and each has its share of the time",
    ),
    Metric("test_precision", "test", "percent", "maximize", "mean precision over classes, at the end", _PER_REPEAT),
    Metric("test_recall", "test", "percent", "maximize", "mean recall over classes, at the end", _PER_REPEAT),
    Metric("test_f1", "test", "percent", "maximize", "mean F1 score over classes, at the end", _PER_REPEAT),
    Metric("parameters", "none", "count", "minimize", "trainable parameters", AXES[:1]),
    Metric("flops", "none", "count", "minimize", "multiply-additions of convolutions and linear layers", AXES[:1]),
)
"""The metrics of a built table."""

Arrays = dict[str, NDArray[Any]]
Measured = dict[Unit, Mapping[str, NDArray[Any]]]


def assemble(spec: BuildSpec, folder: Path, *, precision: Precision = "float32") -> Table:
    """Make the table from all journals in the folder of a build.

    The table of a sample has the sampled architectures only; its space is a `nasbench_lab.spaces.SubsetSpace`.

    Raises:
        DataError: trainings are missing, or a journal is damaged or belongs to another build.
    """
    dataset = spec.load_dataset()
    measured = _measured(spec, folder, dataset, precision)
    missing = len(units(spec)) - len(measured)
    if missing:
        raise DataError(
            f"{missing} of {len(units(spec))} trainings of {spec.name!r} are not finished in {folder}; run "
            "nasbench-lab tables build again to finish them"
        )
    values = {**_curves(spec, measured), **_costs(spec, dataset.image, dataset.classes)}
    return Table(_description(spec, dataset, measured), values)


def unfinished(spec: BuildSpec, folder: Path, *, precision: Precision = "float32") -> int:
    """Return the number of trainings that are in no journal of a build's folder."""
    return len(units(spec)) - len(_measured(spec, folder, spec.load_dataset(), precision))


def _measured(spec: BuildSpec, folder: Path, dataset: Dataset, precision: Precision) -> Measured:
    expected = set(units(spec))
    measured: Measured = {}
    for path in sorted(folder.glob("shard-*-of-*.sqlite")):
        with Journal(path, identity(spec, dataset, precision)) as journal:
            measured.update(item for item in journal.items() if item[0] in expected)
    return measured


def _curves(spec: BuildSpec, measured: Measured) -> Arrays:
    """Return the measurements over (architecture, fidelity, repeat) and (architecture, repeat)."""
    chosen = spec.chosen()
    shared = stand_ins(spec.make_space(), chosen)
    shape = (len(chosen), len(spec.fidelities), len(spec.seeds))
    values = {metric.name: np.full(shape, np.nan, np.float32) for metric in METRICS if metric.axes == AXES}
    scores = {name: np.full((shape[0], shape[2]), np.nan, np.float32) for name in _PER_TRAINING}
    members: dict[int, list[int]] = {}
    for row, architecture in enumerate(chosen):
        members.setdefault(shared[architecture], []).append(row)
    for (representative, epochs), arrays in measured.items():
        rows = members[representative]
        where = slice(None) if not spec.budgets else slice(at := spec.budgets.index(epochs), at + 1)
        for name, array in values.items():
            quantity = np.cumsum(arrays[name], axis=1) if name == "seconds" else arrays[name]
            array[rows, where] = quantity.T if not spec.budgets else quantity[:, -1:].T
        if epochs == spec.trainings[-1]:
            for repeat, (failed, confusion) in enumerate(zip(arrays["failed"], arrays["confusion"], strict=True)):
                if not failed:
                    found = MacroScores.from_confusion(confusion)
                    for name, score in zip(_PER_TRAINING, (found.precision, found.recall, found.f1), strict=True):
                        scores[name][rows, repeat] = score
    return {**values, **scores}


def _costs(spec: BuildSpec, image: tuple[int, int, int], classes: int) -> Arrays:
    """Return the parameters and multiply-additions of the network of every chosen architecture, (architectures,)."""
    space, chosen = spec.make_space(), spec.chosen()
    costs = {name: np.full(len(chosen), np.nan) for name in ("parameters", "flops")}
    for row, architecture in enumerate(chosen):
        network = network_builder(space, architecture, image=image, classes=classes, options=spec.network)(1)
        costs["parameters"][row] = parameters(network)
        costs["flops"][row] = multiply_additions(network, image)
    return costs


def _description(spec: BuildSpec, dataset: Dataset, measured: Measured) -> Description:
    hours = sum(float(np.nansum(arrays["seconds"])) for arrays in measured.values()) / 3600
    provenance = (
        f"trained by nasbench-lab {__version__}, {len(measured):,} networks from the seeds {list(spec.seeds)} each",
        str(spec.recipe),
        f"networks with {dict(spec.network)}" if spec.network else "networks as published",
        f"data: {dataset.description} (sha256 {dataset.digest()})",
        f"Python {platform.python_version()}, {this_platform()}",
        f"{hours:.2f} hours of training and validation in all",
    )
    return Description(
        name=spec.name,
        title=spec.title,
        space=spec.trained_space(),
        fidelities=spec.fidelities,
        repeats=tuple(str(seed) for seed in spec.seeds),
        metrics=METRICS,
        valid="valid_accuracy",
        test="test_accuracy",
        cost=("seconds",),
        resumable=not spec.budgets,
        licence=spec.licence,
        citation=spec.citation,
        source="; ".join(provenance),
        notes=spec.notes,
    )


def this_platform() -> str:
    """Return the versions, instructions and processor, on which the last digits of a training depend.

    >>> this_platform().startswith("torch 2")
    True
    """
    instructions = torch.backends.cpu.get_cpu_capability()
    versions = f"torch {version('torch')}, NumPy {np.__version__}"
    return f"{versions}, {platform.system()} on {platform.machine()} with {instructions}, {_processor()}"


def _processor() -> str:
    """Return the model name of the processor, if the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown processor"
    )
