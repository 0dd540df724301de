"""Rankings over epochs: means and intervals over runs, missing snapshots, and what is written."""

import dataclasses

import numpy as np
import pytest
from made_up_rankings import made_up_curves
from scipy.stats import t

from nasbench_lab.analysis.ranking_curves import RankingCurve, mean_over_runs
from nasbench_lab.errors import MissingDataError, UnknownNameError

CURVES = made_up_curves(2, runs=4, epochs=(10, 20, 30))


def test_means_have_the_intervals_of_student():
    curve = CURVES.curve("method-1")
    values = curve.values("kendall", 0.2)
    assert values.shape == (4, 3)
    found = curve.intervals("kendall", 0.2)
    for place, column in enumerate(values.T):
        low, high = t.interval(0.95, 3, column.mean(), column.std(ddof=1) / 2)
        interval = found.at(place)
        assert (interval.low, interval.high) == (pytest.approx(low), pytest.approx(high))
        assert interval.estimate == pytest.approx(column.mean())


def test_intervals_end_where_the_measure_ends():
    curve = made_up_curves(1, runs=2, epochs=(1,)).curves[0]
    for measure, at, least, most in (("kendall", 0.1, -1, 1), ("precision", 1, 0, 1), ("regret", 1, 0, np.inf)):
        found = curve.intervals(measure, at).at(0)
        free = mean_over_runs(curve.values(measure, at)).at(0)
        assert (found.low, found.high) == (max(free.low, least), min(free.high, most))
    assert free.low < 0, "this interval is cut"


def test_means_ignore_missing_runs_and_one_run_has_no_interval():
    found = mean_over_runs(np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, 5.0]]))
    np.testing.assert_array_equal(found.estimate, [1.0, np.nan, 4.0])
    assert np.isnan(found.low[:2]).all()
    assert found.low[2] < 4 < found.high[2]


def test_only_epochs_of_all_runs_are_averaged():
    every = CURVES.curves[0].snapshots
    partly = RankingCurve("a", tuple(each for each in every if each.run != 2 or each.epoch == 10))
    assert partly.epochs.tolist() == [10], "a line that loses runs on its way would jump"
    apart = RankingCurve("a", tuple(each for each in every if (each.run, each.epoch) in ((0, 10), (1, 20))))
    assert apart.epochs.tolist() == [10, 20]
    assert np.isnan(apart.values()).sum() == 2


def test_records_have_a_row_per_method_run_and_epoch():
    rows = CURVES.records()
    assert len(rows) == 2 * 4 * 3
    columns = rows.to_dict()
    assert columns["method"][0] == "method-0"
    place = next(
        i for i in range(24) if (columns["method"][i], columns["run"][i], columns["epoch"][i]) == ("method-1", 2, 30)
    )
    curve = CURVES.curve("method-1")
    assert columns["kendall_top_fifth"][place] == curve.values("kendall", 0.2)[2, 2]
    assert columns["test_regret_5"][place] == curve.values("regret", 5, "test")[2, 2]
    assert columns["seconds"][place] == 60.0
    assert rows.units["regret_5"] == CURVES.unit()
    assert list(CURVES.to_frame().columns) == list(columns)


def test_names_that_do_not_exist():
    with pytest.raises(UnknownNameError, match="method-0"):
        CURVES.curve("method-7")
    with pytest.raises(UnknownNameError, match="kendall"):
        CURVES.curves[0].values("tau")
    with pytest.raises(MissingDataError, match="it has 0, 1, 2, 3"):
        CURVES.last("method-0", run=9)
    assert CURVES.last("method-0", run=3).epoch == 30


def test_displays():
    assert repr(CURVES) == "<RankingCurves of synthetic/chain: 2 methods, 243 of 243 networks>"
    page = CURVES._repr_html_()
    assert "top fifth" in page
    assert f"{CURVES.curves[1].values()[:, -1].mean():.2f} [" in page
    single = dataclasses.replace(CURVES, curves=made_up_curves(1, runs=1).curves)
    assert "[" not in single._repr_html_(), "one run has no interval"
