"""Every strategy on ``digits/topology``: 1,000 runs in lock step, beside the same strategy one seed at a time."""

import pytest

import nasbench_lab as nl
from nasbench_lab.strategies.lookup import parse_strategy
from nasbench_lab.testing import synthetic_table

RUNS = 1_000
WITHOUT_MODEL = (  # 500 evaluations a run
    "asha",
    "asng",
    "decoupled",
    "dehb",
    "differential-evolution",
    "exhaustive",
    "genetic-algorithm",
    "greedy-search",
    "gumbel-softmax",
    "hill-climbing",
    "hyperband",
    "learning-curve-stopping",
    "local-search",
    "local-search:improvement=best,initial=1",
    "mcts",
    "mu-plus-lambda",
    "nsga-ii",
    "pbil",
    "ppo",
    "q-learning",
    "random-scalarisation",
    "random-search",
    "random-search:replacement=False",
    "regularized-evolution",
    "reinforce",
    "simulated-annealing",
    "successive-halving",
    "tabu-search",
    "umda",
    "zero-cost-filter",
    "zero-cost-warm-start",
)
WITH_MODEL = (  # 100 evaluations a run
    "adversarial-search",
    "bananas",
    "bohb",
    "brp-nas",
    "gp-bo",
    "gp-bo:acquisition=mes",
    "gp-bo:acquisition=thompson",
    "gp-bo:acquisition=ucb",
    "gp-bo:kernel=matern",
    "gp-bo:kernel=path",
    "npenas",
    "predictor-search",
    "progressive-search",
    "recurrent-controller",
    "smac",
    "tpe",
)
MULTI_OBJECTIVE = ("nsga-ii", "random-scalarisation")


@pytest.fixture(scope="module")
def tables():
    """The bundled table and, for strategies that need scores without training, a synthetic one of the same space."""
    tables = {"digits": nl.load("digits/topology"), "scored": synthetic_table("topology")}
    for table in tables.values():
        _ = table.space.neighbor_table
    return tables


@pytest.mark.parametrize("label", [*WITHOUT_MODEL, *WITH_MODEL])
@pytest.mark.parametrize("contender", ["ours", "one seed at a time"])
def test_strategy(benchmark, per_item, tables, contender, label):
    evaluations = 100 if label in WITH_MODEL else 500
    benchmark.group = f"{label}, {evaluations} evaluations"
    name, parameters = parse_strategy(label)
    table = tables["scored" if name.startswith("zero-cost") else "digits"]
    objectives = ["parameters"] if name in MULTI_OBJECTIVE else []
    budget = nl.Budget(evaluations=evaluations)

    def simulate(runs, first_run=0):
        return nl.simulate(
            table, name, runs=runs, first_run=first_run, budget=budget, objectives=objectives, **parameters
        )

    alone = 4 if benchmark.enabled else 1
    together = RUNS if benchmark.enabled else 2  # otherwise this only checks that it runs
    if contender == "ours":
        traces = [per_item(contender, together * evaluations, lambda: simulate(together), rounds=1)]
    else:
        traces = per_item(contender, alone * evaluations, lambda: [simulate(1, run) for run in range(alone)], rounds=1)
    assert sum(trace.evaluations.sum() for trace in traces) == sum(trace.runs for trace in traces) * evaluations
