"""Running suites: the results, going on, and everything that is refused."""

import csv
import dataclasses
import functools
import json
import multiprocessing
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from added_entry_points import add_entry_points
from command_line import assert_refused
from command_line import nasbench_lab_here as nasbench_lab
from small_suites import digests, small_shards, small_suite, table_file
from terminal import on_a_terminal

import nasbench_lab as nl
from nasbench_lab.errors import DataError, OutputError, ParameterError, StrategyError
from nasbench_lab.simulation.arithmetic import arithmetic
from nasbench_lab.simulation.trace import REGRETS
from nasbench_lab.strategies import registry
from nasbench_lab.strategies.random_search import RandomSearch
from nasbench_lab.suites import (
    Comparison,
    DaskExecutor,
    LocalProcesses,
    StrategyEntry,
    SuiteFolder,
    make_plan,
    open_results,
    read_suite,
    run_suite,
    searches,
    shards,
)
from nasbench_lab.suites.cleaning import clean
from nasbench_lab.suites.toml_files import EXAMPLE
from nasbench_lab.testing import identical, synthetic_table


def run(folder, monkeypatch, **changes):
    """Run a small suite in three shards a simulation."""
    small_shards(monkeypatch)
    return run_suite(small_suite(folder, **changes), folder / "out")


def test_a_suite_is_what_its_simulations_are(tmp_path, monkeypatch):
    results = run(tmp_path, monkeypatch, seed=3)
    table = nl.load(str(tmp_path / "mine.h5"))
    assert [setting.label for setting in results.settings] == ["random-search", "regularized-evolution", "local-search"]
    for setting, trace in zip(results.settings, results, strict=True):
        whole = nl.simulate(table, setting.strategy, runs=10, budget=nl.Budget(evaluations=12), seed=3)
        assert trace.setting == setting == whole.setting
        assert identical(trace, whole)
        for kind in REGRETS:
            assert np.array_equal(trace.regret(kind), whole.regret(kind), equal_nan=True)
    assert len(list((tmp_path / "out/shards").glob("*.h5"))) == 9
    assert len(list((tmp_path / "out/references").glob("*.h5"))) == 1, "what the table says is stored once"


def test_what_is_known_of_a_shard(tmp_path, monkeypatch):
    results = run(tmp_path, monkeypatch)
    folder = SuiteFolder.open(tmp_path / "out")
    manifest = folder.manifest(folder.plan.shards[1])
    assert (manifest["first_run"], manifest["runs"], manifest["evaluations"]) == (4, 4, 48)
    assert manifest["spec_hash"] == folder.suite.hash
    assert manifest["setting"]["checksum"] == folder.plan.tables[0].checksum
    assert manifest["setting"]["seed"] == 0
    assert manifest["sha256"] == digests(tmp_path / "out")[f"shards/{manifest['shard']}.h5"]
    assert manifest["versions"]["nasbench-lab"] == nl.__version__
    assert manifest["wall_seconds"] >= 0
    assert manifest["arithmetic"] == arithmetic()
    assert open_results(tmp_path / "out").provenance["arithmetic"] == [arithmetic()]
    provenance = results.provenance
    assert provenance["kind"] == "suite"
    assert provenance["spec"] == folder.suite.spec
    assert provenance["spec_hash"] == folder.suite.hash
    assert provenance["versions"]["numpy"] == [np.__version__]
    assert provenance["tables"][0]["licence"] == "CC0-1.0"
    assert provenance["wall_seconds"] > 0
    json.dumps(provenance)


def test_processes_give_the_same_bytes(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch)
    progress = []
    executor = LocalProcesses(2)
    run_suite(small_suite(tmp_path), tmp_path / "other", executor=executor, progress=progress.append)
    assert digests(tmp_path / "out") == digests(tmp_path / "other")
    assert not executor.pids, "no process is left"
    assert [p.finished for p in progress] == list(range(10))
    assert all(p.shards == 9 and p.failed == 0 for p in progress)
    assert progress[-1].seconds == progress[-1].total


