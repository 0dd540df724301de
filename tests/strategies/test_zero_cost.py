"""Strategies that make use of scores without training: conformance, what they propose, what they pay, their job."""

import dataclasses
from typing import ClassVar

import numpy as np
import pytest
from effect import assert_better_than_random_search

import nasbench_lab as nl
from nasbench_lab.errors import ParameterError, UnknownNameError
from nasbench_lab.spaces import ChainSpace
from nasbench_lab.strategies import Evaluations, Problem, registry, resolve
from nasbench_lab.strategies.problem import Scores
from nasbench_lab.strategies.regularized_evolution import RegularizedEvolution
from nasbench_lab.streams import Streams
from nasbench_lab.tables import Metric
from nasbench_lab.testing import CASES, synthetic_table

TABLE = synthetic_table("topology")
VARIANTS = [
    ("zero-cost-warm-start", {}),
    ("zero-cost-warm-start", {"inner": "random-search", "candidates": 5, "warm": 3}),
    ("zero-cost-filter", {}),
    ("zero-cost-filter", {"inner": "random-search", "candidates": 3}),
]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize(("name", "parameters"), VARIANTS)
def test_conformance(case, name, parameters):
    case(resolve(name, parameters))


class Numbers(Scores):
    """The higher its number, the better is an architecture, but every seventh has no score."""

    names = ("number",)

    def score(self, name, architecture):
        return np.where(architecture % 7 == 0, np.nan, architecture.astype(float))


def search(strategy, space, runs=5, steps=60):
    """What a strategy proposes when values are noise, (runs, steps)."""
    state = strategy.start(Problem(space, Streams(3, 0, runs), scores=Numbers()))
    asked, random = [], np.random.default_rng(0).random((runs, 10 * steps))
    count = 0
    while count < steps:
        architecture = strategy.ask(state)
        number = np.broadcast_to(np.arange(count, count + architecture.shape[1]), architecture.shape)
        count += architecture.shape[1]
        strategy.tell(state, Evaluations(architecture, random[:, number[0]], number))
        asked.append(architecture)
    return np.concatenate(asked, axis=1)[:, :steps]


def takers():
    return [name for name in registry.built_in() if registry.strategy_class(name).takes_warm_start]


@pytest.mark.parametrize("name", takers())
def test_a_warm_start_is_as_if_the_strategy_had_drawn_it(name):
    """The same search, but that the space itself deals out the best candidates as its first random architectures."""
    space = ChainSpace("abc", 5)
    warm = resolve("zero-cost-warm-start", {"inner": name, "score": "number", "candidates": 50, "warm": 7})
    found = search(warm, space)
    draws = space.sample(Streams(3, 0, 5).uniform(50))
    expected = np.array([sorted(set_of, key=lambda a: (a % 7 == 0, -a))[:7] for set_of in draws.tolist()])
    assert np.array_equal(found[:, :7], expected)

    class Dealing(ChainSpace):
        dealt: ClassVar = [-50]  # in a list, as spaces cannot be changed

        def sample(self, uniform):
            drawn = super().sample(uniform)
            for column in range(drawn.shape[1] if drawn.ndim > 1 else 0):
                if 0 <= self.dealt[0] < 7:
                    drawn[:, column] = expected[:, self.dealt[0]]
                self.dealt[0] += 1
            return drawn

    class AfterDraws(type(resolve(name, {}))):
        def start(self, task):
            task.space.sample(task.streams.uniform(50))
            return super().start(task)

    assert np.array_equal(search(AfterDraws(), Dealing("abc", 5)), found)


def test_the_filter_evaluates_the_best_of_every_few():
    space = ChainSpace("abc", 5)
    found = search(resolve("zero-cost-filter", {"inner": "random-search", "score": "number", "candidates": 4}), space)
    drawn = space.sample(Streams(3, 0, 5).uniform(240)).reshape(5, 60, 4)
    expected = [[max(four, key=lambda a: (a % 7 != 0, a)) for four in run] for run in drawn.tolist()]
    assert found.tolist() == expected


