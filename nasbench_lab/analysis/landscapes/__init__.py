"""The landscape of a table: local optima, climbing, walks, neutrality, and how far measurements agree."""

from nasbench_lab.analysis.landscapes.climbing import Climbing
from nasbench_lab.analysis.landscapes.distance_correlation import FitnessDistance
from nasbench_lab.analysis.landscapes.landscape_results import Landscape
from nasbench_lab.analysis.landscapes.measurement_agreement import Agreement, Noise, agreement, noise
from nasbench_lab.analysis.landscapes.neutral_networks import Neutrality
from nasbench_lab.analysis.landscapes.optima import LocalOptima
from nasbench_lab.analysis.landscapes.optima_networks import OptimaNetwork, optima_network
from nasbench_lab.analysis.landscapes.random_walks import WalkCorrelation
from nasbench_lab.analysis.landscapes.table_landscapes import landscape

__all__ = [
    "Agreement",
    "Climbing",
    "FitnessDistance",
    "Landscape",
    "LocalOptima",
    "Neutrality",
    "Noise",
    "OptimaNetwork",
    "WalkCorrelation",
    "agreement",
    "landscape",
    "noise",
    "optima_network",
]
