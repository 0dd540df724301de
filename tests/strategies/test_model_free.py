"""Random, exhaustive, local, tabu and greedy search, hill climbing and simulated annealing."""

import math
import pickle

import lock_step
import numpy as np
import oracles
import pytest
import scipy.stats
from effect import assert_better_than_random_search
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.spaces import Cell101Space, ChainSpace, unlisted
from nasbench_lab.strategies import Evaluations, Problem, resolve
from nasbench_lab.strategies.parts.neighborhood import Neighborhood
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.streams import Streams
from nasbench_lab.testing import CASES, SPACES, synthetic_table

VARIANTS = [  # those with default parameters are tested with all other strategies
    ("random-search", {"replacement": False}),
    ("local-search", {"improvement": "best", "initial": 3}),
    ("tabu-search", {"improvement": "first", "tenure": 7}),
    ("tabu-search", {"tenure": 1000}),
    ("greedy-search", {"initial": 1}),
    ("hill-climbing", {"samples": 1}),
    ("hill-climbing", {"samples": 2, "again": 1}),
    ("simulated-annealing", {"temperature": 0.3, "cooling": 0.98, "initial": 2}),
]
ORACLES = {
    "random-search": oracles.random_search,
    "local-search": oracles.local_search,
    "tabu-search": oracles.tabu_search,
    "greedy-search": oracles.greedy_search,
    "hill-climbing": oracles.hill_climbing,
    "simulated-annealing": oracles.simulated_annealing,
}
WITH_DEFAULTS = [(name, {}) for name in ORACLES]
NEVER_TWICE = [
    ("random-search", {"replacement": False}),
    ("exhaustive", {}),
    ("local-search", {}),
    ("local-search", {"improvement": "best", "initial": 1}),
    ("tabu-search", {}),
    ("greedy-search", {}),
]
TABLES = {kind: synthetic_table(kind, failures=0.1) for kind in SPACES}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize(("name", "parameters"), VARIANTS)
def test_conformance(case, name, parameters):
    case(resolve(name, parameters))


@given(
    variant=st.sampled_from([*VARIANTS, *WITH_DEFAULTS]),
    kind=st.sampled_from(sorted(SPACES)),
    seed=st.integers(0, 2**64),
    run=st.integers(0, 2**32),
    evaluations=st.integers(1, 150),
)
@settings(max_examples=150)
def test_lock_step_agrees_with_plain_python(variant, kind, seed, run, evaluations):
    lock_step.assert_agrees(ORACLES[variant[0]], TABLES[kind], variant, seed, run, evaluations)


@given(
    variant=st.sampled_from(
        [
            ("local-search", {}),
            ("local-search", {"improvement": "best", "initial": 1}),
            ("local-search", {"initial": 5}),
            ("local-search", {"restarts": False}),
            ("tabu-search", {}),
            ("tabu-search", {"improvement": "first", "tenure": 7}),
            ("hill-climbing", {"samples": 2, "again": 1}),
        ]
    ),
    kind=st.sampled_from(sorted(SPACES)),
    seed=st.integers(0, 2**32),
    workers=st.integers(1, 9),
    asks=st.integers(1, 40),
)
@settings(max_examples=100)
def test_batches_for_several_workers_agree_with_plain_python(variant, kind, seed, workers, asks):
    name, parameters = variant
    space, value = TABLES[kind].space, TABLES[kind].mean_values("valid_accuracy")
    strategy = resolve(name, parameters)
    state = strategy.start(Problem(space, Streams(seed, 0, 3), workers=workers))
    asked = []
    for _ in range(asks):
        asked.append(strategy.ask(state))
        tell(strategy, state, asked[-1], value)
    asked = np.concatenate(asked, axis=1)
    for run in range(3):
        steps = asked[run] >= 0
        count = steps.argmin() if not steps.all() else len(steps)
        expected = ORACLES[name](
            space, seed, run, lambda a: float(value[a]), asked.shape[1], workers=workers, **parameters
        )
        assert asked[run, :count].tolist() == expected


def tell(strategy, state, asked, value):
    """Tell a strategy of everything that it asked for."""
    strategy.tell(state, Evaluations(asked, value[np.maximum(asked, 0)], np.zeros_like(asked)))


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize(("name", "parameters"), NEVER_TWICE)
def test_everything_is_evaluated_once_and_then_the_run_ends(name, parameters, workers):
    table = TABLES["chain"]
    trace = nl.simulate(table, name, runs=20, budget=nl.Budget(evaluations=1000), workers=workers, **parameters)
    assert (trace.evaluations == table.space.size).all()
    assert (np.sort(trace.architecture, axis=1) == np.arange(table.space.size)).all()
    assert trace.stopped.all()


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("local-search", {}),
        ("tabu-search", {}),
        ("greedy-search", {}),
        ("hill-climbing", {}),
        ("simulated-annealing", {}),
    ],
)
def test_better_than_random_search_on_a_separable_landscape(name, parameters):
    assert_better_than_random_search(name, 150, **parameters)


