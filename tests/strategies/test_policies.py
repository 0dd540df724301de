"""Strategies that learn a policy: conformance, plain Python, the mathematics, and what they are good for."""

import itertools
import math

import numpy as np
import oracles_policies as oracles
import pytest
from conformance_cases import cases_of
from effect import assert_better_than_random_search
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.measurements import Measurements
from nasbench_lab.spaces import make_space
from nasbench_lab.strategies import resolve
from nasbench_lab.strategies.adversarial_search import evaluator_gradient, rate
from nasbench_lab.strategies.asng import utilities
from nasbench_lab.strategies.gumbel_softmax import arrivals, relaxed_score, straight_through
from nasbench_lab.strategies.models import lstm
from nasbench_lab.strategies.parts import categorical, code_draws
from nasbench_lab.strategies.parts.adam import Adam
from nasbench_lab.strategies.ppo import ascent
from nasbench_lab.strategies.reinforce import _gradient
from nasbench_lab.streams import MEASUREMENT, Streams
from nasbench_lab.testing import CASES, SPACES, synthetic_table

VARIANTS = [
    ("reinforce", {}),
    ("reinforce", {"learning_rate": 0.5, "momentum": 0.5}),
    ("pbil", {}),
    ("pbil", {"population_size": 1, "learning_rate": 1.0, "mutation_probability": 1.0, "mutation_shift": 0.5}),
    ("umda", {}),
    ("umda", {"population_size": 3, "selected": 1}),
    ("asng", {}),
    ("asng", {"samples": 7, "alpha": 0.5, "initial_step": 2.0}),
    ("gumbel-softmax", {}),
    ("gumbel-softmax", {"estimator": "straight-through", "temperature": 0.5}),
    ("ppo", {}),
    ("ppo", {"batch_size": 3, "epochs": 2, "entropy": 0.0, "learning_rate": 1.0}),
    ("q-learning", {}),
    ("q-learning", {"replay": 8, "learning_rate": 0.5}),
    ("q-learning", {"replay": 3, "learning_rate": 0.1, "schedule": 0.002}),
    ("adversarial-search", {}),
    ("adversarial-search", {"beta": 3.0, "candidates": 3, "pairs": 1, "searcher_rate": 0.2}),
]
NETWORKS = [
    ("recurrent-controller", {}),
    ("recurrent-controller", {"units": 5, "layers": 1, "batch_size": 1, "learning_rate": 0.1}),
]
SIGMOID = ("reinforce", {"reward": "sigmoid", "beta": 5.0})
DEPENDS_ON_THE_ORIGIN = "the_direction_of_the_metric_does_not_matter"
TABLES = {kind: synthetic_table(kind, failures=0.1) for kind in SPACES}


@pytest.mark.parametrize(("case", "name", "parameters"), cases_of([*VARIANTS, *NETWORKS]))
def test_conformance(case, name, parameters):
    case(resolve(name, parameters))


@pytest.mark.parametrize("case", [case for name, case in CASES.items() if name != DEPENDS_ON_THE_ORIGIN])
def test_conformance_of_the_sigmoid_fitness(case):
    """The sigmoid of an accuracy is not that of an error turned round: one case cannot hold."""
    case(resolve(*SIGMOID))


@given(
    variant=st.sampled_from([*VARIANTS, SIGMOID]),
    kind=st.sampled_from(sorted(SPACES)),
    seed=st.integers(0, 2**64),
    run=st.integers(0, 2**32),
    evaluations=st.integers(1, 120),
)
@settings(max_examples=100, deadline=None)
def test_lock_step_agrees_with_plain_python(variant, kind, seed, run, evaluations):
    agrees_with_its_oracle(*variant, TABLES[kind], seed, run, evaluations)


@pytest.mark.parametrize("kind", sorted(SPACES))
@pytest.mark.parametrize(("name", "parameters"), NETWORKS)
def test_the_recurrent_controller_agrees_with_torch(name, parameters, kind):
    pytest.importorskip("torch")
    agrees_with_its_oracle(name, {"units": 6, **parameters}, TABLES[kind], seed=3, run=11, evaluations=40)


