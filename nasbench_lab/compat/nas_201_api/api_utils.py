"""The module ``nas_201_api.api_utils``: results, as views of our tables."""

from __future__ import annotations

from typing import final

import numpy as np

from nasbench_lab.compat.nats.arch_results import ArchResults as _ArchResults
from nasbench_lab.compat.nats.results_count import ResultsCount as _ResultsCount
from nasbench_lab.compat.nats.shared_api import SharedApi, remap_dataset_set_names

__all__ = ["ArchResults", "NASBenchMetaAPI", "ResultsCount", "remap_dataset_set_names"]

NASBenchMetaAPI = SharedApi


@final
class ResultsCount(_ResultsCount):
    """One training of one architecture, as ``nas_201_api.ResultsCount``."""

    _mean = staticmethod(np.mean)
    _sum = staticmethod(np.sum)


@final
class ArchResults(_ArchResults):
    """All trainings of one architecture with one set of hyper-parameters, as ``nas_201_api.ArchResults``."""

    _results = ResultsCount
    _mean = staticmethod(np.mean)
    _costs_are_repaired = False
    _flops_type = np.float64
