"""Model-based strategies: conformance, their mathematics against independent oracles, and that they do their job."""

import model_oracles
import numpy as np
import pytest
from conformance_cases import cases_of
from effect import assert_better_than_random_search
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from sklearn.gaussian_process import GaussianProcessRegressor, kernels

import nasbench_lab as nl
from nasbench_lab import spaces
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.measurements import Measurements
from nasbench_lab.strategies import Evaluations, Problem, resolve
from nasbench_lab.strategies.models import acquisition, network_ensemble, random_forest, rough_sums, screen
from nasbench_lab.strategies.models.encodings import encode
from nasbench_lab.strategies.models.gaussian_process import Regression, most_likely
from nasbench_lab.strategies.models.gp_candidates import Pool, WholeSpace
from nasbench_lab.strategies.models.kernels import CodeGrid, Sums, correlation
from nasbench_lab.strategies.models.log_costs import LogCosts
from nasbench_lab.strategies.models.normal_draws import normal_numbers
from nasbench_lab.strategies.models.observations import Observations
from nasbench_lab.strategies.models.rough_sums import RoughSums
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.strategies.registry import strategy_class
from nasbench_lab.streams import MEASUREMENT, Streams
from nasbench_lab.testing import SPACES, synthetic_table

VARIANTS = [
    ("gp-bo", {}),
    ("gp-bo", {"kernel": "path", "acquisition": "ucb", "pool_size": 50, "initial": 3}),
    ("gp-bo", {"kernel": "matern", "acquisition": "thompson", "initial": 1, "fantasy": "min"}),
    ("gp-bo", {"acquisition": "mes", "lengthscale": 1.0, "noise": 0.01, "initial": 20}),
    ("smac", {}),
    ("smac", {"initial": 1, "trees": 2, "depth": 2, "least": 2, "share": 0.3, "random": 0.5, "pool_size": 7}),
    ("smac", {"scaling": "linear"}),
    ("tpe", {}),
    ("bananas", {}),
    ("brp-nas", {}),
    ("brp-nas", {"batch": 3, "greedy": 1.0, "encoding": "path", "layers": 1, "width": 5, "steps": 7}),
    ("bananas", {"initial": 3, "batch": 4, "members": 2, "encoding": "one-hot", "layers": 1, "width": 5, "steps": 7}),
    ("npenas", {}),
    ("npenas", {"initial": 3, "batch": 4, "candidates": 9, "parents": 2, "encoding": "path", "layers": 1, "steps": 7}),
    ("progressive-search", {}),
    ("progressive-search", {"initial": 3, "batch": 4, "members": 1, "pool_size": 9, "encoding": "path", "steps": 7}),
    ("tpe", {"initial": 1, "gamma": 0.3, "most_good": 3, "candidates": 5, "remembered": 4, "revisit": True}),
]


@pytest.mark.parametrize(("case", "name", "parameters"), cases_of(VARIANTS))
def test_conformance(case, name, parameters):
    case(resolve(name, parameters))


# Gaussian processes.


class Lookup:
    """A space, some of its architectures as the proposals of several runs, and values for them."""

    def __init__(self, kind, runs=3, count=12):
        self.space = spaces.make_space(SPACES[kind])
        random = np.random.default_rng(7)
        self.architecture = np.stack([random.permutation(self.space.size)[:count] for _ in range(runs)])
        quality = random.random(self.space.size)
        self.value = 3.0 + quality[self.architecture] + 0.1 * random.standard_normal((runs, count))
        self.visited = Visited(self.space, runs)
        for column in self.architecture.T:
            self.visited.add(np.arange(runs), column)

    def fitted(self, kernel, lengthscale=0.7, noise=0.03, known=8):
        """Candidates that were fitted to the first proposals, and then told of the others, one by one."""
        runs = len(self.value)
        if kernel == "path":
            candidates = Pool(self.space, kernel, (lengthscale,), runs, 40)
        else:
            candidates = WholeSpace(self.space, kernel, (lengthscale,), runs)
        for step in range(self.value.shape[1]):
            if step == known:
                candidates.fit((noise,), self.value[:, :known])
            candidates.add(self.architecture[:, step])
        return candidates

    def sklearn(self, kernel, lengthscale):
        """The same kernel on vectors of zeros and ones, as scikit-learn has it."""
        codes = len(self.space.cardinalities)
        if kernel == "matern":
            return "one-hot", kernels.Matern(lengthscale * np.sqrt(2 * codes), nu=2.5)
        if kernel == "hamming":
            return "one-hot", kernels.RBF(np.sqrt(codes * lengthscale))
        some = encode(self.space, np.linspace(0, self.space.size - 1, min(1000, self.space.size)).astype(int), "path")
        return "path", kernels.RBF(np.sqrt(some.sum(axis=1, dtype=float).mean() * lengthscale))


