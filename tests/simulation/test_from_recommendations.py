"""Traces of searches that train networks themselves."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.simulation import Conditions, Results, Trace, concatenate, load_traces, save_traces
from nasbench_lab.simulation.combined_results import ResultsInput, combine_results
from nasbench_lab.testing import synthetic_table
from nasbench_lab.testing.conformance import identical

NAN = math.nan
TABLE = synthetic_table("chain")
OLD = Path(__file__).parents[1] / "data" / "traces" / "format-4.h5"


def made(recommended=((-1, 12, 77),), seconds=((30.0, 60.0, 90.0),), **options):
    return Trace.from_recommendations(recommended, seconds, **{"table": TABLE, "strategy": "darts", **options})


def test_a_trace_by_hand():
    trace = made([[-1, 12, 77], [5, 5, 0]], [[30.0, 60.0, 90.0], [10.0, 20.0, NAN]])
    test = TABLE.mean_values("test_accuracy")
    assert trace.incumbent().tolist() == [[-1, 12, 77], [5, 5, -1]]
    assert trace.final_incumbent().tolist() == [77, 5]
    assert trace.mask.tolist() == [[True] * 3, [True, True, False]]
    assert trace.evaluations.tolist() == [3, 2]
    expected = test.max() - np.array([[NAN, test[12], test[77]], [test[5], test[5], NAN]])
    assert np.allclose(trace.regret("test"), expected, atol=1e-12, equal_nan=True)
    assert np.array_equal(trace.final("test"), test[[77, 5]])
    assert (trace.fidelity == 0).all()
    assert (trace.repeat == -1).all()
    assert np.isnan(trace.observed).all()
    assert not trace.stopped.any()
    assert trace.incumbent_kind == "recommended"
    assert trace.kinds == ("valid", "test")
    assert trace.setting.trains_networks
    assert trace.setting.training == {"format": "recommendations"}
    assert str(trace.setting.budget) == "90 s"
    assert trace.setting.fidelity == 12


def test_nothing_was_observed():
    with pytest.raises(MissingDataError, match="darts trained networks itself and observed no values") as caught:
        made().regret("observed")
    assert "\n" not in str(caught.value)


def test_its_records_have_no_notation_before_a_recommendation():
    records = made().records()
    assert "regret_observed" not in records.columns
    assert records.columns["notation"].tolist() == ["", TABLE.space.format(12), TABLE.space.format(77)]
    assert records.columns["incumbent"].tolist() == [-1, 12, 77]


def test_steps_after_the_budget_are_cut_off():
    conditions = Conditions(nl.Budget(seconds=60.0), seed=3)
    trace = made(conditions=conditions)
    assert trace.incumbent().tolist() == [[-1, 12]]
    assert trace.setting.conditions == dataclasses.replace(conditions, fidelity=12)
    nothing = made(conditions=Conditions(nl.Budget(seconds=1.0)))
    assert nothing.steps == 0
    assert nothing.final_incumbent().tolist() == [-1]
    assert np.isnan(nothing.final("test")).all()


def test_limits_decide_what_can_be_an_incumbent():
    heavy = TABLE.mean_values("parameters") > 1.0
    allowed, broken = int(np.flatnonzero(~heavy)[0]), int(np.flatnonzero(heavy)[0])
    conditions = Conditions(nl.Budget(seconds=60.0), limits={"parameters": 1.0})
    trace = made([[broken, allowed]], [[1.0, 2.0]], conditions=conditions)
    assert trace.incumbent().tolist() == [[-1, allowed]]
    assert (trace.regret("valid")[:, 1] >= 0).all()


@pytest.mark.parametrize(
    ("recommended", "seconds", "options", "message"),
    [
        ([1, 2], [1.0, 2.0], {}, r"seconds must be an array of shape \(runs, steps\)"),
        ([[1], [2, 3]], [[1.0, 2.0]], {}, r"recommended must be an array of shape \(runs, steps\)"),
        ([[1, 2]], [[1.0, 2.0, 3.0]], {}, "one shape"),
        ([[1.0, 2.0]], [[1.0, 2.0]], {}, "indices of architectures, got an array of float64"),
        ([[True, True]], [[1.0, 2.0]], {}, "indices of architectures"),
        ([[1, 2]], [["a", "b"]], {}, "seconds must be numbers"),
        ([[1, 243]], [[1.0, 2.0]], {}, r"recommended\[0, 1\] must be an index from 0 to 242, or -1 for none yet"),
        ([[1, -2]], [[1.0, 2.0]], {}, "got -2"),
        ([[1, -1]], [[1.0, 2.0]], {}, r"run 0 recommends nothing \(-1\) in step 1, after a recommendation"),
        ([[1, 2]], [[2.0, 1.0]], {}, "must not decrease, got 1 after 2 in run 0"),
        ([[1, 2]], [[1.0, math.inf]], {}, "finite"),
        ([[1, 2]], [[-1.0, 1.0]], {}, "not negative"),
        ([[1, 2]], [[NAN, 1.0]], {}, "NaN before its last step"),
        ([[1, 2, 3]], [[1.0, NAN, 3.0]], {}, "NaN before its last step"),
        ([[1]], [[0.0]], {}, "above 0"),
        ([[]], [[]], {}, "seconds must be an array"),
        ([[1]], [[1.0]], {"conditions": Conditions(nl.Budget(evaluations=3))}, "budget must be in seconds; got 3 eval"),
        ([[1]], [[1.0]], {"conditions": Conditions()}, "budget is missing"),
        ([[1]], [[1.0]], {"conditions": nl.Budget(seconds=1)}, "must be Conditions"),
        ([[1]], [[1.0]], {"training": [1]}, "training must map names to plain values"),
        ([[1]], [[1.0]], {"training": {"device": object()}}, "training must be plain data"),
        ([[1]], [[1.0]], {"training": {"clock_scale": 0.0}}, "clock_scale must be a number above 0, got 0.0"),
        ([[1]], [[1.0]], {"training": {"clock_scale": NAN}}, "clock_scale must be a number above 0"),
        ([[1]], [[1.0]], {"parameters": {"a": {1}}}, "parameters must be plain data"),
        ([[1]], [[1.0]], {"strategy": "two\nlines"}, "one printable line"),
        ([[1]], [[1.0]], {"label": ""}, "one printable line"),
        ([[1]], [[1.0]], {"version": 0}, "version must be at least 1"),
        ([[1]], [[1.0]], {"first_run": -1}, "first_run"),
    ],
)
def test_mistakes_get_one_line(recommended, seconds, options, message):
    with pytest.raises(ParameterError, match=message) as caught:
        made(recommended, seconds, **options)
    assert "\n" not in str(caught.value)


def test_it_survives_the_disk(tmp_path):
    training = {"dataset": "digits", "epochs": np.int64(50), "measured_seconds": [80.5], "clock_scale": 1.25}
    traces = [made(training=training, label="darts:epochs=50", parameters={"epochs": 50}, version=2, first_run=4)]
    traces.append(nl.simulate(TABLE, "random-search", runs=2, budget=nl.Budget(evaluations=3)))
    save_traces(traces, tmp_path / "traces.h5")
    for trace, again in zip(traces, load_traces(tmp_path / "traces.h5"), strict=True):
        assert identical(trace, again)
        assert trace.setting == again.setting
    assert again.recommended is None
    assert not again.setting.training
    save_traces(traces, tmp_path / "again.h5")
    assert (tmp_path / "again.h5").read_bytes() == (tmp_path / "traces.h5").read_bytes()


def test_files_of_the_version_before_are_read(tmp_path):
    simple, evolution = load_traces(OLD)
    assert simple.evaluations.tolist() == [23, 23, 21]
    assert (simple.final_incumbent().tolist(), evolution.final_incumbent().tolist()) == ([77, 57, 48], [45, 12])
    assert simple.regret("test")[:, 0].tolist() == [0.05171939466785025, 0.20939716303441147, 0.2824153947195281]
    assert simple.incumbent_kind == "observed"
    assert simple.recommended is None
    assert not simple.setting.training
    save_traces([simple, evolution], tmp_path / "new.h5")
    assert all(map(identical, load_traces(tmp_path / "new.h5"), (simple, evolution)))


@given(st.data())
def test_parts_of_a_search_are_joined(data):
    runs, steps = data.draw(st.integers(2, 6)), data.draw(st.integers(1, 5))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    recommended, seconds = random.integers(0, 243, (runs, steps)), np.sort(random.random((runs, steps)) + 0.1, axis=1)
    seconds[random.random(runs) < 0.4, random.integers(1, steps + 1) :] = NAN
    conditions = Conditions(nl.Budget(seconds=1.0))
    whole = made(recommended, seconds, conditions=conditions, training={"measured_seconds": seconds[:, 0].tolist()})
    cut = data.draw(st.integers(1, runs - 1))
    parts = [
        made(
            recommended[rows],
            seconds[rows],
            conditions=conditions,
            first_run=rows.start,
            training={"measured_seconds": seconds[rows, 0].tolist()},
        )
        for rows in (slice(0, cut), slice(cut, runs))
    ]
    for joined in (
        concatenate(parts),
        Results.of(parts).trace(0),
        combine_results([ResultsInput(Results.of([part]), str(part.setting.first_run)) for part in parts]).trace(0),
    ):
        assert identical(joined, whole)
        assert joined.setting == whole.setting
    blocks = list(whole.blocks(evaluations=max(1, 2 * whole.steps)))
    assert all(block.setting.training == whole.setting.training for block in blocks)
    assert identical(concatenate(blocks), whole)
