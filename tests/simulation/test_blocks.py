"""Blocks of runs: the same results as whole traces, in little memory."""

import dataclasses
import errno
import tracemalloc

import h5py
import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.analysis import study, summarize
from nasbench_lab.analysis.collected_runs import collect_runs
from nasbench_lab.analysis.trajectories import incumbent_trajectories
from nasbench_lab.errors import DataError
from nasbench_lab.report.run_folder import write_traces
from nasbench_lab.simulation import Results, concatenate, save_traces, trace_files
from nasbench_lab.simulation.disk import Disk
from nasbench_lab.simulation.results import open_traces
from nasbench_lab.suites import Comparison
from nasbench_lab.testing import identical, synthetic_table

RUNS = 11
SEARCHES = {
    "evaluations": ("random-search", {"budget": nl.Budget(evaluations=9)}),
    "runs end early": ("regularized-evolution", {"budget": nl.Budget(seconds=250), "repeat": "mean"}),
    "fidelities": ("hyperband", {"budget": nl.Budget(seconds=400)}),
    "limits": ("local-search", {"budget": nl.Budget(evaluations=30), "limits": {"parameters": 0.6}}),
    "no times": ("random-search", {"budget": nl.Budget(evaluations=9)}),
}
SIZES = (1, 2, 7, RUNS)  # runs per block


@pytest.fixture(params=SEARCHES)
def trace(request):
    table = synthetic_table("chain", failures=0.3)
    strategy, options = SEARCHES[request.param]
    found = nl.simulate(table, strategy, runs=RUNS, **options)
    if request.param == "no times":
        return dataclasses.replace(found, time=np.where(np.arange(RUNS)[:, None] == 8, np.nan, found.time))
    return found


def small_pieces(monkeypatch, evaluations):
    monkeypatch.setattr("nasbench_lab.simulation.trace.EVALUATIONS_AT_A_TIME", evaluations)
    monkeypatch.setattr("nasbench_lab.simulation.array_pieces.AT_A_TIME", evaluations)
    monkeypatch.setattr(trace_files, "_MOST_IN_MEMORY", evaluations)


