"""Weight sharing: supernets, their training, and how well their scores rank architectures. Needs torch."""

from nasbench_lab.train.one_shot.path_sampling import FairPaths, PathSampler, UniformPaths
from nasbench_lab.train.one_shot.scoring import score
from nasbench_lab.train.one_shot.supernet_training import SupernetTraining
from nasbench_lab.train.one_shot.supernets import Supernet, list_supernets, make_supernet

__all__ = [
    "FairPaths",
    "PathSampler",
    "Supernet",
    "SupernetTraining",
    "UniformPaths",
    "list_supernets",
    "make_supernet",
    "score",
]