@pytest.mark.parametrize("kind", ["topology", "gnn", "chain"])
@pytest.mark.parametrize("kernel", ["hamming", "matern", "path"])
def test_posterior_agrees_with_scikit_learn(kind, kernel):
    data = Lookup(kind)
    candidates = data.fitted(kernel)
    prediction = candidates.predict(data.value, data.architecture, data.visited, Streams(0, 0, 3))
    encoding, correlated = data.sklearn(kernel, 0.7)
    for run in range(3):
        points = encode(data.space, data.architecture[run], encoding)
        covariance = correlated(points) + 0.03 * np.eye(len(points))
        ones = np.ones(len(points))
        y = data.value[run]
        mean = ones @ np.linalg.solve(covariance, y) / (ones @ np.linalg.solve(covariance, ones))
        variance = (y - mean) @ np.linalg.solve(covariance, y - mean) / len(y)
        model = GaussianProcessRegressor(
            kernels.ConstantKernel(variance) * correlated, alpha=variance * 0.03, optimizer=None
        )
        model.fit(points, y - mean)
        architecture = prediction.architecture[run]
        there = np.flatnonzero(architecture >= 0)[:3000]
        expected, deviation = model.predict(encode(data.space, architecture[there], encoding), return_std=True)
        new = ~np.isin(architecture[there], data.architecture[run])
        bounds = prediction.bounds
        assert np.isneginf(bounds.mean[run, there][~new]).all()
        found = [numbers[0] for numbers in bounds.exactly(np.array([run]), there[None])]
        np.testing.assert_allclose(found[0][new], mean + expected[new], rtol=1e-9)
        np.testing.assert_allclose(found[1][new], deviation[new], rtol=1e-6)
        assert (np.abs(bounds.mean[run, there] - found[0])[new] <= bounds.error[run] + 1e-12).all()
        assert (bounds.left[run, there] * bounds.scale[run] ** 2 >= found[1] ** 2 - 1e-12).all()
        assert prediction.best[run] == pytest.approx((mean + model.predict(points)).max(), rel=1e-9)


def test_hyper_parameters_are_the_most_likely_of_scikit_learn():
    data = Lookup("topology", runs=6, count=25)
    codes = data.space.codes(data.architecture)
    data.value[:3] = 1.0 * (codes[:3] == 2).sum(axis=2) + 0.01 * data.value[:3]
    lengthscales, noises = (0.25, 1.0, 4.0), (1e-3, 1e-1)
    grid = CodeGrid(data.space, correlation("hamming", np.arange(7) / 6, np.array(lengthscales)[:, None]))
    place = grid.place[data.architecture]
    found = most_likely(
        lambda k: grid.correlate(np.full(6, k), place[:, :, None], place[:, None]), 3, noises, data.value
    )
    for run in range(6):
        points, y = data.space.features(data.architecture[run]), data.value[run]
        likelihoods = np.empty((3, 2))
        for i, lengthscale in enumerate(lengthscales):
            for j, noise in enumerate(noises):
                covariance = kernels.RBF(np.sqrt(6 * lengthscale))(points) + noise * np.eye(len(y))
                inverse = np.linalg.inv(covariance)
                mean = (inverse @ y).sum() / inverse.sum()
                variance = (y - mean) @ inverse @ (y - mean) / len(y)
                model = GaussianProcessRegressor(
                    kernels.ConstantKernel(variance) * kernels.RBF(np.sqrt(6 * lengthscale)),
                    alpha=variance * noise,
                    optimizer=None,
                )
                likelihoods[i, j] = model.fit(points, y - mean).log_marginal_likelihood_value_
        assert (found[0][run], found[1][run]) == np.unravel_index(likelihoods.argmax(), likelihoods.shape)
    assert len(set(found[0].tolist())) > 1, "the data have different lengthscales"


def test_a_row_at_a_time_is_the_whole_factor():
    random = np.random.default_rng(0)
    points = random.random((4, 40, 3))
    correlations = np.exp(-np.abs(points[:, :, None] - points[:, None]).sum(axis=-1))
    grown, whole = Regression(np.full(4, 0.01)), Regression(np.full(4, 0.01))
    for step in range(40):
        grown.append(correlations[:, step, :step])
    whole.refit(np.arange(4), correlations, np.full(4, 0.01))
    np.testing.assert_allclose(grown.inverse, whole.inverse, atol=1e-10)
    value = random.random((4, 40))
    expected = np.linalg.solve(correlations + 0.01 * np.eye(40), value[:, :, None])[:, :, 0]
    np.testing.assert_allclose(whole.solve(value), expected, atol=1e-10)


