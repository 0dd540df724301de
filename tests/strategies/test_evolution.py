"""Evolution and multi-objective search: conformance, agreement with plain Python, and what they are for."""

import itertools

import evolution_oracles as oracles
import lock_step
import numpy as np
import pytest
from effect import LARGE, MEDIUM, assert_better_than_random_search
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.analysis import a12, relative_hypervolume
from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces.cell101 import Cell101Space
from nasbench_lab.strategies import resolve
from nasbench_lab.strategies.parts.dominance import crowding_distance, fronts
from nasbench_lab.strategies.parts.relaxed_codes import draw_distinct, find, to_vectors
from nasbench_lab.strategies.parts.selection import by_rank, by_roulette, by_tournament, by_truncation
from nasbench_lab.strategies.random_scalarisation import simplex
from nasbench_lab.streams import Streams
from nasbench_lab.tables import Description, Metric, Table
from nasbench_lab.testing import CASES, SPACES, synthetic_table

VARIANTS = [
    ("genetic-algorithm", {}),
    ("genetic-algorithm", {"selection": "roulette", "crossover": "two-point", "elitism": 0}),
    ("genetic-algorithm", {"selection": "rank", "crossover": "uniform", "mutation": "neighbor", "elitism": 3}),
    (
        "genetic-algorithm",
        {"selection": "truncation", "population_size": 2, "mutation_rate": 0.7, "crossover_rate": 0.5},
    ),
    ("genetic-algorithm", {"population_size": 1, "elitism": 0, "tournament_size": 4, "crossover": "two-point"}),
    ("mu-plus-lambda", {}),
    ("mu-plus-lambda", {"parents": 1, "offspring": 1, "mutation": "replace"}),
    ("mu-plus-lambda", {"parents": 12, "offspring": 4, "mutation_rate": 0.6}),
    ("differential-evolution", {}),
    ("nsga-ii", {}),
    ("nsga-ii", {"population_size": 7, "crossover": "uniform", "mutation": "neighbor"}),
    ("random-scalarisation", {}),
    ("random-scalarisation", {"population_size": 10, "sample_size": 3, "scaling": "range", "rho": 0}),
    ("differential-evolution", {"population_size": 4, "mutation_factor": 0.9, "crossover_rate": 0.9}),
]
ORACLES = {
    "genetic-algorithm": oracles.genetic_algorithm,
    "mu-plus-lambda": oracles.mu_plus_lambda,
    "random-scalarisation": oracles.random_scalarisation,
    "nsga-ii": oracles.nsga2,
    "differential-evolution": oracles.differential_evolution,
}
OF_SEVERAL = ("nsga-ii", "random-scalarisation")
TABLES = {kind: synthetic_table(kind, failures=0.1) for kind in SPACES}


def two_landscapes():
    """A table on 15,625 architectures whose parameters are separable too, so that both can be learned."""
    table = synthetic_table("topology")
    features = table.space.features(np.arange(table.space.size)).astype(float)
    values = {name: table.values(name) for name in table.metrics}
    values["parameters"] = features @ np.random.default_rng(1).random(features.shape[1])
    return Table(table.description, values)


def synthetic_cells():
    """A table on the 2,532 cells of at most five vertices: a made-up quality for every code, and no noise."""
    space = Cell101Space(5)
    random = np.random.default_rng(0)
    quality = space.features(np.arange(space.size)) @ random.random(sum(space.cardinalities))
    axes = ("architecture",)
    metrics = (
        Metric("valid_accuracy", "valid", "fraction", "maximize", "made up", axes),
        Metric("test_accuracy", "test", "fraction", "maximize", "made up", axes),
    )
    description = Description(
        name="synthetic/cells",
        title="made-up numbers on small cells",
        space=space.spec(),
        fidelities=(1,),
        repeats=("only",),
        metrics=metrics,
        valid="valid_accuracy",
        test="test_accuracy",
        cost=(),
        licence="CC0-1.0",
    )
    return Table(description, {"valid_accuracy": quality.astype(float), "test_accuracy": quality.astype(float)})


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize(("name", "parameters"), VARIANTS)
def test_conformance(case, name, parameters):
    case(resolve(name, parameters))


