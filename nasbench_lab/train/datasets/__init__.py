"""The data sets that networks are trained on."""

from nasbench_lab.train.datasets.dataset import Dataset, Split
from nasbench_lab.train.datasets.digits import Hardening, digits
from nasbench_lab.train.datasets.load import load, names

__all__ = ["Dataset", "Hardening", "Split", "digits", "load", "names"]
