"""Simulation: strategies against a table on a simulated clock, giving traces."""

from nasbench_lab.simulate.budget import Budget
from nasbench_lab.simulate.engine import simulate
from nasbench_lab.simulate.trace import Reference, Setting, Trace, concatenate

__all__ = ["Budget", "Reference", "Setting", "Trace", "concatenate", "simulate"]