def agrees_with_its_oracle(name, parameters, table, seed, run, evaluations):
    budget = nl.Budget(evaluations=evaluations)
    trace = nl.simulate(table, name, runs=3, first_run=run, seed=seed, budget=budget, **parameters)
    for position in range(3):
        measurements = Measurements(table, None, "sample")
        draws = Streams(seed, run + position, 1, MEASUREMENT)

        def evaluate(architecture, measurements=measurements, draws=draws):
            return float(measurements.observe(np.array([[architecture]]), draws).value[0, 0])

        oracle = getattr(oracles, name.replace("-", "_"))
        history = oracle(table.space, seed, run + position, evaluate, evaluations, **parameters)
        assert trace.architecture[position].tolist() == history


# What they share.


def random_policy(seed, runs=3, cardinalities=(4, 2, 3)):
    random = np.random.default_rng(seed)
    logits = categorical.uniform_logits(cardinalities, runs)
    return logits + random.standard_normal(logits.shape)


def log_probability(logits, codes):
    """Of codes (choices, runs), summed over runs, by the definition."""
    result = 0.0
    for (choice, run), code in np.ndenumerate(codes):
        row = logits[:, choice, run]
        result += row[code] - np.log(np.exp(row[np.isfinite(row)]).sum())
    return result


def slopes(function, at, step=1e-6):
    """Central differences at the finite entries of an array, 0 elsewhere."""
    gradient = np.zeros_like(at)
    for place in zip(*np.nonzero(np.isfinite(at)), strict=True):
        for sign in (1, -1):
            moved = at.copy()
            moved[place] += sign * step
            gradient[place] += sign * function(moved) / (2 * step)
    return gradient


def test_the_score_is_the_slope_of_the_log_probability():
    logits = random_policy(0)
    codes = np.array([[0, 3, 1], [1, 0, 1], [2, 0, 1]])
    expected = slopes(lambda moved: log_probability(moved, codes), logits)
    np.testing.assert_allclose(categorical.score(codes, categorical.softmax(logits)), expected, atol=1e-8)


def test_the_gradient_of_reinforce_is_the_slope_of_its_objective():
    logits, random = random_policy(1), np.random.default_rng(1)
    codes = np.stack([[random.integers(n, size=3) for n in (4, 2, 3)] for _ in range(5)])
    advantages = random.standard_normal((5, 3))

    def objective(moved):
        return sum(
            advantages[k, r] * log_probability(moved[:, :, r : r + 1], codes[k][:, r : r + 1])
            for k, r in itertools.product(range(5), range(3))
        )

    found = _gradient(codes, categorical.softmax(logits), advantages)
    np.testing.assert_allclose(found, slopes(objective, logits), atol=1e-7)


@pytest.mark.parametrize("clip", [0.05, 0.2, 0.9])
def test_the_gradient_of_ppo_is_the_slope_of_its_objective(clip):
    logits, random = random_policy(2), np.random.default_rng(2)
    codes = np.stack([[random.integers(n, size=3) for n in (4, 2, 3)] for _ in range(6)])
    before = categorical.softmax(logits + 0.2 * random.standard_normal(logits.shape))
    old = np.stack([categorical.at(before, drawn) for drawn in codes])
    advantages = random.standard_normal((6, 3))

    def objective(moved):
        p = categorical.softmax(moved)
        result = 0.0
        for k, i, r in itertools.product(range(6), range(3), range(3)):
            ratio = p[codes[k, i, r], i, r] / old[k, i, r]
            clipped = min(max(ratio, 1 - clip), 1 + clip)
            result += min(ratio * advantages[k, r], clipped * advantages[k, r]) / 6
        inside = p[p > 0]
        return result - 0.3 * (inside * np.log(inside)).sum()

    found = ascent(logits, codes, old, advantages, clip, 0.3)
    np.testing.assert_allclose(found, slopes(objective, logits), atol=1e-7)


