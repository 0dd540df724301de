"""Supernets: one network with shared weights for all architectures of a space."""

from nasbench_lab.train.one_shot.supernets.mixed_layer import MixedLayer
from nasbench_lab.train.one_shot.supernets.partial_channels import PartialChannels, widen
from nasbench_lab.train.one_shot.supernets.registry import list_supernets, make_supernet, supernet_class
from nasbench_lab.train.one_shot.supernets.selection import Mixture, Path, Sample, Selection
from nasbench_lab.train.one_shot.supernets.shared_norm import SharedNorm, Statistics
from nasbench_lab.train.one_shot.supernets.split import SplitSupernet
from nasbench_lab.train.one_shot.supernets.supernet import Supernet, recalibrate

__all__ = [
    "MixedLayer",
    "Mixture",
    "PartialChannels",
    "Path",
    "Sample",
    "Selection",
    "SharedNorm",
    "SplitSupernet",
    "Statistics",
    "Supernet",
    "list_supernets",
    "make_supernet",
    "recalibrate",
    "supernet_class",
    "widen",
]
