"""Results: stored traces, read one simulation at a time."""

import hashlib
import json
import re
import time

import h5py
import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab import spaces
from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.simulation import Results, load_traces, save_traces
from nasbench_lab.simulation import trace_files as store
from nasbench_lab.spaces import ListedSpace
from nasbench_lab.suites import open_results
from nasbench_lab.tables import Description, Metric
from nasbench_lab.testing import identical, synthetic_table
from nasbench_lab.testing.synthetic import SPACES

BUDGET = nl.Budget(evaluations=9)
KEYS = {
    *("kind", "title", "spec", "spec_hash", "versions", "platforms", "arithmetic"),
    *("wall_seconds", "tables", "skipped", "missing", "imported", "trained", "unfinished", "repeated", "inputs"),
}


def traces_of(names=("random-search", "local-search"), tables=("chain", "tiny"), **options):
    return [
        nl.simulate(synthetic_table(table), name, **{"runs": 4, "budget": BUDGET, **options})
        for table in tables
        for name in names
    ]


def test_results_in_memory():
    traces = traces_of()
    results = Results.of(traces)
    assert len(results) == 4
    assert results.settings == tuple(trace.setting for trace in traces)
    assert all(one is other for one, other in zip(results, traces, strict=True))
    assert set(results.provenance) == KEYS
    assert results.provenance["kind"] == "memory"
    assert [table["name"] for table in results.provenance["tables"]] == ["synthetic/chain", "synthetic/tiny"]
    assert repr(results) == "<Results: 4 simulations, 2 strategies, 2 tables>"
    with pytest.raises(ParameterError, match="there are no results"):
        Results.of([])


def test_results_in_a_file_and_a_folder(tmp_path):
    traces = traces_of()
    save_traces(traces, tmp_path / "traces.h5")
    for path in (tmp_path, tmp_path / "traces.h5", str(tmp_path)):
        results = open_results(path)
        assert results.settings == tuple(trace.setting for trace in traces)
        for number, trace in enumerate(traces):
            found = results.trace(number)
            assert identical(found, trace)
            assert found.reference.space == trace.reference.space
            assert np.array_equal(found.regret("test"), trace.regret("test"), equal_nan=True)
        assert results.provenance["versions"] == {"nasbench-lab": [nl.__version__]}
        json.dumps(results.provenance)


def test_only_what_is_asked_for_is_read(tmp_path, monkeypatch):
    save_traces(traces_of(), tmp_path / "traces.h5")
    read = []
    monkeypatch.setattr(
        store, "_load_group", lambda group, load=store._load_group: read.append(group.name) or load(group)
    )
    results = open_results(tmp_path)
    assert not read
    results.trace(2)
    assert read == ["/traces/2", "/references/1"]
    results.trace(3)
    assert read[2:] == ["/traces/3"], "the reference is the last one"


def test_runs_in_pieces_are_joined_in_order(tmp_path):
    table = synthetic_table("chain")
    whole = nl.simulate(table, "random-search", runs=9, budget=BUDGET)
    pieces = [
        nl.simulate(table, "random-search", runs=runs, first_run=first, budget=BUDGET)
        for first, runs in ((4, 3), (0, 4), (7, 2))
    ]
    save_traces(pieces, tmp_path / "traces.h5")
    for results in (Results.of(pieces), open_results(tmp_path)):
        (setting,) = results.settings
        assert setting == whole.setting
        assert identical(results.trace(0), whole)
    with pytest.raises(DataError, match="the runs of 'random-search' on 'synthetic/chain' are not consecutive"):
        Results.of([pieces[0], pieces[2], nl.simulate(table, "random-search", runs=2, budget=BUDGET)]).trace(0)


def test_runs_that_do_not_begin_at_zero_keep_their_numbers():
    trace = nl.simulate(synthetic_table("chain"), "random-search", runs=2, first_run=5, budget=BUDGET)
    results = Results.of([trace])
    assert results.settings[0].first_run == 0
    assert results.trace(0).setting.first_run == 5


def test_what_is_no_result(tmp_path):
    with pytest.raises(DataError, match="there are no results at"):
        open_results(tmp_path / "none")
    with pytest.raises(DataError, match=re.escape("has no results: neither a traces.h5 nor a suite.json")):
        open_results(tmp_path)
    (tmp_path / "traces.h5").write_bytes(b"no")
    with pytest.raises(DataError, match="cannot read traces from"):
        open_results(tmp_path)


def test_the_catalogue_says_where_a_table_is_from(tmp_path):
    trace = nl.simulate(nl.load("digits/chain"), "random-search", runs=2, budget=BUDGET)
    (table,) = Results.of([trace]).provenance["tables"]
    description = nl.load("digits/chain").description
    assert table["checksum"] == nl.load("digits/chain").checksum
    assert (table["licence"], table["title"]) == (description.licence, description.title)
    (unknown,) = Results.of(traces_of(("random-search",), ("tiny",))).provenance["tables"]
    assert (unknown["licence"], unknown["citation"], unknown["notes"]) == ("", "", [])


