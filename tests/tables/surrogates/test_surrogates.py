"""Answers of surrogates: one row alone and among others, noise by repeat, searches, listed and not."""

import numpy as np
import pytest
from forged_surrogates import sample, small_surrogate

import nasbench_lab as nl
from nasbench_lab.prediction import fit_surrogate
from nasbench_lab.tables import Description, Metric, Table
from nasbench_lab.tables.surrogates import Surrogate
from nasbench_lab.tables.surrogates.encoder import as_ranks
from nasbench_lab.tables.surrogates.noise import RepeatNoise
from nasbench_lab.tables.tabulated import tabulate
from nasbench_lab.testing import synthetic_table


@pytest.fixture(scope="module")
def surrogate():
    return small_surrogate("extra-trees:n_estimators=10", folds=3)


def test_an_answer_depends_on_the_architecture_and_the_repeat_alone(surrogate):
    random = np.random.default_rng(1)
    where, repeat = random.integers(0, 243, 50), random.integers(0, 1000, 50)
    together = surrogate.answers(where, 12, repeat).values
    fresh = Surrogate(surrogate.description, surrogate.parts)  # remembers nothing
    for row in reversed(range(50)):
        alone = fresh.answers(where[row : row + 1], 12, repeat[row : row + 1]).values
        assert all(alone[name][0] == together[name][row] for name in together)


def test_repeats_spread_around_the_mean_and_metrics_go_together(surrogate):
    repeats = np.arange(4000)
    answers = surrogate.answers(np.full(4000, 77), 12, repeats).values
    valid, test = answers["valid_accuracy"], answers["test_accuracy"]
    mean = surrogate.query(77)
    assert valid.std() > 0
    assert abs(valid.mean() - mean["valid_accuracy"]) < 5 * valid.std() / np.sqrt(4000)
    assert len(np.unique(valid)) > 3900
    assert valid.min() >= 0
    assert valid.max() <= 1
    table = synthetic_table("chain")
    measured = [table.repeat_values(name) for name in ("valid_accuracy", "test_accuracy")]
    complete = np.isfinite(measured).all(axis=(0, 2))
    deviations = [(each - each.mean(axis=1, keepdims=True))[complete].ravel() for each in measured]
    truth = np.corrcoef(*deviations)[0, 1]
    assert truth > 0.4
    assert abs(np.corrcoef(valid, test)[0, 1] - truth) < 0.2


def test_noise_has_the_correlation_of_its_factor():
    knots = np.linspace(-3, 3, 25)
    factor = np.array([[1.0, 0.0], [0.8, 0.6]])
    drawn = RepeatNoise(3, factor, knots, np.stack([knots, 2 * knots])).draw(
        np.arange(20_000), np.zeros(20_000, dtype=int)
    )
    assert abs(np.corrcoef(drawn.T)[0, 1] - 0.8) < 0.02
    assert drawn[:, 1].std() == pytest.approx(2.0, abs=0.05)
    assert not np.array_equal(
        RepeatNoise(4, factor, knots, np.stack([knots, knots])).draw(np.arange(5), np.zeros(5)), drawn
    )


@pytest.mark.parametrize("strategy", ["regularized-evolution", "local-search", "tpe"])
def test_strategies_search_a_surrogate_as_its_stored_answers(surrogate, strategy):
    budget = nl.Budget(evaluations=30)
    computed = nl.simulate(surrogate, strategy, runs=3, budget=budget, repeat=1)
    stored = nl.simulate(tabulate(surrogate), strategy, runs=3, budget=budget, repeat=1)
    assert (computed.architecture == stored.architecture).all()
    assert (computed.observed == stored.observed).all()
    assert computed.regret("test")[:, -1].min() >= 0
    again = nl.simulate(surrogate, strategy, runs=1, first_run=2, budget=budget, repeat=1)
    assert (again.architecture[0] == computed.architecture[2, : again.steps]).all()


def test_tabulated_answers_are_the_same(surrogate):
    stored = tabulate(surrogate, repeats=2)
    every = np.arange(243)
    for repeat in (0, 1):
        assert (stored.lookup(every, repeat=repeat) == surrogate.lookup(every, repeat=repeat)).all()
    assert stored.kind == "surrogate"


def test_ranks_are_those_of_scipy():
    from scipy.stats import rankdata

    values = np.random.default_rng(0).integers(0, 9, 200).astype(float)
    ranks = rankdata(values)
    expected = (ranks - ranks.min()) / (ranks.max() - ranks.min())
    np.testing.assert_allclose(as_ranks(values), expected, rtol=1e-6)


def curves():
    """A table whose architectures have curves that cross, with times at three fidelities."""
    random = np.random.default_rng(0)
    space = {"name": "chain", "choices": "abc", "length": 4}
    metrics = (
        Metric("accuracy", "valid", "percent", "maximize", ""),
        Metric("seconds", "none", "s", "minimize", "", ("architecture", "fidelity", "repeat")),
    )
    description = Description(
        "mine", "mine", space, (1, 2, 3), ("0", "1"), metrics, "accuracy", None, ("seconds",), resumable=True
    )
    seconds = np.array([1.0, 1.02, 1.03])[:, None] * (5 + 5 * random.random((81, 1, 2)))
    return Table(description, {"accuracy": 100 * random.random((81, 3, 2)), "seconds": seconds})


def test_a_longer_training_takes_more_seconds():
    """Models of single fidelities cross; answers must not, as a resumed training pays the difference."""
    surrogate = fit_surrogate(curves(), "decision-tree", folds=2, check=False)
    where, repeat = np.repeat(np.arange(81), 20), np.tile(np.arange(20), 81)
    by_epochs = np.stack([surrogate.answers(where, at, repeat).training for at in (1, 2, 3)])
    assert (np.diff(by_epochs, axis=0) >= 0).all()
    assert by_epochs.min() > 0
    trace = nl.simulate(surrogate, "successive-halving", runs=2, budget=nl.Budget(seconds=200))
    assert np.isfinite(trace.final("valid")).all()


def test_percentages_stay_in_range_and_other_numbers_too():
    surrogate = fit_surrogate(curves(), "linear", fidelities=[3], folds=2, check=False)
    answers = surrogate.answers(np.repeat(np.arange(81), 50), 3, np.tile(np.arange(50), 81)).values["accuracy"]
    assert answers.min() >= 0
    assert answers.max() <= 100


def test_a_surrogate_of_a_sample_answers_for_the_whole_space():
    small = sample(40)
    surrogate = small_surrogate("knn", 40, folds=2)
    assert (small.space.size, surrogate.space.size) == (40, 243)
    assert "surrogate" in repr(surrogate)
    assert surrogate.kind == "surrogate"
    assert "predictions from the trainings of 40 of 243" in surrogate.description.notes[0]
