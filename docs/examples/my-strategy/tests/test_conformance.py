"""What every strategy must do: one test for each of the public cases of nasbench-lab."""

from my_strategy import PatientClimber


def test_conformance(strategy_case):
    """With default parameters, and with a short patience, so that climbs are given up often."""
    strategy_case(PatientClimber())
    strategy_case(PatientClimber(patience=3))