@given(
    variant=st.sampled_from(VARIANTS),
    kind=st.sampled_from(sorted(SPACES)),
    seed=st.integers(0, 2**64),
    run=st.integers(0, 2**32),
    evaluations=st.integers(1, 150),
)
@settings(max_examples=150, deadline=None)
def test_lock_step_agrees_with_plain_python(variant, kind, seed, run, evaluations):
    lock_step.assert_agrees(ORACLES[variant[0]], TABLES[kind], variant, seed, run, evaluations)


@pytest.mark.parametrize(("name", "parameters"), [v for v in VARIANTS if v[1].get("population_size", 20) > 4])
def test_better_than_random_search_on_a_separable_landscape(name, parameters):
    assert_better_than_random_search(name, 300, **parameters)


def test_selection_draws_as_often_as_published():
    n, runs = 8, 40_000
    uniform = Streams(0, 0, runs).uniform(3).copy()

    def share(position):
        return np.bincount(position.ravel(), minlength=n) / position.size

    i = np.arange(n)
    size = 3
    tournament = ((n - i) / n) ** size - ((n - i - 1) / n) ** size
    np.testing.assert_allclose(share(by_tournament(uniform, n)), tournament, atol=0.01)
    ranking = (1.7 - 1.4 * i / (n - 1)) / n
    np.testing.assert_allclose(share(by_rank(uniform, n, 1.7)), ranking, atol=0.01)
    fitness = np.array([9.0, 7.5, 7.5, 4.0, 3.0, 2.0, -np.inf, -np.inf])
    wheel = np.where(np.isfinite(fitness), fitness - 2.0, 0)
    found = share(by_roulette(uniform, np.broadcast_to(fitness, (runs, n))))
    np.testing.assert_allclose(found, wheel / wheel.sum(), atol=0.01)
    np.testing.assert_allclose(share(by_truncation(uniform, n, 0.5)), np.where(i < 4, 0.25, 0), atol=0.01)


def test_a_wheel_without_differences_is_fair_to_all_that_did_not_fail():
    uniform = np.array([[0.1, 0.4, 0.6, 0.9]])
    inf = np.inf
    assert by_roulette(uniform, np.array([[2.0, 2.0, 2.0, 2.0]])).tolist() == [[0, 1, 2, 3]]
    assert by_roulette(uniform, np.array([[2.0, 2.0, -inf, -inf]])).tolist() == [[0, 0, 1, 1]]
    assert by_roulette(uniform, np.array([[-inf, -inf, -inf, -inf]])).tolist() == [[0, 1, 2, 3]]


@pytest.mark.parametrize("name", ["genetic-algorithm", "mu-plus-lambda"])
def test_the_best_value_of_an_elitist_generation_never_falls(name):
    table = TABLES["topology"]
    strategy = resolve(name, {})
    told = []

    class Watch:
        name, label, parameters, asynchronous, multi_fidelity = "watch", "watch", {}, False, False
        start, ask = strategy.start, strategy.ask

        @staticmethod
        def tell(state, evaluations):
            strategy.tell(state, evaluations)
            told.append(state.fitness[:, 0].copy())

    from nasbench_lab.strategies import Strategy

    watch = type("Watched", (Strategy,), {**vars(Watch)})()
    nl.simulate(table, watch, runs=50, budget=nl.Budget(evaluations=300))
    for before, after in itertools.pairwise(told):
        assert (after >= before).all()


def test_a_generation_is_shared_by_all_workers():
    table = TABLES["topology"]
    one, ten = (
        nl.simulate(table, "genetic-algorithm", runs=50, budget=nl.Budget(evaluations=200), workers=workers)
        for workers in (1, 10)
    )
    assert (one.time[:, -1] > 7 * ten.time[:, -1]).all()


def test_donors_are_different_members_and_all_equally_likely():
    members, runs = 6, 60_000
    uniform = Streams(0, 0, runs).uniform(3)
    drawn = draw_distinct(uniform, members, apart_from=np.full(runs, 2))
    assert (drawn != 2).all()
    assert (np.diff(np.sort(drawn, axis=1), axis=1) > 0).all()
    counts = np.unique(drawn, axis=0, return_counts=True)[1]
    assert len(counts) == 5 * 4 * 3
    assert np.abs(counts / runs - 1 / 60).max() < 0.003
    assert sorted(draw_distinct(uniform, 3)[0].tolist()) == [0, 1, 2]


