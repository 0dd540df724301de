"""EC-NAS (also EC-NAS-Bench): small cells of NAS-Bench-101 trained again, with measurements of energy.

The files have the format of NAS-Bench-101, with more fields in the messages (the project's
``model_metrics_energy.proto``): energy in kWh, carbon dioxide in g, carbon intensity in g/kWh, the predictions of
Carbontracker for the whole training after its first epochs, and the average power of processor and graphics card.

- *4v9e*: all 91 cells of at most 4 vertices, trained three times for 4, 12, 36 and 108 epochs. The evaluation that the
  project calls halfway is always after one epoch.
- *5v9e*: all 2,532 cells of at most 5 vertices, trained once for 4 epochs; halfway is after two.
- *4v9e-estimate*: the 91 cells trained once for 4 epochs, with times and energy scaled up to the other numbers of
  epochs. Accuracies are the means of NAS-Bench-101. The file repeats them for the evaluation halfway; the table omits
  these. All records have the totals and predictions of 4 epochs; the table has them at 4 epochs only.

The repository also has files like the estimate for single graphics cards, which `convert` recognises.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import DataError
from nasbench_lab.spaces import Cell101Space
from nasbench_lab.tables.description import Description, Metric
from nasbench_lab.tables.fetching.sources import GitHubFile
from nasbench_lab.tables.importers.ec_nas_scaled import ScaledAmounts, check_scaled, recognise
from nasbench_lab.tables.importers.nas_bench_101 import tables as nas_bench_101
from nasbench_lab.tables.importers.nas_bench_101.messages import WireField
from nasbench_lab.tables.importers.nas_bench_101.reader import Counts, Dimensions, RecordFormat, fill
from nasbench_lab.tables.importers.nas_bench_101.reader import convert as _convert
from nasbench_lab.tables.progress_callbacks import Progress
from nasbench_lab.tables.recipe import Arrays, Recipe
from nasbench_lab.tables.table import Table

REVISION = 2
"""Version of the conversion; must be raised if the same file gives other numbers."""

_CITATION = """@inproceedings{bakhtiarifard2024ecnas,
  title     = {{EC-NAS}: Energy Consumption Aware Tabular Benchmarks for Neural Architecture Search},
  author    = {Bakhtiarifard, Pedram and Igel, Christian and Selvan, Raghavendra},
  booktitle = {IEEE International Conference on Acoustics, Speech and Signal Processing (ICASSP)},
  year      = {2024}
}"""

_ENERGY = {"energy": 6, "co2eq": 7, "carbon_intensity": 8}
"""Field numbers of the amounts used up to an evaluation, in the message of the evaluation."""
_PREDICTED = {
    "predicted_energy": 11,
    "predicted_co2eq": 12,
    "predicted_seconds": 13,
    "predicted_carbon_intensity": 14,
}
"""Field numbers in the message of the last evaluation."""
_TOTAL = {"total_seconds": 3, "total_energy": 4, "total_co2eq": 5, "total_carbon_intensity": 8}
"""Field numbers of the amounts used including all evaluations, in the outermost message."""
_POWER = {"gpu_power": (1, 1), "gpu_energy": (1, 2), "cpu_power": (2, 1), "cpu_energy": (2, 2)}
"""Field numbers of a device and of its power or energy, in the message of average power usages."""

_FIELDS = {
    **nas_bench_101.FIELDS,
    **{name: WireField((1, nas_bench_101.FINAL, number)) for name, number in _ENERGY.items()},
    **{f"halfway_{name}": WireField((1, nas_bench_101.HALFWAY, number)) for name, number in _ENERGY.items()},
    **{name: WireField((1, nas_bench_101.FINAL, number)) for name, number in _PREDICTED.items()},
    **{name: WireField((number,)) for name, number in _TOTAL.items()},
    **{name: WireField((9, 0, device, 0, quantity, 0, 1)) for name, (device, quantity) in _POWER.items()},
}

_UNITS = {
    "energy": ("kWh", "electricity"),
    "co2eq": ("g", "equivalent of carbon dioxide"),
    "carbon_intensity": ("g/kWh", "carbon dioxide per electricity at that place and time, on average"),
    "seconds": ("s", "time"),
}
_ESTIMATE = "ec-nas/4v9e-estimate"
_NOT_ESTIMATED = (
    *(f"halfway_{name}" for name in ("train_seconds", *_ENERGY)),
    *_PREDICTED,
    *_TOTAL,
    *_POWER,
)
"""Metrics that every record of the estimate copies from 4 epochs, whatever its own number of epochs."""
_PLACEHOLDERS = ("halfway_train_accuracy", "halfway_valid_accuracy", "halfway_test_accuracy")


def _of_energy(halfway: str) -> tuple[Metric, ...]:
    """Return the metrics that NAS-Bench-101 does not have."""
    parts = {
        "": "of training, at the end",
        "halfway_": f"of training, {halfway}",
        "predicted_": "of the whole training, as predicted after its first epochs",
        "total_": "of training with all evaluations",
    }
    found = []
    for prefix, when in parts.items():
        for quantity, (unit, what) in _UNITS.items():
            if f"{prefix}{quantity}" in _FIELDS:
                found.append(Metric(f"{prefix}{quantity}", "none", unit, "minimize", f"{what}, {when}"))
    devices = {"gpu": "the graphics card", "cpu": "the processor"}
    for device, name in devices.items():
        found.append(Metric(f"{device}_power", "none", "W", "minimize", f"average power of {name}"))
        found.append(Metric(f"{device}_energy", "none", "J", "minimize", f"electricity of {name}, in all"))
    return tuple(found)


_REPEATS_OF_ESTIMATE = ("mean of 3 trainings; energy of one",)
_AFTER_ONE = "after 1 epoch"
_HALFWAY_NOTE = "What the project calls halfway is after 1 epoch, whatever the number of epochs."


def _describe(dimensions: Dimensions) -> Description:
    return _description(
        f"ec-nas/{dimensions.vertices}v9e",
        dimensions,
        nas_bench_101.REPEATS,
        "at the evaluation during training",
        source="https://github.com/PedramBakh/EC-NAS-Bench",
    )


def _description(
    name: str,
    dimensions: Dimensions,
    repeats: tuple[str, ...],
    halfway: str,
    *,
    source: str,
    notes: tuple[str, ...] = (),
) -> Description:
    epochs = ", ".join(map(str, dimensions.fidelities))
    return Description(
        name=name,
        title=f"EC-NAS: cells of at most {dimensions.vertices} vertices on CIFAR-10 with energy, {epochs} epochs",
        space=Cell101Space(dimensions.vertices).spec(),
        fidelities=dimensions.fidelities,
        repeats=repeats,
        metrics=(
            *nas_bench_101.metrics_of("at the end"),
            *nas_bench_101.metrics_of(halfway, "halfway_"),
            *_of_energy(halfway),
            nas_bench_101.PARAMETERS_METRIC,
        ),
        valid="valid_accuracy",
        test="test_accuracy",
        cost=("train_seconds",),
        resumable=False,
        licence="MIT",
        citation=f"{_CITATION}\n\n{nas_bench_101.CITATION}",
        source=source,
        notes=(
            *notes,
            "The energy of the parts (processor, graphics) does not add up to the total, which is about twice as much.",
            "Names of devices and times of day, which the files have too, are left out.",
        ),
    )


def _remarks(table: Table, counts: Counts) -> list[str]:
    lacking = int((counts.sum(axis=1) == 0).sum())
    if not lacking:
        return []
    return [f"Measurements of {lacking:,} of the {table.space.size:,} models are missing, as in the file."]


def convert(source: Path, target: Path, *, progress: Progress | None = None) -> None:
    """Convert a file of EC-NAS to a table with all metrics that were measured; see `convert` of NAS-Bench-101.

    Files of estimates, and of single graphics cards, are recognised by their numbers. Their tables have names of their
    own, without the placeholders of the file, and say which numbers were scaled.
    """
    scaled = recognise(source, _FIELDS["train_seconds"], _FIELDS["halfway_train_seconds"])
    kind = RecordFormat(_FIELDS, _describe, len(nas_bench_101.REPEATS), _remarks)
    _convert(source, target, kind if scaled is None else _scaled_format(source.name, scaled), progress)


def _scaled_format(file: str, scaled: ScaledAmounts) -> RecordFormat:
    """Return the format of a file whose amounts were scaled."""
    placeholders = _PLACEHOLDERS if scaled.kind == "estimate" else tuple(n for n in _FIELDS if n.startswith("halfway_"))
    fields = {name: field for name, field in _FIELDS.items() if name not in placeholders}

    def describe(dimensions: Dimensions) -> Description:
        described = _description(
            f"ec-nas/{dimensions.vertices}v9e-{scaled.suffix}",
            dimensions,
            _REPEATS_OF_ESTIMATE,
            _AFTER_ONE,
            source="https://github.com/PedramBakh/EC-NAS-Bench",
            notes=_notes_of_scaled(dimensions, scaled),
        )
        return dataclasses.replace(described, metrics=tuple(m for m in described.metrics if m.name in fields))

    def finish(dimensions: Dimensions, values: Mapping[str, NDArray[Any]]) -> None:
        check_scaled(file, dimensions.fidelities, values)
        for name in _NOT_ESTIMATED:
            if name in values:
                values[name][:, 1:] = np.nan

    return RecordFormat(fields, describe, len(_REPEATS_OF_ESTIMATE), _remarks, finish)


def _notes_of_scaled(dimensions: Dimensions, scaled: ScaledAmounts) -> tuple[str, ...]:
    first, *others = dimensions.fidelities
    factors = [f"{epochs / first:g}" for epochs in others]
    beyond = " and ".join(filter(None, [", ".join(factors[:-1]), *factors[-1:]]))
    device = f" on {scaled.device}" if scaled.device else ""
    measured = f"Seconds, energy and carbon dioxide were measured for {first} epochs{device}"
    if scaled.kind == "estimate":
        given, halfway = "Power, totals, predictions and what was used up to the first epoch", _HALFWAY_NOTE
    else:
        given, halfway = "Power, totals and predictions", "Halfway, all amounts were scaled, too, and are left out."
    return (
        "Accuracies are the means of NAS-Bench-101.",
        f"{measured}, and are those times {beyond} beyond.",
        f"{given} are given for {first} epochs only.",
        halfway,
    )


def _read(description: Description, files: Sequence[bytes]) -> tuple[Arrays, Arrays]:
    """Read a complete file; DataError if measurements are missing."""
    repeats = len(description.repeats)
    fields = {metric.name: _FIELDS[metric.name] for metric in description.metrics}
    dimensions = Dimensions(description.space["vertices"], description.fidelities)
    size = Cell101Space(dimensions.vertices).size
    lengths = {"architecture": size, "fidelity": len(dimensions.fidelities), "repeat": repeats}
    values = {metric.name: np.full([lengths[axis] for axis in metric.axes], np.nan) for metric in description.metrics}
    kind = RecordFormat(fields, _describe, repeats, _remarks)
    counts = fill(io.BytesIO(files[0]), description.source, kind, dimensions, values)
    if (counts != repeats).any():
        raise DataError(f"{description.source} does not have all trainings of the {size:,} cells")
    if description.name == _ESTIMATE:
        for name in _NOT_ESTIMATED:
            values[name][:, 1:] = np.nan
    return values, {}


def _recipe(
    name: str,
    sha256: str,
    file_size: int,
    dimensions: Dimensions,
    repeats: tuple[str, ...],
    halfway: str,
    notes: tuple[str, ...] = (),
) -> Recipe:
    path = f"ecnas/ecnas/utils/data/tabular_benchmarks/energy_{name}.tfrecord"
    commit = "13e373ead9d5c1fa177de1c1217b0cd9d8739aac"
    file = GitHubFile("PedramBakh/EC-NAS-Bench", commit, path, "MIT", sha256, file_size)
    table = f"ec-nas/{name.lower().replace('_', '-')}"
    description = _description(table, dimensions, repeats, halfway, source=str(file), notes=notes)
    if table == _ESTIMATE:
        measured = tuple(metric for metric in description.metrics if metric.name not in _PLACEHOLDERS)
        description = dataclasses.replace(description, metrics=measured)
    return Recipe(description, (file,), _read)


RECIPES = (
    _recipe(
        "4V9E",
        "eba6c177999103d7c938028e410836c1b62213a076b0e7436de85da8f81d974c",
        893_556,
        Dimensions(4, (4, 12, 36, 108)),
        nas_bench_101.REPEATS,
        _AFTER_ONE,
        (_HALFWAY_NOTE,),
    ),
    _recipe(
        "5V9E",
        "0be8df1e21dac4e7a927ee13823fb3f30fd900f8dee2a41f1572319e8af702cc",
        2_136_916,
        Dimensions(5, (4,)),
        ("the only training",),
        "after 2 epochs",
    ),
    _recipe(
        "4V9E_estimate",
        "e18becd6aac719a9af4c816940a6bf7bf5fb0a16870d531e78a27c1d8cf89010",
        297_784,
        Dimensions(4, (4, 12, 36, 108)),
        _REPEATS_OF_ESTIMATE,
        _AFTER_ONE,
        (
            "Accuracies are the means of NAS-Bench-101.",
            "Seconds, energy and carbon dioxide were measured for 4 epochs, and are those times 3, 9 and 27 beyond.",
            "Power, totals, predictions and what was used up to the first epoch are given for 4 epochs only.",
            _HALFWAY_NOTE,
        ),
    ),
)

PUBLISHED = {file.path.rpartition("/")[2]: file.sha256 for recipe in RECIPES for file in recipe.files}  # type: ignore[attr-defined]
"""Name of an official file to its SHA-256."""