def test_the_gradient_of_the_evaluator_is_the_slope_of_its_loss():
    random = np.random.default_rng(7)
    ratings = np.where(categorical.allowed((4, 2, 3))[:, :, None], random.standard_normal((4, 3, 3)), 0.0)
    pairs = [np.array([[random.integers(n, size=3) for n in (4, 2, 3)] for _ in range(5)]) for _ in range(2)]
    signs = random.integers(-1, 2, size=(5, 3)) * 1.0

    def mean_loss(moved):
        result = 0.0
        for one, other, sign in zip(*pairs, signs, strict=True):
            first, second = rate(moved, one), rate(moved, other)
            winner, loser = np.where(sign > 0, first, second), np.where(sign > 0, second, first)
            fraction = np.exp(2.0 * winner) / (np.exp(2.0 * winner) + np.exp(2.0 * loser))
            result -= np.where(sign == 0, 0.0, np.log(fraction)).sum() / 5
        return result

    found = evaluator_gradient(ratings, *map(list, pairs), list(signs), 2.0)
    np.testing.assert_allclose(found, slopes(mean_loss, ratings), atol=1e-8)


def test_backpropagation_through_time_is_the_slope_of_the_log_probability(monkeypatch):
    # Rounding has wider steps than finite differences.
    monkeypatch.setattr(lstm, "rounded", lambda matrix, *_, **__: matrix)
    random = np.random.default_rng(8)
    shape = lstm.Shape((4, 1, 3, 2), units=5, layers=2)
    parameters = random.standard_normal((2, shape.size)) / 2
    codes = np.stack([[random.integers(n, size=2) for n in shape.cardinalities] for _ in range(4)])
    weights = random.standard_normal((4, 2))

    def objective(moved):
        parts, memory, result = shape.parts(moved), lstm.first_memory(shape, 2, 4), 0.0
        for choice in range(4):
            step = lstm.forward(shape, parts, memory, choice, codes[:, choice - 1].T if choice else None)
            result += (np.log(categorical.at(step.shares, codes[:, choice])) * weights).sum()
        return result

    found = lstm.gradient(shape, parameters, codes, weights)
    np.testing.assert_allclose(found, slopes(objective, parameters), atol=1e-7)


def test_adam_does_what_torch_does():
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(3)
    ours = random.standard_normal((4, 3, 2))
    theirs = torch.tensor(ours.copy(), requires_grad=True)
    adam, optimiser = Adam.of(ours, 0.05), torch.optim.Adam([theirs], lr=0.05)
    for _ in range(20):
        gradient = random.standard_normal(ours.shape) ** 3
        adam.ascend(ours, gradient)
        theirs.grad = torch.tensor(-gradient)
        optimiser.step()
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-12)


def test_picks_follow_the_probabilities():
    share = np.array([0.2, 0.0, 0.5, 0.3, 0.0])
    n = 10_000
    uniform = (np.arange(n) + 0.5) / n
    codes = categorical.pick(np.repeat(share[:, None], n, axis=1), uniform)
    assert np.bincount(codes, minlength=5).tolist() == (share * n).round().astype(int).tolist()
    short = np.array([[0.3], [0.6999], [0.0]])  # adds up to less than 1
    assert categorical.pick(short, np.array([1 - 2**-53])).tolist() == [1]


@given(cardinalities=st.lists(st.integers(1, 6), min_size=1, max_size=5).map(tuple), seed=st.integers(0, 2**32))
def test_margins_are_kept_and_probabilities_add_up(cardinalities, seed):
    random = np.random.default_rng(seed)
    theta = categorical.uniform_probabilities(cardinalities, 4)
    moved = np.where(theta > 0, random.standard_normal(theta.shape), 0.0)
    theta += np.where(theta > 0, moved - moved.sum(axis=0) / np.array(cardinalities)[:, None], 0.0)
    least = categorical.margins(cardinalities)
    kept = categorical.keep_margins(theta, least)
    np.testing.assert_allclose(kept.sum(axis=0), 1.0, rtol=1e-12)
    assert (kept >= least * (1 - 1e-12)).all()
    assert (kept[~categorical.allowed(cardinalities)] == 0).all()


