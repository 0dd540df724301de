"""For authors of strategies: conformance cases, baselines, and small synthetic tables.

With pytest, the fixtures ``strategy_case`` and ``strategy_baseline`` of the plugin (`nasbench_lab_pytest`) run these.
"""

from nasbench_lab.testing.audit import audit
from nasbench_lab.testing.baseline import Baseline, Protocol, Subject, baseline_of
from nasbench_lab.testing.baseline_file import read_baseline, write_baseline
from nasbench_lab.testing.checking import Check, check_file
from nasbench_lab.testing.conformance import CASES, identical
from nasbench_lab.testing.fixture import StrategyBaseline
from nasbench_lab.testing.outcome import Outcome
from nasbench_lab.testing.summary import to_markdown, to_text
from nasbench_lab.testing.synthetic import SPACES, synthetic_table

__all__ = [
    "CASES",
    "SPACES",
    "Baseline",
    "Check",
    "Outcome",
    "Protocol",
    "StrategyBaseline",
    "Subject",
    "audit",
    "baseline_of",
    "check_file",
    "identical",
    "read_baseline",
    "synthetic_table",
    "to_markdown",
    "to_text",
    "write_baseline",
]