def test_an_interrupted_suite_goes_on(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch)

    def stop(progress):
        if progress.finished == 5:  # one shard of each strategy, then the others of the first
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_suite(small_suite(tmp_path), tmp_path / "other", progress=stop)
    done = digests(tmp_path / "other")
    assert len(done) == 5 + 1
    with pytest.raises(
        DataError, match=r"4 of 9 shards of the suite in .* are missing or damaged; run it to the end first"
    ):
        open_results(tmp_path / "other")
    some = open_results(tmp_path / "other", partial=True)
    assert [setting.label for setting in some.settings] == ["random-search"]
    assert some.provenance["missing"] == 4
    simulated = []
    really = searches.simulate_under
    monkeypatch.setattr(searches, "simulate_under", lambda *a, **o: simulated.append(o["first_run"]) or really(*a, **o))
    run_suite(small_suite(tmp_path), tmp_path / "other")
    assert len(simulated) == 4
    assert digests(tmp_path / "other") == digests(tmp_path / "out")
    run_suite(small_suite(tmp_path), tmp_path / "other")
    assert len(simulated) == 4, "a finished suite simulates nothing"


def test_a_suite_goes_on_with_the_plan_it_began_with(tmp_path, monkeypatch):
    """Shards that are planned otherwise by now, or new strategies that a pattern finds, change nothing."""
    small_shards(monkeypatch, 4)
    suite = small_suite(tmp_path, strategies=["random-se*"])
    SuiteFolder.begin(tmp_path / "out", suite)
    small_shards(monkeypatch, 8)
    monkeypatch.setattr("nasbench_lab.suites.searches.list_strategies", lambda: ["random-search", "random-second"])
    (trace,) = run_suite(suite, tmp_path / "out")
    assert trace.runs == 10
    assert len(digests(tmp_path / "out")) == 3 + 1


# What is refused.


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"budget": nl.Budget(evaluations=13)},
            "has results of another suite: budget.evaluations is 12 there and 13 here",
        ),
        ({"seed": 1}, "seed is 0 there and 1 here"),
        ({"limits": {"parameters": 1}}, "limits.parameters is null there and 1 here"),
    ],
)
def test_results_of_different_suites_do_not_mix(tmp_path, monkeypatch, changes, message):
    run(tmp_path, monkeypatch)
    before = digests(tmp_path / "out")
    with pytest.raises(OutputError, match=message):
        run_suite(small_suite(tmp_path, **changes), tmp_path / "out")
    assert digests(tmp_path / "out") == before


def test_a_new_title_is_the_same_suite(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch)
    run_suite(small_suite(tmp_path, title="Another title"), tmp_path / "out")


def test_a_table_with_another_content_is_refused(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch)
    table_file(tmp_path, seed=1)
    with pytest.raises(DataError, match="table 'synthetic/chain' has changed since the suite was started"):
        run_suite(small_suite(tmp_path), tmp_path / "out")


def test_a_worker_with_another_table_or_release_is_refused(tmp_path, monkeypatch):
    small_shards(monkeypatch)
    folder = SuiteFolder.begin(tmp_path / "out", small_suite(tmp_path))
    task = folder.task(folder.plan.shards[0])
    wrong = [task._replace(checksum="0" * 64), task._replace(version="0.0.1"), task._replace(table="none.h5")]
    messages = ["has changed since the suite was started", "a worker has nasbench-lab", "there is no file"]
    for bad, message in zip(wrong, messages, strict=True):
        answer = shards.attempt(bad)
        assert isinstance(answer, shards.Unable)
        assert message in str(answer.error)
    monkeypatch.setattr(SuiteFolder, "task", lambda *_: wrong[1])
    with pytest.raises(DataError, match="a worker has nasbench-lab"):
        run_suite(small_suite(tmp_path), tmp_path / "out")


def test_another_release_does_not_go_on(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch)
    monkeypatch.setattr(nl, "__version__", "99.0")
    with pytest.raises(OutputError, match=r"was started with nasbench-lab .*, and this is 99.0; choose another folder"):
        run_suite(small_suite(tmp_path), tmp_path / "out")