@pytest.mark.parametrize("name", ["local-search", "tabu-search", "greedy-search", "hill-climbing"])
def test_four_workers_are_about_four_times_as_fast(name):
    table = synthetic_table("topology")
    budget = nl.Budget(evaluations=240)
    one, four = (nl.simulate(table, name, runs=50, budget=budget, workers=workers) for workers in (1, 4))
    ratio = one.time[:, -1].mean() / four.time[:, -1].mean()
    # Those that wait: a batch takes as long as the longest of its four, which take from one to two of some unit.
    # Hill climbing compares one architecture at a time, three times.
    low, high = {"greedy-search": (3.8, 4.0), "hill-climbing": (2.9, 3.1)}.get(name, (3.2, 3.9))
    assert low < ratio <= high


# Random search without replacement.


def best_without_replacement(values, draws):
    """Mean and variance of the best of n different architectures, each set of n equally likely."""
    ordered, size = np.sort(values), len(values)
    mean, variance = [], []
    for n in draws:
        all_among = scipy.stats.hypergeom(size, np.arange(size + 1), n).pmf(n)  # n of the k worst, for every k
        probability = np.diff(all_among)
        mean.append(probability @ ordered)
        variance.append(probability @ ordered**2 - mean[-1] ** 2)
    return np.array(mean), np.array(variance)


@pytest.mark.parametrize("kind", ["chain", "topology"])
def test_without_replacement_agrees_with_the_closed_form(kind):
    table, runs, draws = synthetic_table(kind), 4_000, np.array([1, 2, 5, 13, 34, 89, 144, 233])
    budget = nl.Budget(evaluations=int(draws[-1]))
    trace = nl.simulate(table, "random-search", runs=runs, budget=budget, repeat="mean", replacement=False)
    best = np.maximum.accumulate(trace.observed, axis=1)[:, draws - 1]
    mean, variance = best_without_replacement(table.mean_values("valid_accuracy"), draws)
    assert (np.abs(best.mean(axis=0) - mean) <= 4 * np.sqrt(variance / runs) + 1e-12).all()
    if kind == "chain":  # 233 of 243: with replacement the mean is lower by many standard errors
        again = nl.simulate(table, "random-search", runs=runs, budget=budget, repeat="mean")
        worse = np.maximum.accumulate(again.observed, axis=1)[:, -1].mean()
        assert mean[-1] - worse > 20 * math.sqrt(variance[-1] / runs)


def test_the_closed_form_without_replacement_by_enumeration():
    import itertools

    values = np.array([3.0, 1.0, 4.0, 1.5, 9.0])
    for n in (1, 2, 3, 5):
        best = [max(chosen) for chosen in itertools.combinations(values, n)]
        mean, variance = best_without_replacement(values, [n])
        assert mean[0] == pytest.approx(np.mean(best))
        assert variance[0] == pytest.approx(np.var(best), abs=1e-9)


def test_all_orders_are_equally_likely():
    runs, space = 24_000, ChainSpace("abcd", 1)
    strategy = resolve("random-search", {"replacement": False})
    order = strategy.ask(strategy.start(Problem(space, Streams(3, 0, runs))))[:, :5]
    assert (order[:, 4] == -1).all()
    number = order[:, :4] @ np.array([64, 16, 4, 1])
    _, counts = np.unique(number, return_counts=True)
    assert len(counts) == 24
    assert scipy.stats.chisquare(counts).pvalue > 1e-4


# What the strategies are made of.


@given(size=st.integers(1, 60), seed=st.integers(0, 2**32), listed=st.booleans())
@settings(max_examples=90)
def test_visited_is_a_set_for_every_run(size, seed, listed):
    random, runs, space = np.random.default_rng(seed), 3, ChainSpace("".join(chr(200 + i) for i in range(size)), 1)
    space = space if listed else unlisted(space)
    visited, plain = Visited(space, runs), [set() for _ in range(runs)]
    for _ in range(80):
        run = random.permutation(runs)[: random.integers(1, runs + 1)]
        if random.random() < 0.3:
            removed = np.array([min(plain[r], default=-1) for r in run])
            visited.remove(run, removed)
            for r, architecture in zip(run, removed, strict=True):
                plain[r].discard(architecture)
            continue
        first, second = random.random((2, len(run)))
        drawn = visited.draw(run, np.stack([first, second], axis=1))
        for r, u, v, found in zip(run, first, second, drawn, strict=True):
            left = sorted(set(range(size)) - plain[r])
            expected = int(u * size)
            if expected in plain[r]:
                expected = left[int(v * len(left))] if left else -1
            assert found == expected
            plain[r] |= {int(found)} - {-1}
        visited.add(run, drawn)
        everything = np.broadcast_to(np.arange(size), (runs, size))
        found = visited.has(np.arange(runs)[:, None], everything)
        assert [set(np.flatnonzero(row).tolist()) for row in found] == plain


