"""What the Gaussian process recommends."""

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.zero_cost_scores import TableScores
from nasbench_lab.strategies import Evaluations, Problem, resolve
from nasbench_lab.streams import SCORE, Streams
from nasbench_lab.testing import synthetic_table
from nasbench_lab.testing.conformance import CASES

TABLE = synthetic_table("chain", noise=0.05)
CASES_OF_RECOMMENDATIONS = (
    "recommending_changes_nothing",
    "recommends_what_keeps_the_limits",
    "survives_failed_trainings",
    "survives_ties",
    "survives_a_space_of_two",
)


@pytest.mark.parametrize("recommendation", ["evaluated", "space"])
@pytest.mark.parametrize("case", CASES_OF_RECOMMENDATIONS)
def test_conformance(case, recommendation):
    kernel = "matern" if recommendation == "evaluated" else "hamming"
    CASES[case](resolve("gp-bo", {"recommendation": recommendation, "kernel": kernel, "initial": 4}))


@pytest.mark.parametrize("recommendation", ["evaluated", "space"])
def test_the_search_is_the_same_and_a_run_does_not_depend_on_others(recommendation):
    options = {"budget": nl.Budget(evaluations=25), "workers": 2}
    plain = nl.simulate(TABLE, "gp-bo", runs=3, **options)
    trace = nl.simulate(TABLE, "gp-bo", runs=3, recommendation=recommendation, **options)
    assert plain.recommended is None
    assert np.array_equal(trace.architecture, plain.architecture)
    assert (trace.recommended[:, :8] == -1).all()  # before the first model
    assert (trace.recommended[:, -1] >= 0).all()
    alone = nl.simulate(TABLE, "gp-bo", runs=1, first_run=2, recommendation=recommendation, **options)
    assert np.array_equal(trace.recommended[2:], alone.recommended)


@pytest.mark.parametrize("recommendation", ["evaluated", "space"])
def test_it_is_the_largest_posterior_mean(recommendation):
    """By the textbook: one covariance matrix, solved with a general solver."""
    parameters = {"lengthscale": 0.5, "noise": 0.1, "initial": 6, "recommendation": recommendation}
    strategy = resolve("gp-bo", parameters)
    state = strategy.start(Problem(TABLE.space, Streams(3, 0, 2), scores=TableScores(TABLE, Streams(3, 0, 2, SCORE))))
    values = TABLE.repeat_values("valid_accuracy", 12)[:, 0]
    asked = []
    for _ in range(12):
        proposed = strategy.ask(state)
        count = sum(each.shape[1] for each in asked)
        asked.append(proposed)
        number = np.broadcast_to(np.arange(count, count + proposed.shape[1]), proposed.shape)
        strategy.tell(state, Evaluations(proposed, values[proposed], number))
    found = strategy.recommend(state)
    codes = TABLE.space.codes(np.arange(TABLE.space.size))
    for run, evaluated in enumerate(np.concatenate(asked, axis=1)):
        distance = (codes[:, None] != codes[evaluated][None]).mean(axis=2)
        between = np.exp(-distance / 0.5)
        covariance = between[evaluated] + 0.1 * np.eye(len(evaluated))
        y, ones = values[evaluated], np.ones(len(evaluated))
        mu = ones @ np.linalg.solve(covariance, y) / (ones @ np.linalg.solve(covariance, ones))
        mean = mu + between @ np.linalg.solve(covariance, y - mu)
        answers = evaluated if recommendation == "evaluated" else np.arange(TABLE.space.size)
        assert mean[found[run]] == pytest.approx(mean[answers].max(), abs=1e-9)
        assert found[run] in answers


def test_bad_recommendations_are_refused():
    with pytest.raises(ParameterError, match="recommendation must be 'observed', 'evaluated' or 'space', got 'best'"):
        resolve("gp-bo", {"recommendation": "best"})
    with pytest.raises(ParameterError, match="needs all architectures as candidates; for kernel 'path'"):
        nl.simulate(TABLE, "gp-bo", runs=1, budget=nl.Budget(evaluations=3), kernel="path", recommendation="space")