@pytest.mark.parametrize("kernel", ["hamming", "matern"])
@pytest.mark.parametrize(("count", "block"), [(5, 2**17), (5, 1), (40, 2**14), (200, 2**17)])
def test_sums_of_correlations_by_factors_and_by_eigenvectors(kernel, count, block):
    random = np.random.default_rng(2)
    space = spaces.make_space(SPACES["topology"])
    codes = len(space.cardinalities)
    grid = CodeGrid(space, correlation(kernel, np.arange(codes + 1) / codes, np.array([[0.3], [2.0]])))
    lengthscale = np.array([0, 1, 1])
    place = random.integers(grid.size, size=(3, count))
    sums = Sums(grid, lengthscale, place[:, :3])
    for column in place[:, 3:].T:
        sums.add(column[:, None])
    weights = random.standard_normal((3, count))
    everywhere = np.arange(grid.size)
    expected = [
        weights[run] @ grid.correlate(lengthscale[run, None], place[None, run, :, None], everywhere[None, None])[0]
        for run in range(3)
    ]
    np.testing.assert_allclose(sums.sum(weights), expected, atol=1e-11 * count)
    alone = Sums(grid, lengthscale[1:2], place[1:2])
    assert (alone.sum(weights[1:2]) == sums.sum(weights)[1]).all(), "a run does not depend on the others"
    rough, error = RoughSums(grid).sum(lengthscale, place, np.stack([weights, -weights], axis=1))
    assert (np.abs(rough[:, 0] - expected) <= error[:, :1]).all()
    assert (rough[:, 1] == -rough[:, 0]).all()
    apart = RoughSums(grid).sum(lengthscale[1:2], place[1:2], weights[1:2, None])[0]
    assert (apart[0, 0] == rough[1, 0]).all(), "a run does not depend on the others"
    rows = np.tril(random.standard_normal((3, count, count))) / (2 * count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rough_sums, "_BLOCK", block)
        explained, bound = RoughSums(grid).explained(1, place[1], rows[1])
    one_by_one = np.square([sums.sum(rows[:, t, : t + 1])[1] for t in range(count)]).sum(axis=0)
    assert (np.abs(explained - one_by_one) <= bound).all()


