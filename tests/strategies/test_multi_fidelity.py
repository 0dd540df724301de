"""Multi-fidelity strategies: conformance, agreement with plain Python and the papers' tables, and their job."""

import dataclasses
import heapq
import itertools
import math

import numpy as np
import oracles
import pytest
from effect import LARGE
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.analysis import a12
from nasbench_lab.errors import ParameterError
from nasbench_lab.strategies import Evaluations, Problem, resolve
from nasbench_lab.strategies.models import categorical_kde
from nasbench_lab.strategies.models.power_law import EXPONENTS, PowerLaw
from nasbench_lab.strategies.parts import relaxed_codes
from nasbench_lab.strategies.parts.rungs import hyperband, rungs
from nasbench_lab.streams import Streams
from nasbench_lab.tables import Table
from nasbench_lab.testing import CASES, SPACES, synthetic_table

VARIANTS = [
    ("successive-halving", {}),
    ("successive-halving", {"eta": 2, "configurations": 5, "rungs": 3}),
    ("hyperband", {}),
    ("hyperband", {"eta": 2, "rungs": 4}),
    ("asha", {}),
    ("asha", {"eta": 2, "rungs": 4}),
    ("bohb", {}),
    ("bohb", {"rungs": 1, "samples": 4, "random_share": 0.0, "least_bandwidth": 0.3}),
    ("dehb", {}),
    ("dehb", {"eta": 2, "rungs": 4, "mutation_factor": 0.9}),
    ("learning-curve-stopping", {}),
    ("learning-curve-stopping", {"extrapolation": "last-seen", "patience": 2, "eta": 3}),
]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize(("name", "parameters"), VARIANTS)
def test_conformance(case, name, parameters):
    case(resolve(name, parameters))


# Rungs and brackets.


def test_the_brackets_of_hyperband_are_those_of_the_paper():
    """Li et al., JMLR 2018, table 1: R = 81, eta = 3."""
    table = [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
        [(27, 3), (9, 9), (3, 27), (1, 81)],
        [(9, 9), (3, 27), (1, 81)],
        [(6, 27), (2, 81)],
        [(5, 81)],
    ]
    found = hyperband(rungs(range(1, 82), eta=3), eta=3)
    assert [list(zip(one.sizes, one.fidelities, strict=True)) for one in found] == table


def test_rungs_are_the_nearest_fidelities():
    assert rungs((4, 12, 36, 108), eta=3) == (4, 12, 36, 108)
    assert rungs((4, 12, 36, 108), eta=3, lowest=10) == (12, 36, 108)
    assert rungs((4, 12, 36, 108), eta=4) == (4, 36, 108)
    assert rungs((12, 200), eta=2) == (12, 200), "rungs between the two are the nearer of them"
    assert rungs((7,), eta=3) == (7,)
    assert rungs((12, 200), eta=3, count=4) == (12, 12, 200, 200)
    for exact in range(1, 12):
        assert len(rungs(range(1, 3**exact + 1), eta=3)) == exact + 1, "no rung is lost to rounding"


# Plain Python.


def plain_brackets(space, seed, run, evaluate, evaluations, brackets):
    """Successive halving, bracket by bracket: a list of (architecture, fidelity, number gone on with)."""
    draw = oracles.uniforms(seed, run)
    history = []
    while True:
        for sizes_and_fidelities in brackets:
            entrants = [(int(next(draw) * space.size), -1) for _ in range(sizes_and_fidelities[0][0])]
            trained = 0
            for position, (size, fidelity) in enumerate(sizes_and_fidelities):
                assert len(entrants) == size
                results = []
                for architecture, number in entrants:
                    history.append((architecture, fidelity, number if fidelity > trained else -1))
                    results.append((evaluate(architecture, fidelity), len(history) - 1, architecture))
                    if len(history) == evaluations:
                        return history
                results.sort(key=lambda result: -result[0])
                trained = fidelity
                if position + 1 < len(sizes_and_fidelities):
                    kept = sizes_and_fidelities[position + 1][0]
                    entrants = [(architecture, number) for _, number, architecture in results[:kept]]