def test_folders_of_something_else(tmp_path):
    suite = small_suite(tmp_path)
    with pytest.raises(OutputError, match=r"has other files, such as mine.h5, and is not the folder of a suite"):
        run_suite(suite, tmp_path)
    with pytest.raises(OutputError, match="exists and is not a folder"):
        run_suite(suite, tmp_path / "mine.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.h5"]
    with pytest.raises(DataError, match=r"is not the folder of a suite: it has no suite.json"):
        SuiteFolder.open(tmp_path)
    (tmp_path / "empty").mkdir()
    run_suite(suite, tmp_path / "empty")


@pytest.mark.parametrize("damage", [b"{", b"[]", b'{"format": "nasbench-lab suite", "format_version": 9}'])
def test_a_damaged_suite_file(tmp_path, monkeypatch, damage):
    run(tmp_path, monkeypatch)
    (tmp_path / "out/suite.json").write_bytes(damage)
    with pytest.raises(DataError, match=r"cannot read .*suite.json") as caught:
        open_results(tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_a_changed_suite_file_does_not_match_its_hash(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch)
    path = tmp_path / "out/suite.json"
    content = json.loads(path.read_text().replace('"runs": 10', '"runs": 11'))
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="it does not match its seal"):
        open_results(tmp_path / "out")
    del content["seal"]  # as before there were seals
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="its suite does not match its hash"):
        open_results(tmp_path / "out")


def test_files_of_before_there_were_seals_are_read(tmp_path, monkeypatch):
    expected = [setting.label for setting in run(tmp_path, monkeypatch).settings]
    for path in (tmp_path / "out").rglob("*.json"):
        content = json.loads(path.read_text())
        del content["seal"]
        path.write_text(json.dumps(content))
    assert [setting.label for setting in open_results(tmp_path / "out").settings] == expected


def test_wrong_executors():
    for processes in (0, True, 1.5):
        with pytest.raises(ParameterError, match="processes must be a whole number from 1"):
            LocalProcesses(processes)


def test_dask_is_optional(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ParameterError, match=r"this needs dask: pip install 'nasbench-lab\[dask\]'"):
        DaskExecutor()


# What goes wrong while simulating.


class Fragile:
    """A plain strategy that fails where a file says so."""

    broken = True

    def __init__(self, space, random):
        self.random, self.size = random, space.size

    def ask(self):
        if Fragile.broken:
            raise ZeroDivisionError("a mistake of its author")
        return self.random.integers(self.size)

    def tell(self, architecture, value):
        pass


def test_errors_of_strategies_do_not_stop_the_others(tmp_path, monkeypatch):
    small_shards(monkeypatch)
    add_entry_points(monkeypatch, registry.GROUP, fragile=Fragile)
    suite = small_suite(tmp_path, strategies=["fragile", "random-search"])
    Fragile.broken = True
    with pytest.raises(
        StrategyError, match=r"3 of 6 shards failed, the first of 'fragile' on 'synthetic/chain': .*mistake"
    ):
        run_suite(suite, tmp_path / "out")
    folder = SuiteFolder.open(tmp_path / "out")
    failure = folder.failure(folder.plan.shards[0])
    assert "a mistake of its author" in failure["error"]
    assert "ZeroDivisionError" in failure["details"]
    assert len(digests(tmp_path / "out")) == 3 + 1, "the other strategy is there"
    shown = nasbench_lab("suite", "status", tmp_path / "out").stdout
    assert "3 of 6 shards are finished" in shown
    assert "failed: fragile on synthetic/chain: " in shown
    Fragile.broken = False
    assert len(run_suite(suite, tmp_path / "out")) == 2
    assert folder.failure(folder.plan.shards[0]) is None


# Several processes on one folder.


def test_a_shard_is_claimed_once(tmp_path, monkeypatch):
    small_shards(monkeypatch)
    one = SuiteFolder.begin(tmp_path / "out", small_suite(tmp_path))
    other = SuiteFolder.begin(tmp_path / "out", small_suite(tmp_path))
    first = one.plan.shards[0]
    claim = one.claim(first)
    assert other.claim(first) is None
    with pytest.raises(OutputError, match=rf"another process is working in .* \(on shard {first.name}\)"):
        clean(tmp_path / "out")
    one.release(claim)
    claim = other.claim(first)
    other.store(first, shards.attempt(other.task(first)))
    other.release(claim)
    assert one.claim(first) is None, "it is finished"
    assert not list((tmp_path / "out/claims").iterdir())