def test_draws_are_uniform_over_what_is_left():
    """Twelve of a space of sixteen were visited: each of the other four must be a quarter of the draws."""
    runs = 20_000
    visited, run = Visited(ChainSpace("ab", 4), runs), np.arange(runs)
    for architecture in range(12):
        visited.add(run, np.full(runs, architecture))
    uniform = Streams(1, 0, runs).uniform(2)
    counts = np.bincount(visited.draw(run, uniform), minlength=16)
    assert counts[:12].sum() == 0
    assert np.abs(counts[12:] - runs / 4).max() < 5 * math.sqrt(runs * 3 / 16)


def test_neighbors_are_taken_in_an_order_that_is_uniform():
    runs, space = 24_000, ChainSpace("abcde", 1)
    neighborhood, visited, run = Neighborhood(space, runs), Visited(space, runs), np.arange(runs)
    visited.add(run, run % 5)
    neighborhood.enter(run, run % 5, visited)
    assert (neighborhood.left == 4).all()
    streams = Streams(2, 0, runs)
    taken = np.stack([neighborhood.take(streams.uniform(1)[:, 0]) for _ in range(5)], axis=1)
    assert (taken[:, 4] == -1).all()
    place = taken[:, :4] - (taken[:, :4] > (run % 5)[:, None])  # among the neighbours, 0 to 3
    assert (np.sort(place, axis=1) == np.arange(4)).all()
    _, counts = np.unique(place @ np.array([64, 16, 4, 1]), return_counts=True)
    assert len(counts) == 24
    assert scipy.stats.chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize("kind", SPACES)
def test_a_neighbor_at_a_place_is_that_of_the_list(kind):
    space = TABLES[kind].space
    index = np.random.default_rng(0).integers(space.size, size=50)
    for one in index:
        neighbors = space.neighbors(int(one))
        assert space.neighbor_at(one, np.arange(len(neighbors))).tolist() == neighbors.tolist()
        for wrong in (-1, len(neighbors)):
            with pytest.raises(OutOfSpaceError, match="place"):
                space.neighbor_at(one, wrong)


# Local search.


@pytest.mark.parametrize("name", ["local-search", "tabu-search", "greedy-search"])
def test_cells_with_tens_of_thousands_of_neighbors_can_be_searched(name):
    """Cells of six vertices have up to 5,000 neighbours and no dense table of them; small ones are where it is wide."""
    space, runs = Cell101Space(6), 20
    value = np.random.default_rng(0).random(space.size)
    widest = np.argsort(-space.degree(np.arange(space.size)))[:3]
    value[widest] = [2.0, 3.0, 4.0]  # so that searches that meet them go there
    strategy = resolve(name, {})
    state = strategy.start(Problem(space, Streams(0, 0, runs)))
    asked = []
    for _ in range(200):
        asked.append(strategy.ask(state))
        tell(strategy, state, asked[-1], value)
    asked = np.concatenate(asked, axis=1)
    assert all(len(set(row)) == len(row) for row in asked.tolist())
    assert np.isin(asked, widest).any()
    for run in range(3):
        expected = ORACLES[name](space, 0, run, lambda a: float(value[a]), asked.shape[1])
        assert asked[run].tolist() == expected
    assert len(pickle.dumps(state)) < 3 * runs * space.size


def test_without_restarts_a_run_ends_at_a_local_optimum():
    table = synthetic_table("topology", noise=0.0)
    budget = nl.Budget(evaluations=2_000)
    values = table.mean_values("valid_accuracy")
    for workers in (1, 3):
        trace = nl.simulate(
            table, "local-search", runs=50, budget=budget, repeat="mean", restarts=False, workers=workers
        )
        assert trace.stopped.all()
        best = trace.final_incumbent()
        assert (values[best] >= values[table.space.neighbors(best)].max(axis=1)).all()
        for run, found in enumerate(best):
            evaluated = set(trace.architecture[run][trace.mask[run]].tolist())
            assert set(table.space.neighbors(int(found)).tolist()) <= evaluated


# Tabu search.


def test_what_is_tabu_is_not_evaluated_again_before_its_time():
    table = TABLES["chain"]
    trace = nl.simulate(table, "tabu-search", runs=20, budget=nl.Budget(evaluations=1000), tenure=100)
    again = 0
    for run in trace.architecture:
        last = {}
        for step, architecture in enumerate(run.tolist()):
            if architecture in last:
                assert step - last[architecture] > 100
                again += 1
            last[architecture] = step
    assert again > 1000