def test_a_fit_that_changes_some_runs_leaves_a_posterior_like_a_new_one():
    data, found = Lookup("topology", runs=8, count=30), []
    codes = data.space.codes(data.architecture)
    data.value[:4] = 1.0 * (codes[:4] == 2).sum(axis=2) + 0.01 * data.value[:4]
    for fits in ([10, 20, 30], [30]):
        candidates = WholeSpace(data.space, "matern", (0.25, 1.0, 4.0), 8)
        chosen = []
        for step in range(1, 31):
            candidates.add(data.architecture[:, step - 1])
            if step in fits:
                candidates.fit((1e-3, 1e-1), data.value[:, :step])
                chosen.append(candidates.lengthscale)
        found.append(candidates.predict(data.value, data.architecture, data.visited, Streams(0, 0, 8)))
        if len(fits) > 1:
            changed = (chosen[-1] != chosen[0]) | (chosen[-1] != chosen[1])
            assert changed.any()
            assert not changed.all(), "some runs keep their lengthscale"
    position = np.arange(0, data.space.size, 7) + np.zeros((8, 1), dtype=int)
    one, other = (each.bounds.exactly(np.arange(8), position) for each in found)
    np.testing.assert_allclose(one[0], other[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(one[1], other[1], atol=1e-9)
    for each in found:
        assert (np.abs(each.bounds.left - found[0].bounds.left).max(axis=1) < 1e-2).all()


def test_normal_numbers_are_normal_and_a_run_has_its_own():
    numbers = normal_numbers(Streams(5, 0, 4), 50_001)
    assert stats.kstest(numbers.astype(float).ravel(), "norm").pvalue > 1e-3
    assert abs(np.corrcoef(numbers[:, :25_000].ravel(), numbers[:, 25_001:].ravel())[0, 1]) < 0.015
    assert (normal_numbers(Streams(5, 2, 1), 50_001)[0] == numbers[2]).all()


@pytest.mark.parametrize("kernel", ["hamming", "matern"])
def test_prior_draws_have_the_covariance_of_the_kernel(kernel):
    space = spaces.make_space({"name": "gnn", "operations": ["gcn", "sage", "skip"]})
    codes = len(space.cardinalities)
    grid = CodeGrid(space, correlation(kernel, np.arange(codes + 1) / codes, np.array([[0.3], [2.0]])))
    place = np.arange(grid.size)
    for lengthscale in range(2):
        root = grid.spectrum.sample(np.full(grid.size, lengthscale), np.eye(grid.size))
        covariance = grid.correlate(np.array([lengthscale]), place[None, :, None], place[None, None])[0]
        np.testing.assert_allclose(root.T @ root, covariance, atol=1e-12)


@pytest.mark.parametrize("kernel", ["hamming", "path"])
def test_thompson_draws_have_the_moments_of_the_posterior(kernel):
    runs = 30_000
    space = spaces.make_space({"name": "chain", "choices": "ab", "length": 3})
    architecture, value = np.repeat([[1, 6]], runs, axis=0), np.repeat([[0.0, 2.0]], runs, axis=0)
    candidates = Pool(space, kernel, (1.0,), runs, 8) if kernel == "path" else WholeSpace(space, kernel, (1.0,), runs)
    for column in architecture.T:
        candidates.add(column)
    candidates.fit((0.1,), value)
    prediction = candidates.predict(value, architecture, Visited(space, runs), Streams(0, 0, runs))
    drawn = candidates.draw(value, prediction, Streams(1, 0, runs))
    position = np.broadcast_to(np.arange(8), prediction.bounds.mean.shape)
    mean, deviation = prediction.bounds.exactly(np.arange(runs), position)
    sure = ~np.isneginf(prediction.bounds.mean)
    error = (drawn[sure] - mean[sure]) / deviation[sure]
    assert abs(error.mean()) < 5 / np.sqrt(error.size / 8)
    assert error.std() == pytest.approx(1.0, abs=0.02)
    if kernel == "hamming":
        points = np.array([0, 2])
        covariance = np.exp(-(space.codes([0, 2])[:, None] != space.codes([0, 2])).sum(axis=-1) / 3)
        cross = np.exp(-(space.codes([0, 2])[:, None] != space.codes([1, 6])).sum(axis=-1) / 3)
        own = np.exp(-(space.codes([1, 6])[:, None] != space.codes([1, 6])).sum(axis=-1) / 3) + 0.1 * np.eye(2)
        expected = covariance - cross @ np.linalg.solve(own, cross.T)
        scale = prediction.estimate.scale[0]
        np.testing.assert_allclose(np.cov(drawn[:, points].T) / scale**2, expected, atol=0.03)


# Acquisition functions.


@pytest.mark.parametrize(("mean", "deviation", "best"), [(0.0, 1.0, 0.5), (2.0, 0.3, 1.9), (-3.0, 0.7, 0.0)])
def test_expected_improvement_agrees_with_quadrature(mean, deviation, best):
    normal = stats.norm(mean, deviation)
    expected, _ = integrate.quad(lambda y: (y - best) * normal.pdf(y), best, best + 40 * deviation, epsabs=1e-14)
    found = acquisition.expected_improvement(np.array([mean]), np.array([deviation]), np.array([best]))
    assert found[0] == pytest.approx(expected, rel=1e-6)


def test_expected_improvement_without_deviation_is_the_gain():
    found = acquisition.expected_improvement(np.array([1.0, 3.0]), np.zeros(2), np.full(2, 2.0))
    assert found.tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("mean", "deviation", "best"),
    [(0.0, 1.0, 0.5), (2.0, 0.3, 1.9), (-3.0, 0.7, 0.0), (1.0, 4.0, 3.0), (0.1, 0.01, 0.2), (5.0, 0.5, 1.0)],
)
def test_expected_improvement_of_logs_agrees_with_quadrature(mean, deviation, best):
    def gain(z):
        return (np.exp(-best) - np.exp(-mean - z * deviation)) * stats.norm.pdf(z)

    least = (best - mean) / deviation
    highest = max(least, 0.0)
    parts = [
        integrate.quad(gain, *ends, epsabs=0, limit=200)[0] for ends in ((least, highest), (highest, highest + 30))
    ]
    found = acquisition.expected_improvement_of_logs(np.array([mean]), np.array([deviation]), np.array([best]))
    assert found[0] == pytest.approx(sum(parts), rel=1e-9)


def test_expected_improvement_of_logs_without_deviation_is_the_gain():
    found = acquisition.expected_improvement_of_logs(np.array([1.0, 3.0]), np.zeros(2), np.full(2, 2.0))
    assert found.tolist() == pytest.approx([0.0, np.exp(-2) - np.exp(-3)])


def test_expected_improvement_of_logs_is_precise_far_below_the_best():
    """The difference of two nearly equal numbers would be rounding error, and architectures equal or out of order."""
    mean = np.linspace(-12, -6, 100)
    found = acquisition.expected_improvement_of_logs(mean, np.ones(100), np.zeros(100))
    assert (np.diff(found) > 0).all()
    # R(z) - R(z - 1) of Mills ratios, by their asymptotic series.
    z = -mean[0]
    series = sum(
        (-1) ** k * np.prod(np.arange(1, 2 * k, 2)) * (z ** -(2 * k + 1) - (z + 1) ** -(2 * k + 1)) for k in range(6)
    )
    assert found[0] == pytest.approx(stats.norm.pdf(z) * series, rel=1e-4)


# Logarithms of costs.


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=60).filter(lambda values: len(set(values)) > 1))
def test_log_costs_are_those_of_smac3(accuracies):
    """`RunHistoryEncoder._build_matrix` and `RunHistoryLogScaledEncoder` of SMAC3 2.4.0, for costs of range 1."""
    value = np.array(accuracies) / (max(accuracies) - min(accuracies))
    cost = -value
    least = cost.min() - (np.percentile(cost, 5) - cost.min()) - 1e-10
    expected = np.log((cost - least) / (cost.max() - least))
    logs = LogCosts.of(np.stack([value, 10.0 - 3.0 * cost]))
    # The formula subtracts costs that may differ by 1e-10 only, so their rounding shows in its logarithms.
    rounding = 1e-5 + 16 * np.finfo(float).eps * np.abs(cost).max() / 1e-10
    np.testing.assert_allclose(logs.value, [-expected, -expected], rtol=1e-6, atol=rounding)
    np.testing.assert_allclose(logs.values(logs.value[:, 0]), [value[0], 10.0 + 3.0 * value[0]], atol=1e-9)