def test_codes_of_no_architecture_are_drawn_again_and_then_replaced_by_the_nearest():
    space = make_space({"name": "trans-macro"})
    codes = np.array(list(itertools.product(*map(range, space.cardinalities))))
    wrong = codes[space.find(codes) < 0][0]
    runs = 50
    sure = np.zeros((max(space.cardinalities), len(wrong), runs))
    for choice, code in enumerate(wrong):
        sure[code, choice] = 1.0
    drawn, architecture = code_draws.draw(space, Streams(0, 0, runs), 2, code_draws.picking(sure))
    assert (architecture >= 0).all()
    assert (space.codes(architecture) == drawn.transpose(2, 0, 1)).all()
    random = space.codes(space.sample(Streams(1, 0, runs).uniform(40)))
    assert (space.codes(architecture) == wrong).sum(axis=-1).mean() > (random == wrong).sum(axis=-1).mean() + 1

    mixed = categorical.uniform_probabilities(space.cardinalities, 20_000)
    _, architecture = code_draws.draw(space, Streams(2, 0, 20_000), 1, code_draws.picking(mixed))
    counts = np.bincount(architecture[:, 0], minlength=space.size)
    expected = 20_000 / space.size  # every architecture has codes of its own, so that all are equally likely
    assert ((counts - expected) ** 2 / expected).mean() == pytest.approx(1, abs=0.1)


# The mathematics of each.


def test_utilities_are_the_published_ones():
    """Akimoto et al. 2019, section 5: mu = 1 for 2 and 4 samples, 2 for 6."""
    for samples, expected in ((2, [1, -1]), (4, [1, 0, 0, -1]), (6, [0.5, 0.5, 0, 0, -0.5, -0.5])):
        assert utilities(-np.arange(samples)[:, None] * 1.0)[:, 0].tolist() == expected
    assert utilities(np.full((7, 1), 0.1)).tolist() == [[0.0]] * 7


def test_the_relaxed_score_is_the_slope_of_the_density_at_any_temperature():
    """Maddison et al. 2017, equation 10, differentiated numerically."""
    random = np.random.default_rng(4)
    theta = random.standard_normal(4)
    p = np.exp(theta) / np.exp(theta).sum()
    noise = -np.log(random.exponential(size=4))
    code = int((theta + noise).argmax())
    arrival = np.exp(-(np.log(p) + noise))[:, None, None]
    found = relaxed_score(arrival, p[:, None, None], np.array([[4]]))[:, 0, 0]
    for temperature in (0.3, 1.0, 4.0):
        z = np.exp((theta + noise) / temperature)
        z /= z.sum()

        def log_density(theta, z=z, temperature=temperature):
            rates = np.exp(theta) * z**-temperature
            return (np.log(np.exp(theta) * z ** (-temperature - 1)) - np.log(rates.sum())).sum()

        np.testing.assert_allclose(found, slopes(log_density, theta), atol=1e-6)

        def of_drawn(theta, temperature=temperature):
            soft = np.exp((theta + noise) / temperature)
            return soft[code] / soft.sum()

        through = straight_through(arrival, np.array([[code]]), p[:, None, None], temperature)[:, 0, 0]
        np.testing.assert_allclose(through, slopes(of_drawn, theta), atol=1e-6)


