"""Traces: incumbents and regrets, against hand-made runs and a plain reading of the definitions."""

import dataclasses
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traces import NAN, hand_made

import nasbench_lab as nl
from nasbench_lab.errors import DataError, MissingDataError, ParameterError, UnknownNameError
from nasbench_lab.simulation import Reference, concatenate, load_traces, save_traces
from nasbench_lab.strategies import needs
from nasbench_lab.testing import identical, synthetic_table


def test_a_run_worked_out_by_hand():
    trace = hand_made(
        architecture=[[2, 0, 1, 3, 1, -1]],
        observed=[[NAN, 0.5, 0.7, 0.7, 0.2, NAN]],
        mask=[[True] * 5 + [False]],
        valid=[0.5, 0.6, 0.1, 0.9],
        test=[0.4, 0.8, 0.2, 0.7],
    )
    assert trace.incumbent().tolist() == [[-1, 0, 1, 1, 1, -1]]  # of equal values, the first seen
    assert trace.evaluations.tolist() == [5]
    expected = {
        "observed": [NAN, 0.2, 0.0, 0.0, 0.0, NAN],
        "valid": [NAN, 0.4, 0.3, 0.3, 0.3, NAN],
        "test": [NAN, 0.4, 0.0, 0.0, 0.0, NAN],
    }
    for kind, regret in expected.items():
        assert trace.regret(kind)[0] == pytest.approx(regret, nan_ok=True)
    assert trace.final("valid").tolist() == [0.6]
    assert trace.final("test").tolist() == [0.8]
    assert trace.final().tolist() == [0.8]


def test_errors_are_minimised():
    trace = hand_made(
        [[0, 1, 2]], [[0.3, 0.1, 0.2]], valid=[0.3, 0.1, 0.2], test=[0.05, 0.2, 0.3], direction="minimize"
    )
    assert trace.incumbent().tolist() == [[0, 1, 1]]
    assert trace.regret("observed")[0] == pytest.approx([0.2, 0.0, 0.0])
    assert trace.regret("test")[0] == pytest.approx([0.0, 0.15, 0.15])


def test_test_values_are_never_used_for_selection():
    """Exchanging the test values changes what is reported, and nothing else."""
    table = synthetic_table("chain")
    values = {name: np.array(table.values(name)) for name in table.metrics}
    values["test_accuracy"] = 1 - values["test_accuracy"]
    other = nl.Table(table.description, values)
    for name in nl.list_strategies():
        options = {"runs": 5, "budget": nl.Budget(evaluations=60)}
        one, two = nl.simulate(table, name, **options), nl.simulate(other, name, **options)
        assert identical(one, two)
        assert np.array_equal(one.incumbent(), two.incumbent())
        assert not np.array_equal(one.final("test"), two.final("test"))


OF_ONE_FIDELITY = [name for name in nl.list_strategies() if "fidelities" not in needs(name)]
"""Elsewhere the first value at a higher fidelity makes an incumbent, even if it is a worse value."""


def plain_incumbent(architectures, observed):
    best, incumbent, trajectory = -math.inf, -1, []
    for architecture, value in zip(architectures, observed, strict=True):
        if value > best:
            best, incumbent = value, architecture
        trajectory.append(incumbent)
    return trajectory


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([NAN, 0.0, 0.25, 0.5, 0.75])), min_size=1, max_size=25))
def test_incumbents_by_definition(steps):
    architectures, observed = zip(*steps, strict=True)
    if all(math.isnan(value) for value in observed):
        return
    trace = hand_made([architectures], [observed], valid=[0.1] * 5, test=[0.1] * 5)
    assert trace.incumbent()[0].tolist() == plain_incumbent(architectures, observed)


@given(st.sampled_from(OF_ONE_FIDELITY), st.integers(0, 1000), st.sampled_from(["sample", "mean"]))
@settings(max_examples=40)
def test_regret_is_never_negative_and_observed_regret_never_grows(name, seed, repeat):
    table = synthetic_table("chain", failures=0.2)
    trace = nl.simulate(table, name, runs=5, budget=nl.Budget(evaluations=80), seed=seed, repeat=repeat)
    for kind in ("observed", "valid", "test"):
        assert np.nanmin(trace.regret(kind)) >= 0
    observed = trace.regret("observed")
    assert not (np.diff(observed, axis=1) > 0).any()
    first = (~np.isnan(trace.observed)).argmax(axis=1)
    before = np.arange(trace.steps) < first[:, None]
    assert np.isnan(observed[before]).all(), "a value before the first finished evaluation"
    assert not np.isnan(observed[~before]).any()


