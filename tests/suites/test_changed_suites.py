"""Suites that change after they were started: only what is new is simulated, and nothing is lost."""

import json
import random
import signal
import subprocess
import sys
import time
import warnings

import pytest
from changed_suites import MINE, make_old, suite, write_mine
from command_line import assert_refused
from command_line import nasbench_lab_here as nasbench_lab
from hypothesis import given, settings
from hypothesis import strategies as st
from paths import ROOT
from small_suites import STRATEGIES, digests, small_shards, small_suite, table_file

import nasbench_lab as nl
from nasbench_lab.errors import ChangedSuiteWarning, DataError, OutputError
from nasbench_lab.suites import Suite, SuiteFolder, merge_suites, open_results, read_suite, run_suite, searches
from nasbench_lab.suites.cleaning import clean
from nasbench_lab.testing import identical

SCRIPT = ROOT / "tests" / "helpers" / "suite_process.py"
PATIENCE = 120


@pytest.fixture
def simulated(monkeypatch):
    """The simulated shards: label, first run and number of runs."""
    found, really = [], searches.simulate_under

    def simulate(conditions, table, strategy, **numbers):
        found.append((strategy.label, numbers["first_run"], numbers["runs"]))
        return really(conditions, table, strategy, **numbers)

    monkeypatch.setattr(searches, "simulate_under", simulate)
    small_shards(monkeypatch)
    return found


def run(wanted, out):
    """Run a suite, and return what was said about changes."""
    with pytest.warns(ChangedSuiteWarning) as caught:
        run_suite(wanted, out)
    return [str(each.message) for each in caught if each.category is ChangedSuiteWarning]


def times(out):
    return {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in (out / "shards").iterdir()}


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        ({"strategies": STRATEGIES[:2]}, {}, [STRATEGIES[2]]),
        ({"strategies": STRATEGIES[1:]}, {"strategies": ["local-search:improvement=best", *STRATEGIES]}, None),
        ({}, {"tables": ["other.h5", "mine.h5"]}, STRATEGIES),
        ({"tables": ["other.h5"]}, {"tables": ["other.h5", "mine.h5"]}, STRATEGIES),
        ({"runs": 4}, {"runs": 12}, STRATEGIES),
    ],
)
def test_only_what_is_new_is_simulated_and_the_bytes_are_those_of_one_suite(tmp_path, simulated, before, after, new):
    run_suite(suite(tmp_path, **before), tmp_path / "out")
    old, count = times(tmp_path / "out"), len(simulated)
    run(suite(tmp_path, **after), tmp_path / "out")
    now = times(tmp_path / "out")
    assert {path: now[path] for path in old} == old, "files of before were not touched"
    added = simulated[count:]
    assert len(added) == (len(now) - len(old)) / 2
    if new is not None:
        assert {label for label, _, _ in added} == set(new)
    run_suite(suite(tmp_path, **after), tmp_path / "scratch")
    assert digests(tmp_path / "out") == digests(tmp_path / "scratch")
    ours, theirs = (SuiteFolder.open(tmp_path / name) for name in ("out", "scratch"))
    assert (ours.plan, ours.suite.spec) == (theirs.plan, theirs.suite.spec)
    assert len(simulated) == count + len(added) + len(ours.plan.shards)


def test_more_runs_than_a_last_short_shard_had(tmp_path, simulated):
    run_suite(suite(tmp_path, runs=10), tmp_path / "out")
    old = times(tmp_path / "out")
    del simulated[:]
    said = run(suite(tmp_path, runs=17), tmp_path / "out")
    assert said == ["17 runs instead of 10: only the new runs are simulated"]
    assert sorted(simulated) == sorted((name, *runs) for name in STRATEGIES for runs in ((10, 2), (12, 4), (16, 1)))
    assert old.items() <= times(tmp_path / "out").items()
    whole = run_suite(suite(tmp_path, runs=17), tmp_path / "scratch")
    assert all(identical(one, other) for one, other in zip(open_results(tmp_path / "out"), whole, strict=True))