def plain_asha(space, seed, run, evaluate, seconds, evaluations, eta, fidelities, workers):
    """Li et al. 2020, algorithm 2, event by event: what ended, as (architecture, fidelity), in that order."""
    draw = oracles.uniforms(seed, run)
    started, ended, promoted = [], [[] for _ in fidelities], set()

    def get_job():
        drawn = int(next(draw) * space.size)
        for rung in reversed(range(len(fidelities) - 1)):
            best = sorted(ended[rung], key=lambda result: (-result[0], result[1]))[: len(ended[rung]) // eta]
            candidates = [number for value, number in best if number not in promoted and value > -math.inf]
            if candidates:
                promoted.add(candidates[0])
                return started[candidates[0]][0], rung + 1
        return drawn, 0

    busy, finished = [], []
    for worker in range(workers):
        started.append(get_job())
        architecture, rung = started[-1]
        heapq.heappush(busy, (seconds(architecture, fidelities[rung]), worker, len(started) - 1))
    while len(finished) < evaluations:
        now, worker, number = heapq.heappop(busy)
        architecture, rung = started[number]
        finished.append((architecture, fidelities[rung]))
        ended[rung].append((evaluate(architecture, fidelities[rung]), number))
        started.append(get_job())
        architecture, rung = started[-1]
        heapq.heappush(busy, (now + seconds(architecture, fidelities[rung]), worker, len(started) - 1))
    return finished


def with_epochs(table, resumable):
    """A table like another, with fidelities 1, 3, 9 and 27: the quality shows the more, the longer the training."""
    final = table.values("valid_accuracy")[:, -1:, :1]
    noise = np.random.default_rng(1).standard_normal((table.space.size, 4, 1))
    valid = final * np.array([0.5, 0.7, 0.9, 1.0])[:, None] + noise * np.array([0.04, 0.02, 0.01, 0.0])[:, None]
    seconds = table.values("valid_seconds")
    values = {
        **{name: table.values(name) for name in table.metrics},
        "valid_accuracy": valid,
        "test_accuracy": valid,
        "train_seconds": np.multiply.outer(10 * seconds, [1.0, 3.0, 9.0, 27.0]),
    }
    description = dataclasses.replace(
        table.description, fidelities=(1, 3, 9, 27), repeats=("only",), resumable=resumable
    )
    return Table(description, values)


TABLES = {kind: with_epochs(synthetic_table(kind, failures=0.1), resumable=False) for kind in SPACES}
CURVES = with_epochs(synthetic_table("topology"), resumable=True)


def evaluator(table):
    columns = {epochs: table.mean_values("valid_accuracy", epochs) for epochs in table.fidelities}
    return lambda architecture, fidelity: float(np.nan_to_num(columns[fidelity][architecture], nan=-math.inf))


def made(trace, run):
    kept = trace.mask[run]
    return list(zip(trace.architecture[run][kept].tolist(), trace.fidelity[run][kept].tolist(), strict=True))


@given(
    name=st.sampled_from(["successive-halving", "hyperband"]),
    kind=st.sampled_from(sorted(SPACES)),
    eta=st.sampled_from([2, 3, 4]),
    seed=st.integers(0, 2**64),
    evaluations=st.integers(1, 150),
)
@settings(max_examples=60)
def test_brackets_agree_with_plain_python(name, kind, eta, seed, evaluations):
    table = TABLES[kind]
    ladder = rungs(table.fidelities, eta)
    brackets = [list(zip(one.sizes, one.fidelities, strict=True)) for one in hyperband(ladder, eta)]
    used = brackets[:1] if name == "successive-halving" else brackets
    trace = nl.simulate(table, name, runs=2, seed=seed, budget=nl.Budget(evaluations=evaluations), eta=eta)
    for run in range(2):
        history = plain_brackets(table.space, seed, run, evaluator(table), evaluations, used)
        assert made(trace, run) == [(architecture, fidelity) for architecture, fidelity, _ in history]


@given(
    kind=st.sampled_from(sorted(SPACES)),
    eta=st.sampled_from([2, 3]),
    seed=st.integers(0, 2**64),
    workers=st.sampled_from([1, 2, 5]),
    evaluations=st.integers(1, 150),
)
@settings(max_examples=60)
def test_asha_agrees_with_plain_python(kind, eta, seed, workers, evaluations):
    table = TABLES[kind]
    cost = {epochs: table.cost(epochs)[:, 0] for epochs in table.fidelities}
    trace = nl.simulate(
        table, "asha", runs=2, seed=seed, budget=nl.Budget(evaluations=evaluations), eta=eta, workers=workers
    )
    for run in range(2):
        expected = plain_asha(
            *(table.space, seed, run, evaluator(table), lambda a, f: float(cost[f][a]), evaluations, eta),
            rungs(table.fidelities, eta),
            workers,
        )
        assert made(trace, run) == expected


# Going on with trainings.


@pytest.mark.parametrize("name", ["successive-halving", "hyperband", "asha"])
def test_where_trainings_can_be_resumed_promotions_cost_the_difference(name):
    budget = nl.Budget(evaluations=200)
    again, on = (
        nl.simulate(with_epochs(synthetic_table("chain"), resumable), name, runs=5, budget=budget)
        for resumable in (False, True)
    )
    assert np.array_equal(again.architecture, on.architecture)
    assert np.array_equal(again.observed, on.observed)
    table = with_epochs(synthetic_table("chain"), True)
    for run in range(5):
        paid = {}
        took = np.diff(np.concatenate([[0.0], on.time[run]]))
        for step, (architecture, fidelity) in enumerate(made(on, run)):
            full = table.cost(fidelity)[architecture, 0]
            waiting = paid.setdefault(architecture, [])
            earlier = max((f for f in waiting if f < fidelity), default=0)
            if not math.isclose(took[step], full, rel_tol=1e-9):
                waiting.remove(earlier)
                np.testing.assert_allclose(took[step], full - table.training_cost(earlier)[architecture, 0])
            waiting.append(fidelity)
    assert (on.time[:, -1] < 0.9 * again.time[:, -1]).all()


def test_one_fidelity_makes_random_search():
    table = synthetic_table("chain")
    budget = nl.Budget(evaluations=40)
    random = nl.simulate(table, "random-search", runs=3, budget=budget, fidelity=4)
    for name in ("successive-halving", "hyperband", "asha"):
        trace = nl.simulate(table, name, runs=3, budget=budget, fidelity=4)
        assert np.array_equal(trace.architecture, random.architecture)
        assert (trace.fidelity == 4).all()


def test_workers_share_a_rung():
    table = TABLES["topology"]
    one, nine = (nl.simulate(table, "hyperband", runs=9, budget=nl.Budget(seconds=3000), workers=w) for w in (1, 9))
    assert nine.evaluations.mean() > 2 * one.evaluations.mean()


# Their job.


@pytest.mark.parametrize("name", ["successive-halving", "hyperband", "asha", "bohb", "dehb", "learning-curve-stopping"])
def test_better_than_random_search_in_equal_time(name):
    """Where a short training tells much about a long one, most of the time of random search is wasted."""
    budget = nl.Budget(seconds=40 * float(CURVES.cost().mean()))
    ours = nl.simulate(CURVES, name, runs=200, budget=budget).final("test")
    random = nl.simulate(CURVES, "random-search", runs=200, budget=budget, seed=1).final("test")
    assert a12(-ours, -random) > LARGE


# A strategy without fidelities, at a reduced one: a proxy.


def test_any_strategy_at_a_reduced_fidelity():
    """`simulate(fidelity=...)` makes few epochs a proxy: cheaper, and judged by what long trainings would show."""
    budget = nl.Budget(seconds=40 * float(CURVES.cost().mean()))
    proxy = nl.simulate(CURVES, "regularized-evolution", runs=200, budget=budget, fidelity=9)
    full = nl.simulate(CURVES, "regularized-evolution", runs=200, budget=budget)
    assert (proxy.fidelity[proxy.mask] == 9).all()
    assert 2.5 < proxy.evaluations.mean() / full.evaluations.mean() < 3
    final = CURVES.mean_values("test_accuracy", 27)
    assert np.array_equal(proxy.final("test"), final[proxy.final_incumbent()])


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("hyperband", {"eta": 1}, "eta must be at least 2, got 1"),
        ("hyperband", {"eta": 2.5}, "eta must be a whole number, got 2.5"),
        ("asha", {"lowest": 0}, "lowest must be at least 1, got 0"),
        ("asha", {"rungs": 0}, "rungs must be from 1 to 20, got 0"),
        ("successive-halving", {"configurations": -1}, "configurations must be at least 1, got -1"),
    ],
)
def test_bad_parameters_are_one_clear_line(name, parameters, message):
    with pytest.raises(ParameterError) as error:
        resolve(name, parameters)
    assert str(error.value) == message


