"""Evaluations of predictors: against scikit-learn by hand, trials alone and together, seconds, and mistakes."""

import numpy as np
import pytest
from scipy.stats import kendalltau
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, Ridge
from tables_without_scores import without_scores

import nasbench_lab as nl
from nasbench_lab.errors import MissingDataError, ParameterError, UnknownNameError
from nasbench_lab.prediction import ModelPredictor, Predictor, evaluate, make_predictors
from nasbench_lab.prediction.trainings import TableTrainings
from nasbench_lab.prediction.trial_runs import COLUMNS, MEASURED
from nasbench_lab.prediction.trials import make_trial
from nasbench_lab.testing import synthetic_table

CHAIN = nl.load("digits/chain")
TABLE = synthetic_table()
SMALL = {"sizes": [8, 40], "test": 50, "trials": 4}
SAME = [place for place, name in enumerate(COLUMNS) if name not in MEASURED]


def assert_same(one, other):
    """The same results, but for measured seconds."""
    assert one.labels == other.labels
    for mine, theirs in zip(one.predictors, other.predictors, strict=True):
        assert mine.trials.tolist() == theirs.trials.tolist()
        np.testing.assert_array_equal(mine.values[SAME], theirs.values[SAME])


def test_against_scikit_learn_by_hand():
    forest = RandomForestRegressor(n_estimators=5)
    found = evaluate(CHAIN, [LinearRegression(), forest], sizes=[30, 60], trials=2, test=100, seed=5)
    assert found.labels == ("linear-regression (one-hot)", "random-forest (one-hot)")
    for number in range(2):
        trial = make_trial(number, found.settings, TableTrainings(CHAIN))
        for place, size in enumerate((30, 60)):
            known, unknown = trial.train.architectures[:size], trial.test.architectures
            features = CHAIN.space.encode(known), CHAIN.space.encode(unknown)
            truth = CHAIN.mean_values("valid_accuracy")[unknown]
            for predictor, model in zip(
                found.predictors,
                (LinearRegression(), RandomForestRegressor(5, random_state=trial.random_state(size))),
                strict=True,
            ):
                predicted = model.fit(features[0].astype(float), trial.train.labels[:size]).predict(features[1])
                assert predictor.of("kendall")[number, place] == pytest.approx(kendalltau(predicted, truth).statistic)
                assert predictor.of("mae")[number, place] == pytest.approx(np.abs(predicted - truth).mean(), rel=1e-5)
            cost = CHAIN.cost()[known, trial.train.repeats[:size]]
            assert predictor.of("label_seconds")[number, place] == pytest.approx(cost.sum())
    total = sum(found.predictors[0].of(name) for name in ("label_seconds", "fit_seconds", "query_seconds"))
    np.testing.assert_allclose(found.predictors[0].of("seconds"), total)


def test_a_trial_alone_is_that_trial_among_others():
    predictors = [RandomForestRegressor(3), "last-value"]
    together = evaluate(TABLE, predictors, **SMALL)
    alone = evaluate(TABLE, predictors, **{**SMALL, "trials": 1}, first_trial=2)
    for one, other in zip(alone.predictors, together.predictors, strict=True):
        assert one.trials.tolist() == [2]
        np.testing.assert_array_equal(one.values[SAME][:, 0], other.values[SAME][:, 2])
    fewer = evaluate(TABLE, predictors[:1], **{**SMALL, "sizes": [8]}).predictors[0]
    # The training set of a size is the same whatever the other sizes.
    np.testing.assert_array_equal(fewer.values[SAME][..., 0], together.predictors[0].values[SAME][..., 0])


def test_processes_give_the_same():
    class Nearest:  # as the next one, a class that other processes cannot import
        def fit(self, X, y):  # noqa: N803
            self.known = X, y
            return self

        def predict(self, X):  # noqa: N803
            return self.known[1][np.abs(X[:, None] - self.known[0]).sum(axis=2).argmin(axis=1)]

    class Mine(Predictor):
        label = "mine"
        needs_labels = False
        in_units = False

        def predict(self, train, test, random_state):
            return test.encode("counts") @ np.arange(3.0)

    predictors = [Nearest(), Mine()]
    one, two = (evaluate(TABLE, predictors, **SMALL, processes=count) for count in (1, 2))
    assert_same(one, two)
    mine = one.predictor("mine")
    assert (mine.of("kendall")[:, :1] == mine.of("kendall")).all()
    assert (mine.of("label_seconds") == 0).all()
    assert np.isnan(mine.of("mae")).all()