def test_the_observed_regret_grows_only_where_a_run_reaches_a_higher_fidelity():
    grown = 0
    for name in ("asha", "hyperband", "learning-curve-stopping"):
        trace = nl.simulate("digits/topology", name, runs=100, budget=nl.Budget(evaluations=40))
        higher = np.diff(np.maximum.accumulate(trace.fidelity, axis=1), axis=1) > 0
        grows = np.diff(trace.regret("observed"), axis=1) > 0
        assert not (grows & ~higher).any()
        grown += grows.sum()
    assert grown > 0


def test_a_run_without_any_value_has_no_incumbent():
    trace = hand_made([[0, 1], [0, 1]], [[NAN, NAN], [NAN, 0.4]], valid=[0.1, 0.4], test=[0.1, 0.4])
    assert trace.final_incumbent().tolist() == [-1, 1]
    assert trace.final("test") == pytest.approx([NAN, 0.4], nan_ok=True)


def test_unknown_kinds_and_splits():
    trace = hand_made([[0]], [[0.5]], valid=[0.5], test=[0.5])
    with pytest.raises(UnknownNameError, match="unknown regret 'validation'"):
        trace.regret("validation")
    with pytest.raises(UnknownNameError, match="unknown split 'train'; known: test, valid"):
        trace.final("train")


def test_traces_of_consecutive_runs_join():
    table = synthetic_table("chain")
    options = {"budget": nl.Budget(seconds=300.0)}
    one = nl.simulate(table, "random-search", runs=3, **options)
    two = nl.simulate(table, "random-search", runs=2, first_run=3, **options)
    assert identical(concatenate([one, two]), nl.simulate(table, "random-search", runs=5, **options))
    for wrong in ([two, one], [one, one], []):
        with pytest.raises(ParameterError):
            concatenate(wrong)


# Traces on disk.


def test_traces_survive_the_disk(tmp_path):
    table, other = synthetic_table("chain", failures=0.1), synthetic_table("tiny")
    traces = [
        nl.simulate(table, "random-search", runs=3, budget=nl.Budget(seconds=400.0)),
        nl.simulate(
            table, "regularized-evolution", runs=2, budget=nl.Budget(evaluations=30), sample_size=5, seed=2**90
        ),
        nl.simulate(other, "local-search", runs=2, budget=nl.Budget(evaluations=30), repeat=0),
        nl.simulate(other, "local-search", runs=2, budget=nl.Budget(seconds=1e-3)),
    ]
    save_traces(traces, tmp_path / "traces.h5")
    loaded = load_traces(tmp_path / "traces.h5")
    assert [trace.setting for trace in loaded] == [trace.setting for trace in traces]
    for one, two in zip(traces, loaded, strict=True):
        assert identical(one, two)
        assert np.array_equal(one.regret("test"), two.regret("test"), equal_nan=True)
        assert np.array_equal(one.regret("observed"), two.regret("observed"), equal_nan=True)


def test_arguments_of_plain_strategies_are_kept_as_text(tmp_path):
    class Guess:
        def __init__(self, space, random, choices):
            self.size = space.size

        def ask(self):
            return 0

        def tell(self, architecture, value):
            pass

    trace = nl.simulate(synthetic_table("tiny"), Guess, runs=1, budget=nl.Budget(evaluations=2), choices={1, 2})
    save_traces([trace], tmp_path / "traces.h5")
    assert load_traces(tmp_path / "traces.h5")[0].setting.parameters["choices"] == "{1, 2}"