def test_what_is_removed_is_kept_but_not_reported_and_can_come_back(tmp_path, simulated):
    run_suite(suite(tmp_path, tables=["mine.h5", "other.h5"], runs=8), tmp_path / "out")
    every = digests(tmp_path / "out")
    said = run(suite(tmp_path, STRATEGIES[:2], runs=4), tmp_path / "out")
    kept = "results that are kept in the folder, but are no longer part of the suite"
    assert said == [f"{kept}: local-search, synthetic/topology, runs from 4"]
    results = open_results(tmp_path / "out")
    assert [(setting.label, setting.table) for setting in results.settings] == [
        (name, "synthetic/chain") for name in STRATEGIES[:2]
    ]
    assert {trace.runs for trace in results} == {4}
    assert digests(tmp_path / "out") == every
    status = nasbench_lab("suite", "status", tmp_path / "out").stdout
    assert "2 of 2 shards are finished" in status
    assert "10 finished shards are no longer part of the suite; to remove them: nasbench-lab suite clean" in status
    assert clean(tmp_path / "out") == 0, "they are removed on request only"
    count = len(simulated)
    run(suite(tmp_path, tables=["mine.h5", "other.h5"], runs=8), tmp_path / "out")
    assert len(simulated) == count
    run(suite(tmp_path, STRATEGIES[:2], runs=4), tmp_path / "out")
    assert clean(tmp_path / "out", unused=True) == 20
    assert len(open_results(tmp_path / "out")) == 2
    assert "no longer part" not in nasbench_lab("suite", "status", tmp_path / "out").stdout


def test_another_parameter_is_another_strategy(tmp_path, simulated):
    name = "regularized-evolution"
    run_suite(suite(tmp_path, ["random-search", f"{name}:population_size=5"]), tmp_path / "out")
    del simulated[:]
    said = run(suite(tmp_path, ["random-search", f"{name}:population_size=6"]), tmp_path / "out")
    old, new = (f"{name}:population_size={size}" for size in (5, 6))
    assert said == [
        f"new in the suite: {new}; only what is new is simulated",
        f"{new} is not the same strategy as {old}: it is simulated from the first run",
        f"results that are kept in the folder, but are no longer part of the suite: {old}",
    ]
    assert {label for label, _, _ in simulated} == {new}
    assert [setting.label for setting in open_results(tmp_path / "out").settings] == ["random-search", new]


def test_a_default_that_is_written_out_changes_nothing(tmp_path, simulated):
    run_suite(suite(tmp_path), tmp_path / "out")
    del simulated[:]
    default = nl.strategies.resolve("regularized-evolution", {}).population_size
    highest = nl.testing.synthetic_table("chain").fidelities[-1]
    conditions = nl.Conditions(nl.Budget(evaluations=12), fidelity=highest)
    written = Suite(
        ["random-search", f"regularized-evolution:population_size={default}", "local-search"],
        ["mine.h5"],
        conditions,
        runs=8,
        folder=tmp_path,
    )
    run_suite(written, tmp_path / "out")
    assert not simulated


def test_a_strategy_of_a_file_that_changes_is_another(tmp_path, simulated):
    write_mine(tmp_path / "mine.py")
    wanted = suite(tmp_path, ["mine.py:Mine", "random-search"])
    (first, _) = run_suite(wanted, tmp_path / "out")
    del simulated[:]
    write_mine(tmp_path / "mine.py", MINE.replace("(self.size)", "(self.size // 2)"))
    said = run(wanted, tmp_path / "out")
    assert said == [
        "Mine changed (the file or version of the strategy), and is simulated again",
        "results that are kept in the folder, but are no longer part of the suite: Mine before the change",
    ]
    assert {label for label, _, _ in simulated} == {"Mine"}
    second = open_results(tmp_path / "out").trace(0)
    assert not identical(first, second)
    write_mine(tmp_path / "mine.py")
    del simulated[:]
    run(wanted, tmp_path / "out")
    assert not simulated, "the earlier results were kept"
    assert identical(open_results(tmp_path / "out").trace(0), first)


def test_a_title_can_change(tmp_path, simulated):
    run_suite(suite(tmp_path), tmp_path / "out")
    assert run_suite(suite(tmp_path, title="Another"), tmp_path / "out").provenance["title"] == "Another"


def test_nothing_in_common_is_another_suite(tmp_path, simulated):
    run_suite(suite(tmp_path), tmp_path / "out")
    before = digests(tmp_path / "out")
    for changes in ({"tables": ["other.h5"]}, {"budget": nl.Budget(evaluations=5)}):
        with pytest.raises(OutputError, match=r"has results of another suite: .*; choose another folder"):
            run_suite(suite(tmp_path, **changes), tmp_path / "out")
    assert digests(tmp_path / "out") == before
    assert len(open_results(tmp_path / "out")) == 3


