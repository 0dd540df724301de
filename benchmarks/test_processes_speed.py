"""Two processes beside one, for a class that loops over its runs and for a strategy with a model.

Searches a second. The time to start the processes is part of it, about a second in all.
"""

import pytest

import nasbench_lab as nl
from nasbench_lab.testing import identical

BUDGET = nl.Budget(evaluations=150)
STRATEGIES = {"a plain class": (None, 3000), "gp-bo": ("gp-bo", 64)}


class Mutate:
    """A hill climber in plain Python."""

    def __init__(self, space, random):
        self.space, self.random = space, random
        self.best, self.value = int(random.integers(space.size)), float("-inf")

    def ask(self):
        near = self.space.neighbors(self.best)
        return int(near[self.random.integers(len(near))])

    def tell(self, architecture, value):
        if value > self.value:
            self.best, self.value = architecture, value


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("name", STRATEGIES)
def test_processes(benchmark, per_item, name, processes):
    strategy, runs = STRATEGIES[name]
    runs = runs if benchmark.enabled else 2
    benchmark.group = f"{name}, {runs} runs of {BUDGET}"
    table = nl.load("digits/topology")

    def simulated():
        return nl.simulate(table, strategy or Mutate, runs=runs, budget=BUDGET, processes=processes)

    trace = per_item(f"{processes} processes", runs, simulated, rounds=1)
    assert identical(trace, nl.simulate(table, strategy or Mutate, runs=runs, budget=BUDGET)) or benchmark.enabled
