"""Suites of several folders as one: each shard once, whatever the order, and nothing half-written."""

import errno
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from changed_suites import MINE, make_old, suite, write_mine
from command_line import assert_refused
from command_line import nasbench_lab_here as nasbench_lab
from hypothesis import given, settings
from hypothesis import strategies as st
from small_suites import STRATEGIES, digests, small_shards, table_file

import nasbench_lab as nl
from nasbench_lab.analysis import study
from nasbench_lab.errors import DataError, OutputError, ParameterError
from nasbench_lab.simulation import trace_files
from nasbench_lab.suites import (
    StrategyEntry,
    Suite,
    SuiteFolder,
    TableEntry,
    merge_suites,
    open_results,
    run_suite,
    searches,
    shards,
)
from nasbench_lab.suites.sealed_json import sealed
from nasbench_lab.testing import identical

PATIENCE = 120


@pytest.fixture
def small(monkeypatch):
    small_shards(monkeypatch)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of tables, and a finished suite of nine shards in it."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        small_shards(patch)
        run_suite(suite(folder, runs=10), folder / "out")
    return folder


def part(whole, out, names):
    """A folder in which only some shards of a suite are finished."""
    shutil.copytree(whole / "out", out)
    for path in (out / "shards").iterdir():
        if path.stem not in names:
            path.unlink()
    return out


def names_of(out):
    return sorted(path.stem for path in (out / "shards").glob("*.json"))


def content(out):
    """All files of a suite, byte for byte."""
    return {
        path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file() and path.name != ".lock"
    }


def labels(out):
    return [(setting.label, setting.table) for setting in open_results(out, partial=True).settings]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 7), min_size=9, max_size=9), st.permutations([0, 1, 2]))
def test_merging_does_not_depend_on_order_or_grouping(whole, tmp_path_factory, owners, order):
    """Each shard is finished in some of three folders. Merged in any way, all of them are one suite."""
    folder = tmp_path_factory.mktemp("parts")
    every = names_of(whole / "out")
    wanted = [[name for name, owner in zip(every, owners, strict=True) if owner >> bit & 1] for bit in range(3)]
    parts = [part(whole, folder / str(bit), names) for bit, names in enumerate(wanted)]
    merge_suites([parts[place] for place in order], folder / "all")
    merge_suites(parts[:2], folder / "two")
    merge_suites([folder / "two", parts[2], parts[order[0]]], folder / "again")
    merge_suites([folder / "all"], folder / "alone")
    assert content(folder / "all") == content(folder / "again") == content(folder / "alone")
    assert digests(folder / "all") == digests(whole / "out")
    assert content(folder / "all") == content(whole / "out")


def test_halves_are_continued_where_they_ended(whole, tmp_path, small, monkeypatch):
    every = names_of(whole / "out")
    one, two = part(whole, tmp_path / "one", every[:3]), part(whole, tmp_path / "two", every[2:7])
    before = content(one), content(two)
    merged = merge_suites([one, two], tmp_path / "both")
    assert not merged.damaged
    assert (content(one), content(two)) == before
    assert names_of(tmp_path / "both") == every[:7]
    simulated, really = [], searches.simulate_under
    monkeypatch.setattr(searches, "simulate_under", lambda *a, **o: simulated.append(o["first_run"]) or really(*a, **o))
    run_suite(suite(whole, runs=10), tmp_path / "both")
    assert len(simulated) == 2
    assert digests(tmp_path / "both") == digests(whole / "out")


def test_strategies_tables_and_runs_of_several_suites(tmp_path, small):
    run_suite(suite(tmp_path, STRATEGIES[:2], runs=6), tmp_path / "one")
    run_suite(suite(tmp_path, STRATEGIES[1:], ["mine.h5", "other.h5"], runs=8, title="Two"), tmp_path / "two")
    merged = merge_suites([tmp_path / "one", tmp_path / "two"], tmp_path / "both")
    wanted = suite(tmp_path, STRATEGIES, ["mine.h5", "other.h5"], runs=8)
    assert merged.folder.suite.hash == wanted.hash
    assert merged.folder.suite.title == "Two"
    plan = merged.folder.plan
    assert plan.open_pairs == [("random-search", "synthetic/topology")]
    cuts = {simulation.label: simulation.cuts for simulation in plan.simulations if not simulation.table}
    assert cuts == {"random-search": (6,), "regularized-evolution": (), "local-search": ()}
    found = study(open_results(tmp_path / "both", partial=True), resamples=0)
    assert (
        "The suite is not finished: 1 shard is missing, so these are left out: random-search on synthetic/chain."
        in (found.warnings)
    )
    results = run_suite(merged.folder.suite if False else wanted, tmp_path / "both")
    scratch = run_suite(wanted, tmp_path / "scratch")
    assert labels(tmp_path / "both") == labels(tmp_path / "scratch")
    assert all(identical(one, other) for one, other in zip(results, scratch, strict=True))
    assert not SuiteFolder.open(tmp_path / "both").plan.open_pairs