def test_shards_in_work_elsewhere_are_waited_for(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch)
    folder = SuiteFolder.begin(tmp_path / "other", small_suite(tmp_path))
    first = folder.plan.shards[0]
    claim = folder.claim(first)
    waiting = threading.Event()
    progress = []

    def report(now):
        progress.append(now.finished)
        if now.finished == 8:
            waiting.set()

    def elsewhere():
        waiting.wait(60)
        folder.store(first, shards.attempt(folder.task(first)))
        folder.release(claim)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    run_suite(small_suite(tmp_path), tmp_path / "other", progress=report)
    thread.join()
    assert progress == list(range(10))
    assert digests(tmp_path / "other") == digests(tmp_path / "out")


# Damage.


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def with_flipped_bits(path, step):
    """Flip one bit at many places, one after the other."""
    content = path.read_bytes()
    for place in range(0, len(content), step):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        yield place
    path.write_bytes(content)


def test_any_flipped_bit_of_a_manifest_is_found_and_repaired(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch)
    out = tmp_path / "out"
    good = digests(out)
    folder = SuiteFolder.open(out)
    shard = folder.plan.shards[4]
    path = out / f"shards/{shard.name}.json"
    for place in with_flipped_bits(path, 23):
        assert folder.manifest(shard) is None, place
        assert not folder.is_finished(shard)
        assert folder.damaged() == [f"{path} is missing or damaged"]
    flip_a_bit(path)
    with pytest.raises(DataError, match=r"1 of 9 shards of the suite in .* are missing or damaged"):
        open_results(out)
    page = nasbench_lab("report", out, "--out", tmp_path / "page.html", "--page-only")
    assert "1 shard is missing, so these are left out: regularized-evolution on synthetic/chain" in page.stderr
    found = nasbench_lab("suite", "status", "--check", out)
    assert (found.returncode, found.stdout.count("damaged: ")) == (1, 1)
    run_suite(small_suite(tmp_path), out)
    assert folder.manifest(shard) is not None
    assert digests(out) == good


@pytest.mark.parametrize("missing", ["reference", "sha256", "bytes", "versions", "setting", "seal"])
def test_a_manifest_without_a_key_is_damaged(tmp_path, monkeypatch, missing):
    run(tmp_path, monkeypatch)
    folder = SuiteFolder.open(tmp_path / "out")
    shard = folder.plan.shards[4]
    path = tmp_path / f"out/shards/{shard.name}.json"
    content = json.loads(path.read_text())
    del content["seal"]
    content.pop(missing, None)
    path.write_text(json.dumps(content))
    assert (folder.manifest(shard) is None) == (missing != "seal")


def test_any_flipped_bit_of_the_suite_file_is_found_and_there_is_a_way_out(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch)
    out = tmp_path / "out"
    good, before = digests(out), {path: path.stat().st_mtime_ns for path in out.rglob("*.h5")}
    for place in with_flipped_bits(out / "suite.json", 41):
        with pytest.raises(DataError, match=r"cannot read .*suite\.json"):
            SuiteFolder.open(out)
            pytest.fail(f"the bit at byte {place} was not noticed")
    flip_a_bit(out / "suite.json")
    remedy = f"nasbench-lab suite clean {out} removes it; then run the suite again to continue"
    for command in (["report", out, "--out", tmp_path / "page.html"], ["suite", "status", out]):
        assert_refused(nasbench_lab(*command), "cannot read", remedy)
    with pytest.raises(DataError, match="removes it; then run the suite again to continue"):
        run_suite(small_suite(tmp_path), out)
    assert nasbench_lab("suite", "clean", out).returncode == 0
    assert not (out / "suite.json").exists()
    with pytest.raises(OutputError, match="has other files"):
        run_suite(small_suite(tmp_path, seed=5), out)
    assert len(run_suite(small_suite(tmp_path), out)) == 3
    assert digests(out) == good
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.h5")} == before, "nothing was simulated again"


