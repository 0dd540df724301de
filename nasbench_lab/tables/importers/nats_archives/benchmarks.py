"""The contents of the official archives: spaces, hyper-parameter sets, seeds, data sets and their splits."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nasbench_lab.spaces import SizeSpace, TopologySpace
from nasbench_lab.spaces.product import ProductSpace

DATASETS: Mapping[str, Mapping[str, str]] = {
    "cifar10-valid": {"valid": "x-valid", "test": "ori-test"},
    "cifar10": {"test": "ori-test"},
    "cifar100": {"valid": "x-valid", "test": "x-test", "valtest": "ori-test"},
    "ImageNet16-120": {"valid": "x-valid", "test": "x-test", "valtest": "ori-test"},
}
"""Training data set to its evaluated splits, with the archive's names of these splits."""

IMAGES: Mapping[str, Mapping[str, str]] = {
    "cifar10-valid": {
        "train": "25,000 of the 50,000 CIFAR-10 training images",
        "valid": "the other 25,000 CIFAR-10 training images",
        "test": "the 10,000 CIFAR-10 test images",
    },
    "cifar10": {
        "train": "all 50,000 CIFAR-10 training images",
        "test": "the 10,000 CIFAR-10 test images",
    },
    "cifar100": {
        "train": "all 50,000 CIFAR-100 training images",
        "valid": "5,000 of the 10,000 CIFAR-100 test images",
        "test": "the other 5,000 CIFAR-100 test images",
        "valtest": "all 10,000 CIFAR-100 test images (validation and test images together)",
    },
    "ImageNet16-120": {
        "train": "all 151,700 ImageNet16-120 training images",
        "valid": "3,000 of the 6,000 ImageNet16-120 validation images",
        "test": "the other 3,000 ImageNet16-120 validation images",
        "valtest": "all 6,000 ImageNet16-120 validation images (validation and test images together)",
    },
}
"""Data set to the images of its splits."""

SEEDS = (111, 777, 888, 999)
"""All seeds in any of the archives."""


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """One official release.

    Attributes:
        key: first part of the names of its tables.
        title: its title.
        space: its search space.
        epochs: hyper-parameter set (named as in the archive) to number of training epochs, ascending.
        seeds: hyper-parameter set to its published seeds.
        keys: hyper-parameter set to its key in the archive's dictionaries, if different.
        costs_repaired: whether the official code takes parameters and FLOPs from seed 888 if the seeds differ in the
            fifth decimal (a known fault of some archives); otherwise it takes the mean.
    """

    key: str
    title: str
    space: ProductSpace
    epochs: Mapping[str, int]
    seeds: Mapping[str, tuple[int, ...]]
    keys: Mapping[str, str] = dataclasses.field(default_factory=dict)
    costs_repaired: bool = True


TOPOLOGY = Benchmark(
    "nats-bench-tss",
    "NATS-Bench topology space (NAS-Bench-201)",
    TopologySpace(),
    {"12": 12, "200": 200},
    {"12": (111, 777), "200": (777, 888, 999)},
)
SIZE = Benchmark(
    "nats-bench-sss",
    "NATS-Bench size space",
    SizeSpace(),
    {"01": 1, "12": 12, "90": 90},
    {"01": (777,), "12": (777, 888, 999), "90": (777,)},
)
NAS_BENCH_201_V10 = dataclasses.replace(
    TOPOLOGY,
    key="nas-bench-201-v1.0",
    title="NAS-Bench-201 v1.0",
    keys={"12": "less", "200": "full"},
    costs_repaired=False,
)
NAS_BENCH_201_V11 = dataclasses.replace(NAS_BENCH_201_V10, key="nas-bench-201-v1.1", title="NAS-Bench-201 v1.1")
