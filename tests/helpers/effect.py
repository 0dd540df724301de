"""How much better a strategy must be, said once: effects on the scale of Vargha and Delaney (2000).

An effect is the probability that a run of one is better than a run of the other, ties counting half. They call one of
0.56 small, of 0.64 medium and of 0.71 large.
"""

import nasbench_lab as nl
from nasbench_lab.analysis import a12
from nasbench_lab.testing import synthetic_table

MEDIUM, LARGE = 0.64, 0.71
RUNS = 80
"""An effect of 0.5, that of a strategy like random search, is measured with a standard error of 0.04 at most."""


def assert_better_than_random_search(name, evaluations, **parameters):
    """On a separable landscape with a known optimum, by the regret at the end."""
    table, budget = synthetic_table("topology"), nl.Budget(evaluations=evaluations)
    ours = nl.simulate(table, name, runs=RUNS, budget=budget, **parameters).regret("test")[:, -1]
    random = nl.simulate(table, "random-search", runs=200, budget=budget, seed=1).regret("test")[:, -1]
    assert a12(ours, random) > LARGE
