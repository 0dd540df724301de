"""Simulation: strategies search a table on a simulated clock and produce traces."""

from nasbench_lab.simulation.budget import Budget
from nasbench_lab.simulation.concatenation import concatenate
from nasbench_lab.simulation.conditions import Conditions
from nasbench_lab.simulation.engine import simulate, simulate_under
from nasbench_lab.simulation.logs.formats import LogFormat, list_log_formats
from nasbench_lab.simulation.logs.log import LogSource, SearchLog
from nasbench_lab.simulation.logs.read import import_results
from nasbench_lab.simulation.reference import Reference
from nasbench_lab.simulation.results import Results
from nasbench_lab.simulation.search_progress import SearchProgress
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.simulation_processes import SimulationProcesses
from nasbench_lab.simulation.steps.columns import step_columns
from nasbench_lab.simulation.steps.options import StepOptions
from nasbench_lab.simulation.trace import Trace
from nasbench_lab.simulation.trace_files import load_traces, save_traces

__all__ = [
    "Budget",
    "Conditions",
    "LogFormat",
    "LogSource",
    "Reference",
    "Results",
    "SearchLog",
    "SearchProgress",
    "Setting",
    "SimulationProcesses",
    "StepOptions",
    "Trace",
    "concatenate",
    "import_results",
    "list_log_formats",
    "load_traces",
    "save_traces",
    "simulate",
    "simulate_under",
    "step_columns",
]
