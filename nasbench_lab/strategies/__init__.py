"""Search strategies: who proposes. Lock-step ask/tell over a space; a strategy never sees a table."""

from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.plain import PlainStrategy
from nasbench_lab.strategies.registry import reference, resolve, strategies, strategy_class

__all__ = ["PlainStrategy", "Strategy", "reference", "resolve", "strategies", "strategy_class"]