@pytest.mark.parametrize("kind", sorted(SPACES))
def test_every_architecture_has_vectors_that_stand_for_it(kind):
    space = TABLES[kind].space
    index = np.arange(space.size)
    for within in (0.001, 0.5, 0.999):
        vectors = to_vectors(space.codes(index), space.cardinalities, within)
        assert vectors.min() >= 0
        assert vectors.max() <= 1
        assert np.array_equal(find(space, vectors), index)


def test_differential_evolution_gets_through_a_space_with_many_codes_of_nothing():
    """On cells of five vertices two thirds of the codes describe no cell; a search must not become random."""
    table = synthetic_cells()
    trace = nl.simulate(table, "differential-evolution", runs=100, budget=nl.Budget(evaluations=400))
    value = table.mean_values("valid_accuracy")
    later = trace.observed[:, 200:].mean()
    assert (value >= later).mean() < 0.15, "what is evaluated in the second half is on average among the best"


# Several objectives.

points = st.integers(1, 3).flatmap(
    lambda m: st.lists(st.tuples(*[st.sampled_from([-np.inf, 0.0, 1.0, 2.0, 5.0])] * m), min_size=1, max_size=14)
)


@given(points)
def test_fronts_and_crowding_are_those_of_the_paper(drawn):
    drawn = [p if min(p) > -np.inf else (-np.inf,) * len(p) for p in drawn]
    objectives = np.array([drawn, drawn[::-1]])
    front = fronts(objectives)
    distance = crowding_distance(objectives, front)
    for run, listed in enumerate((drawn, drawn[::-1])):
        left, number = set(range(len(listed))), 0
        while left:
            best = sorted(i for i in left if not any(oracles.dominates(listed[j], listed[i]) for j in left))
            assert (front[run, best] == number).all()
            finite = [tuple(np.where(np.isinf(listed[i]), 0.0, listed[i])) for i in best]
            np.testing.assert_allclose(distance[run, best], oracles.crowding(finite))
            left, number = left - set(best), number + 1


def test_random_scalarisation_of_one_objective_is_regularized_evolution():
    options = {"runs": 50, "budget": nl.Budget(evaluations=300), "population_size": 15, "sample_size": 4}
    ours = nl.simulate(TABLES["topology"], "random-scalarisation", **options)
    theirs = nl.simulate(TABLES["topology"], "regularized-evolution", **options)
    assert np.array_equal(ours.architecture, theirs.architecture)


def test_weights_are_uniform_on_the_simplex():
    weights = simplex(Streams(0, 0, 50_000).uniform(2))
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    # Every weight is Beta(1, 2): P(w > t) = (1 - t)**2.
    for t in (0.1, 0.5, 0.8):
        np.testing.assert_allclose((weights > t).mean(axis=0), (1 - t) ** 2, atol=0.01)


@pytest.mark.parametrize("objectives", [["parameters"], ["parameters", "valid_seconds"]])
@pytest.mark.parametrize(("name", "parameters"), [v for v in VARIANTS if v[0] in OF_SEVERAL])
def test_lock_step_agrees_with_plain_python_for_several_objectives(name, parameters, objectives):
    table = TABLES["topology"]
    trace = nl.simulate(
        table,
        name,
        runs=3,
        budget=nl.Budget(evaluations=150),
        objectives=objectives,
        seed=5,
        repeat="mean",
        **parameters,
    )
    first = table.mean_values("valid_accuracy")
    others = [-table.mean_values(objective) for objective in objectives]

    def evaluate(architecture):
        told = (first[architecture], *(other[architecture] for other in others))
        return (-np.inf,) * len(told) if np.isnan(told).any() else told

    for run in range(3):
        history = ORACLES[name](table.space, 5, run, evaluate, 150, **parameters)
        assert trace.architecture[run].tolist() == history


@pytest.mark.parametrize(("name", "parameters"), [v for v in VARIANTS if v[0] in OF_SEVERAL])
def test_better_fronts_than_random_search(name, parameters):
    """On a landscape that is separable in both objectives, by the probability of a larger hypervolume."""
    table = two_landscapes()
    options = {"runs": 200, "budget": nl.Budget(evaluations=300), "objectives": ["parameters"]}
    ours = relative_hypervolume(nl.simulate(table, name, **options, **parameters))[:, -1]
    random = relative_hypervolume(nl.simulate(table, "random-search", seed=1, **options))[:, -1]
    one = relative_hypervolume(nl.simulate(table, "regularized-evolution", seed=1, **options))[:, -1]
    assert a12(-ours, -random) > LARGE
    if not parameters:
        assert a12(-ours, -one) > LARGE, "a search for accuracy alone finds one end of the front"