def test_a_table_that_changed_is_refused_also_with_new_strategies(tmp_path, simulated):
    run_suite(suite(tmp_path, STRATEGIES[:1]), tmp_path / "out")
    table_file(tmp_path, seed=1)
    with pytest.raises(DataError, match="has changed since the suite was started"):
        run_suite(suite(tmp_path), tmp_path / "out")


def test_while_another_process_works_a_suite_cannot_change(tmp_path, simulated):
    folder = SuiteFolder.begin(tmp_path / "out", suite(tmp_path, STRATEGIES[:1]))
    claim = folder.claim(folder.plan.shards[0])
    with pytest.raises(OutputError, match="another process is working in"):
        run_suite(suite(tmp_path), tmp_path / "out")
    folder.release(claim)
    run(suite(tmp_path), tmp_path / "out")


def test_a_half_finished_suite_can_change(tmp_path, simulated):
    def stop(progress):
        if progress.finished == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_suite(suite(tmp_path), tmp_path / "out", progress=stop)
    run(suite(tmp_path, [*STRATEGIES, "hill-climbing"]), tmp_path / "out")
    run_suite(suite(tmp_path, [*STRATEGIES, "hill-climbing"]), tmp_path / "scratch")
    assert digests(tmp_path / "out") == digests(tmp_path / "scratch")


def test_a_suite_file_that_is_lost_comes_back_for_a_changed_suite(tmp_path, simulated):
    run_suite(suite(tmp_path), tmp_path / "out")
    del simulated[:]
    (tmp_path / "out/suite.json").unlink()
    run_suite(suite(tmp_path, [*STRATEGIES, "hill-climbing"]), tmp_path / "out")
    assert {label for label, _, _ in simulated} == {"hill-climbing"}


SUBSETS = st.lists(
    st.sampled_from(["random-search", "local-search", "hill-climbing"]), min_size=1, max_size=3, unique=True
)
EDITS = st.lists(st.tuples(SUBSETS, st.sampled_from([1, 3, 4, 6, 9])), min_size=2, max_size=4)


@settings(max_examples=6, deadline=None)
@given(EDITS)
def test_any_edits_end_in_the_results_of_one_suite(tmp_path_factory, edits):
    folder = tmp_path_factory.mktemp("edits")
    budget = nl.Budget(evaluations=4)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore", ChangedSuiteWarning)
        small_shards(patch)
        for strategies, runs in edits:
            results = run_suite(suite(folder, strategies, runs=runs, budget=budget), folder / "out")
        whole = run_suite(suite(folder, strategies, runs=runs, budget=budget), folder / "scratch")
    assert [setting.label for setting in results.settings] == list(strategies)
    assert all(identical(one, other) for one, other in zip(results, whole, strict=True))


def suite_file(folder, strategies, runs):
    names = ", ".join(f'"{name}"' for name in strategies)
    path = folder / "suite.toml"
    path.write_text(f'strategies = [{names}]\ntables = ["mine.h5"]\nruns = {runs}\nbudget = {{ evaluations = 60 }}\n')
    return path


def test_kills_while_a_suite_grows(tmp_path):
    """The process is killed at random: while it plans the change, and while it simulates what is new."""
    table_file(tmp_path)
    out, chance = tmp_path / "out", random.Random(1)
    run_suite(read_suite(suite_file(tmp_path, STRATEGIES[:1], 4)), out)
    old = times(out)
    names = ["random-search", *(f"regularized-evolution:population_size={size}" for size in range(3, 8))]
    path = suite_file(tmp_path, names, 1500)
    for kill in range(2):
        before = len(list((out / "shards").glob("*.json")))
        process = subprocess.Popen([sys.executable, SCRIPT, path, out, "1"], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        planned = (out / "suite.json").stat().st_mtime_ns
        while process.poll() is None and time.monotonic() < deadline:
            begun = (out / "suite.json").stat().st_mtime_ns != planned
            if begun if kill == 0 else len(list((out / "shards").glob("*.json"))) > before:
                break
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.02))
        process.kill()
        assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"
        assert json.loads((out / "suite.json").read_text())["spec"]["runs"] == 1500
    run_suite(read_suite(path), out)
    assert old.items() <= times(out).items()
    whole = run_suite(read_suite(path), tmp_path / "scratch")
    assert all(identical(one, other) for one, other in zip(open_results(out), whole, strict=True))
    clean(out)
    assert not [path for path in out.rglob(".*") if path.name != ".lock"]