# Hill climbing.


def test_more_samples_climb_higher_under_noise():
    """At equal cost: ten trainings of a tenth of the challengers, where noise is larger than the qualities differ."""
    space = TABLES["topology"].space
    features = space.features(np.arange(space.size)).astype(float)
    quality = features @ np.random.default_rng(0).random(features.shape[1])
    noise, runs, reached = 1.5 * quality.std(), 200, {}
    for samples in (1, 10):
        random = np.random.default_rng(1)
        strategy = resolve("hill-climbing", {"samples": samples})
        state = strategy.start(Problem(space, Streams(0, 0, runs)))
        for _ in range(1_000 // samples):
            asked = strategy.ask(state)
            value = quality[asked] + noise * random.standard_normal(asked.shape)
            strategy.tell(state, Evaluations(asked, value, np.zeros_like(asked)))
        reached[samples] = quality[state.incumbent]
    assert reached[10].mean() - reached[1].mean() > 0.5 * quality.std()


# Simulated annealing.


def test_worse_is_accepted_as_often_as_metropolis_says():
    """Two architectures, one worse by half: with T = s = 1/2 it is accepted with probability exp(-1)."""
    space, runs, value = ChainSpace("ab", 1), 20_000, np.array([1.0, 0.5])
    strategy = resolve("simulated-annealing", {"temperature": 2.0, "cooling": 1.0, "initial": 2})
    state = strategy.start(Problem(space, Streams(0, 0, runs)))
    first = strategy.ask(state)
    tell(strategy, state, first, value)
    both = first[:, 0] != first[:, 1]  # s is 1/4 there, and 0 where the same was drawn twice
    assert (state.centre[both] == 0).all()
    asked = strategy.ask(state)[:, 0]
    assert (asked == 1 - state.centre).all()
    tell(strategy, state, asked[:, None], value)
    moved = state.centre == asked
    rate = moved[both].mean()
    assert rate == pytest.approx(math.exp(-1), abs=5 * math.sqrt(0.25 / both.sum()))
    stuck = ~both & (first[:, 0] == 0)
    assert not moved[stuck].any(), "at a temperature of 0 nothing worse is accepted"
    assert moved[~both & (first[:, 0] == 1)].all(), "what is better always is"


def test_annealing_does_not_depend_on_the_unit():
    """In percent, or as the loss of another scale, the same steps are accepted; powers of two round alike."""
    space, value = TABLES["topology"].space, TABLES["topology"].mean_values("valid_accuracy")
    histories = []
    for factor in (1.0, 128.0, 2.0**-20):
        strategy = resolve("simulated-annealing", {"cooling": 0.98})
        state = strategy.start(Problem(space, Streams(0, 0, 50)))
        asked = []
        for _ in range(200):
            asked.append(strategy.ask(state))
            tell(strategy, state, asked[-1], factor * value)
        histories.append(np.concatenate(asked, axis=1))
    assert np.array_equal(histories[0], histories[1])
    assert np.array_equal(histories[0], histories[2])


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("random-search", {"replacement": 1}, "replacement must be True or False, got 1"),
        ("local-search", {"initial": 0}, "initial must be at least 1, got 0"),
        ("local-search", {"restarts": "no"}, "restarts must be True or False, got 'no'"),
        ("tabu-search", {"improvement": "any"}, "improvement must be 'best' or 'first', got 'any'"),
        ("tabu-search", {"tenure": 0}, "tenure must be at least 1, got 0"),
        ("tabu-search", {"tenure": 1.5}, "tenure must be a whole number, got 1.5"),
        ("greedy-search", {"initial": 0}, "initial must be at least 1, got 0"),
        ("hill-climbing", {"samples": 0}, "samples must be at least 1, got 0"),
        ("hill-climbing", {"again": -1}, "again must be at least 0, got -1"),
        ("simulated-annealing", {"temperature": 0}, "temperature must be above 0, got 0"),
        ("simulated-annealing", {"temperature": math.nan}, "temperature must be a finite number, got nan"),
        ("simulated-annealing", {"temperature": "hot"}, "temperature must be a finite number, got 'hot'"),
        ("simulated-annealing", {"cooling": 1.1}, "cooling must be above 0 and at most 1, got 1.1"),
        ("simulated-annealing", {"initial": 1}, "initial must be at least 2, got 1"),
    ],
)
def test_bad_parameters_are_one_clear_line(name, parameters, message):
    with pytest.raises(ParameterError) as error:
        resolve(name, parameters)
    assert str(error.value) == message