def test_the_inner_strategy_is_told_its_own_numbers():
    told = []

    class Spy(RegularizedEvolution):
        def tell(self, state, evaluations):
            told.append(evaluations.number.copy())
            super().tell(state, evaluations)

    trace = nl.simulate(TABLE, resolve("zero-cost-filter", {"inner": Spy()}), runs=3, budget=nl.Budget(evaluations=30))
    numbers = np.concatenate(told, axis=1)
    assert (numbers // 5 == np.arange(numbers.shape[1])).all()
    assert trace.setting.parameters["inner"] == "regularized-evolution"


def test_scores_are_paid_for():
    budget = nl.Budget(evaluations=20)
    plain = nl.simulate(TABLE, "random-search", runs=50, budget=budget)
    warm = nl.simulate(TABLE, "zero-cost-warm-start", runs=50, budget=budget, inner="random-search", candidates=100)
    each = float(TABLE.mean_values("synflow_seconds").mean())
    paid = warm.time[:, 0] - TABLE.cost()[warm.architecture[:, 0], 0]
    assert paid.mean() == pytest.approx(100 * each, rel=0.05)
    assert plain.time[:, 0].mean() < warm.time[:, 0].mean()


@pytest.mark.parametrize("name", ["zero-cost-warm-start", "zero-cost-filter"])
def test_better_than_random_search_on_a_separable_landscape(name):
    assert_better_than_random_search(name, 60)


@pytest.mark.mirror
@pytest.mark.parametrize("name", ["zero-cost-warm-start", "zero-cost-filter"])
def test_synflow_helps_on_nas_bench_201(name):
    """After 2,000 simulated seconds, scores paid for: evolution has found 90.0 on average, random search as well."""
    table, budget = nl.load("nats-bench-tss/cifar10"), nl.Budget(seconds=2_000)
    ours = nl.simulate(table, name, runs=500, budget=budget, fidelity=12)
    plain = nl.simulate(table, "regularized-evolution", runs=500, budget=budget, fidelity=12)
    assert ours.final("valid").mean() > plain.final("valid").mean() + 0.5


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("zero-cost-warm-start", {"candidates": 5}, "warm must be at most candidates, 5, got 10"),
        ("zero-cost-warm-start", {"warm": 0}, "warm must be at least 1, got 0"),
        ("zero-cost-warm-start", {"inner": "hyperband"}, "inner must not choose fidelities, and 'hyperband' does"),
        (
            "zero-cost-warm-start",
            {"inner": "local-search"},
            "'local-search' keeps account of its own proposals and takes no warm start",
        ),
        (
            "zero-cost-filter",
            {"inner": "local-search"},
            "'local-search' waits for all its proposals: it takes no filter",
        ),
    ],
)
def test_bad_parameters_are_one_clear_line(name, parameters, message):
    with pytest.raises(ParameterError) as error:
        resolve(name, parameters)
    assert str(error.value) == message


def with_names(*names):
    """Return the table with its score under other names, in this order."""
    axes = ("architecture",)
    metrics = [Metric(name, "none", "", "maximize", "made up", axes) for name in names]
    metrics += [Metric(f"{name}_seconds", "none", "s", "minimize", "made up", axes) for name in names]
    kept = [metric for metric in TABLE.description.metrics if not metric.name.startswith("synflow")]
    values = {metric.name: TABLE.values(metric.name) for metric in kept}
    description = dataclasses.replace(TABLE.description, metrics=tuple(kept))
    seconds = {f"{name}_seconds": TABLE.values("synflow_seconds") for name in names}
    scores = {name: place * TABLE.values("synflow") for place, name in enumerate(names, start=-1)}
    return nl.tables.with_columns(nl.Table(description, values), metrics, {**scores, **seconds})


@pytest.mark.parametrize("strategy", ["zero-cost-filter", "zero-cost-warm-start"])
@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("mine", "zen", "naswot"), "naswot"),
        (("zen", "jacov"), "jacov"),
        (("snip", "mine"), "snip"),
        (("params", "synflow"), "synflow"),
    ],
)
def test_the_default_is_a_score_of_the_table(strategy, names, chosen):
    table, some = with_names(*names), {"runs": 3, "budget": nl.Budget(evaluations=20)}
    default = nl.simulate(table, strategy, **some)
    given = nl.simulate(table, strategy, score=chosen, **some)
    assert np.array_equal(default.architecture, given.architecture)
    assert default.setting.parameters == given.setting.parameters
    assert default.setting.parameters["score"] == chosen
    assert (default.setting.label, given.setting.label) == (strategy, f"{strategy}:score={chosen}")


def test_a_table_without_the_score():
    with pytest.raises(UnknownNameError, match="unknown score 'naswot'; known: synflow"):
        nl.simulate(TABLE, "zero-cost-filter", runs=1, budget=nl.Budget(evaluations=1), score="naswot")
    with pytest.raises(
        UnknownNameError, match="'zero-cost-warm-start' needs zero-cost scores; tables with scores: digits/"
    ):
        table = nl.load("nas-bench-graph/proteins")
        nl.simulate(table, "zero-cost-warm-start", runs=1, budget=nl.Budget(evaluations=1))
    assert dataclasses.is_dataclass(resolve("zero-cost-filter", {}))