@pytest.mark.parametrize("name", ["genetic-algorithm", "mu-plus-lambda", "differential-evolution", "nsga-ii"])
def test_the_optimum_among_those_that_keep_a_limit_is_found(name):
    table = two_landscapes()
    limit = float(np.quantile(table.mean_values("parameters"), 0.05))
    options = {"runs": 100, "budget": nl.Budget(evaluations=600), "limits": {"parameters": limit}, "repeat": "mean"}
    trace = nl.simulate(table, name, **options)
    random = nl.simulate(table, "random-search", **options)
    assert (table.mean_values("parameters")[trace.final_incumbent()] <= limit).all()
    ours, theirs = (np.isclose(found.regret("valid")[:, -1], 0).mean() for found in (trace, random))
    assert theirs < 0.1
    assert ours > 0.5, "most runs find the best of the feasible 781 exactly"


@pytest.mark.mirror
@pytest.mark.parametrize("data", ["cifar10", "cifar100", "ImageNet16-120"])
def test_differential_evolution_is_better_than_regularized_evolution_as_published(data):
    """Awad, Mallik and Hutter 2020: on all of NAS-Bench-201, given enough evaluations."""
    table = nl.load(f"nats-bench-tss/{data}")
    ours, theirs = (
        nl.simulate(table, name, runs=300, budget=nl.Budget(evaluations=1000)).regret("valid")[:, -1]
        for name in ("differential-evolution", "regularized-evolution")
    )
    assert ours.mean() < 0.5 * theirs.mean()


@pytest.mark.mirror
@pytest.mark.parametrize("objective", ["parameters", "edgegpu_latency"])
def test_nsga_ii_finds_better_fronts_of_trained_networks_than_random_search(objective):
    table = nl.load("nats-bench-tss/cifar10")
    options = {"runs": 200, "budget": nl.Budget(evaluations=500), "objectives": [objective]}
    ours, random = (
        relative_hypervolume(nl.simulate(table, name, **options))[:, -1] for name in ("nsga-ii", "random-search")
    )
    assert a12(-ours, -random) > MEDIUM


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        (
            "genetic-algorithm",
            {"selection": "best"},
            "selection must be 'tournament', 'roulette', 'rank' or 'truncation', got 'best'",
        ),
        ("genetic-algorithm", {"crossover": 3}, "crossover must be 'one-point', 'two-point' or 'uniform', got 3"),
        ("genetic-algorithm", {"mutation": "swap"}, "mutation must be 'replace' or 'neighbor', got 'swap'"),
        ("genetic-algorithm", {"elitism": 20}, "elitism must be below population_size, 20, got 20"),
        ("genetic-algorithm", {"elitism": 0.5}, "elitism must be a whole number, got 0.5"),
        ("genetic-algorithm", {"crossover_rate": 1.5}, "crossover_rate must be from 0 to 1, got 1.5"),
        ("genetic-algorithm", {"mutation_rate": float("nan")}, "mutation_rate must be a finite number, got nan"),
        ("genetic-algorithm", {"rank_pressure": "much"}, "rank_pressure must be a finite number, got 'much'"),
        ("genetic-algorithm", {"truncation_share": 2}, "truncation_share must be from 0 to 1, got 2"),
        ("differential-evolution", {"population_size": 3}, "population_size must be at least 4, got 3"),
        ("differential-evolution", {"mutation_factor": -1}, "mutation_factor must be from 0 to 2, got -1"),
        ("random-scalarisation", {"scaling": "log"}, "scaling must be 'rank' or 'range', got 'log'"),
        ("random-scalarisation", {"rho": -0.1}, "rho must be at least 0, got -0.1"),
        ("nsga-ii", {"population_size": 0}, "population_size must be at least 1, got 0"),
        ("mu-plus-lambda", {"parents": 0}, "parents must be at least 1, got 0"),
        ("mu-plus-lambda", {"offspring": 1.5}, "offspring must be a whole number, got 1.5"),
    ],
)
def test_bad_parameters_are_one_clear_line(name, parameters, message):
    with pytest.raises(ParameterError) as error:
        resolve(name, parameters)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
