"""The strategy does as well as its committed baselines say.

After a change that is meant, ``pytest --update-baselines`` writes them anew; commit them with the change.
"""

import pytest
from my_strategy import PatientClimber

import nasbench_lab as nl


@pytest.mark.parametrize("table", ["digits/chain", "synthetic/topology"])
def test_baseline(table, strategy_baseline):
    """Within the budget of a hundred evaluations, on a real table that comes with the package, and on a made-up one."""
    strategy_baseline.check(PatientClimber(), table, budget=nl.Budget(evaluations=100))


def test_workers(strategy_baseline):
    """On four workers, for 2,000 simulated seconds; half a percent of accuracy at the end does not matter."""
    strategy_baseline.check(
        PatientClimber(),
        "synthetic/topology",
        budget=nl.Budget(seconds=2000),
        workers=4,
        margin={"final": 0.005},
        runs=512,
        name="workers",
    )