def test_what_predictors_see_of_a_learning_curve_costs_its_training():
    found = evaluate(CHAIN, ["last-value:epochs=3"], sizes=[5], trials=2, test=40)
    for number in range(2):
        trial = make_trial(number, found.settings, TableTrainings(CHAIN))
        seconds = CHAIN.cost(3)[trial.test.architectures, trial.test.repeats].sum()
        assert found.predictors[0].of("query_seconds")[number, 0] == pytest.approx(seconds)
        seen = CHAIN.values("valid_accuracy")[trial.test.architectures, 2, trial.test.repeats]
        expected = kendalltau(seen, trial.truth).statistic
        assert found.predictors[0].of("kendall")[number, 0] == pytest.approx(expected)


def test_scores_cost_their_seconds_for_labelled_and_for_test_architectures():
    found = evaluate(TABLE, ["zero-cost:score=synflow", Ridge()], encodings="counts+synflow", **SMALL)
    trial = make_trial(0, found.settings, TableTrainings(TABLE))
    per_score = TABLE.mean_values("synflow_seconds")
    score, ridge = found.predictors
    expected = per_score[trial.test.architectures].sum()
    assert score.of("query_seconds")[0] == pytest.approx([expected] * 2)
    assert ridge.of("query_seconds")[0] == pytest.approx([expected] * 2)
    known = trial.train.architectures[:8]
    paid = TABLE.cost()[known, trial.train.repeats[:8]] if TABLE.cost().shape[1] > 1 else TABLE.cost()[known, 0]
    assert ridge.of("label_seconds")[0, 0] == pytest.approx(paid.sum() + per_score[known].sum())


def test_more_labels_of_the_same_kind_help():
    found = evaluate(CHAIN, ["random-forest:n_estimators=10", "mean"], sizes=[10, 200], trials=3, test=100)
    few, many = found.predictor("random-forest:n_estimators=10 (one-hot)").intervals("kendall").estimate
    assert 0 < few < many
    assert np.isnan(found.predictor("mean (one-hot)").of("kendall")).all()


def test_records_and_summary():
    found = evaluate(TABLE, {"mine": Ridge()}, encodings=["one-hot", "counts"], **SMALL)
    records = found.records()
    assert len(records) == 2 * 4 * 2
    frame = found.to_frame()
    assert frame["predictor"].unique().tolist() == ["mine (one-hot)", "mine (counts)"]
    one = frame[(frame["encoding"] == "counts") & (frame["labels"] == 40)]
    summary = found.summary().to_frame()
    row = summary[(summary["encoding"] == "counts") & (summary["labels"] == 40)].iloc[0]
    assert row["kendall"] == pytest.approx(one["kendall"].mean())
    assert row["kendall_low"] < row["kendall"] < row["kendall_high"] <= 1
    assert frame.attrs["units"]["mae"] == "fraction"
    assert "mine (counts)" in found._repr_html_()
    assert found.only(["mine (counts)"]).labels == ("mine (counts)",)


def test_transfer_helps_where_own_labels_are_few():
    ways = {"sizes": [0, 4, 100], "trials": 3, "test": 100, "source": CHAIN, "source_epochs": 3, "source_labels": 150}
    transferred = make_predictors("random-forest:n_estimators=9", "one-hot", ["residual", "stacked", "pooled"])[1:]
    found = evaluate(CHAIN, transferred, transfer=[], **ways)
    own = evaluate(CHAIN, transferred[0].predictor, **{**ways, "sizes": [4, 100]}, transfer=[]).predictors[0]
    for each in found.predictors:
        kendall = each.intervals("kendall").estimate
        least = 0.0 if "stacked" in each.label else 0.2
        assert kendall[1] > own.intervals("kendall").estimate[0] + least
        assert np.isnan(each.of("mae")[:, 0]).all()
        assert np.isfinite(each.of("mae")[:, 1:]).all()
        assert (each.of("source_seconds") > 0).all()
    assert (own.of("source_seconds") == 0).all()
    trial = make_trial(1, found.settings, TableTrainings(CHAIN), TableTrainings(CHAIN, 3))
    shared = CHAIN.space.representatives
    assert not np.isin(shared[trial.train.other.architectures], shared[trial.test.architectures]).any()
    assert trial.source_seconds == pytest.approx(
        CHAIN.cost(3)[trial.train.other.architectures, trial.train.other.repeats].sum()
    )


