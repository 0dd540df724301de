"""How much better a strategy must be, said once: effects on the scale of Vargha and Delaney (2000).

An effect is the probability that a run of one is better than a run of the other, ties counting half. They call one of
0.56 small, of 0.64 medium and of 0.71 large.
"""

import functools

import nasbench_lab as nl
from nasbench_lab.analysis import a12
from nasbench_lab.testing import synthetic_table

MEDIUM, LARGE = 0.64, 0.71
RUNS, RUNS_OF_RANDOM_SEARCH = 40, 1000
"""Random search costs next to nothing, a model a lot. If both were equally good, the estimated effect would have a
standard deviation of ``sqrt((40 + 1000 + 1) / (12 * 40 * 1000)) = 0.047`` (Mann and Whitney, 1947): 0.71 would be
reached once in 270,000 times."""


def assert_better_than_random_search(name, evaluations, **parameters):
    """On a separable landscape with a known optimum, by the regret at the end."""
    table, budget = synthetic_table("topology"), nl.Budget(evaluations=evaluations)
    ours = nl.simulate(table, name, runs=RUNS, budget=budget, **parameters).regret("test")[:, -1]
    assert a12(ours, _random_search(evaluations)) > LARGE


@functools.cache
def _random_search(evaluations):
    """Return the regret of random search at the end."""
    table, budget = synthetic_table("topology"), nl.Budget(evaluations=evaluations)
    trace = nl.simulate(table, "random-search", runs=RUNS_OF_RANDOM_SEARCH, budget=budget, seed=1)
    return trace.regret("test")[:, -1]
