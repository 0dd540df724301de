"""Data sets that networks are trained on."""

from nasbench_lab.train.datasets.by_name import load, names
from nasbench_lab.train.datasets.cifar import cifar10, cifar100
from nasbench_lab.train.datasets.dataset import Dataset, Split
from nasbench_lab.train.datasets.handwritten_digits import Hardening, digits
from nasbench_lab.train.datasets.imagenet16 import imagenet16_120
from nasbench_lab.train.datasets.user_arrays import arrays

__all__ = [
    "Dataset",
    "Hardening",
    "Split",
    "arrays",
    "cifar10",
    "cifar100",
    "digits",
    "imagenet16_120",
    "load",
    "names",
]
