"""Weight sharing: one-shot searches, supernets, their training, and how well their scores rank architectures.

Needs torch: ``pip install 'nasbench-lab[torch]'``. Importing this package does not import torch; using its functions
does. `list_methods` works without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasbench_lab.train.lazy_names import imported_when_used
from nasbench_lab.train.one_shot.methods.registry import list_methods as list_methods
from nasbench_lab.train.one_shot.methods.registry import make_method as make_method

if TYPE_CHECKING:
    from nasbench_lab.train.one_shot.calibration import Calibration as Calibration
    from nasbench_lab.train.one_shot.calibration import calibrate as calibrate
    from nasbench_lab.train.one_shot.methods.base import Method as Method
    from nasbench_lab.train.one_shot.one_shot_trace import OneShotTrace as OneShotTrace
    from nasbench_lab.train.one_shot.path_sampling import FairPaths as FairPaths
    from nasbench_lab.train.one_shot.path_sampling import PathSampler as PathSampler
    from nasbench_lab.train.one_shot.path_sampling import UniformPaths as UniformPaths
    from nasbench_lab.train.one_shot.saved_supernets import SupernetDetails as SupernetDetails
    from nasbench_lab.train.one_shot.saved_supernets import load_supernet as load_supernet
    from nasbench_lab.train.one_shot.saved_supernets import save_supernet as save_supernet
    from nasbench_lab.train.one_shot.scoring import score as score
    from nasbench_lab.train.one_shot.scoring import score_space as score_space
    from nasbench_lab.train.one_shot.search_context import Batch as Batch
    from nasbench_lab.train.one_shot.search_context import SearchContext as SearchContext
    from nasbench_lab.train.one_shot.search_context import SupernetOptions as SupernetOptions
    from nasbench_lab.train.one_shot.search_run import SearchRun as SearchRun
    from nasbench_lab.train.one_shot.searches import OneShotProgress as OneShotProgress
    from nasbench_lab.train.one_shot.searches import search as search
    from nasbench_lab.train.one_shot.snapshot_ranking import rank_snapshots as rank_snapshots
    from nasbench_lab.train.one_shot.snapshots import Snapshot as Snapshot
    from nasbench_lab.train.one_shot.snapshots import find_snapshots as find_snapshots
    from nasbench_lab.train.one_shot.snapshots import snapshot_path as snapshot_path
    from nasbench_lab.train.one_shot.supernet_ranking import ranking as ranking
    from nasbench_lab.train.one_shot.supernet_training import SupernetTraining as SupernetTraining
    from nasbench_lab.train.one_shot.supernets import Supernet as Supernet
    from nasbench_lab.train.one_shot.supernets import list_supernets as list_supernets
    from nasbench_lab.train.one_shot.supernets import make_supernet as make_supernet

_HOMES = {
    "Batch": "search_context",
    "Calibration": "calibration",
    "FairPaths": "path_sampling",
    "Method": "methods.base",
    "OneShotProgress": "searches",
    "OneShotTrace": "one_shot_trace",
    "PathSampler": "path_sampling",
    "SearchContext": "search_context",
    "SearchRun": "search_run",
    "Snapshot": "snapshots",
    "Supernet": "supernets",
    "SupernetDetails": "saved_supernets",
    "SupernetOptions": "search_context",
    "SupernetTraining": "supernet_training",
    "UniformPaths": "path_sampling",
    "calibrate": "calibration",
    "find_snapshots": "snapshots",
    "list_supernets": "supernets",
    "load_supernet": "saved_supernets",
    "make_supernet": "supernets",
    "rank_snapshots": "snapshot_ranking",
    "ranking": "supernet_ranking",
    "save_supernet": "saved_supernets",
    "score": "scoring",
    "score_space": "scoring",
    "search": "searches",
    "snapshot_path": "snapshots",
}

__all__ = [
    "Batch",
    "Calibration",
    "FairPaths",
    "Method",
    "OneShotProgress",
    "OneShotTrace",
    "PathSampler",
    "SearchContext",
    "SearchRun",
    "Snapshot",
    "Supernet",
    "SupernetDetails",
    "SupernetOptions",
    "SupernetTraining",
    "UniformPaths",
    "calibrate",
    "find_snapshots",
    "list_methods",
    "list_supernets",
    "load_supernet",
    "make_method",
    "make_supernet",
    "rank_snapshots",
    "ranking",
    "save_supernet",
    "score",
    "score_space",
    "search",
    "snapshot_path",
]


__getattr__ = imported_when_used(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