def test_patterns_grids_and_budgets_of_each_table(tmp_path, small):
    table_file(tmp_path)
    budgets = [nl.Budget(evaluations=5), nl.Budget(evaluations=7)]
    suite(tmp_path, tables=["other.h5"])  # writes the table
    grid = StrategyEntry("regularized-evolution", grid={"population_size": [3, 4]})
    default = nl.strategies.resolve("regularized-evolution", {}).population_size
    one = Suite([StrategyEntry("local-*"), grid], ["mine.h5"], budgets[0], runs=4, folder=tmp_path)
    written = f"regularized-evolution:population_size={default}"
    two = Suite([written, "regularized-evolution:population_size=4"], ["o*.h5"], budgets[1], runs=4, folder=tmp_path)
    three = Suite(["regularized-evolution"], [TableEntry("mine.h5", budget=budgets[0])], runs=4, folder=tmp_path)
    for number, each in enumerate((one, two, three)):
        run_suite(each, tmp_path / str(number))
    merged = merge_suites([tmp_path / "0", tmp_path / "1", tmp_path / "2"], tmp_path / "all").folder
    assert [(entry.name, dict(entry.parameters)) for entry in merged.suite.strategies] == [
        ("local-search", {}),
        ("regularized-evolution", {"population_size": 3}),
        ("regularized-evolution", {"population_size": 4}),
        ("regularized-evolution", {"population_size": default}),
    ]
    assert [(entry.name, entry.budget) for entry in merged.suite.tables] == [
        ("mine.h5", budgets[0]),
        ("other.h5", budgets[1]),
    ]
    continued = Suite(
        merged.suite.strategies, merged.suite.tables, merged.suite.conditions, runs=merged.suite.runs, folder=tmp_path
    )
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "all/shards").iterdir()}
    results = run_suite(continued, tmp_path / "all")
    assert len(results) == 8
    assert before.items() <= {path: path.stat().st_mtime_ns for path in (tmp_path / "all/shards").iterdir()}.items()


