"""Weight sharing: supernets, their training, and how well their scores rank architectures. Needs torch."""

from nasbench_lab.train.one_shot.path_sampling import FairPaths, PathSampler, UniformPaths
from nasbench_lab.train.one_shot.saved_supernets import SupernetDetails, load_supernet, save_supernet
from nasbench_lab.train.one_shot.scoring import score
from nasbench_lab.train.one_shot.snapshots import Snapshot, list_snapshots, snapshot_path
from nasbench_lab.train.one_shot.supernet_training import SupernetTraining
from nasbench_lab.train.one_shot.supernets import Supernet, list_supernets, make_supernet

__all__ = [
    "FairPaths",
    "PathSampler",
    "Snapshot",
    "Supernet",
    "SupernetDetails",
    "SupernetTraining",
    "UniformPaths",
    "list_snapshots",
    "list_supernets",
    "load_supernet",
    "make_supernet",
    "save_supernet",
    "score",
    "snapshot_path",
]
