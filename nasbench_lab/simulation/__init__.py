"""Simulation: strategies against a table on a simulated clock, giving traces."""

from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.engine import simulate
from nasbench_lab.simulation.trace import Reference, Setting, Trace, concatenate

__all__ = ["Budget", "Reference", "Setting", "Trace", "concatenate", "simulate"]