def test_the_suite_file_of_a_newer_release_is_not_removed(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch)
    path = tmp_path / "out/suite.json"
    path.write_text('{"format": "nasbench-lab suite", "format_version": 9}')
    assert_refused(nasbench_lab("suite", "clean", tmp_path / "out"), "not of a format that this release reads")
    assert path.exists()


def test_a_suite_whose_folder_is_removed_stops(tmp_path, monkeypatch):
    small_shards(monkeypatch)
    seen = []

    def remove(progress):
        seen.append(progress.finished)
        if progress.finished == 2:
            shutil.rmtree(tmp_path / "out")

    with pytest.raises(OutputError, match="out was removed or moved while the suite was running"):
        run_suite(small_suite(tmp_path), tmp_path / "out", progress=remove)
    assert seen == [0, 1, 2]
    assert not (tmp_path / "out").exists()


def in_a_daemon(line):
    try:
        LocalProcesses(2)
    except ParameterError as error:
        line.send(str(error))


def test_a_daemon_process_is_told_that_it_may_not_start_processes():
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=in_a_daemon, args=(theirs,), daemon=True)
    process.start()
    assert ours.poll(60)
    assert "is a daemon of multiprocessing and may not start processes; omit the executor" in ours.recv()
    process.join()


# Strategies of users.

MINE = """
class Mine:
    def __init__(self, space, random, step=1):
        self.random, self.size, self.step = random, space.size, step

    def ask(self):
        return self.random.integers(self.size)

    def tell(self, architecture, value):
        pass
"""


@pytest.mark.parametrize("processes", [None, 2])
def test_strategies_of_a_file_and_of_a_module(tmp_path, monkeypatch, processes):
    table_file(tmp_path)
    (tmp_path / "mine.py").write_text(MINE)
    path = tmp_path / "suite.toml"
    path.write_text(
        'strategies = ["mine.py:Mine", "mine.py:Mine:step=2", "nasbench_lab.strategies.random_search:RandomSearch",\n'
        '  { name = "mine.py:Mine", grid = { step = [3, 4] } }]\n'
        'tables = ["mine.h5"]\nruns = 4\nbudget = { evaluations = 5 }\n'
    )
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # paths are relative to the suite's file
    executor = None if processes is None else LocalProcesses(processes)
    results = run_suite(read_suite(path), tmp_path / "out", executor=executor)
    labels = [setting.label for setting in results.settings]
    assert labels == ["Mine", "Mine:step=2", "random-search", "Mine:step=3", "Mine:step=4"]
    assert len(run_suite(read_suite(path), tmp_path / "out")) == 5
    (tmp_path / "mine.py").write_text(f"{MINE}\n# changed\n")
    assert len(open_results(tmp_path / "out")) == 5, "reading results imports nothing"


def test_classes_in_python_are_the_entries_of_a_file(tmp_path):
    from nasbench_lab.strategies.lookup import import_path

    (tmp_path / "mine.py").write_text(MINE)
    kind = import_path(f"{tmp_path / 'mine.py'}:Mine")
    given = small_suite(tmp_path, strategies=[kind, functools.partial(kind, step=2), RandomSearch()])
    written = small_suite(tmp_path, strategies=["mine.py:Mine", "mine.py:Mine:step=2", "random-search"])
    assert given == written
    assert given.hash == written.hash
    results = run_suite(given, tmp_path / "out")
    assert [setting.label for setting in results.settings] == ["Mine", "Mine:step=2", "random-search"]