@given(st.data())
@settings(max_examples=200)
def test_damaged_trace_files_give_an_error_or_the_true_traces(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damaged") / "traces.h5"
    trace = nl.simulate(synthetic_table("tiny"), "random-search", runs=2, budget=nl.Budget(evaluations=5))
    save_traces([trace], path)
    content = bytearray(path.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans(), label="truncate"):
        del content[position:]
    else:
        content[position] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    try:
        (loaded,) = load_traces(path)
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert identical(trace, loaded)
        assert loaded.setting == trace.setting
        assert np.array_equal(loaded.regret("test"), trace.regret("test"))


def test_texts_have_fixed_lengths(tmp_path):
    """HDF5 can search for ever where the length of a text is damaged, unless it is fixed."""
    import h5py

    trace = nl.simulate(synthetic_table("tiny"), "random-search", runs=2, budget=nl.Budget(evaluations=5))
    save_traces([trace], tmp_path / "traces.h5")
    with h5py.File(tmp_path / "traces.h5") as file:
        objects = [file, file["traces/0"], file["references/0"]]
        kinds = [found.attrs.get_id(name).dtype.kind for found in objects for name in found.attrs]
    assert set(kinds) == {"S", "i"}
    assert b"GCOL" not in (tmp_path / "traces.h5").read_bytes()  # where texts of variable length would be


def test_texts_of_variable_length_are_read(tmp_path):
    """As files of format 3 have them, which have no version of the strategy either."""
    import json

    import h5py

    from nasbench_lab.simulation.trace_files import _checksum

    trace = nl.simulate(synthetic_table("tiny"), "random-search", runs=2, budget=nl.Budget(evaluations=5))
    save_traces([trace], tmp_path / "traces.h5")
    with h5py.File(tmp_path / "traces.h5", "a") as file:
        for name in ("format", "created_by"):
            file.attrs[name] = file.attrs[name].decode()
        file.attrs["format_version"] = 3
        for group in (file["traces/0"], file["references/0"]):
            header = json.loads(group.attrs["header"])
            header.get("setting", {}).pop("version", None)
            text = json.dumps(header, sort_keys=True)
            group.attrs["header"] = text
            group.attrs["checksum"] = _checksum(text, {key: data[:] for key, data in group.items()})
    (loaded,) = load_traces(tmp_path / "traces.h5")
    assert loaded.setting == trace.setting
    assert identical(trace, loaded)


def test_long_texts_are_kept(tmp_path):
    class Guess:
        def __init__(self, space, random, text=""):
            self.space = space

        def ask(self):
            return 0

        def tell(self, architecture, value):
            pass

    trace = nl.simulate(synthetic_table("tiny"), Guess, runs=1, budget=nl.Budget(evaluations=2), text="ü" * 200_000)
    save_traces([trace], tmp_path / "traces.h5")
    assert load_traces(tmp_path / "traces.h5")[0].setting == trace.setting


def test_there_must_be_something_to_save(tmp_path):
    with pytest.raises(ParameterError, match="no traces to save"):
        save_traces([], tmp_path / "traces.h5")


def test_other_files_are_no_traces(tmp_path):
    from nasbench_lab.tables import write

    write(synthetic_table("tiny"), tmp_path / "table.h5")
    for path in (tmp_path / "table.h5", tmp_path / "missing.h5"):
        with pytest.raises(DataError):
            load_traces(path)


def test_missing_splits():
    reference = Reference(1.0, {}, {})
    with pytest.raises(MissingDataError, match="publishes no test"):
        reference.mean("test")


@pytest.mark.parametrize("strategy", ["random-search", "hyperband"])
@pytest.mark.parametrize("limits", [{}, {"parameters": 0.6}])
def test_regret_is_the_same_in_blocks_of_any_size(strategy, limits, monkeypatch):
    table = synthetic_table("chain", failures=0.3)
    trace = nl.simulate(table, strategy, runs=11, budget=nl.Budget(seconds=300), limits=limits)
    whole = {kind: trace.regret(kind) for kind in ("observed", "valid", "test")}
    ends = trace.incumbent(), trace.final_incumbent(), trace.final("test")
    monkeypatch.setattr("nasbench_lab.simulation.trace.EVALUATIONS_AT_A_TIME", 3 * trace.steps)
    again = dataclasses.replace(trace)  # forgets what is cached
    for kind, regret in whole.items():
        assert np.array_equal(again.regret(kind), regret, equal_nan=True)
    for one, other in zip(ends, (again.incumbent(), again.final_incumbent(), again.final("test")), strict=True):
        assert np.array_equal(one, other, equal_nan=True)
    for run in range(trace.runs):  # each run alone
        rows = {name: array[run : run + 1] for name, array in trace.arrays().items()}
        assert np.array_equal(dataclasses.replace(trace, **rows).regret(), whole["test"][run : run + 1], equal_nan=True)


def test_regret_of_many_runs_takes_little_more_memory_than_its_result(monkeypatch):
    small = nl.simulate(synthetic_table("chain"), "random-search", runs=500, budget=nl.Budget(evaluations=100))
    many = {name: np.concatenate([array.T] * 40, axis=-1).T for name, array in small.arrays().items()}
    trace = dataclasses.replace(small, **many)
    monkeypatch.setattr("nasbench_lab.simulation.trace.EVALUATIONS_AT_A_TIME", 2**14)
    tracemalloc.start()
    try:
        regret = trace.regret()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert regret.shape == (20_000, 100)
    assert peak < 1.5 * regret.nbytes