def test_a_lowest_rung_above_the_highest_fidelity():
    task = Problem(synthetic_table("chain").space, Streams(0, 0, 2), (4, 12))
    with pytest.raises(ParameterError, match="lowest must be at most the highest fidelity, 12, got 20"):
        resolve("hyperband", {"lowest": 20}).start(task)


# BOHB.


def plain_density(x, data, bandwidth, cardinalities):
    """The density of one point, term by term."""
    total = 0.0
    for observation in data:
        product = 1.0
        for a, b, h, c in zip(x, observation, bandwidth, cardinalities, strict=True):
            product *= 1 - h if a == b else h / (c - 1)
        total += product
    return total / len(data)


@given(seed=st.integers(0, 2**32), cardinalities=st.lists(st.integers(2, 4), min_size=1, max_size=4))
@settings(max_examples=30)
def test_densities_over_codes(seed, cardinalities):
    random = np.random.default_rng(seed)
    data = random.integers(cardinalities, size=(3, 9, len(cardinalities))).astype(np.int8)
    density = categorical_kde.fit(data, cardinalities, least=0.05)
    expected = np.clip(1.06 * data.std(axis=1) * 9 ** (-1 / (4 + len(cardinalities))), 0.05, None)
    np.testing.assert_allclose(density.bandwidth, np.minimum(expected, 1 - 1 / np.array(cardinalities)))
    points = np.array(list(itertools.product(*map(range, cardinalities))), dtype=np.int8)
    found = density.density(np.broadcast_to(points, (3, *points.shape)))
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    for run in range(3):
        plain = [plain_density(x, data[run], density.bandwidth[run], cardinalities) for x in points]
        np.testing.assert_allclose(found[run], plain)


