"""Suites with methods that train networks, beside strategies; their seconds are measured, everything else is exact."""

import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from command_line import nasbench_lab_here
from small_suites import digests

import nasbench_lab as nl
from nasbench_lab.errors import ChangedSuiteWarning, MissingDataError, ParameterError, StrategyError, UnknownNameError
from nasbench_lab.strategies.base import field_names
from nasbench_lab.suites import StrategyEntry, Suite, SuiteFolder, make_plan, merge_suites, open_results, run_suite
from nasbench_lab.suites.cleaning import clean
from nasbench_lab.suites.local_processes import LocalProcesses
from nasbench_lab.train.one_shot import calibration, suite_search
from nasbench_lab.train.one_shot.methods.registry import list_methods, method_class
from nasbench_lab.train.one_shot.search_family import OneShotFamily
from nasbench_lab.train.one_shot.search_run import SearchRun
from nasbench_lab.train.one_shot.suite_search import OPTIONS

SMALL = {"epochs": 2, "population": 2, "parents": 1, "generations": 1}
EPOCHS = 15  # of a search that is killed
PATIENCE = 300  # seconds, for machines with much else to do
HERE = Path(__file__).parent
SPOS = "spos:population=2,generations=1,parents=1,epochs=2"


@pytest.fixture(autouse=True)
def calibrated_at_once(monkeypatch):
    """One measured second is two of the table; tests/train/one_shot/test_calibration.py measures."""
    made = calibration.Calibration.given(2.0, "made up")
    monkeypatch.setattr(suite_search, "calibrate", lambda *_, **__: made)


def suite(**changes):
    options = {"strategies": ["random-search", StrategyEntry("one-shot/spos", SMALL)], "runs": 2, **changes}
    return Suite(**{"tables": ["digits/chain"], "conditions": nl.Budget(seconds=100), **options})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        calibrated_at_once.__wrapped__(patch)
        folder = tmp_path_factory.mktemp("suites") / "out"
        told = []
        run_suite(suite(), folder, progress=told.append)
    return folder, told


def by_label(folder):
    results = open_results(folder)
    return {setting.label: trace for setting, trace in zip(results.settings, results, strict=True)}


def exact(trace):
    """All arrays but the measured seconds."""
    return {name: array for name, array in trace.arrays().items() if name != "time"}


def assert_same_but_seconds(one, other):
    left, right = exact(one), exact(other)
    assert left.keys() == right.keys()
    for name, array in left.items():
        np.testing.assert_array_equal(array, right[name], err_msg=name)


def test_methods_stand_beside_strategies(finished):
    folder, _ = finished
    traces = by_label(folder)
    assert list(traces) == ["random-search", SPOS]
    trace = traces[SPOS]
    assert trace.architecture.shape == (2, 2)
    assert trace.incumbent_kind == "recommended"
    assert (trace.architecture[:, 1] >= 0).all()
    assert (trace.time[:, 0] > 0).all()
    assert (trace.time[:, 1] > trace.time[:, 0]).all()
    assert trace.setting.conditions == traces["random-search"].setting.conditions
    assert trace.setting.parameters["epochs"] == 2
    assert trace.setting.training["clock_scale"] == 2
    shards = [shard for shard in SuiteFolder.open(folder).plan.shards if shard.simulation == 1]
    assert [(shard.first_run, shard.runs) for shard in shards] == [(0, 1), (1, 1)], "every run can be done elsewhere"
    assert not list((folder / "unfinished").glob("*"))


def test_a_run_of_a_suite_is_that_of_a_search(finished):
    from nasbench_lab.train.one_shot import search

    parameters = {key: value for key, value in SMALL.items() if key != "epochs"}
    alone = search("digits/chain", "spos", epochs=2, runs=1, first_run=1, scale=1.0, parameters=parameters)
    assert alone.setting.label == SPOS
    np.testing.assert_array_equal(alone.architecture[0], by_label(finished[0])[SPOS].architecture[1])


def test_epochs_move_the_progress(finished):
    _, told = finished
    shares = [each.seconds / each.total for each in told]
    assert shares == sorted(shares), "never backwards"
    assert shares[-1] == pytest.approx(1)
    assert len(set(shares)) > len(told) // 2, "epochs move it, not only finished runs"
    assert told[-1].finished == told[-1].shards == 3