def test_equal_values_have_equal_log_costs():
    logs = LogCosts.of(np.full((1, 7), 0.3))
    assert logs.value.tolist() == [[0.0] * 7]
    assert logs.values(np.zeros(1)).tolist() == [0.3]


def test_max_value_entropy_agrees_with_quadrature():
    """The entropy of a normal variable less that of the variable cut off at each maximum, averaged."""
    mean, deviation, maxima = 0.3, 0.8, np.array([0.1, 1.0, 3.0])

    def entropy_below(maximum):
        log_mass = stats.norm.logcdf((maximum - mean) / deviation)

        def integrand(y):
            log_density = stats.norm.logpdf(y, mean, deviation) - log_mass
            return -np.exp(log_density) * log_density

        return integrate.quad(integrand, mean - 12 * deviation, maximum, epsabs=1e-12, limit=200)[0]

    expected = np.mean([stats.norm(mean, deviation).entropy() - entropy_below(m) for m in maxima])
    found = acquisition.max_value_entropy(np.array([mean]), np.array([deviation]), maxima[None])
    assert found[0] == pytest.approx(expected, rel=1e-6)


def test_maxima_have_the_quartiles_of_the_largest_of_normal_variables():
    random = np.random.default_rng(0)
    mean, deviation = random.standard_normal((3, 200)), 0.1 + random.random((3, 200))
    uniform = np.tile(np.array([0.25, 0.5, 0.75, 0.9]), (3, 1))
    found = acquisition.sample_maxima(mean, deviation, uniform)
    for run in range(3):
        quantiles = stats.norm.cdf((found[run][:, None] - mean[run]) / deviation[run]).prod(axis=1)
        np.testing.assert_allclose(quantiles[:3], uniform[run, :3], atol=0.02)
        assert quantiles[3] == pytest.approx(0.9, abs=0.03), "the Gumbel distribution is an approximation"


@pytest.mark.parametrize("rounding", [0.0, 1e-3])
def test_the_best_score_is_found_without_computing_all(rounding):
    random = np.random.default_rng(0)
    mean, deviation = random.standard_normal((200, 500)), random.random((200, 500))
    mean[50:100] = np.round(mean[50:100])
    deviation[:100] = np.round(deviation[:100], 1)
    best = np.linspace(-1, 6, 200)
    maxima = np.maximum(mean.max(axis=1), best)[:, None] + random.random((200, 3))
    known = mean + rounding * random.uniform(-1, 1, mean.shape)
    known[:, :5] = -np.inf
    scale = 1.0 + random.random(200)
    left = ((deviation / scale[:, None]) ** 2 * (1.0 + rounding * random.random(mean.shape))).astype(np.float32)
    computed = []

    def exactly(run, position):
        computed.append(position.size)
        return mean[run[:, None], position], deviation[run[:, None], position]

    bounds = screen.Bounds(known.astype(np.float32), np.full(200, rounding + 1e-6), left + 1e-6, scale, exactly)
    scores = [
        (
            lambda m, s, run: acquisition.expected_improvement(m, s, best[run]),
            lambda m, s, run: acquisition.roughly_expected_improvement(m, s, best[run]),
        ),
        (
            lambda m, s, run: acquisition.max_value_entropy(m, s, maxima[run]),
            lambda m, s, run: acquisition.roughly_max_value_entropy(m, s, maxima[run]),
        ),
    ]
    run = np.repeat(np.arange(200)[:, None], 500, axis=1)
    for score, rough in scores:
        everything = np.where(np.isneginf(known), -np.inf, score(mean, deviation, run))
        expected = acquisition.first_best(everything)
        computed.clear()
        found = screen.best_candidate(score, rough, bounds)
        assert np.array_equal(found.position, expected)
        assert np.array_equal(found.mean, mean[np.arange(200), expected])
        assert sum(computed) < 0.2 * mean.size
    for weight in (0.0, 2.0, 100.0):
        keys = np.where(np.isneginf(known), -np.inf, mean + weight * deviation)
        assert np.array_equal(screen.best_sum(weight, bounds).position, acquisition.first_best(keys))
        order = np.sort(np.argsort(-keys, axis=1, kind="stable")[:, :64], axis=1)
        means, deviations = screen.largest(bounds, weight, 64)
        assert np.array_equal(means, np.take_along_axis(mean, order, axis=1))
        assert np.array_equal(deviations, np.take_along_axis(deviation, order, axis=1))


# Observations.