def test_more_codes_than_a_byte_has_bits():
    random = np.random.default_rng(0)
    cardinalities = [3] * 19
    data = random.integers(3, size=(2, 6, 19)).astype(np.int8)
    density = categorical_kde.fit(data, cardinalities, least=0.05)
    points = random.integers(3, size=(2, 4, 19)).astype(np.int8)
    plain = [[plain_density(x, data[r], density.bandwidth[r], cardinalities) for x in points[r]] for r in range(2)]
    np.testing.assert_allclose(density.density(points), plain)


def test_draws_have_the_density():
    cardinalities = (3, 2)
    data = np.array([[[0, 0], [0, 1], [2, 1], [0, 0]]], dtype=np.int8)
    density = categorical_kde.fit(data, cardinalities, least=0.1)
    n = 200_000
    drawn = density.sample(Streams(0, 0, 1).uniform(5 * n).reshape(1, n, 5))[0]
    share = np.bincount(drawn[:, 0] * 2 + drawn[:, 1], minlength=6) / n
    points = np.array(list(itertools.product(range(3), range(2))), dtype=np.int8)
    expected = density.density(points[None])[0]
    assert np.abs(share - expected).max() < 5 * math.sqrt(0.25 / n)


def test_bohb_proposes_the_largest_ratio_of_its_draws():
    """One step of a state with thirty evaluations, against a plain reading of equations 2 and 3."""
    space = synthetic_table("chain").space
    strategy = resolve("bohb", {"random_share": 0.0, "samples": 8})
    state = strategy.start(Problem(space, Streams(0, 0, 4), (4, 12)))
    random = np.random.default_rng(2)
    state.codes[1] = random.integers(3, size=(4, 30, 5)).astype(np.int8)
    state.values[1] = random.random((4, 30))
    state.values[1][:, 3] = -np.inf
    uniform = Streams(0, 0, 4).uniform(2 + 8 * 11).copy()
    proposed = strategy.sample(state, 5)
    assert proposed.shape == (4, 1)
    for run in range(4):
        order = np.argsort(-state.values[1][run], kind="stable")
        good, bad = state.codes[1][run][order[:6]], state.codes[1][run][order[6:]]
        kernels = [categorical_kde.fit(part[None], space.cardinalities, 1e-3) for part in (good, bad)]
        draws = kernels[0].sample(uniform[run, 2:].reshape(1, 8, 11))[0]
        ratio = [
            plain_density(x, good, kernels[0].bandwidth[0], space.cardinalities)
            / plain_density(x, bad, kernels[1].bandwidth[0], space.cardinalities)
            for x in draws
        ]
        assert ratio[draws.tolist().index(space.codes(int(proposed[run, 0])).tolist())] == pytest.approx(max(ratio))