def test_two_classes_of_one_name_are_both_named(tmp_path):
    places = [str(tmp_path / name) for name in ("new.py", "old.py")]
    for place in places:
        Path(place).write_text(MINE)
    compared = Comparison(("digits/chain",), tuple(f"{place}:Mine" for place in places), nl.Budget(evaluations=3))
    with pytest.raises(ParameterError, match=r"new.py:Mine and .*old.py:Mine are both called 'Mine': rename one"):
        list(compared.run())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.py:Mine", "there is no file .*nowhere.py"),
        ("mine.py:Other", "unknown name in .*mine.py 'Other'"),
        ("mine.py:Mine:step", "malformed strategy 'mine.py:Mine:step'"),
    ],
)
def test_strategies_of_users_that_cannot_be_found(tmp_path, name, message):
    (tmp_path / "mine.py").write_text(MINE)
    with pytest.raises(ParameterError, match=message):
        run_suite(small_suite(tmp_path, strategies=[name]), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("what", ["traces", "references", "manifest", "cut"])
def test_damage_is_found_and_repaired(tmp_path, monkeypatch, what):
    run(tmp_path, monkeypatch)
    out = tmp_path / "out"
    good = digests(out)
    folder = SuiteFolder.open(out)
    traces = folder.traces_path(folder.plan.shards[4])
    assert nasbench_lab("suite", "status", "--check", out).returncode == 0
    if what == "references":
        flip_a_bit(next((out / "references").iterdir()))
    elif what == "cut":
        traces.write_bytes(b"")
    elif what == "manifest":
        traces.with_suffix(".json").write_text("{")
    else:
        flip_a_bit(traces)
    found = nasbench_lab("suite", "status", "--check", out)
    assert found.returncode == 1
    assert "damaged: " in found.stdout
    assert nasbench_lab("suite", "clean", out).returncode == 0
    run_suite(small_suite(tmp_path), out)
    assert digests(out) == good


def test_clean_leaves_what_is_finished(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch)
    out = tmp_path / "out"
    good = digests(out)
    (out / "shards/.nasbench-lab-0a1b2c3d").mkdir()
    (out / "shards/.nasbench-lab-0a1b2c3d/00001-0000000004.h5").write_bytes(b"half")
    (out / "claims").mkdir(exist_ok=True)
    (out / "claims/00001-0000000004.lock").touch()
    assert nasbench_lab("suite", "clean", out).stdout == f"removed 2 files from {out}\n"
    assert digests(out) == good
    (out / "mine.txt").touch()
    nasbench_lab("suite", "clean", "--results", out)
    assert [path.name for path in out.iterdir()] == ["mine.txt"], "what is not of the suite stays"


# The command line.


def toml(folder, *lines):
    table_file(folder)
    path = folder / "mine.toml"
    text = ['strategies = ["random-search", "hyperband"]', "runs = 6", "budget = { evaluations = 9 }", *lines]
    path.write_text("\n".join([*text, '[[tables]]\nname = "mine.h5"\n']))
    return path


def test_a_suite_from_the_command_line(tmp_path):
    path, out = toml(tmp_path), tmp_path / "out"
    done = nasbench_lab("suite", "run", path, "--out", out, "--processes", "1")
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert "12 runs of 2 simulations, " in done.stdout
    assert "hyperband" in done.stdout
    assert done.stdout.endswith(f"see {out}; for figures, statistics and a page to share: nasbench-lab report {out}\n")
    rows = list(csv.DictReader((out / "summary.csv").read_text().splitlines()))
    assert [row["strategy"] for row in rows] == ["random-search", "hyperband"]
    status = nasbench_lab("suite", "status", out)
    assert "2 of 2 shards are finished" in status.stdout
    assert nasbench_lab("suite", "run", path, "--out", out, "--processes", "1").stdout == done.stdout


def test_what_is_skipped_is_said(tmp_path):
    path = toml(tmp_path, 'objectives = ["parameters"]')
    path.write_text(path.read_text() + 'fidelity = 4\n[[tables]]\nname = "digits/chain"\n')
    done = nasbench_lab("suite", "run", path, "--out", tmp_path / "out", "--processes", "1")
    assert done.returncode == 0, done.stderr
    reason = "skipped hyperband on synthetic/chain: it needs several fidelities, and the table has none below 4 epochs"
    assert reason in done.stderr
    assert reason in nasbench_lab("suite", "status", tmp_path / "out").stdout


def test_mistakes_on_the_command_line(tmp_path):
    path, out = toml(tmp_path), tmp_path / "out"
    assert_refused(nasbench_lab("suite", "run", tmp_path / "no.toml", "--out", out), "cannot read")
    assert_refused(nasbench_lab("suite", "run", "standart", "--out", out), "did you mean 'standard'")
    wrong = nasbench_lab("suite", "run", path, "--out", out, "--scheduler", "x")
    assert_refused(wrong, "--scheduler can only be used with --executor dask")
    assert_refused(nasbench_lab("suite", "status", tmp_path), "is not the folder of a suite")
    assert_refused(nasbench_lab("suite", "init", path), "mine.toml already exists")
    assert not out.exists()


def test_stopping(tmp_path, monkeypatch):
    def stop(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(searches, "simulate_under", stop)
    out = tmp_path / "out"
    done = nasbench_lab("suite", "run", toml(tmp_path), "--out", out, "--processes", "1")
    assert done.returncode == 130
    assert done.stderr == f"stopped; finished shards are kept in {out}; run the same command again to continue\n"
    assert not list((out / "claims").iterdir())


def test_an_example_to_start_from(tmp_path):
    assert nasbench_lab("suite", "init").stdout == EXAMPLE.read_text()
    done = nasbench_lab("suite", "init", tmp_path / "new.toml")
    assert f"nasbench-lab suite run {tmp_path}/new.toml --out results/new" in done.stdout
    assert read_suite(tmp_path / "new.toml") == read_suite(EXAMPLE)


def test_built_in_suites_are_listed():
    shown = nasbench_lab("suite", "list").stdout
    for name in ("quick", "standard", "everything", "nas-bench-201-paper", "nats-bench-paper"):
        assert name in shown


def test_a_small_part_of_everything_resumes_with_the_same_bytes(tmp_path, monkeypatch):
    small_shards(monkeypatch)
    whole = read_suite("everything")
    wanted = ("random-search", "regularized-evolution", "hyperband", "umda")
    entries = [entry for entry in whole.strategies if entry.name in wanted]
    strategies = [StrategyEntry("umda"), *entries]  # a pattern matches it, too
    part = dataclasses.replace(whole, strategies=strategies, tables=["digits/chain", "digits/cell101"], runs=6)
    expected = run_suite(part, tmp_path / "at once")
    assert len({(setting.table, setting.conditions.workers) for setting in expected.settings}) == 4

    def stop(progress):
        if progress.finished == 11:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_suite(part, tmp_path / "stopped", progress=stop)
    run_suite(part, tmp_path / "stopped", executor=LocalProcesses(2))
    assert digests(tmp_path / "stopped") == digests(tmp_path / "at once")


def test_the_plan_of_everything_has_every_strategy():
    """On a table that has all that strategies need; those that train networks have a suite of their own."""
    plan = make_plan(dataclasses.replace(read_suite("everything"), tables=["digits/topology"]))
    names = {simulation.strategy for simulation in plan.simulations}
    assert names == set(registry.list_strategies())
    timed = {"time", "four workers"}
    for simulation in plan.simulations:
        if registry.family(simulation.strategy) == "multi-fidelity":
            assert plan.tables[simulation.table].variant in timed


def test_progress_is_shown_on_a_terminal(tmp_path):
    arguments = ("suite", "run", str(toml(tmp_path)), "--out", str(tmp_path / "out"), "--processes", "1")
    assert "2 of 2 shards" in on_a_terminal(*arguments, stream="stderr")


def test_an_ablation(tmp_path):
    entry = StrategyEntry("regularized-evolution", grid={"population_size": [5, 10], "sample_size": [2, 3]})
    results = run_suite(small_suite(tmp_path, strategies=[entry]), tmp_path / "out")
    table = synthetic_table("chain")
    for trace, (population, sample) in zip(results, [(5, 2), (5, 3), (10, 2), (10, 3)], strict=True):
        parameters = {"population_size": population, "sample_size": sample}
        whole = nl.simulate(table, "regularized-evolution", runs=10, budget=nl.Budget(evaluations=12), **parameters)
        assert identical(trace, whole)
