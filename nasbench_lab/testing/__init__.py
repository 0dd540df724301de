"""For authors of strategies: the conformance cases and small synthetic tables."""

from nasbench_lab.testing.conformance import CASES, identical
from nasbench_lab.testing.synthetic import SPACES, synthetic_table

__all__ = ["CASES", "SPACES", "identical", "synthetic_table"]