class AsHpBandSter(categorical_kde.CategoricalKde):
    """The kernels of statsmodels, which HpBandSter uses: bandwidths above 1, and only values that occur counted."""

    def _weights(self, part):
        bandwidth, weight = self.bandwidth[:, part], np.ones((len(self.bandwidth), 1))
        for code in range(bandwidth.shape[1]):
            column = self.data[:, :, part][:, :, code]
            levels = sum((column == value).any(axis=1).astype(int) for value in range(5))[:, None]
            other = bandwidth[:, code, None] / np.where(levels > 1, levels - 1, 1e-9)
            weight = np.concatenate([weight * other, weight * (1 - bandwidth[:, code, None])], axis=1)
        return weight

    def sample(self, uniform):
        d, n = self.data.shape[2], self.data.shape[1]
        centre = np.take_along_axis(self.data, (uniform[:, :, 0] * n).astype(int)[..., None], axis=1)
        changes = uniform[:, :, 1 : 1 + d] < self.bandwidth[:, None]
        return np.where(changes, (uniform[:, :, 1 + d :] * 5).astype(int), centre).astype(np.int8)


def fit_as_hpbandster(data, cardinalities, least):
    bandwidth = 1.06 * data.std(axis=1) * data.shape[1] ** (-1 / (4 + data.shape[2]))
    return AsHpBandSter(data, np.maximum(bandwidth, least), tuple(cardinalities))


@pytest.mark.mirror
@pytest.mark.parametrize(("as_published", "within"), [(False, 0.15), (True, 0.05)])
def test_bohb_on_nas_bench_201(monkeypatch, as_published, within):
    """Dong and Yang 2020, table 5: 90.82 +- 0.53 and 93.61 +- 0.52, worse than random search (90.93 and 93.70).

    Their experiment has four rungs (3 to 108 epochs), but evaluates for 12 epochs on all of them. Ours is 0.1 better,
    because HpBandSter's kernels are no densities where bandwidths exceed (c - 1) / c; with them it is as published.
    """
    if as_published:
        monkeypatch.setattr(categorical_kde, "fit", fit_as_hpbandster)
    settings = {"rungs": 4, "samples": 4, "random_share": 0.0, "least_bandwidth": 0.3}
    table, budget = nl.load("nats-bench-tss/cifar10"), nl.Budget(seconds=12_000)
    trace = nl.simulate(table, "bohb", runs=1000, budget=budget, fidelity=12, **settings)
    assert trace.final("valid").mean() == pytest.approx(90.82, abs=within)
    assert trace.final("test").mean() == pytest.approx(93.61, abs=within)
    assert trace.final("valid").std() == pytest.approx(0.53, abs=0.1)
    assert trace.final("test").std() == pytest.approx(0.52, abs=0.1)


# DEHB.


def test_the_first_round_of_dehb_is_hyperband_with_promotions():
    """What is evaluated at a higher rung in the first bracket was among the best below, and is trained on."""
    trace = nl.simulate(CURVES, "dehb", runs=20, budget=nl.Budget(evaluations=40))
    sizes = [27, 9, 3, 1]
    for run in range(20):
        first, below = 0, {}
        for fidelity, size in zip((1, 3, 9, 27), sizes, strict=True):
            part = slice(first, first + size)
            assert (trace.fidelity[run, part] == fidelity).all()
            architecture, observed = trace.architecture[run, part].tolist(), trace.observed[run, part].tolist()
            best = sorted(below, key=lambda architecture: -below[architecture])
            assert not below or set(architecture) <= set(best[: size + 1])
            below = dict(zip(architecture, np.nan_to_num(observed).tolist(), strict=True))
            first += size


def test_dehb_goes_on_with_promoted_trainings():
    again, on = (
        nl.simulate(
            with_epochs(synthetic_table("topology"), resumable), "dehb", runs=5, budget=nl.Budget(evaluations=40)
        )
        for resumable in (False, True)
    )
    assert np.array_equal(again.architecture, on.architecture)
    took, full = np.diff(on.time, axis=1), np.diff(again.time, axis=1)
    np.testing.assert_allclose(took[:, :26], full[:, :26])
    assert (took[:, 26:39] < 0.75 * full[:, 26:39]).all()


