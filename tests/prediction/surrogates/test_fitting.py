"""Fitting surrogates: what is learnt from, honest figures, the spread of repeats, and mistakes in one line."""

import dataclasses

import numpy as np
import pytest
from forged_surrogates import sample, small_surrogate

from nasbench_lab.errors import DataError, MissingDataError, ParameterError, UnknownNameError
from nasbench_lab.prediction.surrogates import Verdict, fit_surrogate, read_found_by
from nasbench_lab.prediction.surrogates.checks import left_out_checks, noise_check
from nasbench_lab.prediction.surrogates.folds import folds_of
from nasbench_lab.prediction.surrogates.models import Models
from nasbench_lab.prediction.surrogates.spread import spread_of
from nasbench_lab.prediction.surrogates.training_set import MeasuredColumn, TrainingSet
from nasbench_lab.spaces import SubsetSpace, TopologySpace
from nasbench_lab.tables import Description, Metric, Table, subset
from nasbench_lab.testing import synthetic_table

OBJECTIVE = Metric("accuracy", "valid", "percent", "maximize", "")


def table_of(values, space=None):
    """A table with given values of one metric, shape (architectures, 1, repeats)."""
    space = space or {"name": "chain", "choices": "abcd", "length": 5}
    names = tuple(map(str, range(values.shape[2])))
    return Table(Description("mine", "mine", space, (1,), names, (OBJECTIVE,), "accuracy", None), {"accuracy": values})


def heteroscedastic(repeats=2, seed=0):
    """Accuracies that are linear in the codes, whose repeats spread by 0.2 or 2, by the first code."""
    random = np.random.default_rng(seed)
    codes = np.stack(np.unravel_index(np.arange(1024), [4] * 5), axis=1)
    mean = 50 + codes @ np.array([1.0, 2.0, 3.0, 1.0, 0.5])
    size = np.where(codes[:, 0] < 2, 0.2, 2.0)
    return table_of(mean[:, None, None] + size[:, None, None] * random.standard_normal((1024, 1, repeats))), mean, size


def test_the_spread_is_that_of_each_architecture():
    table, mean, size = heteroscedastic()
    chosen = np.sort(np.random.default_rng(1).choice(1024, 300, replace=False))
    surrogate = fit_surrogate(subset(table, chosen), "ridge", "one-hot", check=False)
    every = np.arange(1024)
    assert np.abs(surrogate.lookup(every) - mean).mean() < 0.3
    repeats = surrogate.answers(every[:, None], 1, np.arange(30)).values["accuracy"]
    spread = repeats.std(axis=1)
    assert np.median(spread[size == 0.2]) == pytest.approx(0.2, rel=0.3)
    assert np.median(spread[size == 2.0]) == pytest.approx(2.0, rel=0.2)
    noise = surrogate.verdict["noise"][0]
    assert noise["spread_from"] == "repeats"
    assert noise["deviations"] == 600
    assert noise["inside_95"] == pytest.approx(0.95, abs=0.03)
    assert noise["deviation"] == pytest.approx(1, abs=0.12)


def test_without_repeats_the_spread_is_that_of_the_errors():
    table, _, _ = heteroscedastic(repeats=1)
    surrogate = fit_surrogate(subset(table, range(0, 1024, 4)), "ridge", "one-hot", check=False)
    verdict = Verdict.from_plain(surrogate.verdict)
    assert verdict.judged.spread_from == "residuals"
    assert any("prediction errors" in text for text in verdict.weaknesses)


def test_a_wrong_spread_is_noticed():
    """Deviations of a spread that is the same for all are heavy-tailed, so the calibration can fail."""
    table, _, _size = heteroscedastic(repeats=3)
    training = TrainingSet.of(table)
    (column,) = training.columns
    fold = folds_of(training.networks, 3, 0)
    vectors = table.space.encode(training.architectures).astype(float)
    right = spread_of(column, vectors, column.mean, fold, is_log=False, seed=0)
    wrong = spread_of(column, np.zeros((1024, 1)), np.zeros(1024), fold, is_log=False, seed=0)
    assert noise_check(column, right).kurtosis < 0.7 < 2 < noise_check(column, wrong).kurtosis


