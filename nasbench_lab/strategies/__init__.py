"""Search strategies: which architectures to evaluate next. A strategy sees a space and what it is told, never a table.

Every module here is one strategy, except for the contract (`base`, `problem`, `plain`), the `registry`, `lookup` and
`places`.
"""

from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.plain import PlainStrategy
from nasbench_lab.strategies.problem import Evaluations, Problem, Proposals, Scores
from nasbench_lab.strategies.registry import family, list_strategies, needs, reference, resolve, strategy_class, version

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
    "version",
]
