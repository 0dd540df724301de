"""Evaluations of other programs as traces: columns, order, clock, budget, values."""

import dataclasses
import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.analysis import study, summarize
from nasbench_lab.errors import ImportedResultsWarning, MissingDataError, NasbenchLabError, ParameterError
from nasbench_lab.simulation import Trace, load_traces, save_traces
from nasbench_lab.simulation.run_arrays import ALWAYS
from nasbench_lab.tables import Table
from nasbench_lab.testing import identical, synthetic_table
from nasbench_lab.testing.baselines.run_losses import losses, scale_of
from nasbench_lab.testing.baselines.trace_audit import audit_trace

TABLE = synthetic_table("chain")
RUNS = nl.simulate(TABLE, "random-search", runs=4, budget=nl.Budget(evaluations=9))
ENDED = nl.simulate(TABLE, "hyperband", runs=4, budget=nl.Budget(seconds=400))


def same_arrays(one, other):
    """All arrays but `stopped`, which no log has."""
    return [name for name in ALWAYS if not np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)]


def steps_of(trace, **changed):
    return {**trace.records(notation=False).to_dict(), **changed}


def quiet(steps, **options):
    """Make a trace, and fail on any note."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return Trace.from_steps(steps, **{"table": TABLE, "strategy": "mine", **options})


def notes_of(steps, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trace = Trace.from_steps(steps, **{"table": TABLE, "strategy": "mine", **options})
    assert all(one.category is ImportedResultsWarning for one in caught)
    return trace, [str(one.message) for one in caught]


@pytest.mark.parametrize("form", ["records", "frame", "arrow", "dictionary", "matrices"])
@pytest.mark.parametrize("trace", [RUNS, ENDED], ids=["even", "several fidelities"])
def test_what_a_trace_exports_is_that_trace(form, trace):
    matrices = {name: getattr(trace, name) for name in ("architecture", "fidelity", "repeat", "observed")}
    steps = {
        "records": trace.records(),
        "frame": trace.to_frame(),
        "arrow": trace.records().to_arrow(),
        "dictionary": trace.records().to_dict(),
        "matrices": {**matrices, "seconds": trace.time},
    }[form]
    found = quiet(steps, budget=trace.setting.budget, repeat="sample", workers=1, seed=0)
    assert same_arrays(found, trace) == []
    assert found.setting.conditions == trace.setting.conditions
    assert found.setting.origin["unknown"] == []
    for kind in ("observed", "valid", "test"):
        assert np.array_equal(found.regret(kind), trace.regret(kind), equal_nan=True)


@settings(max_examples=15)
@given(st.data())
def test_the_order_of_rows_does_not_matter(data):
    frame = RUNS.to_frame()
    order = data.draw(st.permutations(range(len(frame))))
    assert same_arrays(quiet(frame.iloc[list(order)]), RUNS) == []
    assert same_arrays(quiet(frame.iloc[list(order)].drop(columns="step")), RUNS) == []  # ordered by seconds


def losses_of(trace):
    return list(losses(trace, TABLE, scale_of(trace)).values())


def test_it_is_a_trace_like_any_other(tmp_path):
    trace = quiet(steps_of(RUNS), strategy="theirs")
    save_traces([trace, RUNS], tmp_path / "traces.h5")
    stored = load_traces(tmp_path / "traces.h5")[0]
    assert identical(stored, trace)
    assert stored.setting == trace.setting
    assert stored.setting.origin["unknown"] == ["budget", "repeat", "workers", "seed"]
    assert summarize(trace).test_regret == summarize(RUNS).test_regret
    assert audit_trace(trace, TABLE) == []
    assert all(np.array_equal(one, other) for one, other in zip(*map(losses_of, (trace, RUNS)), strict=True))
    assert "imported from: steps" in trace._repr_html_()
    found = study([trace, RUNS], resamples=0)
    assert len(found.tasks) == 1  # the conditions that the log shows are those of the simulation
    assert any("theirs are imported (steps)" in each and "budget, repeat" in each for each in found.warnings)
    assert not any("seeds differ" in each for each in found.warnings)


def test_files_of_simulations_do_not_know_of_origins(tmp_path):
    import h5py

    save_traces([RUNS], tmp_path / "traces.h5")
    with h5py.File(tmp_path / "traces.h5") as file:
        assert "origin" not in json.loads(file["traces/0"].attrs["header"])["setting"]


def test_runs_of_different_length():
    steps = {"run": [0, 0, 0, 1], "architecture": [1, 2, 3, 4], "value": TABLE.mean_values("valid_accuracy")[1:5]}
    trace, _ = notes_of(steps)
    assert trace.evaluations.tolist() == [3, 1]
    assert trace.stopped.tolist() == [False, True]
    assert trace.architecture.tolist() == [[1, 2, 3], [4, -1, -1]]
    assert str(trace.setting.budget) == "3 evaluations"
    assert trace.setting.conditions.repeat == "mean"  # all values are means


def test_runs_have_names():
    steps = steps_of(RUNS)
    trace, notes = notes_of({**steps, "run": [["777", "888", "999", "x"][run] for run in steps["run"]]})
    assert same_arrays(trace, RUNS) == []
    assert notes == ["runs 777, 888, 999, x of the log are numbered 0 to 3"]
    huge = 10**30
    trace, notes = notes_of({**steps, "run": [str(huge + 5 * run) for run in steps["run"]]})
    assert same_arrays(trace, RUNS) == []
    later = quiet({**steps, "run": [run + 3 for run in steps["run"]]})
    assert later.setting.first_run == 3
    assert same_arrays(later, RUNS) == []


def test_steps_can_be_huge_or_have_gaps():
    steps = steps_of(RUNS)
    trace, notes = notes_of({**steps, "step": [10**25 + 7 * step for step in steps["step"]]})
    assert same_arrays(trace, RUNS) == []
    assert notes == [
        "the steps of 4 runs do not start at 0 or 1 or have gaps; evaluations are numbered as they are in order"
    ]
    assert same_arrays(quiet({**steps, "step": [step + 1 for step in steps["step"]]}), RUNS) == []


def test_failed_evaluations():
    values = [float(value) for value in RUNS.observed[0]]
    steps = {"architecture": RUNS.architecture[0], "value": [None, *values[1:]], "seconds": RUNS.time[0]}
    trace = quiet(steps)
    assert np.isnan(trace.observed[0, 0])
    assert trace.incumbent()[0, 0] == -1
    assert quiet({**steps, "value": [pd.NA, *values[1:]]}).observed[0, 1] == values[1]


@pytest.mark.parametrize(
    ("changed", "options"),
    [
        (lambda v: 100 * v, {"unit": "percent"}),
        (lambda v: 1 - v, {"error": True}),
        (lambda v: 100 - 100 * v, {"unit": "percent", "error": True}),
        (lambda v: -v, {"negated": True}),
        (lambda v: -100 * v, {"unit": "percent", "negated": True}),
        (lambda v: 100 * v - 100, {"unit": "percent", "error": True, "negated": True}),
    ],
)
def test_units_and_signs(changed, options):
    steps = steps_of(RUNS, observed=changed(RUNS.observed.reshape(-1)))
    found = quiet(steps, **options)
    assert np.allclose(found.observed, RUNS.observed, rtol=1e-12)
    assert np.array_equal(found.regret("test"), RUNS.regret("test"))
    with pytest.raises(ParameterError, match=r"are not valid_accuracy of synthetic/chain; with .* they are") as refused:
        quiet(steps)
    for name, value in options.items():
        assert f"{name}={value!r}" in str(refused.value)


def test_values_of_another_table():
    steps = steps_of(RUNS)
    rank = np.argsort(np.argsort(RUNS.observed.reshape(-1)))
    with pytest.raises(ParameterError, match=r"which are .* fraction; check=False imports them anyway"):
        quiet({**steps, "observed": 1000.0 + rank})
    falling = np.sort(RUNS.observed.reshape(-1))[::-1][rank]
    with pytest.raises(ParameterError, match="they fall where those rise"):
        quiet({**steps, "observed": falling})
    trace, notes = notes_of({**steps, "observed": 1000.0 + rank}, check=False)
    assert trace.reference.observable == 1000.0 + rank.max()
    assert (trace.regret("observed") >= 0).all()
    assert any("better than any value" in note for note in notes)
    del steps["repeat"]
    noisy, notes = notes_of({**steps, "observed": RUNS.observed.reshape(-1) + np.where(rank % 3, 0, 0.2)})
    assert noisy.setting.conditions.repeat == "sample"  # the values are no means
    assert any("values are not those of synthetic/chain" in note for note in notes)


def test_clocks():
    steps = steps_of(RUNS)
    without = {name: cells for name, cells in steps.items() if name != "seconds"}
    trace, notes = notes_of(without)
    assert np.isnan(trace.time).all()
    assert trace.setting.origin["clock"] == "none"
    assert "clock='table' charges the costs of the table" in notes[0]
    assert np.allclose(quiet(without, clock="table").time, RUNS.time, rtol=1e-12)
    assert np.isnan(quiet(steps, clock="none").time).all()
    each = np.diff(RUNS.time, axis=1, prepend=0).reshape(-1)
    assert np.allclose(quiet({**steps, "seconds": each}, durations=True).time, RUNS.time, rtol=1e-12)
    with pytest.raises(ParameterError, match=r"row 1 ends before the evaluation of row 0.*durations=True"):
        quiet({**steps, "seconds": [9.0, 3.0, *steps["seconds"][2:]]})
    with pytest.raises(ParameterError, match="row 2 has no seconds, while other rows have"):
        quiet({**steps, "seconds": [*steps["seconds"][:2], None, *steps["seconds"][3:]]})
    with pytest.raises(ParameterError, match="row 0: seconds must not be negative, got -1"):
        quiet({**steps, "seconds": [-1.0, *steps["seconds"][1:]]})


def test_a_continued_training_costs_the_difference():
    table = nl.load("digits/topology")
    assert table.description.resumable
    value = [table.mean_values("valid_accuracy", epochs)[5] for epochs in (4, 12)]
    steps = {"architecture": [5, 5], "fidelity": [4, 12], "value": value, "repeat": [0, 0]}
    one = {**steps, "training": ["a", "a"]}
    new, continued = (quiet(each, table=table, clock="table") for each in (steps, one))
    trained = [table.training_cost(epochs)[5, 0] for epochs in (4, 12)]
    assert new.time[0].tolist() == pytest.approx([trained[0], sum(trained)])
    assert continued.time[0].tolist() == pytest.approx(trained)
    with pytest.raises(ParameterError, match="training 'a' has architectures 5 and 6"):
        quiet({**one, "architecture": [5, 6]}, table=table, check=False)


def test_evaluations_of_parallel_workers_count_when_they_end():
    values = TABLE.mean_values("valid_accuracy")
    steps = {"step": [0, 1, 2], "architecture": [1, 2, 3], "value": values[1:4], "seconds": [9.0, 4.0, 6.0]}
    with pytest.raises(ParameterError, match="order='seconds'"):
        quiet(steps)
    assert quiet(steps, order="seconds").architecture.tolist() == [[2, 3, 1]]


@pytest.mark.parametrize("budget", [{"evaluations": 5}, {"epochs": 70}, {"trainings": 4}, {"seconds": 100.0}])
def test_a_budget_ends_runs_as_in_simulations(budget):
    short = nl.simulate(TABLE, "random-search", runs=4, budget=nl.Budget(**budget))
    long = nl.simulate(TABLE, "random-search", runs=4, budget=nl.Budget(evaluations=200))
    found, notes = notes_of(steps_of(long), budget=nl.Budget(**budget), repeat="sample", workers=1, seed=0)
    assert identical(found, short)
    assert found.setting.conditions == short.setting.conditions
    assert "are left out" in notes[0]


def test_what_a_budget_needs():
    steps = {name: cells for name, cells in steps_of(RUNS).items() if name != "seconds"}
    with pytest.raises(MissingDataError, match="the budget is in seconds, but the log has none"):
        Trace.from_steps(steps, table=TABLE, strategy="mine", budget=nl.Budget(seconds=9), clock="none")
    with pytest.raises(ParameterError, match="energy of imported evaluations is not known"):
        Trace.from_steps(steps, table=TABLE, strategy="mine", budget=nl.Budget(energy="1 J"))


def test_fidelities():
    value = TABLE.mean_values("valid_accuracy", 4)[[1, 2]]
    trace, _ = notes_of({"architecture": [1, 2], "value": value}, fidelity=4)
    assert trace.setting.fidelity == 4
    _, notes = notes_of({"architecture": [1, 2], "fidelity": [7, 7], "value": value})
    assert any("at numbers of epochs that synthetic/chain does not have" in note for note in notes)
    with pytest.raises(ParameterError, match="row 1: fidelity 99 is above the highest"):
        quiet({"architecture": [1, 2], "fidelity": [4, 99], "value": value})
    with pytest.raises(ParameterError, match=r"row 0: fidelity must be a whole number, got '4.5'"):
        quiet({"architecture": [1, 2], "fidelity": [4.5, 4], "value": value})


FIRST = TABLE.mean_values("valid_accuracy")[:3]
GOOD = {"architecture": [0, 1, 2], "value": FIRST}


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ({}, "there are no evaluations"),
        ({"architecture": [], "value": []}, "there are no evaluations"),
        ({"architecture": [0, 1, 2]}, "there is no column 'value'"),
        ({"value": FIRST}, "there is no column 'architecture'"),
        ({**GOOD, "architecture": [0, 1, 243]}, "row 2: architecture 243 is not in 0..242 of space 'chain'"),
        ({**GOOD, "architecture": [0, -5, 2]}, "row 1: architecture -5 is not in 0..242"),
        ({**GOOD, "architecture": ["0", "1", "9" * 5000]}, "row 2: '9999.*is no architecture"),
        ({**GOOD, "architecture": ["00000", "", "00001"]}, "row 1 has no architecture"),
        ({**GOOD, "architecture": ["00000", "77777", "00001"]}, "row 1: .*77777"),
        ({**GOOD, "notation": ["00000", "00002", "00003"]}, "row 1: architecture 1 of .* is not '00002'"),
        ({**GOOD, "step": [0, 1, 1]}, "row 2 has the run and the step of row 1"),
        ({**GOOD, "step": [0, 1, "x"]}, "row 2: step must be a whole number, got 'x'"),
        ({**GOOD, "run": [0, None, 1]}, "row 1 has no run"),
        ({**GOOD, "value": ["1", "inf", "2"]}, "row 1: value must be a finite number, got 'inf'"),
        ({**GOOD, "value": ["1", "two", "2"]}, "row 1: value must be a finite number, got 'two'"),
        ({**GOOD, "repeat": [0, 99, 0]}, "row 1: table 'synthetic/chain' has repeats 0..2"),
        ({**GOOD, "value": [1.0, 2.0]}, "the columns have different lengths: architecture: 3, value: 2"),
        ({**GOOD, "value": [True, False, True]}, "column 'value' must have numbers or texts"),
        ({**GOOD, "observed": FIRST}, "columns 'value' and 'observed' mean the same"),
        ({"architecture": [[0, -1, 1]], "value": [[1.0, 2.0, 3.0]]}, "run 0 has an evaluation after a step without"),
        ([1, 2], "steps must be columns by name"),
        (7, "steps must be columns by name"),
    ],
)
def test_bad_steps_get_one_clear_line(steps, message):
    with pytest.raises(ParameterError, match=message) as refused:
        quiet(steps)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": "percents"}, "unit must be"),
        ({"clock": "wall"}, "clock must be"),
        ({"order": "step"}, "order='step' needs a column 'step'"),
        ({"order": "seconds"}, "order='seconds' needs elapsed seconds"),
        ({"unknown": 1}, "unknown option 'unknown'"),
        ({"strategy": ""}, "the name of a strategy must be one printable line"),
        ({"strategy": "a\nb"}, "the name of a strategy must be one printable line"),
        ({"columns": {"value": "x"}}, "unknown column of the log 'x'"),
        ({"columns": {"worth": "value"}}, "unknown column 'worth'"),
        ({"fidelity": 5}, "unknown fidelity '5'"),
        ({"workers": 0}, "workers must be"),
    ],
)
def test_bad_options_get_one_clear_line(options, message):
    with pytest.raises(NasbenchLabError, match=message):
        Trace.from_steps(GOOD, **{"table": TABLE, "strategy": "mine", **options})


def test_columns_with_other_names():
    steps = {"arch": [0, 1, 2], "acc": FIRST, "colour": ["r", "g", "b"]}
    trace, notes = notes_of(steps, columns={"architecture": "arch", "value": "acc"})
    assert trace.architecture.tolist() == [[0, 1, 2]]
    assert notes[0] == "these columns are not used: 'colour'"


def test_runs_that_would_fill_the_memory_are_refused():
    count = 20_000
    steps = {"run": [0] * count + list(range(1, count)), "architecture": np.zeros(2 * count - 1, dtype=int)}
    with pytest.raises(ParameterError, match="do not fit into one trace"):
        quiet({**steps, "value": np.full(2 * count - 1, FIRST[0])})


CELLS = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.just("1e400"),
    st.just(10**400),
    st.binary(max_size=3),
)


@settings(max_examples=80)
@given(
    names=st.sets(
        st.sampled_from(["run", "step", "seconds", "fidelity", "repeat", "training", "notation"]), max_size=4
    ),
    data=st.data(),
)
def test_any_cells_give_a_trace_or_one_line(names, data):
    rows = data.draw(st.integers(0, 3))
    columns = {
        name: data.draw(st.lists(CELLS, min_size=rows, max_size=rows)) for name in [*names, "architecture", "value"]
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trace = Trace.from_steps(columns, table=TABLE, strategy="mine", check=False)
    except NasbenchLabError as error:
        assert "\n" not in str(error).strip()
    else:
        assert trace.evaluations.sum() == rows
        assert (trace.architecture[trace.mask] >= 0).all()


def test_a_metric_that_is_minimised():
    metrics = [
        dataclasses.replace(metric, direction="minimize", unit="nats") if metric.split in ("valid", "test") else metric
        for metric in TABLE.description.metrics
    ]
    description = dataclasses.replace(TABLE.description, metrics=tuple(metrics))
    losses_table = Table(description, {name: TABLE.values(name) for name in TABLE.metrics})
    trace = nl.simulate(losses_table, "random-search", runs=3, budget=nl.Budget(evaluations=6))
    steps = steps_of(trace)
    assert same_arrays(quiet(steps, table=losses_table), trace) == []
    assert (
        same_arrays(quiet({**steps, "observed": -trace.observed.reshape(-1)}, table=losses_table, negated=True), trace)
        == []
    )
    with pytest.raises(ParameterError, match="with negated=True they are"):
        quiet({**steps, "observed": -trace.observed.reshape(-1)}, table=losses_table)
    with pytest.raises(ParameterError, match="error=True is for accuracies; valid_accuracy is in 'nats'"):
        quiet(steps, table=losses_table, error=True)
    better = [0.01, *steps["observed"][1:]]
    found, _ = notes_of({**steps, "observed": better}, table=losses_table)
    assert found.reference.observable == 0.01
    assert (found.regret("observed") >= 0).all()


def test_repeats_are_judged_by_the_values():
    steps = {name: cells for name, cells in steps_of(RUNS).items() if name != "repeat"}
    assert same_arrays(quiet(steps), RUNS) == []
    one = nl.load("nas-bench-graph/proteins")
    assert one.repeats == 1
    trace = nl.simulate(one, "random-search", runs=2, budget=nl.Budget(evaluations=5))
    steps = {name: cells for name, cells in steps_of(trace).items() if name != "repeat"}
    found, _ = notes_of(steps, table=one)
    assert same_arrays(found, trace) == []
    assert found.setting.conditions == trace.setting.conditions