def test_a_leak_would_be_seen():
    """Random values cannot be predicted, also where many architectures are the same network."""
    space = TopologySpace()
    random = np.random.default_rng(0)
    members = np.arange(0, 15_625, 50)
    value = {}
    for row, form in zip(members, map(space.network_form, space.codes(members).tolist()), strict=True):
        value[row] = value.setdefault(form, 50 + random.standard_normal())
    small = table_of(np.array([value[row] for row in members])[:, None, None], SubsetSpace(space, members).spec())
    surrogate = fit_surrogate(small, "decision-tree", "path-without-skips", folds=3, check=False)
    assert abs(surrogate.verdict["metrics"][0]["kendall"]) < 0.1
    assert surrogate.verdict["networks"] < surrogate.verdict["architectures"]


def test_no_network_is_in_two_folds():
    networks = np.random.default_rng(0).integers(0, 30, 200)
    fold = folds_of(networks, 5, seed=1)
    assert sorted(set(fold.tolist())) == [0, 1, 2, 3, 4]
    assert all(len(set(fold[networks == each].tolist())) == 1 for each in range(30))


def test_cross_validated_figures_are_those_of_a_loop_with_scikit_learn():
    from scipy.stats import kendalltau
    from sklearn.linear_model import Ridge
    from sklearn.metrics import r2_score
    from sklearn.preprocessing import StandardScaler

    small = sample(80)
    found = fit_surrogate(small, "ridge", "one-hot", fidelities=[12], check=False).verdict["metrics"][0]
    rows, truth = small.space.encode(range(80)).astype(float), small.mean_values("test_accuracy")
    fold = folds_of(np.arange(80), 5, 0)
    predicted = np.empty(80)
    for number in range(5):
        inside = fold == number
        scaler = StandardScaler().fit(rows[~inside])
        centre, scale = truth[~inside].mean(), truth[~inside].std()
        model = Ridge().fit(scaler.transform(rows[~inside]), (truth[~inside] - centre) / scale)
        predicted[inside] = model.predict(scaler.transform(rows[inside])) * scale + centre
    assert found["kendall"] == pytest.approx(kendalltau(predicted, truth).statistic, abs=1e-9)
    assert found["r2"] == pytest.approx(r2_score(truth, predicted), abs=1e-9)


def test_strategies_are_left_out_one_by_one():
    small = sample(120)
    found = {
        "one": small.space.format(range(60)),
        "two": small.space.format(range(50, 100)),
        "few": small.space.format([119]),
    }
    surrogate = fit_surrogate(small, "ridge", "one-hot", fidelities=[12], metrics=[], folds=2, found_by=found)
    checks = {check["strategy"]: check for check in surrogate.verdict["left_out"]}
    assert {name: (each["learnt"], each["architectures"]) for name, each in checks.items()} == {
        "one": (70, 50),
        "two": (80, 40),
    }
    assert all(each["kendall"] > 0.5 for each in checks.values())
    replay = surrogate.verdict["replay"]
    assert replay["evaluations"] == [8, 15, 30]
    assert replay["pairs"] == 165
    assert replay["again"] <= 1


def test_the_same_seed_gives_the_same_surrogate():
    surrogates = [
        fit_surrogate(sample(30), "decision-tree", "codes", fidelities=[12], folds=2, check=False, seed=seed)
        for seed in (7, 7, 8)
    ]
    answers = [each.lookup(range(243), repeat=3) for each in surrogates]
    assert (answers[0] == answers[1]).all()
    assert not (answers[0] == answers[2]).all()
    assert surrogates[0].verdict == surrogates[1].verdict


def test_scores_and_sizes_of_all_architectures_are_not_predicted():
    table = synthetic_table("chain")
    surrogate = fit_surrogate(
        sample(30), "ridge", "one-hot+scores", scores=table, fidelities=[12], folds=2, check=False
    )
    every = range(243)
    for name in ("synflow", "synflow_seconds", "parameters"):
        assert (surrogate.lookup(every, metric=name) == table.lookup(every, metric=name)).all()
    import nasbench_lab as nl

    trace = nl.simulate(surrogate, "zero-cost-filter", runs=2, budget=nl.Budget(evaluations=10))
    assert trace.final("test").shape == (2,)


