"""Random search against the closed form: the distribution of the best of n draws, computed from the sorted table."""

import itertools

import numpy as np
import pytest
from catalogue_tables import table_parameters

import nasbench_lab as nl
from nasbench_lab.analysis import exact_random_search, exact_random_search_on
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.testing import SPACES, synthetic_table

CHECKPOINTS = np.array([1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233])
RUNS = 10_000

pytestmark = pytest.mark.filterwarnings("ignore::nasbench_lab.SearchOnTestWarning")


def outcomes(table, fidelity, repeat):
    """Every value that an evaluation can observe, its probability, and the architecture."""
    if repeat == "mean":
        values = table.mean_values(table.objective.name, fidelity)[:, None]
    else:
        values = table.repeat_values(table.objective.name, fidelity)
        without = np.isnan(values).all(axis=1)
        values = values.copy()
        values[without, 0] = table.mean_values(table.objective.name, fidelity)[without]
    present = ~np.isnan(values)
    weights = present / present.sum(axis=1, keepdims=True)
    architecture = np.broadcast_to(np.arange(len(values))[:, None], values.shape)
    return values[present], weights[present], architecture[present]


def assert_agrees(table, fidelity, repeat, seed):
    budget = nl.Budget(evaluations=int(CHECKPOINTS[-1]))
    trace = nl.simulate(table, "random-search", runs=RUNS, budget=budget, fidelity=fidelity, repeat=repeat, seed=seed)
    values, weights, architecture = outcomes(table, fidelity, repeat)
    best = np.maximum.accumulate(trace.observed, axis=1)[:, CHECKPOINTS - 1]
    exact = exact_random_search(values, CHECKPOINTS, weights=weights)
    error = np.abs(best.mean(axis=0) - exact.mean)
    assert (error <= 4 * np.sqrt(exact.variance / RUNS) + 1e-12).all()
    # The incumbent's test value has a closed form too: of the outcomes with the best value, each is as likely.
    reported = table.mean_values(table.description.test or table.description.valid)
    exact = exact_random_search(values, CHECKPOINTS, weights=weights, report=reported[architecture])
    found = reported[trace.incumbent()[:, CHECKPOINTS - 1]]
    error = np.abs(found.mean(axis=0) - exact.mean)
    assert (error <= 4 * np.sqrt(exact.variance / RUNS) + 1e-12).all()


@pytest.mark.parametrize("repeat", ["sample", "mean"])
@pytest.mark.parametrize("name", table_parameters())
def test_random_search_agrees_with_the_closed_form_on_every_table(name, repeat):
    table = nl.load(name)
    if np.isnan(table.mean_values(table.objective.name)).any():
        pytest.skip("some trainings failed, so a run that begins with one has no best value, and runs have no mean")
    middle = table.fidelities[len(table.fidelities) // 2]
    for seed, fidelity in enumerate(sorted({table.fidelities[0], middle, table.fidelities[-1]})):
        assert_agrees(table, fidelity, repeat, seed)


@pytest.mark.parametrize("kind", SPACES)
def test_random_search_agrees_with_the_closed_form_on_synthetic_tables(kind):
    assert_agrees(synthetic_table(kind), 12, "sample", 5)
    assert_agrees(synthetic_table(kind, constant=True), 12, "sample", 6)


def test_the_closed_form_by_enumeration():
    random = np.random.default_rng(0)
    for draws in (1, 2, 3):
        values, report = random.integers(4, size=5) / 4, random.random(5)
        weights = random.random(5)
        weights /= weights.sum()
        mean = second = reported = total = 0.0
        for outcome in itertools.product(range(5), repeat=draws):
            probability = np.prod(weights[list(outcome)])
            best = max(outcome, key=lambda i: values[i])  # the first of equals
            mean += probability * values[best]
            second += probability * values[best] ** 2
            reported += probability * report[best]
            total += probability
        exact = exact_random_search(values, draws, weights=weights)
        assert total == pytest.approx(1)
        assert exact.mean[0] == pytest.approx(mean)
        assert exact.variance[0] == pytest.approx(second - mean**2, abs=1e-12)
        assert exact_random_search(values, draws, weights=weights, report=report).mean[0] == pytest.approx(reported)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_the_closed_form_of_a_table_is_that_of_its_outcomes(direction):
    table = synthetic_table("chain", direction=direction)
    values, weights, architecture = outcomes(table, 12, "sample")
    sign = -1 if direction == "minimize" else 1
    test = table.mean_values("test_accuracy")
    for split, report in ((None, values), ("test", test[architecture])):
        expected = exact_random_search(sign * values, CHECKPOINTS, weights=weights, report=report)
        found = exact_random_search_on(table, CHECKPOINTS, split=split)
        assert found.mean == pytest.approx(expected.mean)
        assert found.variance == pytest.approx(expected.variance)
    values = {name: np.array(table.values(name)) for name in table.metrics}
    values["test_accuracy"][0] = np.nan
    with pytest.raises(MissingDataError, match="lacks test means"):
        exact_random_search_on(nl.Table(table.description, values), 3, split="test")
    with pytest.raises(MissingDataError, match="failed trainings"):
        exact_random_search_on(synthetic_table("chain", failures=0.5), 3)


def test_outcomes_without_weight_do_not_matter():
    with_impossible = exact_random_search([1.0, 2.0, 9.0], [1, 2], weights=[1, 1, 0])
    assert with_impossible.mean.tolist() == exact_random_search([1.0, 2.0], [1, 2]).mean.tolist()


def test_the_closed_form_refuses_nonsense():
    for arguments in (
        {"values": [], "draws": 1},
        {"values": [1.0, np.nan], "draws": 1},
        {"values": [1.0], "draws": 0},
        {"values": [1.0], "draws": 1.9},
        {"values": [1.0, 2.0], "draws": 1, "weights": [1.0]},
        {"values": [1.0, 2.0], "draws": 1, "weights": [0.0, 0.0]},
        {"values": [1.0, 2.0], "draws": 1, "report": [1.0, np.nan]},
    ):
        with pytest.raises(ParameterError):
            exact_random_search(**arguments)