def test_failures_count_as_the_worst_and_pending_proposals_as_the_fantasy():
    def told(fantasy):
        observations = Observations(2, fantasy)
        for believed in (None, None, np.array([7.0, 8.0]), None):
            observations.propose(np.array([3, 4]), believed)
        value = np.array([[1.0, np.nan], [5.0, 3.0]])
        observations.tell(Evaluations(np.zeros((2, 2), dtype=int), value, np.array([[0, 1], [1, 0]])))
        scaled, centre, scale = observations.values()
        np.testing.assert_allclose(scaled.mean(axis=1), 0.0, atol=1e-15)
        return (scaled * scale[:, None] + centre[:, None]).round(12).tolist()

    assert told("believer") == [[1.0, 1.0, 7.0, 1.0], [3.0, 5.0, 8.0, 4.0]]
    assert told("min") == [[1.0, 1.0, 1.0, 1.0], [3.0, 5.0, 3.0, 3.0]]
    assert told("mean") == [[1.0, 1.0, 1.0, 1.0], [3.0, 5.0, 4.0, 4.0]]
    assert told("max") == [[1.0, 1.0, 1.0, 1.0], [3.0, 5.0, 5.0, 5.0]]


# Encodings.


def test_paths_of_a_nas_bench_201_cell():
    space = spaces.make_space({"name": "topology"})
    index = int(space.index([1, 2, 3, 4, 0, 2]))  # edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3
    paths = np.flatnonzero(encode(space, np.array(index), "path")).tolist()
    assert paths == sorted([4, 5 + 1 + 5 * 0, 5 + 2 + 5 * 2, 30 + 1 + 5 * 3 + 25 * 2])


# Evaluation by evaluation, against plain Python.

WEAK = {"pool_size", "steps"}
"""Parameters that make a model worse on purpose."""

TABLES = {kind: synthetic_table(kind, failures=0.1) for kind in SPACES}


@given(
    parameters=st.sampled_from([parameters for name, parameters in VARIANTS if name == "tpe"]),
    kind=st.sampled_from(sorted(SPACES)),
    seed=st.integers(0, 2**64),
    evaluations=st.integers(1, 80),
)
@settings(max_examples=40)
def test_tpe_agrees_with_plain_python(parameters, kind, seed, evaluations):
    table = TABLES[kind]
    trace = nl.simulate(table, "tpe", runs=2, seed=seed, budget=nl.Budget(evaluations=evaluations), **parameters)
    for run in range(2):
        measurements, draws = Measurements(table, None, "sample"), Streams(seed, run, 1, MEASUREMENT)

        def evaluate(architecture, measurements=measurements, draws=draws):
            return float(measurements.observe(np.array([[architecture]]), draws).value[0, 0])

        expected = model_oracles.tpe(table.space, seed, run, evaluate, evaluations, **parameters)
        assert trace.architecture[run][trace.mask[run]].tolist() == expected


# Networks.


def unrounded(matrix, bits, out=None):
    """In place of `exact_products.rounded`, whose steps are wider than finite differences."""
    return matrix


@pytest.mark.parametrize("loss", ["absolute error", "squared error", "pairwise"])
def test_gradients_agree_with_finite_differences(loss, monkeypatch):
    monkeypatch.setattr(network_ensemble, "rounded", unrounded)
    random = np.random.default_rng(3)
    networks = network_ensemble.Networks(inputs=4, layers=2, width=5, members=2, steps=1, learning_rate=0.01)
    x = random.random((3, 6, 4)).astype(np.float32)
    target = random.random((3, 6))
    target[1, 2:] = target[1, 2]
    parameters = [p.astype(np.float64) for p in networks.initial(random.random((3, networks.uniforms)))]

    def value():
        output = networks.predict(parameters, x.astype(np.float64)).astype(np.float64)
        if loss == "absolute error":
            return np.abs(output - target[:, None].astype(np.float32)).mean(axis=2)
        if loss == "squared error":
            return np.square(output - target[:, None].astype(np.float32)).mean(axis=2)
        total = np.zeros((3, 2))
        for run in range(3):
            better = [(i, j) for i in range(6) for j in range(6) if target[run, i] > target[run, j]]
            for member in range(2):
                o = output[run, member]
                total[run, member] = np.mean([np.log1p(np.exp(o[j] - o[i])) for i, j in better])
        return total

    slopes = {"absolute error": network_ensemble.absolute_error, "squared error": network_ensemble.squared_error}
    slope = slopes.get(loss, network_ensemble.pairwise_ranking)(target)
    gradients = networks.gradients(parameters, x.astype(np.float64), slope)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        for place in np.ndindex(parameter.shape[2:]):
            before = parameter[:, :, *place].copy()
            parameter[:, :, *place] = before + 1e-6
            above = value()
            parameter[:, :, *place] = before - 1e-6
            below = value()
            parameter[:, :, *place] = before
            np.testing.assert_allclose(gradient[:, :, *place], (above - below) / 2e-6, atol=2e-6)


def test_a_trained_ranking_agrees_with_the_values():
    random = np.random.default_rng(0)
    networks = network_ensemble.Networks(inputs=10, layers=2, width=20, members=1, steps=200, learning_rate=0.01)
    x = (random.random((4, 40, 10)) < 0.5).astype(np.float32)
    target = x @ random.random(10)
    parameters = networks.initial(random.random((4, networks.uniforms)))
    networks.train(parameters, x, network_ensemble.pairwise_ranking(target))
    found = networks.predict(parameters, x)[:, 0]
    assert min(stats.kendalltau(found[run], target[run]).statistic for run in range(4)) > 0.95