def test_again_elsewhere_everything_but_the_seconds_is_the_same(finished, tmp_path):
    folder, _ = finished
    run_suite(suite(), tmp_path / "again")
    one, other = by_label(folder), by_label(tmp_path / "again")
    for label in one:
        assert_same_but_seconds(one[label], other[label])
    assert not np.array_equal(one[SPOS].time, other[SPOS].time), "measured"
    names = set(digests(folder))
    assert names == set(digests(tmp_path / "again")), "shards have the same names"
    (simulated,) = [
        name for name in names if name.startswith("shards") and name.endswith("0000000001.h5") and "0000000000-" in name
    ]
    assert digests(folder)[simulated] == digests(tmp_path / "again")[simulated], "byte for byte, as always"


def test_finished_shards_are_never_done_again(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "out")
    before = digests(tmp_path / "out")
    run_suite(suite(), tmp_path / "out")
    assert digests(tmp_path / "out") == before
    with pytest.warns(ChangedSuiteWarning, match="3 runs instead of 2"):
        run_suite(suite(runs=3), tmp_path / "out")
    assert before.items() <= digests(tmp_path / "out").items()
    (lost,) = [
        path
        for path in (tmp_path / "out/shards").glob("*.json")
        if path.stem.endswith("0000000002-0000000002") and f'"label": "{SPOS}"' in path.read_text()
    ]
    earlier = by_label(tmp_path / "out")[SPOS]
    lost.unlink()
    before = digests(tmp_path / "out")
    run_suite(suite(runs=3), tmp_path / "out")
    assert {name: digest for name, digest in digests(tmp_path / "out").items() if lost.stem not in name} == {
        name: digest for name, digest in before.items() if lost.stem not in name
    }
    assert_same_but_seconds(earlier, by_label(tmp_path / "out")[SPOS])


def test_merging_keeps_the_measured_bytes(finished, tmp_path):
    folder, _ = finished
    run_suite(suite(runs=1), tmp_path / "other")
    merged = merge_suites([folder, tmp_path / "other"], tmp_path / "merged")
    assert not merged.damaged
    originals = {**digests(tmp_path / "other"), **digests(folder)}
    measured = [digests(folder), digests(tmp_path / "other")]
    for name, digest in digests(tmp_path / "merged").items():
        assert digest in {each.get(name) for each in measured}, "one of the two, unchanged"
    assert set(digests(tmp_path / "merged")) <= set(originals)
    swapped = merge_suites([tmp_path / "other", folder], tmp_path / "swapped")
    assert digests(swapped.folder.path) == digests(tmp_path / "merged"), "whichever comes first"
    assert_same_but_seconds(by_label(folder)[SPOS], by_label(tmp_path / "merged")[SPOS])


def test_steps_past_the_budget_are_cut_and_noted(tmp_path, monkeypatch):
    from nasbench_lab.simulation.training_notes import training_notes

    monkeypatch.setattr(suite_search, "calibrate", lambda *_, **__: calibration.Calibration.given(1e5))
    results = run_suite(suite(strategies=[StrategyEntry("one-shot/spos", SMALL)]), tmp_path)
    (trace,) = results
    assert trace.steps == 0
    assert training_notes(results.settings[0])[0] == (
        f"2 runs of {SPOS} on digits/chain took longer than 100 s; what they recommended later does not count"
    )


def test_patterns_of_strategies_match_no_methods():
    plan = make_plan(Suite(["random-*", "one-shot/s*os"], ["digits/chain"], nl.Budget(seconds=9), runs=1))
    assert {each.label for each in plan.simulations} >= {"random-search", "spos"}
    everything = make_plan(Suite(["*"], ["digits/chain"], nl.Budget(seconds=9), runs=1))
    assert not {each.label for each in everything.simulations} & set(list_methods())