def test_dehb_with_one_rung_is_differential_evolution():
    trace = nl.simulate(CURVES, "dehb", runs=200, budget=nl.Budget(evaluations=200), rungs=1)
    assert (trace.fidelity == 27).all()
    random = nl.simulate(CURVES, "random-search", runs=200, budget=nl.Budget(evaluations=200), seed=1)
    assert trace.final("test").mean() > random.final("test").mean() + 0.02


def test_members_are_only_replaced_by_what_is_at_least_as_good():
    strategy = resolve("dehb", {})
    state = strategy.start(Problem(CURVES.space, Streams(0, 0, 6), CURVES.fidelities))
    values, count = evaluator(CURVES), 0
    before = [population.fitness.copy() for population in state.populations]
    for _ in range(200):
        asked = strategy.ask(state)
        told = np.vectorize(values)(asked.architecture, asked.fidelity)
        number = np.broadcast_to(np.arange(count, count + told.shape[1]), told.shape)
        strategy.tell(state, Evaluations(asked.architecture, told, number, asked.fidelity))
        count += told.shape[1]
        for population, fitness in zip(state.populations, before, strict=True):
            assert (population.fitness >= fitness).all()
        before = [population.fitness.copy() for population in state.populations]
    for population, epochs in zip(state.populations, CURVES.fidelities, strict=True):
        known = population.number >= 0
        found = relaxed_codes.find(CURVES.space, population.vectors)[known]
        np.testing.assert_array_equal(np.vectorize(values)(found, epochs), population.fitness[known])


# Learning curves.


@given(
    a=st.floats(0.3, 1.0),
    b=st.floats(0.0, 0.5),
    alpha=st.floats(0.1, 4.0),
    noise=st.sampled_from([0.0, 0.01]),
    seed=st.integers(0, 99),
)
def test_power_laws_are_the_least_squares_fits(a, b, alpha, noise, seed):
    """Against a search over all three parameters by scipy, at the same exponents."""
    from scipy.optimize import nnls

    epochs = np.array([1, 2, 4, 8, 16])
    y = a - b * epochs**-alpha + noise * np.random.default_rng(seed).standard_normal(5)
    law = PowerLaw(epochs.tolist(), (1,))
    for point in range(4):
        law.add(np.array([point]), y[point : point + 1])
    best = (math.inf, math.nan)
    for exponent in EXPONENTS:
        x = epochs**-exponent
        level = y[:4].min() - 2.0  # far below, so that only b is bounded
        weights, distance = nnls(np.stack([np.ones(4), -x[:4]], axis=1), y[:4] - level)
        if distance < best[0] - 1e-9:
            best = (distance, weights[0] + level - weights[1] * x[4])
    assert law.at_end(np.array([3]))[0] == pytest.approx(best[1], abs=2e-3 + 0.05 * noise)


def test_curves_that_fall_behind_are_given_up():
    strategy = resolve("learning-curve-stopping", {"extrapolation": "last-seen"})
    trace = nl.simulate(CURVES, strategy, runs=10, budget=nl.Budget(evaluations=300), repeat=0)
    checkpoints = rungs(CURVES.fidelities, 2)
    columns = {epochs: CURVES.mean_values("valid_accuracy", epochs) for epochs in checkpoints}
    for run in range(10):
        steps, best = made(trace, run), None
        for (architecture, fidelity), following in itertools.pairwise(steps):
            last = fidelity == checkpoints[-1]
            behind = best is not None and columns[fidelity][architecture] < columns[fidelity][best]
            if last and (best is None or columns[fidelity][architecture] > columns[fidelity][best]):
                best = architecture
            if last or behind:
                assert following[1] == checkpoints[0]
            else:
                assert following == (architecture, checkpoints[checkpoints.index(fidelity) + 1])


def test_the_first_training_is_finished():
    trace = nl.simulate(CURVES, "learning-curve-stopping", runs=50, budget=nl.Budget(evaluations=10))
    checkpoints = rungs(CURVES.fidelities, 2)
    assert (trace.fidelity[:, : len(checkpoints)] == checkpoints).all()
    assert (trace.architecture[:, : len(checkpoints)] == trace.architecture[:, :1]).all()