class NoLabel(Predictor):
    def predict(self, train, test, random_state):
        return np.zeros(len(test))


class WrongArguments(Predictor):
    label = "wrong arguments"

    def predict(self, train, test):
        return np.zeros(len(test))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"predictors": "randomforrest"}, UnknownNameError, "random-forest"),
        ({"predictors": []}, ParameterError, "at least one"),
        ({"predictors": 3}, ParameterError, "got 3"),
        ({"predictors": "ridge:alpha"}, ParameterError, "malformed predictor 'ridge:alpha'"),
        ({"predictors": "ridge:alpha=x"}, ParameterError, r"^ridge:alpha=x \(one-hot\) cannot be fitted to 8 "),
        ({"predictors": "zero-cost:score=naswot"}, UnknownNameError, "zero-cost score 'naswot'; known: synflow"),
        ({"predictors": "zero-cost", "table": without_scores(CHAIN)}, MissingDataError, "'digits/chain' has none"),
        ({"predictors": NoLabel}, ParameterError, "NoLabel has no label"),
        ({"predictors": WrongArguments()}, ParameterError, "must take train, test and random_state"),
        ({"predictors": Predictor}, ParameterError, "cannot make predictor 'Predictor': TypeError: .* abstract"),
        ({"predictors": [Ridge(), Ridge(alpha=2)]}, ParameterError, "two predictors are called 'ridge"),
        ({"predictors": "last-value:epoch=3"}, UnknownNameError, "epochs"),
        ({"predictors": "last-value:epochs=5"}, UnknownNameError, "4, 12"),
        ({"predictors": "last-value:epochs=12"}, ParameterError, "before 12 epochs"),
        ({"predictors": "power-law"}, MissingDataError, "needs 3 points"),
        ({"predictors": "sum-of-losses"}, MissingDataError, "no training losses"),
        ({"encodings": "paths"}, UnknownNameError, "one-hot"),
        ({"sizes": []}, ParameterError, "at least one"),
        ({"sizes": [5, 5]}, ParameterError, "different"),
        ({"sizes": [0]}, ParameterError, "at least 1"),
        ({"sizes": [2000]}, ParameterError, "too few"),
        ({"test": 2}, ParameterError, "at least 3"),
        ({"test_from": "best"}, ParameterError, "uniform"),
        ({"trials": 0}, ParameterError, "at least 1"),
        ({"repeat": "median"}, ParameterError, "sample"),
        ({"source": CHAIN}, ParameterError, "different spaces"),
        ({"source_epochs": 4}, ParameterError, "needs source"),
        ({"source": TABLE, "transfer": "copied"}, ParameterError, "residual"),
        ({"source": TABLE, "source_labels": 230}, ParameterError, "too few"),
    ],
)
def test_mistakes_have_one_clear_line(change, error, message):
    given = {"predictors": "ridge", **SMALL, **change}
    with pytest.raises(error, match=message) as caught:
        evaluate(given.pop("table", TABLE), given.pop("predictors"), **given)
    assert len(str(caught.value).splitlines()) == 1


def test_predictors_that_return_something_else():
    class Wrong(Predictor):
        label = "wrong"

        def predict(self, train, test, random_state):
            return np.zeros((len(test), 2))

    with pytest.raises(ParameterError, match="one number for each of 50"):
        evaluate(TABLE, Wrong(), **SMALL)


def test_a_predictor_cannot_see_test_labels():
    class Peeking(Predictor):
        label = "peeking"

        def predict(self, train, test, random_state):
            return test.labels

    with pytest.raises(ParameterError, match="hidden"):
        evaluate(TABLE, Peeking(), **SMALL)


def test_forest_on_nats_bench():
    """Found with scikit-learn alone on validation means: 0.43 with 71 labels, 0.54 with 205."""
    try:
        table = nl.load("nats-bench-tss/cifar10")
    except nl.errors.NasbenchLabError:
        pytest.skip("needs the published files")
    found = evaluate(table, ModelPredictor("random-forest"), sizes=[71], trials=20, repeat="mean")
    assert found.predictors[0].intervals("kendall").estimate[0] == pytest.approx(0.43, abs=0.03)
