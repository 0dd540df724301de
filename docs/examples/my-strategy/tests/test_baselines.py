"""Check that the strategy is as good as its committed baselines.

After an intended change, run ``pytest --update-baselines`` and commit the new baselines with the change.
"""

import pytest
from my_strategy import PatientClimber

import nasbench_lab as nl


@pytest.mark.parametrize("table", ["digits/chain", "synthetic/topology"])
def test_baseline(table, strategy_baseline):
    """Check 100 evaluations per run, on a real table that comes with the package and on a synthetic one."""
    strategy_baseline.check(PatientClimber(), table, budget=nl.Budget(evaluations=100))


def test_workers(strategy_baseline):
    """Check four workers for 2,000 simulated seconds, where half a percent of final accuracy does not matter."""
    strategy_baseline.check(
        PatientClimber(),
        "synthetic/topology",
        budget=nl.Budget(seconds=2000),
        workers=4,
        margin={"final": 0.005},
        runs=512,
        name="workers",
    )
