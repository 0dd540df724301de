"""Suites: many simulations, planned, split into shards, and stored on disk."""

from nasbench_lab.simulation.published import Published
from nasbench_lab.suites.comparison import Comparison
from nasbench_lab.suites.dask_executor import DaskExecutor
from nasbench_lab.suites.folder import SuiteFolder
from nasbench_lab.suites.forecast import SuiteEstimate
from nasbench_lab.suites.local_processes import LocalProcesses
from nasbench_lab.suites.merging import MergedSuite, merge_suites
from nasbench_lab.suites.plan import make_plan
from nasbench_lab.suites.result_sources import ResultsSource, results_of
from nasbench_lab.suites.runner import estimate_suite, run_suite
from nasbench_lab.suites.spec import StrategyEntry, Suite, TableEntry
from nasbench_lab.suites.stored_results import open_results
from nasbench_lab.suites.toml_files import built_in, read_suite
from nasbench_lab.suites.variants import Variant

__all__ = [
    "Comparison",
    "DaskExecutor",
    "LocalProcesses",
    "MergedSuite",
    "Published",
    "ResultsSource",
    "StrategyEntry",
    "Suite",
    "SuiteEstimate",
    "SuiteFolder",
    "TableEntry",
    "Variant",
    "built_in",
    "estimate_suite",
    "make_plan",
    "merge_suites",
    "open_results",
    "read_suite",
    "results_of",
    "run_suite",
]