def test_inputs_that_are_always_zero_do_not_change_a_network():
    """Training leaves them out; plain steps of Adam with all inputs, one parameter at a time, give the same bits."""
    random = np.random.default_rng(5)
    networks = network_ensemble.Networks(inputs=12, layers=2, width=5, members=3, steps=9, learning_rate=0.01)
    x = (random.random((4, 7, 12)) < 0.2).astype(np.float32)
    x[0] = 0.0
    slope = network_ensemble.absolute_error(random.random((4, 7)))
    parameters = networks.initial(random.random((4, networks.uniforms)))
    parameters[0][1:3, :, np.flatnonzero(~x[1].any(axis=0))] *= 8.0  # the largest weights are of an unused input
    plain = [parameter.copy() for parameter in parameters]
    networks.train(parameters, x, slope)
    first, second = ([np.zeros_like(parameter) for parameter in plain] for _ in range(2))
    kept, kept_square = 1.0, 1.0
    for _ in range(9):
        kept, kept_square = kept * 0.9, kept_square * 0.99
        rate = np.float32(0.01 * np.sqrt(1 - kept_square) / (1 - kept))
        slopes = networks.gradients(plain, x.astype(np.float64), slope)
        for place, gradient in enumerate(gradient.astype(np.float32) for gradient in slopes):
            first[place] = first[place] * np.float32(0.9) + np.float32(0.1) * gradient
            second[place] = second[place] * np.float32(0.99) + gradient * gradient * np.float32(0.01)
            plain[place] -= first[place] / (np.sqrt(second[place]) + np.float32(1e-7)) * rate
    for parameter, expected in zip(parameters, plain, strict=True):
        np.testing.assert_array_equal(parameter, expected)


# Forests.


def test_trees_agree_with_plain_python():
    """Grown one node at a time from the same random numbers."""
    cardinalities, runs, n = (3, 2, 4), 5, 30
    random = np.random.default_rng(2)
    codes = np.stack([random.integers(c, size=(runs, n + 20)) for c in cardinalities], axis=-1)
    value = codes[:, :n].sum(axis=2) + random.standard_normal((runs, n))
    grower = random_forest.Forest(cardinalities, trees=3, depth=4, least=4, share=0.6)
    uniform = random.random((runs, grower.uniforms(n)))
    columns = grower.columns(codes)
    mean, deviation = grower.grow(columns[:, :n], value, uniform).predict(columns[:, n:])
    for run in range(runs):
        draws = uniform[run, : 3 * n].reshape(3, n)
        subsets = uniform[run, 3 * n :].reshape(3, 15, 3)
        for point in range(20):
            leaves = []
            for tree in range(3):
                examples = [int(u * n) for u in draws[tree]]
                node = 0
                for level in range(4):
                    by = model_oracles.best_split(
                        codes[run], value[run], examples, cardinalities, subsets[tree][2**level - 1 + node], 4, 2
                    )
                    has = by is not None and codes[run][n + point][by[0]] == by[1]
                    if by is not None:
                        examples = [e for e in examples if (codes[run][e][by[0]] == by[1]) == has]
                    node = 2 * node + has
                leaves.append(value[run][examples])
            means = [leaf.mean() for leaf in leaves]
            variance = np.mean([leaf.var() for leaf in leaves]) + np.var(means)
            assert mean[run, point] == pytest.approx(np.mean(means), abs=1e-9)
            assert deviation[run, point] == pytest.approx(np.sqrt(variance), abs=1e-6)


# What they are for.


@pytest.mark.parametrize(("name", "parameters"), [v for v in VARIANTS if not WEAK & set(v[1])])
def test_better_than_random_search_on_a_separable_landscape(name, parameters):
    """With 60 evaluations; model-free strategies have 150."""
    assert_better_than_random_search(name, 60, **parameters)


def test_npenas_evaluates_neighbours_of_the_best():
    table = synthetic_table("topology", noise=0.0)
    trace = nl.simulate(table, "npenas", runs=20, budget=nl.Budget(evaluations=40), repeat="mean", parents=3)
    value = table.mean_values("valid_accuracy")
    for run in trace.architecture:
        for batch in (10, 20, 30):
            best = run[np.argsort(-value[run[:batch]], kind="stable")[:3]]
            assert np.isin(run[batch : batch + 10], table.space.neighbors(best)).all()
        assert len(set(run.tolist())) == 40


