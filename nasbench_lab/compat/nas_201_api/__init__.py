"""A drop-in replacement of ``nas_201_api`` 2.1 (Dong and Yang, "NAS-Bench-201", ICLR 2020) over our tables.

It works like `nasbench_lab.compat.nats_bench`, with the differences of the older package: means are NumPy's (with
another order of summation, and of type ``numpy.float64``), `NASBench201API.simulate_train_eval` always trains to the
end, `NASBench201API.evaluated_indexes` is a sorted list, and the limits of `NASBench201API.find_best` have other names.
"""

from __future__ import annotations

from nasbench_lab.compat.nas_201_api import api_201, api_utils
from nasbench_lab.compat.nas_201_api.api_201 import NASBench201API
from nasbench_lab.compat.nas_201_api.api_utils import ArchResults, ResultsCount
from nasbench_lab.compat.nats.errors import ArgumentError, ArgumentTypeError, MissingResultError

__all__ = [
    "ArchResults",
    "ArgumentError",
    "ArgumentTypeError",
    "MissingResultError",
    "NASBench201API",
    "ResultsCount",
    "api_201",
    "api_utils",
]

NAS_BENCH_201_API_VERSION = "v2.0"
"""Version that the official package states in its release 2.1."""
