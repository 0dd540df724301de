"""Analysis: what traces mean. Computed from traces alone."""

from nasbench_lab.analysis.curves import Curve, at_times, regret_curve
from nasbench_lab.analysis.pareto import (
    ParetoFronts,
    hypervolume,
    non_dominated,
    pareto_fronts,
    relative_hypervolume,
    true_front,
)
from nasbench_lab.analysis.picks import Pick, picks
from nasbench_lab.analysis.quantiles import quantiles
from nasbench_lab.analysis.random_search import ExactRandomSearch, exact_random_search, exact_random_search_on
from nasbench_lab.analysis.summary import Summary, summarize, to_csv
from nasbench_lab.analysis.table_quality import Quality, quality, reported_metric
from nasbench_lab.analysis.validation import Interval, Validation, validate

__all__ = [
    "Curve",
    "ExactRandomSearch",
    "Interval",
    "ParetoFronts",
    "Pick",
    "Quality",
    "Summary",
    "Validation",
    "at_times",
    "exact_random_search",
    "exact_random_search_on",
    "hypervolume",
    "non_dominated",
    "pareto_fronts",
    "picks",
    "quality",
    "quantiles",
    "regret_curve",
    "relative_hypervolume",
    "reported_metric",
    "summarize",
    "to_csv",
    "true_front",
    "validate",
]