# The space of a table, in its traces.


@pytest.mark.parametrize("kind", SPACES)
def test_traces_know_their_space(kind, tmp_path):
    table = synthetic_table(kind)
    trace = nl.simulate(table, "random-search", runs=2, budget=BUDGET)
    save_traces([trace], tmp_path / "traces.h5")
    (loaded,) = load_traces(tmp_path / "traces.h5")
    found = loaded.final_incumbent()
    assert spaces.make_space(loaded.reference.space).format(found) == table.space.format(trace.final_incumbent())


def test_a_space_of_many_names_is_kept_whole(tmp_path):
    names = [f"network-number-{number}" for number in range(20_000)]  # more than an attribute usually holds
    metric = Metric("valid", "valid", "fraction", "maximize", "made up", ("architecture",))
    description = Description("named", "names", ListedSpace(names).spec(), (1,), ("one",), (metric,), "valid", None)
    table = nl.Table(description, {"valid": np.random.default_rng(0).random(20_000)})
    trace = nl.simulate(table, "random-search", runs=2, budget=BUDGET)
    save_traces([trace], tmp_path / "traces.h5")
    space = spaces.make_space(load_traces(tmp_path / "traces.h5")[0].reference.space)
    assert space.format(19_999) == "network-number-19999"


def test_files_of_version_2_are_read_without_a_space(tmp_path):
    path = tmp_path / "traces.h5"
    (trace,) = traces_of(("random-search",), ("chain",))
    save_traces([trace], path)
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 2
        group = file["references/0"]
        del group["_space"]
        arrays = {name: dataset[:] for name, dataset in group.items()}
        group.attrs["checksum"] = store._checksum(group.attrs["header"].decode(), arrays)
    (loaded,) = load_traces(path)
    assert identical(loaded, trace)
    assert loaded.reference.space == {}
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 99
    with pytest.raises(DataError, match="not a traces file in a format that this release reads"):
        load_traces(path)


def test_references_that_differ_in_the_space_only_are_kept_apart(tmp_path):
    table = synthetic_table("chain")
    other = nl.Table(
        Description.from_json(table.description.to_json().replace('"choices": "012"', '"choices": "abc"')),
        {name: np.array(table.values(name)) for name in table.metrics},
    )
    traces = [nl.simulate(each, "random-search", runs=1, budget=BUDGET) for each in (table, other)]
    save_traces(traces, tmp_path / "traces.h5")
    assert [trace.reference.space["choices"] for trace in load_traces(tmp_path / "traces.h5")] == ["012", "abc"]


# Files.


def test_the_same_traces_are_the_same_bytes_at_any_time(tmp_path):
    traces = traces_of()
    save_traces(traces, tmp_path / "one.h5")
    linked = store.linked_images(traces[0], str)
    time.sleep(1.1)  # HDF5 could note the time, in whole seconds
    save_traces(traces, tmp_path / "two.h5")
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()
    assert store.linked_images(traces[0], str) == linked


def test_the_same_bytes_whenever_python_lets_go_of_objects(monkeypatch):
    """Profilers and debuggers keep objects alive, and HDF5 writes some things when they are closed."""
    (trace,) = traces_of(("random-search",), ("chain",))
    expected = store.linked_images(trace, str)
    kept = []

    def keeping(create):
        def create_and_keep(*arguments, **options):
            kept.append(create(*arguments, **options))
            return kept[-1]

        return create_and_keep

    for name in ("create_dataset", "create_group"):
        monkeypatch.setattr(h5py.Group, name, keeping(getattr(h5py.Group, name)))
    assert store.linked_images(trace, str) == expected
    assert len(kept) > 10


def test_a_missing_or_exchanged_reference_is_noticed(tmp_path):
    one, other = traces_of(("random-search",))
    for number, trace in enumerate((one, other)):
        linked = store.linked_images(trace, lambda checksum: f"{checksum}.h5")
        (tmp_path / f"{number}.h5").write_bytes(linked.traces)
        (tmp_path / f"{linked.checksum}.h5").write_bytes(linked.reference)
        assert hashlib.sha256(linked.reference).hexdigest() == linked.checksum
    assert identical(load_traces(tmp_path / "0.h5")[0], one)
    (tmp_path / f"{linked.checksum}.h5").unlink()
    with pytest.raises(DataError, match="cannot read traces from"):
        load_traces(tmp_path / "1.h5")
    for path in tmp_path.glob("*.h5"):
        if len(path.stem) > 1:
            path.write_bytes(path.read_bytes()[:500])
            with pytest.raises(DataError):
                load_traces(tmp_path / "0.h5")
