"""Search strategies: who proposes. Lock-step ask/tell over a space; a strategy never sees a table."""

from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.plain import PlainStrategy
from nasbench_lab.strategies.registry import family, needs, reference, resolve, strategies, strategy_class
from nasbench_lab.strategies.task import Evaluations, Proposals, Scores, Task

__all__ = [
    "Evaluations",
    "PlainStrategy",
    "Proposals",
    "Scores",
    "Strategy",
    "Task",
    "family",
    "needs",
    "reference",
    "resolve",
    "strategies",
    "strategy_class",
]
