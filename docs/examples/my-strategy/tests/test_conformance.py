"""Run all public conformance cases of nasbench-lab on the strategy."""

from my_strategy import PatientClimber


def test_conformance(strategy_case):
    """Check the default parameters, and a small patience, which restarts often."""
    strategy_case(PatientClimber())
    strategy_case(PatientClimber(patience=3))
