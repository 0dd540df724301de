"""Testing strategies: conformance cases, baselines for regression tests, and small synthetic tables.

In pytest, use the fixtures ``strategy_case`` and ``strategy_baseline`` of the plugin `nasbench_lab_pytest`.
"""

from nasbench_lab.testing.baselines.baseline import Baseline, Protocol, Subject, baseline_of
from nasbench_lab.testing.baselines.baseline_check import BaselineCheck, check_file
from nasbench_lab.testing.baselines.baseline_file import read_baseline, write_baseline
from nasbench_lab.testing.baselines.check_outcome import CheckOutcome
from nasbench_lab.testing.baselines.outcome_reports import to_markdown, to_text
from nasbench_lab.testing.baselines.pytest_fixture import StrategyBaseline
from nasbench_lab.testing.baselines.trace_audit import audit_trace
from nasbench_lab.testing.conformance import CASES, identical
from nasbench_lab.testing.function_tables import function_table
from nasbench_lab.testing.synthetic import SPACES, synthetic_table

__all__ = [
    "CASES",
    "SPACES",
    "Baseline",
    "BaselineCheck",
    "CheckOutcome",
    "Protocol",
    "StrategyBaseline",
    "Subject",
    "audit_trace",
    "baseline_of",
    "check_file",
    "function_table",
    "identical",
    "read_baseline",
    "synthetic_table",
    "to_markdown",
    "to_text",
    "write_baseline",
]