def test_what_is_to_be_predicted_is_not_copied_from_the_table_of_scores():
    metric = dataclasses.replace(OBJECTIVE, axes=("architecture",))
    description = dataclasses.replace(table_of(np.ones((1024, 1, 1))).description, metrics=(metric,))
    truth = Table(description, {"accuracy": np.random.default_rng(0).random(1024)})
    surrogate = fit_surrogate(subset(truth, range(0, 1024, 10)), "mean", "codes", scores=truth, check=False)
    assert np.ptp(surrogate.lookup(range(1024))) == 0


def test_scores_that_are_infinite_are_ranked_but_no_columns():
    table = synthetic_table("chain")
    scores = np.where(np.arange(243) < 9, -np.inf, table.values("synflow"))
    source = Table(table.description, {name: table.values(name) for name in table.metrics} | {"synflow": scores})
    surrogate = fit_surrogate(sample(30), "mean", "synflow", scores=source, fidelities=[12], folds=2, check=False)
    assert "synflow" not in surrogate.metrics
    assert surrogate.parts.encoder.scores["synflow"][:9].max() == 0


def missing_most(table, known):
    values = table.values("accuracy").copy()
    values[known:] = np.nan
    return Table(table.description, {"accuracy": values})


def test_a_table_with_missing_values_is_a_sample():
    table, mean, _ = heteroscedastic()
    order = np.random.default_rng(0).permutation(1024)
    values = table.values("accuracy").copy()
    values[order[200:]] = np.nan
    surrogate = fit_surrogate(Table(table.description, {"accuracy": values}), "ridge", "one-hot", check=False)
    assert surrogate.verdict["architectures"] == 200
    assert np.corrcoef(surrogate.lookup(range(1024)), mean)[0, 1] > 0.99


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"model": "no-such"}, UnknownNameError, "no-such"),
        ({"model": []}, ParameterError, "at least one model"),
        ({"encoding": "no-such"}, UnknownNameError, "no-such"),
        ({"encoding": "scores"}, UnknownNameError, "scores"),
        ({"metrics": ["no-such"]}, UnknownNameError, "no-such"),
        ({"fidelities": [7]}, UnknownNameError, "7"),
        ({"folds": 1}, ParameterError, "folds"),
        ({"seed": -1}, ParameterError, "seed"),
        ({"scores": "digits/topology"}, ParameterError, "another space"),
        ({"model": "ridge:alpha=-1"}, ParameterError, "alpha"),
    ],
)
def test_mistakes_are_one_line(options, error, message):
    given = {"model": "ridge", "encoding": "one-hot", **options}
    with pytest.raises(error, match=message) as caught:
        fit_surrogate(sample(40), **given)
    assert "\n" not in str(caught.value)


def test_one_strategy_cannot_be_left_out():
    training = TrainingSet.of(sample(30), [], [12])
    with pytest.raises(ParameterError, match="at least two strategies"):
        left_out_checks(training, np.ones((30, 1)), Models.of("mean", 0), {"one": [0]})


def test_too_few_architectures_are_one_line():
    with pytest.raises(MissingDataError, match="at least 20"):
        fit_surrogate(sample(19), "ridge")
    table, _, _ = heteroscedastic()
    with pytest.raises(MissingDataError, match="at least 20"):
        fit_surrogate(missing_most(table, 3), "ridge")


def test_a_surrogate_of_a_surrogate_is_refused():
    surrogate = small_surrogate("mean", 30, folds=2)
    with pytest.raises(ParameterError, match="fitted to measurements"):
        fit_surrogate(surrogate)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("strategy,arch\na,1\n", "lacks architecture"),
        ("strategy,architecture\na,\n", "line 2: strategy or architecture is empty"),
        ('strategy,architecture\na,"1\n', "not a CSV file"),
        ("strategy,architecture\na,1\x00\n", None),
    ],
)
def test_files_of_finders_are_checked(tmp_path, text, message):
    path = tmp_path / "found.csv"
    path.write_text(text)
    if message is None:
        read_found_by(path)
        return
    with pytest.raises(DataError, match=message) as caught:
        read_found_by(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="cannot read"):
        read_found_by(tmp_path / "missing.csv")


def test_columns_without_repeats_have_no_noise():
    column = MeasuredColumn(dataclasses.replace(OBJECTIVE, axes=("architecture",)), None, np.ones((30, 1)), np.ones(30))
    assert spread_of(column, np.ones((30, 2)), np.ones(30), np.arange(30) % 3, is_log=False, seed=0) is None