def test_two_processes_at_once_change_a_suite_in_the_same_way(tmp_path):
    table_file(tmp_path)
    run_suite(read_suite(suite_file(tmp_path, STRATEGIES[:1], 4)), tmp_path / "out")
    path = suite_file(tmp_path, STRATEGIES, 8)
    both = [subprocess.Popen([sys.executable, SCRIPT, path, tmp_path / "out", "1"]) for _ in range(2)]
    assert [process.wait(PATIENCE) for process in both] == [0, 0]
    whole = run_suite(read_suite(path), tmp_path / "scratch")
    assert all(identical(one, other) for one, other in zip(open_results(tmp_path / "out"), whole, strict=True))


# Folders of format 1, in which shards were named after their place in the suite.


def test_folders_of_format_1_are_read_continued_and_converted(tmp_path, simulated):
    wanted = suite(tmp_path)
    expected = list(run_suite(wanted, tmp_path / "out"))
    new = digests(tmp_path / "out")
    plan = make_old(tmp_path / "out")
    names = {shard.name for shard in plan.shards}
    assert "00002-0000000004" in names
    assert all(identical(one, other) for one, other in zip(open_results(tmp_path / "out"), expected, strict=True))
    (tmp_path / "out/shards/00002-0000000004.json").unlink()
    del simulated[:]
    run_suite(wanted, tmp_path / "out")
    assert simulated == [("local-search", 4, 4)]
    assert {path.stem for path in (tmp_path / "out/shards").glob("*.json")} == names
    with pytest.raises(OutputError, match=r"is of an older format.*nasbench-lab suite merge .* --out FOLDER"):
        run_suite(suite(tmp_path, STRATEGIES[:2]), tmp_path / "out")
    merge_suites([tmp_path / "out"], tmp_path / "converted")
    assert digests(tmp_path / "converted") == new
    del simulated[:]
    run_suite(wanted, tmp_path / "converted")
    assert not simulated


# The command line.


def test_changes_are_noted_and_a_folder_can_be_continued(tmp_path, monkeypatch):
    path = suite_file(tmp_path, STRATEGIES[:2], 4)
    table_file(tmp_path)
    assert nasbench_lab("suite", "run", path, "--out", tmp_path / "out", "--processes", 1).returncode == 0
    path = suite_file(tmp_path, STRATEGIES[1:], 4)
    done = nasbench_lab("suite", "run", path, "--out", tmp_path / "out", "--processes", 1)
    assert "note: new in the suite: local-search; only what is new is simulated" in done.stderr
    assert "no longer part of the suite: random-search" in done.stderr
    rows = (tmp_path / "out/summary.csv").read_text()
    assert "local-search" in rows
    assert "random-search" not in rows
    monkeypatch.chdir(tmp_path)  # paths of table files are relative to the current folder
    again = nasbench_lab("suite", "run", "out", "--processes", 1)
    assert again.returncode == 0
    assert "note" not in again.stderr
    assert_refused(nasbench_lab("suite", "run", path), "give the folder for the results", "--out results/NAME")
    assert_refused(nasbench_lab("suite", "run", "no-suite"), "unknown suite 'no-suite'")
    (tmp_path / "empty").mkdir()
    assert_refused(nasbench_lab("suite", "run", tmp_path / "empty"), "empty is not the folder of a suite")
    assert nasbench_lab("suite", "clean", "--unused", "out").stdout == "removed 2 files from out\n"


def test_changed_suites_have_all_runs(tmp_path, simulated):
    results = run_suite(small_suite(tmp_path, runs=5), tmp_path / "out")
    run(small_suite(tmp_path, runs=7), tmp_path / "out")
    run(small_suite(tmp_path, runs=13), tmp_path / "out")
    cuts = {simulation.cuts for simulation in SuiteFolder.open(tmp_path / "out").plan.simulations}
    assert cuts == {(5, 7)}
    assert [trace.runs for trace in open_results(tmp_path / "out")] == [13] * len(results)
