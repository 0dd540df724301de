"""Suites: many simulations, and their results on disk."""

from nasbench_lab.suites.comparison import Comparison
from nasbench_lab.suites.store import load_traces, save_traces

__all__ = ["Comparison", "load_traces", "save_traces"]