@pytest.mark.parametrize(
    ("name", "parameters", "error", "message"),
    [
        ("one-shot/spoz", {}, UnknownNameError, r"unknown strategy 'one-shot/spoz'; did you mean 'one-shot/spos'"),
        ("spos", {}, UnknownNameError, r"unknown strategy 'spos'; did you mean 'one-shot/spos'\?"),
        ("one-shot/", {}, UnknownNameError, "unknown strategy 'one-shot/'"),
        ("one-shot/x*", {}, UnknownNameError, r"unknown strategy 'one-shot/x\*'"),
        ("one-shot/spos", {"epoch": 3}, UnknownNameError, "unknown parameter of one-shot/spos 'epoch'.*'epochs'"),
        ("one-shot/spos", {"popluation": 3}, UnknownNameError, "did you mean 'population'"),
        ("one-shot/spos", {"epochs": 0}, ParameterError, "epochs must be at least 1, got 0"),
        ("one-shot/spos", {"epochs": "many"}, ParameterError, "epochs must be a whole number, got 'many'"),
        ("one-shot/spos", {"population": -1}, ParameterError, "population must be"),
        ("one-shot/spos", {"population": 2, "parents": 3}, ParameterError, "parents must be at most population"),
        ("one-shot/spos", {"statistics": "moving"}, ParameterError, "statistics must be .*running"),
        ("one-shot/spos", {"affine": 1}, ParameterError, "affine must be True or False"),
        ("one-shot/spos", {"device": "gpu"}, ParameterError, "unknown device 'gpu'"),
        ("one-shot/spos", {"recipe": "best"}, UnknownNameError, "unknown recipe 'best'"),
        ("one-shot/spos", {"dataset": "digitz"}, ParameterError, "dataset must be"),
        ("one-shot/spos", {"dataset": {"file": "mine.npz"}}, ParameterError, "must be an absolute path"),
        ("one-shot/spos", {"network": 8}, ParameterError, r"network must be a table, like \{ channels = 8"),
        ("one-shot/spos", {"network": {"depth": 8}}, MissingDataError, "takes no options"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(name, parameters, error, message):
    entries = ["random-search", StrategyEntry(name, parameters)]
    with pytest.raises(error, match=message) as raised:
        make_plan(Suite(entries, ["digits/chain"], nl.Budget(seconds=9), runs=1))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("table", "conditions", "reason"),
    [
        ("digits/chain", nl.Budget(evaluations=9), "it trains networks itself and needs a budget in seconds"),
        ("digits/chain", nl.Conditions(nl.Budget(seconds=99), workers=2), "it trains on one worker, got 2 workers"),
        ("nas-bench-graph/cora", nl.Budget(evaluations=3), "needs a budget in seconds"),
    ],
)
def test_what_a_method_lacks_is_a_reason_to_skip_it(table, conditions, reason):
    plan = make_plan(Suite(["random-search", "one-shot/*"], [table], conditions, runs=1))
    assert [each.label for each in plan.simulations] == ["random-search"]
    assert {each.strategy for each in plan.skipped} == set(list_methods())
    assert all(reason in each.reason for each in plan.skipped)
    with pytest.raises(MissingDataError, match=reason):
        make_plan(Suite(["random-search", "one-shot/spos"], [table], conditions, runs=1))


def test_options_and_parameters_have_different_names():
    for name in list_methods():
        assert not set(OPTIONS) & set(field_names(method_class(name))), name


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None  # as if it were not installed
import nasbench_lab as nl
from nasbench_lab.suites import Suite, make_plan, read_suite, run_suite
suite = read_suite(sys.argv[1])
results = run_suite(suite, sys.argv[2])
print(*(setting.label for setting in results.settings))
print(*(f"{each['strategy']}: {each['reason']}" for each in results.provenance["skipped"]), sep="\\n")
try:
    make_plan(Suite(["random-search", "one-shot/spoz"], ["digits/chain"], nl.Budget(seconds=9)))
except nl.errors.UnknownNameError as error:
    print(error)
"""


def test_without_torch_methods_are_skipped_until_it_is_installed(finished, tmp_path):
    (tmp_path / "suite.toml").write_text(
        'strategies = ["random-search", "one-shot/spos:epochs=2,population=2,parents=1,generations=1"]\n'
        'tables = ["digits/chain"]\nruns = 2\n[budget]\nseconds = 100\n'
    )
    command = [sys.executable, "-c", WITHOUT_TORCH, tmp_path / "suite.toml", tmp_path / "out"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[0] == "random-search"
    assert (
        said[1]
        == "spos:epochs=2,population=2,parents=1,generations=1: it needs torch: pip install 'nasbench-lab[torch]'"
    )
    assert said[2].startswith("unknown strategy 'one-shot/spoz'; did you mean 'one-shot/spos'")
    simulated = digests(tmp_path / "out")
    from nasbench_lab.suites import read_suite

    with pytest.warns(ChangedSuiteWarning, match="new in the suite: spos"):
        run_suite(read_suite(str(tmp_path / "suite.toml")), tmp_path / "out")
    assert simulated.items() <= digests(tmp_path / "out").items()
    for label, trace in by_label(tmp_path / "out").items():
        assert_same_but_seconds(trace, by_label(finished[0])[label])


def test_a_finished_suite_opens_without_torch_and_a_started_one_says_what_it_needs(finished, tmp_path, monkeypatch):
    shutil.copytree(finished[0], tmp_path / "out")
    monkeypatch.setattr(OneShotFamily, "is_available", lambda _: False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run_suite(suite(), tmp_path / "out")
    next(path for path in (tmp_path / "out/shards").glob("*.json") if SPOS in path.read_text()).unlink()
    with pytest.raises(StrategyError, match=r"one-shot/spos cannot run here: it needs torch: pip install"):
        run_suite(suite(), tmp_path / "out")


def test_the_command_notes_what_is_skipped(tmp_path, monkeypatch):
    monkeypatch.setattr(OneShotFamily, "is_available", lambda _: False)
    (tmp_path / "suite.toml").write_text(
        'strategies = ["random-search", "one-shot/*"]\ntables = ["digits/chain"]\nruns = 2\n[budget]\nseconds = 5\n'
    )
    done = nasbench_lab_here("suite", "run", tmp_path / "suite.toml", "--out", tmp_path / "out")
    assert "note: skipped spos on digits/chain: it needs torch: pip install 'nasbench-lab[torch]'" in done.stderr


RUNS_LONG = """
import sys
from nasbench_lab.suites import run_suite
from nasbench_lab.train.one_shot import calibration, run_tasks, suite_search
run_tasks._BETWEEN_CHECKPOINTS = 0.0
suite_search.calibrate = lambda *_, **__: calibration.Calibration.given(2.0, "made up")
sys.path[:0] = sys.argv[2:]
from test_suites_with_one_shot import long_suite
run_suite(long_suite(), sys.argv[1])
"""


def long_suite():
    return suite(strategies=[StrategyEntry("one-shot/spos", {**SMALL, "epochs": EPOCHS})], runs=1)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_search_resumes_from_its_checkpoint(tmp_path, monkeypatch):
    command = [sys.executable, "-c", RUNS_LONG, tmp_path / "out", HERE, HERE.parent / "helpers"]
    with subprocess.Popen(command) as started:
        deadline = time.monotonic() + PATIENCE
        try:
            while not list((tmp_path / "out").glob("unfinished/*/checkpoints/run-0.pt")):
                assert started.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
        finally:
            started.kill()
    assert not list((tmp_path / "out/shards").glob("*.h5")), "nothing half-written"
    resumed_after, load = [], SearchRun.load
    monkeypatch.setattr(SearchRun, "load", lambda run, path: (load(run, path), resumed_after.append(run.context.epoch)))
    run_suite(long_suite(), tmp_path / "out")
    assert resumed_after[0] >= 1, "epochs before the kill are not trained again"
    assert not list((tmp_path / "out/unfinished").iterdir())
    run_suite(long_suite(), tmp_path / "whole")
    (resumed,), (whole,) = open_results(tmp_path / "out"), open_results(tmp_path / "whole")
    assert resumed.steps == EPOCHS
    assert_same_but_seconds(resumed, whole)
    assert (np.diff(resumed.time) > 0).all(), "the seconds before the kill count"


def test_a_damaged_checkpoint_is_an_error_that_clean_removes(tmp_path):
    (shard,) = make_plan(long_suite()).shards
    checkpoint = tmp_path / "unfinished" / shard.name / "checkpoints" / "run-0.pt"
    SuiteFolder.begin(tmp_path, long_suite())
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b"half of it")
    with pytest.raises(StrategyError, match=r"run-0.pt is not a readable checkpoint of a search"):
        run_suite(long_suite(), tmp_path)
    assert checkpoint.exists()
    clean(tmp_path)
    assert not checkpoint.exists()


def test_clean_keeps_what_a_search_resumes_from(tmp_path):
    (shard,) = make_plan(long_suite()).shards
    SuiteFolder.begin(tmp_path, long_suite())
    for name in (shard.name, "0123456789abcdef-0000000000-0000000000"):
        (tmp_path / "unfinished" / name).mkdir(parents=True)
    assert clean(tmp_path) == 1
    assert [path.name for path in (tmp_path / "unfinished").iterdir()] == [shard.name]
    clean(tmp_path, results=True)
    assert not (tmp_path / "unfinished").exists()


class Worker:
    """A process of which only the connection is used."""

    def __init__(self, line):
        self.line = line

    def end(self):
        self.line.close()


def test_shares_arrive_from_processes():
    from multiprocessing import Pipe

    executor, (here, there), told = LocalProcesses(1), Pipe(), []
    executor._busy["shard"] = Worker(here)
    for each in (0.25, 0.5, "outcome"):
        there.send(each)
    answer = executor.next(lambda name, share: told.append((name, share)))
    assert (answer.name, answer.outcome) == ("shard", "outcome")
    assert told == [("shard", 0.25), ("shard", 0.5)]