def damage(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_damaged_shards_are_left_out_or_taken_from_another_folder(whole, tmp_path):
    every = names_of(whole / "out")
    one, two = part(whole, tmp_path / "one", every), part(whole, tmp_path / "two", every[4:])
    for name in (every[0], every[5]):
        damage(one / f"shards/{name}.h5")
    damage(one / f"shards/{every[1]}.json")
    merged = merge_suites([one, two], tmp_path / "both")
    assert sorted(merged.damaged) == [str(one / f"shards/{name}.h5") for name in (every[0], every[5])]
    assert names_of(tmp_path / "both") == every[2:]
    damage(next((one / "references").iterdir()))
    assert names_of(merge_suites([one], tmp_path / "none").folder.path) == []


@pytest.mark.parametrize(
    "changes", [{"first_run": 5}, {"first_run": "x"}, {"runs": 3}, {"code": "0" * 64}, {"setting": {}}]
)
def test_a_manifest_that_does_not_prove_its_name_counts_as_none(whole, tmp_path, changes):
    """Its seal is right, as a seal is no signature."""
    out = part(whole, tmp_path / "out", names_of(whole / "out"))
    folder = SuiteFolder.open(out)
    shard = folder.plan.shards[1]
    manifest = folder.manifest(shard)
    if "first_run" in changes:
        manifest["setting"] |= changes
    else:
        manifest |= changes
    folder.traces_path(shard).with_suffix(".json").write_bytes(sealed(manifest))
    assert folder.manifest(shard) is None
    assert names_of(merge_suites([out], tmp_path / "merged").folder.path) == sorted(
        name for name in names_of(whole / "out") if name != shard.name
    )


def with_other_bytes(out, monkeypatch):
    """Write the traces as another version of HDF5 would: other bytes, the same content."""
    folder = SuiteFolder.open(out)
    for shard in folder.plan.shards:
        path, manifest = folder.traces_path(shard), folder.manifest(shard)
        (trace,) = trace_files.load_traces(path)
        with monkeypatch.context() as patch:
            patch.setattr(trace_files, "_PACKED", {**trace_files._PACKED, "compression_opts": 9, "shuffle": False})
            made = trace_files.linked_images(trace, lambda checksum: f"../references/{checksum}.h5")
        (out / f"references/{made.checksum}.h5").write_bytes(made.reference)
        path.write_bytes(made.traces)
        digest = shards.hashlib.sha256(made.traces).hexdigest()
        changes = {"sha256": digest, "bytes": len(made.traces), "reference": made.checksum}
        path.with_suffix(".json").write_bytes(sealed({**manifest, **changes}))


def test_equal_traces_with_other_bytes(whole, tmp_path, monkeypatch):
    other = part(whole, tmp_path / "other", names_of(whole / "out"))
    with_other_bytes(other, monkeypatch)
    assert digests(other) != digests(whole / "out")
    merged = [
        content(merge_suites(folders, tmp_path / str(number)).folder.path)
        for number, folders in enumerate(itertools.permutations([whole / "out", other]))
    ]
    assert merged[0] == merged[1]
    results = open_results(tmp_path / "0")
    assert all(identical(one, two) for one, two in zip(results, open_results(whole / "out"), strict=True))


def test_different_traces_under_one_setting_are_refused(whole, tmp_path, monkeypatch):
    other = part(whole, tmp_path / "other", names_of(whole / "out"))
    really = trace_files.load_traces

    def changed(path):
        traces = really(path)
        traces[0].observed[-1, -1] += 1
        return traces

    with monkeypatch.context() as patch:
        patch.setattr(trace_files, "load_traces", changed)
        with_other_bytes(other, patch)
    message = r"run 3 of 'random-search' on 'synthetic/chain' is not the same in .* and .*, under one setting"
    with pytest.raises(ParameterError, match=message):
        merge_suites([whole / "out", other], tmp_path / "both")
    assert not (tmp_path / "both").exists()


def test_suites_that_cannot_be_one(whole, tmp_path, small, monkeypatch):
    others = {
        "seed is 0 in .* and 3 in": {"conditions": nl.Conditions(nl.Budget(evaluations=12), seed=3)},
        "searched under different conditions in .*budget 12 evaluations and 9 eval": {
            "budget": nl.Budget(evaluations=9)
        },
    }
    for number, (message, changes) in enumerate(others.items()):
        budget = changes.get("conditions") or changes["budget"]
        run_suite(Suite(["random-search"], ["mine.h5"], budget, runs=2, folder=whole), tmp_path / str(number))
        with pytest.raises(ParameterError, match=f"{message}.*report them together instead: nasbench-lab report"):
            merge_suites([whole / "out", tmp_path / str(number)], tmp_path / "both")
    table_file(tmp_path, seed=1)
    run_suite(suite(tmp_path, STRATEGIES[:1], runs=2), tmp_path / "table")
    with pytest.raises(ParameterError, match="synthetic/chain has another content in"):
        merge_suites([whole / "out", tmp_path / "table"], tmp_path / "both")
    with pytest.raises(OutputError, match="exists and is not empty; choose a new folder"):
        merge_suites([whole / "out"], tmp_path / "table")
    old = part(whole, tmp_path / "old", [])
    data = json.loads((old / "suite.json").read_text())
    del data["seal"]
    data["versions"]["nasbench-lab"] = "0.0.1"
    (old / "suite.json").write_bytes(sealed(data))
    with pytest.raises(ParameterError, match=r"was started with nasbench-lab 0\.0\.1.*report them together instead"):
        merge_suites([whole / "out", old], tmp_path / "both")
    data["versions"]["nasbench-lab"] = ["0.0.1"]
    (old / "suite.json").write_bytes(sealed(data))
    with pytest.raises(DataError, match="does not name the release that started the suite"):
        merge_suites([whole / "out", old], tmp_path / "both")
    with pytest.raises(ParameterError, match="give at least one folder"):
        merge_suites([], tmp_path / "both")
    assert not (tmp_path / "both").exists()


def test_strategies_of_files_with_other_code(tmp_path, small):
    for name, text in {"one": MINE, "two": f"{MINE}\n# another\n"}.items():
        (tmp_path / name).mkdir()
        write_mine(tmp_path / name / "mine.py", text)
        run_suite(suite(tmp_path / name, ["mine.py:Mine"], runs=2), tmp_path / name / "out")
    folders = [tmp_path / name / "out" for name in ("one", "two")]
    with pytest.raises(ParameterError, match="'Mine' on 'synthetic/chain' is not the same in these suites"):
        merge_suites(folders, tmp_path / "both")


def test_a_merge_on_a_full_disk_leaves_nothing(whole, tmp_path, monkeypatch):
    def full(_source, _target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OutputError, match=r"cannot write .*both: No space left on device"):
        merge_suites([whole / "out"], tmp_path / "both")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_changes_while_it_is_merged(whole, tmp_path, monkeypatch):
    other = part(whole, tmp_path / "other", names_of(whole / "out"))
    copy = shutil.copyfile

    def replaced(source, target):
        copy(source, target)
        damage(Path(target))

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", replaced)
        with pytest.raises(OutputError, match="changed while it was being merged; merge again"):
            merge_suites([other], tmp_path / "both")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_folder_of_format_1_is_merged_with_others(whole, tmp_path, small):
    old = part(whole, tmp_path / "old", names_of(whole / "out"))
    make_old(old)
    merged = merge_suites([old, whole / "out"], tmp_path / "both").folder
    assert content(merged.path) == content(whole / "out")
    (old / "shards/00000-0000000000.json").unlink()
    (old / "shards/00000-0000000004.json").unlink()
    (old / "shards/00000-0000000008.json").unlink()
    with pytest.raises(OutputError, match="is of an older format and not finished: run its suite to the end first"):
        merge_suites([old], tmp_path / "none")


SLOW = """
import shutil, sys, time
copy = shutil.copyfile
def slowly(*paths):
    copy(*paths)
    print("copied", flush=True)
    time.sleep(0.05)
shutil.copyfile = slowly
from nasbench_lab.suites import merge_suites
merge_suites(sys.argv[2:], sys.argv[1])
"""


@pytest.mark.parametrize("copies", [1, 5])
def test_a_killed_merge_leaves_nothing(whole, tmp_path, copies):
    command = [sys.executable, "-c", SLOW, tmp_path / "both", whole / "out"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for _ in range(copies):
        assert process.stdout.readline() == "copied\n"
    process.kill()
    assert process.wait(PATIENCE) == -signal.SIGKILL
    process.stdout.close()
    assert not (tmp_path / "both").exists()
    assert [path.name.startswith(".nasbench-lab-") for path in tmp_path.iterdir()] == [True]
    time.sleep(0.01)
    command = [sys.executable, "-m", "nasbench_lab", "suite", "merge", whole / "out", "--out", tmp_path / "both"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert "3 simulations, 10 runs each; 9 of 9 shards are finished" in done.stdout
    assert content(tmp_path / "both") == content(whole / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["both"], "the leftovers are gone"


def test_a_merge_from_the_command_line(whole, tmp_path, small, monkeypatch):
    run_suite(suite(whole, ["hill-climbing"], ["other.h5"], runs=10), tmp_path / "two")
    out = tmp_path / "both here"
    done = nasbench_lab("suite", "merge", whole / "out", tmp_path / "two", "--out", out)
    assert done.returncode == 0
    assert f"wrote {out}: 4 simulations, 10 runs each; 12 of 12 shards are finished" in done.stdout
    assert "not simulated yet: hill-climbing on synthetic/chain" in done.stdout
    assert f"to simulate the rest: nasbench-lab suite run '{out}'" in done.stdout
    assert "not simulated yet: random-search on synthetic/topology" in nasbench_lab("suite", "status", out).stdout
    monkeypatch.chdir(whole)
    assert nasbench_lab("suite", "run", out, "--processes", 1).returncode == 0
    assert len(open_results(out)) == 8
    assert "not simulated yet" not in nasbench_lab("suite", "status", out).stdout
    assert_refused(nasbench_lab("suite", "merge", "nowhere", "--out", out), "exists and is not empty")
    refused = nasbench_lab("suite", "merge", "nowhere", "--out", tmp_path / "new")
    assert_refused(refused, "nowhere is not the folder of a suite")
