"""Analysis: curves, statistics and comparisons, computed from traces alone."""

from nasbench_lab.analysis.anytime import AnytimeCurves, anytime_curves
from nasbench_lab.analysis.auc import area_under_curve
from nasbench_lab.analysis.bootstrap import Resampler, Statistic, average, bootstrap_interval
from nasbench_lab.analysis.collected_runs import CollectedRuns, collect_runs
from nasbench_lab.analysis.effect_sizes import PairCounts, a12, count_pairs, probability_of_improvement
from nasbench_lab.analysis.equivalence import (
    SampleComparison,
    Verdict,
    compare_samples,
    equivalence_power,
    runs_needed,
)
from nasbench_lab.analysis.friedman import FriedmanTest, cliques, critical_difference, friedman_test
from nasbench_lab.analysis.intervals import Interval, Intervals
from nasbench_lab.analysis.landscapes import Landscape, OptimaNetwork, landscape, optima_network
from nasbench_lab.analysis.pairwise import Pairwise, compare_pairs
from nasbench_lab.analysis.pareto import (
    ParetoFronts,
    hypervolume,
    non_dominated,
    pareto_fronts,
    relative_hypervolume,
    true_front,
)
from nasbench_lab.analysis.picks import Pick, final_picks
from nasbench_lab.analysis.profiles import performance_profile, score_distribution
from nasbench_lab.analysis.published import PublishedComparison, compare_with_published
from nasbench_lab.analysis.quantiles import run_quantiles
from nasbench_lab.analysis.random_baseline import random_value, relative_improvement
from nasbench_lab.analysis.random_search import ExactRandomSearch, exact_random_search, exact_random_search_on
from nasbench_lab.analysis.ranked_scores import RankedScores, rank_scores
from nasbench_lab.analysis.ranking_curves import RankedSnapshot, RankingCurve, RankingCurves
from nasbench_lab.analysis.ranks import expected_ranks, mean_ranks
from nasbench_lab.analysis.retraining import Validation, validate
from nasbench_lab.analysis.run_summary import Summary, summarize, to_csv
from nasbench_lab.analysis.score_rankings import RankingQuality, ranking_quality, regret_of_choice
from nasbench_lab.analysis.significance import holm, mann_whitney, median_test, sign_flip, wilcoxon
from nasbench_lab.analysis.studies.leaders import FirstGroup, first_group
from nasbench_lab.analysis.studies.pipeline import CollectedResults, study
from nasbench_lab.analysis.studies.results import (
    Found,
    Profiles,
    ProgressCurves,
    RankComparison,
    Study,
    TargetTimes,
    Task,
)
from nasbench_lab.analysis.studies.standings import Leaderboard, Standing
from nasbench_lab.analysis.table_quality import Quality, quality, reported_metric
from nasbench_lab.analysis.targets import TARGETS, complete_until, ecdf, expected_times, times_to_target
from nasbench_lab.analysis.trajectories import TIME_AXES, TimeAxis, Trajectories, incumbent_trajectories

__all__ = [
    "TARGETS",
    "TIME_AXES",
    "AnytimeCurves",
    "CollectedResults",
    "CollectedRuns",
    "ExactRandomSearch",
    "FirstGroup",
    "Found",
    "FriedmanTest",
    "Interval",
    "Intervals",
    "Landscape",
    "Leaderboard",
    "OptimaNetwork",
    "PairCounts",
    "Pairwise",
    "ParetoFronts",
    "Pick",
    "Profiles",
    "ProgressCurves",
    "PublishedComparison",
    "Quality",
    "RankComparison",
    "RankedScores",
    "RankedSnapshot",
    "RankingCurve",
    "RankingCurves",
    "RankingQuality",
    "Resampler",
    "SampleComparison",
    "Standing",
    "Statistic",
    "Study",
    "Summary",
    "TargetTimes",
    "Task",
    "TimeAxis",
    "Trajectories",
    "Validation",
    "Verdict",
    "a12",
    "anytime_curves",
    "area_under_curve",
    "average",
    "bootstrap_interval",
    "cliques",
    "collect_runs",
    "compare_pairs",
    "compare_samples",
    "compare_with_published",
    "complete_until",
    "count_pairs",
    "critical_difference",
    "ecdf",
    "equivalence_power",
    "exact_random_search",
    "exact_random_search_on",
    "expected_ranks",
    "expected_times",
    "final_picks",
    "first_group",
    "friedman_test",
    "holm",
    "hypervolume",
    "incumbent_trajectories",
    "landscape",
    "mann_whitney",
    "mean_ranks",
    "median_test",
    "non_dominated",
    "optima_network",
    "pareto_fronts",
    "performance_profile",
    "probability_of_improvement",
    "quality",
    "random_value",
    "rank_scores",
    "ranking_quality",
    "regret_of_choice",
    "relative_hypervolume",
    "relative_improvement",
    "reported_metric",
    "run_quantiles",
    "runs_needed",
    "score_distribution",
    "sign_flip",
    "study",
    "summarize",
    "times_to_target",
    "to_csv",
    "true_front",
    "validate",
    "wilcoxon",
]