def same(one, other):
    """Whether two values are equal bit for bit, inside dataclasses and mappings, too."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if dataclasses.is_dataclass(one):
        return all(same(getattr(one, each.name), getattr(other, each.name)) for each in dataclasses.fields(one))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one is other or repr(one) == repr(other)


@pytest.mark.parametrize("size", SIZES)
def test_blocks_are_the_trace(trace, size, tmp_path):
    save_traces([trace], tmp_path / "traces.h5")
    for results in (Results.of([trace]), open_traces(tmp_path)):
        blocks = list(results.blocks(0, size * trace.steps))
        assert [block.runs for block in blocks] == [min(size, RUNS - first) for first in range(0, RUNS, size)]
        assert identical(concatenate(blocks), trace)
        assert all(block.reference is blocks[0].reference for block in blocks)


def test_blocks_of_a_trace_in_memory_share_its_arrays(trace):
    for block in trace.blocks(2 * trace.steps):
        assert all(np.shares_memory(array, trace.arrays()[name]) for name, array in block.arrays().items())


@pytest.mark.parametrize("size", SIZES)
def test_collected_runs_are_the_same_for_all_blocks(trace, size):
    whole = collect_runs([trace])
    found = collect_runs(trace.blocks(size * trace.steps))
    assert same(found, whole)
    assert same(found.summary, summarize(trace))
    assert same(found.trajectories, incumbent_trajectories(trace))
    final = whole.trajectories.final()
    assert np.array_equal(
        np.where(final < 0, -1, whole.trajectories.architecture[np.maximum(final, 0)]), trace.final_incumbent()
    )


def test_studies_are_the_same_for_all_blocks(tmp_path, monkeypatch):
    table = synthetic_table("chain", failures=0.3)
    names, options = ("random-search", "hyperband"), {"runs": 300, "budget": nl.Budget(seconds=250)}
    traces = [nl.simulate(table, name, **options) for name in names]
    shards = [
        nl.simulate(table, name, **{**options, "runs": 100}, first_run=first)
        for name in names
        for first in (0, 100, 200)
    ]
    assert len({shard.steps for shard in shards}) > 2
    save_traces(traces, tmp_path / "whole.h5")
    save_traces(shards, tmp_path / "traces.h5")
    whole = study(open_traces(tmp_path / "whole.h5"), resamples=50)
    small_pieces(monkeypatch, 50)
    found = study(open_traces(tmp_path), resamples=50)
    unlike = [
        each.name
        for each in dataclasses.fields(whole)
        if each.name != "provenance" and not same(getattr(found, each.name), getattr(whole, each.name))
    ]
    assert not unlike


def test_parts_of_a_suite_that_are_not_consecutive(tmp_path):
    table = synthetic_table("chain")
    parts = [
        nl.simulate(table, "random-search", runs=2, first_run=first, budget=nl.Budget(evaluations=3))
        for first in (0, 3)
    ]
    with pytest.raises(DataError, match="the runs of 'random-search' on 'synthetic/chain' are not consecutive"):
        list(Results.of(parts).blocks(0))


@pytest.mark.parametrize("member", ["header", "architecture", "time", "stopped"])
def test_damage_is_found_before_the_first_block(member, tmp_path, monkeypatch):
    small_pieces(monkeypatch, 1000)
    save_traces([many_runs(400)], tmp_path / "traces.h5")
    with h5py.File(tmp_path / "traces.h5", "r+") as file:
        group = file["traces/0"]
        if member == "header":
            group.attrs["header"] = group.attrs["header"].replace(b"random", b"Random")
        else:
            group[member][-1] = 1
    (setting,) = open_traces(tmp_path).settings
    with pytest.raises(DataError, match="does not match its checksum"):
        next(open_traces(tmp_path).blocks(0, 1000))
    assert setting.table


# Writing.


@pytest.mark.parametrize("size", SIZES)
def test_traces_files_are_the_same_for_all_blocks(trace, size, tmp_path, monkeypatch):
    save_traces([trace, trace], tmp_path / "whole.h5")
    small_pieces(monkeypatch, size * trace.steps)
    with trace_files.traces_writer(tmp_path / "blocks.h5") as writer:
        writer.add(trace.blocks())
        writer.add([trace])
    assert (tmp_path / "blocks.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_blocks_of_different_widths_in_files_of_many_chunks(tmp_path, monkeypatch):
    table, budget = synthetic_table("chain"), nl.Budget(seconds=2000)
    blocks = [
        nl.simulate(table, "random-search", runs=150, first_run=first, budget=budget) for first in range(0, 1200, 150)
    ]
    assert len({block.steps for block in blocks}) > 2
    save_traces([concatenate(blocks)], tmp_path / "whole.h5")
    with h5py.File(tmp_path / "whole.h5") as file:
        assert all(file["traces/0"][name].chunks[0] < 1200 for name in ("architecture", "observed", "repeat"))
    small_pieces(monkeypatch, 1000)
    with trace_files.traces_writer(tmp_path / "blocks.h5") as writer:
        writer.add(iter(blocks))
    assert (tmp_path / "blocks.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()


def test_a_comparison_in_blocks(monkeypatch, tmp_path):
    comparison = Comparison(("digits/chain",), ("random-search", "local-search"), nl.Budget(evaluations=5), runs=9)
    whole = list(comparison.run())
    monkeypatch.setattr("nasbench_lab.suites.comparison.RUNS_AT_A_TIME", 2)
    blocks = [list(each) for each in comparison.run_in_blocks()]
    assert [[block.runs for block in each] for each in blocks] == [[2, 2, 2, 2, 1]] * 2
    assert all(map(identical, map(concatenate, blocks), whole))


@pytest.mark.parametrize("fails_at", [0, 1, 2, 5, 20, 60])
def test_a_disk_that_is_full_at_any_write(fails_at, tmp_path, monkeypatch):
    writes = iter(range(10**6))

    def write(disk, piece, really=Disk._write):
        if next(writes) == fails_at:
            raise OSError(errno.ENOSPC, "full")
        really(disk, piece)

    monkeypatch.setattr(Disk, "_write", write)
    small_pieces(monkeypatch, 1000)
    with pytest.raises(OSError, match="full"), trace_files.traces_writer(tmp_path / "traces.h5") as writer:
        writer.add(many_runs(1000).blocks())
    assert next(writes) > fails_at


# Memory.


def many_runs(runs):
    return nl.simulate(synthetic_table("chain"), "random-search", runs=runs, budget=nl.Budget(evaluations=100))


def size_of(trace):
    return sum(array.nbytes for array in trace.arrays().values())


def peak_of(action):
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_study_of_stored_results_does_not_need_whole_traces(tmp_path, monkeypatch):
    trace = many_runs(6000)
    save_traces([trace], tmp_path / "traces.h5")
    small_pieces(monkeypatch, 2**14)
    results = open_traces(tmp_path)
    study(results, resamples=0, curves_only=True, points=8)  # imports
    needed = peak_of(lambda: study(results, resamples=0, curves_only=True))
    assert needed < size_of(trace) / 2 < peak_of(lambda: results.trace(0))


def test_a_written_comparison_does_not_need_whole_traces(tmp_path, monkeypatch):
    monkeypatch.setattr("nasbench_lab.suites.comparison.RUNS_AT_A_TIME", 64)
    small_pieces(monkeypatch, 2**14)
    names = ("random-search", "regularized-evolution")
    comparison = Comparison(("digits/chain",), names, nl.Budget(evaluations=500), runs=600)
    list(write_traces(dataclasses.replace(comparison, runs=1).run_in_blocks(), tmp_path))  # imports
    needed = peak_of(lambda: list(write_traces(comparison.run_in_blocks(), tmp_path)))
    (first, second), kept = open_traces(tmp_path), peak_of(lambda: list(comparison.run()))
    assert needed < size_of(first) < size_of(first) + size_of(second) <= kept
