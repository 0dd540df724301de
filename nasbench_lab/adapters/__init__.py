"""Optimisers of other packages as strategies, and tables as their objectives. They are slow: Python loops over runs.

Each adapter needs its package: ``pip install 'nasbench-lab[optuna]'`` or ``'nasbench-lab[nevergrad]'``.
"""

from nasbench_lab.adapters.ask_tell import ask_tell_search
from nasbench_lab.adapters.nevergrad import nevergrad_search
from nasbench_lab.adapters.optuna import OptunaSearch, optuna_objective

__all__ = ["OptunaSearch", "ask_tell_search", "nevergrad_search", "optuna_objective"]