def test_noise_that_goes_with_an_architecture_is_that_of_a_race():
    """Drawing a value and then its noise is drawing the noise and taking the largest."""
    runs = 100_000
    p = np.repeat(np.array([0.5, 0.2, 0.3, 0.0])[:, None, None], runs, axis=2)
    uniform = Streams(5, 0, runs).uniform(5).T.copy()
    codes = categorical.pick(p, uniform[:1])
    arrival = arrivals(codes, p, uniform[1:].reshape(4, 1, runs))[:3, 0]
    assert (arrival.argmin(axis=0) == codes[0]).all()
    rates = np.array([0.5, 0.2, 0.3])[:, None]
    race = np.random.default_rng(6).exponential(size=(3, runs)) / rates
    for power in (1, 2):
        error = (race * rates) ** power
        tolerance = 6 * error.std(axis=1) / math.sqrt(runs)
        assert (np.abs(((arrival * rates) ** power).mean(axis=1) - error.mean(axis=1)) < tolerance).all()
    scores = relaxed_score(arrival[:, None], p[:3], np.array([[3]]))[:, 0]
    given_architecture = [scores[:, codes[0] == a].mean(axis=1) for a in range(3)]
    np.testing.assert_allclose(given_architecture, np.eye(3) - rates.T, atol=0.03)


# What they are good for.


@pytest.mark.parametrize(
    "name",
    [
        "reinforce",
        "pbil",
        "umda",
        "asng",
        "gumbel-softmax",
        "ppo",
        "q-learning",
        "recurrent-controller",
        "adversarial-search",
    ],
)
def test_better_than_random_search_on_a_separable_landscape(name):
    assert_better_than_random_search(name, 300)


@pytest.mark.mirror
def test_reinforce_on_nas_bench_201():
    """Dong and Yang 2020, table 5: 91.09 +- 0.37 validation and 93.85 +- 0.37 test accuracy after 12,000 seconds."""
    table = nl.load("nats-bench-tss/cifar10")
    budget = nl.Budget(seconds=12_000)
    trace = nl.simulate(table, "reinforce", runs=1_000, budget=budget, fidelity=12, repeat="mean")
    for split, accuracy in (("valid", 91.09), ("test", 93.85)):
        assert trace.final(split).mean() == pytest.approx(accuracy, abs=0.08)
        assert trace.final(split).std() == pytest.approx(0.37, abs=0.05)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("reinforce", {"learning_rate": 0}, "learning_rate must be above 0, got 0"),
        ("reinforce", {"learning_rate": "fast"}, "learning_rate must be a finite number, got 'fast'"),
        ("reinforce", {"momentum": 0.0}, "momentum must be above 0 and below 1, got 0.0"),
        ("reinforce", {"reward": "rank"}, "reward must be 'raw' or 'sigmoid', got 'rank'"),
        ("reinforce", {"beta": math.nan}, "beta must be a finite number, got nan"),
        ("pbil", {"population_size": 0}, "population_size must be at least 1, got 0"),
        ("pbil", {"learning_rate": 1.5}, "learning_rate must be above 0 and at most 1, got 1.5"),
        ("pbil", {"mutation_shift": -1}, "mutation_shift must be from 0 to 1, got -1"),
        ("umda", {"selected": 30}, "selected must be at most population_size, 20, got 30"),
        ("asng", {"samples": 1}, "samples must be at least 2, got 1"),
        ("gumbel-softmax", {"estimator": "x"}, "estimator must be 'score' or 'straight-through', got 'x'"),
        ("ppo", {"batch_size": 1}, "batch_size must be at least 2, got 1"),
        ("ppo", {"clip": 1.0}, "clip must be above 0 and below 1, got 1.0"),
        ("q-learning", {"replay": 0}, "replay must be at least 1, got 0"),
        ("recurrent-controller", {"units": 2.5}, "units must be a whole number, got 2.5"),
        ("adversarial-search", {"beta": -1}, "beta must be above 0, got -1"),
        ("q-learning", {"schedule": True}, "schedule must be a finite number, got True"),
    ],
)
def test_bad_parameters_are_one_clear_line(name, parameters, message):
    with pytest.raises(ParameterError) as error:
        resolve(name, parameters)
    assert str(error.value) == message
