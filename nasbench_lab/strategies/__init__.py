"""Search strategies: who proposes. Lock-step ask/tell over a space; a strategy never sees a table."""

from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.plain import PlainStrategy
from nasbench_lab.strategies.problem import Evaluations, Problem, Proposals, Scores
from nasbench_lab.strategies.registry import family, list_strategies, needs, reference, resolve, strategy_class

__all__ = [
    "Evaluations",
    "PlainStrategy",
    "Problem",
    "Proposals",
    "Scores",
    "Strategy",
    "family",
    "list_strategies",
    "needs",
    "reference",
    "resolve",
    "strategy_class",
]