@pytest.mark.parametrize(
    ("space", "smallest"),
    [
        (spaces.make_space(SPACES["topology"]), 25),
        (spaces.make_space(SPACES["chain"]), 11),
        (spaces.Cell101Space(5), 7),
    ],
    ids=repr,
)
def test_progressive_search_goes_from_small_to_large(space, smallest):
    """The first pass: all of the smallest, then of every size what architectures of the size before can become."""
    value = np.random.default_rng(0).random(space.size)
    strategy = resolve("progressive-search", {"batch": 6})
    state, size, asked = strategy.start(Problem(space, Streams(1, 0, 5))), space.size_of(np.arange(space.size)), []
    for number in range(1 + size.max() - (3 if isinstance(space, spaces.Cell101Space) else 1)):
        proposed = strategy.ask(state)
        for run in range(5):
            if number == 0:
                assert sorted(proposed[run]) == sorted(np.argsort(size, kind="stable")[:smallest])
                continue
            now = set(size[proposed[run]].tolist())
            assert len(now) == 1
            before = np.concatenate([earlier[run] for earlier in asked])
            before = before[size[before] == now.pop() - 1]
            assert np.isin(proposed[run], space.neighbors(before)).all()
        told = sum(earlier.shape[1] for earlier in asked) + np.arange(proposed.shape[1])
        strategy.tell(state, Evaluations(proposed, value[proposed], np.broadcast_to(told, proposed.shape)))
        asked.append(proposed)
    assert (size[asked[-1]] == size.max()).all()
    assert (asked[0] != np.sort(asked[0])).any(), "the smallest come in random order"


def test_progressive_search_ranks_what_grows_best():
    """With a pool that has all, the first batch after the smallest has most of the best of what can be grown."""
    table = synthetic_table("topology", noise=0.0)
    budget = nl.Budget(evaluations=45)
    trace = nl.simulate(table, "progressive-search", runs=50, budget=budget, repeat="mean")
    value, size = table.mean_values("valid_accuracy"), table.space.size_of(np.arange(table.space.size))
    rank = stats.rankdata(-value[size == 2])[np.cumsum(size == 2)[trace.architecture[:, 25:]] - 1]
    assert np.median(rank) < 0.15 * (size == 2).sum()


@pytest.mark.parametrize("name", ["gp-bo", "bananas"])
def test_runs_that_are_simulated_in_several_groups_are_the_same(name):
    table, budget = synthetic_table("chain"), nl.Budget(evaluations=25)
    most = strategy_class(name).runs_at_a_time
    trace = nl.simulate(table, name, runs=most + 2, budget=budget)
    alone = nl.simulate(table, name, runs=1, first_run=most + 1, budget=budget)
    assert np.array_equal(trace.architecture[-1], alone.architecture[0])


@pytest.mark.parametrize("fantasy", ["believer", "min", "mean", "max"])
def test_workers_of_gp_bo_do_not_propose_what_is_being_evaluated(fantasy):
    table, budget = synthetic_table("topology"), nl.Budget(evaluations=60)
    trace = nl.simulate(table, "gp-bo", runs=8, budget=budget, workers=16, fantasy=fantasy)
    assert all(len(set(run)) == 60 for run in trace.architecture.tolist())


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("gp-bo", {"kernel": "rbf"}, "kernel must be 'hamming', 'matern' or 'path', got 'rbf'"),
        ("gp-bo", {"acquisition": "pi"}, "acquisition must be 'ei', 'ucb', 'thompson' or 'mes', got 'pi'"),
        ("gp-bo", {"fantasy": "liar"}, "fantasy must be 'believer', 'min', 'mean' or 'max', got 'liar'"),
        ("gp-bo", {"initial": 0}, "initial must be at least 1, got 0"),
        ("gp-bo", {"pool_size": 1.5}, "pool_size must be a whole number, got 1.5"),
        ("gp-bo", {"exploration": -1}, "exploration must be at least 0, got -1"),
        ("gp-bo", {"noise": 0}, "noise must be above 0, got 0"),
        ("bananas", {"members": 1}, "members must be at least 2, got 1"),
        ("bananas", {"encoding": "text"}, "encoding must be 'path' or 'one-hot', got 'text'"),
        ("bananas", {"learning_rate": 0}, "learning_rate must be above 0, got 0"),
        ("brp-nas", {"greedy": 2}, "greedy must be from 0 to 1, got 2"),
        ("brp-nas", {"batch": 0}, "batch must be at least 1, got 0"),
        ("npenas", {"candidates": 0}, "candidates must be at least 1, got 0"),
        ("npenas", {"encoding": "graph"}, "encoding must be 'path' or 'one-hot', got 'graph'"),
        ("progressive-search", {"members": 0}, "members must be at least 1, got 0"),
        ("progressive-search", {"initial": 2.5}, "initial must be a whole number, got 2.5"),
        ("smac", {"depth": 11}, "depth must be from 1 to 10, got 11"),
        ("smac", {"share": 0}, "share must be above 0 and at most 1, got 0"),
        ("smac", {"random": 2}, "random must be from 0 to 1, got 2"),
        ("tpe", {"gamma": 1}, "gamma must be above 0 and below 1, got 1"),
        ("tpe", {"prior_weight": 0.0}, "prior_weight must be above 0, got 0.0"),
        ("tpe", {"candidates": 0}, "candidates must be at least 1, got 0"),
    ],
)
def test_bad_parameters_are_one_clear_line(name, parameters, message):
    with pytest.raises(ParameterError) as error:
        resolve(name, parameters)
    assert str(error.value) == message
