"""One-shot searches: seeds, processes, kills, folders, clocks, and wrong arguments."""

import dataclasses
import json
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.errors import DataError, ParameterError, SettingWarning, UnknownNameError

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

import nasbench_lab.train.one_shot as one_shot  # noqa: E402
from nasbench_lab.train.datasets import Dataset, Split, digits  # noqa: E402
from nasbench_lab.train.one_shot import run_tasks  # noqa: E402
from nasbench_lab.train.one_shot.search_plan import plan_search, seed_of_run  # noqa: E402
from nasbench_lab.train.recipes import TrainingRecipe  # noqa: E402

SMALL = {"network": {"channels": 2, "cells": 1}, "scale": 2.0}


def few_digits(images=120):
    whole = digits()

    def part(split):
        return Split(split.images[:images], split.labels[:images])

    return Dataset("few-digits", 10, part(whole.train), part(whole.valid), part(whole.test))


DATA = few_digits()


def search(method="darts", **options):
    return one_shot.search("digits/topology", method, **{"dataset": DATA, "epochs": 2, **SMALL, **options})


@pytest.fixture(scope="module")
def three():
    return search(runs=3)


def same(one, other):
    return np.array_equal(one.recommended, other.recommended) and np.array_equal(one.architecture, other.architecture)


def states_equal(one, other):
    one, other = one.state_dict(), other.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_trace_like_any_other(three):
    assert three.incumbent_kind == "recommended"
    assert three.recommended.shape == (3, 2)
    table = nl.load("digits/topology")
    best = table.mean_values("test_accuracy").max()
    assert np.allclose(three.regret("test")[:, -1], best - table.mean_values("test_accuracy")[three.recommended[:, -1]])
    assert three.setting.training["clock_scale"] == 2.0
    assert three.setting.training["dataset"] == "few-digits"


def test_runs_side_by_side_equal_each_alone(three):
    again = search(runs=3)
    assert same(three, again)
    alone = search(first_run=1)
    assert np.array_equal(alone.recommended, three.recommended[1:2])
    assert states_equal(alone.supernet(0), three.supernet(1))
    assert not states_equal(three.supernet(0), three.supernet(1))
    assert seed_of_run(3, 0) != seed_of_run(0, 3)


def test_processes_change_only_the_seconds(three):
    shared = search(runs=3, processes=2)
    assert same(three, shared)
    assert states_equal(shared.supernet(2), three.supernet(2))


def test_seconds_are_measured_and_scaled():
    seen = []
    trace = search(runs=2, progress=seen.append)
    measured = np.array([task.restored().times for task in trace.tasks])
    assert np.array_equal(trace.time, 2.0 * measured)
    assert (np.diff(trace.time) > 0).all()
    assert [each.done for each in seen] == [1, 2, 3, 4]
    assert {each.epochs for each in seen} == {4}


def test_a_folder_keeps_a_search(tmp_path):
    first = search(runs=2, folder=tmp_path, snapshots=1)
    assert [each.epoch for each in one_shot.find_snapshots(tmp_path)] == [2, 2]
    assert states_equal(one_shot.load_supernet(one_shot.snapshot_path(tmp_path, 1, 2)), first.supernet(1))
    again = search(runs=3, folder=tmp_path, snapshots=1)
    assert np.array_equal(again.time[:2], first.time), "finished runs are not done again"
    with pytest.raises(DataError, match=r"has another search \(different recipe\)"):
        search(runs=2, epochs=3, folder=tmp_path)
    with pytest.raises(DataError, match=r"has another search \(different method, parameters\)"):
        search("spos", runs=2, folder=tmp_path)
    (tmp_path / "checkpoints" / "run-0.pt").write_bytes(b"x" * 100)
    with pytest.raises(DataError, match="not a readable checkpoint"):
        search(runs=2, folder=tmp_path, snapshots=1)


def test_a_temporary_folder_is_removed():
    trace = search(epochs=1)
    folder = trace.tasks[0].folder
    assert folder.exists()
    del trace
    assert not folder.exists()


SCRIPT = """
import sys, time
sys.path.insert(0, sys.argv[2])
import test_searches as t
from nasbench_lab.train.one_shot import run_tasks
run_tasks._BETWEEN_CHECKPOINTS = 0.0
def slowly(progress):
    print(progress.epoch, flush=True)
    time.sleep(0.1)
t.search(epochs=6, folder=sys.argv[1], progress=slowly)
"""


def test_a_killed_search_resumes(tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), str(Path(__file__).parent)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if int(line) == 3:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert 3 <= torch.load(tmp_path / "checkpoints" / "run-0.pt", weights_only=True)["epoch"] < 6
    resumed, whole = search(epochs=6, folder=tmp_path), search(epochs=6)
    assert same(resumed, whole)
    assert states_equal(resumed.supernet(0), whole.supernet(0))


def test_conditions_cut_and_hold():
    conditions = nl.Conditions(nl.Budget(seconds=1e-9), seed=3)
    trace = search(conditions=conditions)
    assert trace.steps == 0
    assert trace.setting.conditions.seed == 3
    conditions = nl.Conditions(nl.Budget(seconds=1e6), seed=3)
    assert same(search(conditions=conditions), search(seed=3))
    with pytest.raises(ParameterError, match="the seed is 1, but that of the conditions is 3"):
        search(conditions=conditions, seed=1)


def test_a_failed_training_is_told():
    recipe = TrainingRecipe("too fast", 3, 50, 1e30)
    with pytest.warns(SettingWarning, match="run 0 of darts ended after epoch 1 of 3"):
        trace = search(recipe=recipe, epochs=3)
    assert trace.setting.training["failed_runs"] == [0]
    assert trace.final_incumbent().tolist() == [-1]


def test_a_trace_can_be_pickled(three):
    copy = pickle.loads(pickle.dumps(three))
    assert same(copy, three)
    assert states_equal(copy.supernet(1), three.supernet(1))
    assert repr(copy) == repr(three)


def test_global_settings_of_torch_stay():
    before, state = torch.get_num_threads(), torch.get_rng_state()
    torch.set_num_threads(before + 1)
    try:
        search(epochs=1)
        assert torch.get_num_threads() == before + 1
        assert torch.equal(torch.get_rng_state(), state)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "dart"}, UnknownNameError, "darts"),
        ({"parameters": {"learning_rat": 1.0}}, UnknownNameError, "learning_rate"),
        ({"parameters": {"order": 3}}, ParameterError, "order"),
        ({"method": 3}, ParameterError, "method must be a name"),
        ({"epochs": 0}, ParameterError, "epochs"),
        ({"runs": 0}, ParameterError, "runs must be at least 1, got 0"),
        ({"processes": 0}, ParameterError, "processes"),
        ({"network": {"chanels": 2}}, ParameterError, "channels and cells"),
        ({"device": "abacus"}, ParameterError, "unknown device"),
        ({"precision": "float8"}, UnknownNameError, "float32"),
        ({"statistics": "none"}, ParameterError, "statistics"),
        ({"scale": 0}, ParameterError, "scale"),
        ({"recipe": "digit"}, UnknownNameError, "digits"),
        ({"recipe": 3}, ParameterError, "TrainingRecipe"),
        ({"dataset": "digitz"}, UnknownNameError, "digits"),
        ({"progress": "yes"}, ParameterError, "progress must be True, False or a function"),
        ({"conditions": nl.Conditions(nl.Budget(evaluations=3))}, ParameterError, "seconds"),
        ({"conditions": nl.Budget(seconds=3)}, ParameterError, "conditions must be Conditions"),
        ({"parameters": [1]}, ParameterError, "parameters must be a dictionary"),
        ({"network": "x"}, ParameterError, "network must be a dictionary"),
        ({"method": "darts:order=2", "parameters": {"order": 1}}, ParameterError, "'order' is given twice"),
    ],
    ids=str,
)
def test_wrong_arguments(options, error, message, tmp_path):
    with pytest.raises(error, match=message) as raised:
        search(**{"folder": tmp_path / "out", **options})
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "out" / "supernets").exists()  # nothing was trained


def test_unknown_options_are_named():
    with pytest.raises(TypeError, match="epoch"):
        search(epoch=3)


def test_a_label_names_a_method():
    plan = plan_search("digits/topology", "darts:order=2", epochs=3)
    assert plan.method == plan_search("digits/topology", "darts", parameters={"order": 2}, epochs=3).method


def test_the_plan_is_plain_data():
    plan = plan_search("digits/topology", "spos", epochs=7)
    assert json.loads(json.dumps(plan.facts)) == plan.facts
    assert plan.recipe.epochs == 7
    assert dataclasses.asdict(plan.recipe)["learning_rate"] == 0.1


def test_snapshots_are_at_equal_distances():
    for epochs in (1, 2, 7, 50, 300):
        for count in (1, 2, 3, 10):
            found = run_tasks.snapshot_epochs(epochs, count)
            assert found[-1] == epochs
            assert len(found) == min(epochs, count)
            gaps = np.diff((0, *found))
            assert gaps.max() - gaps.min() <= 1


def test_processor_time_is_that_of_the_search_alone():
    started = time.process_time()
    trace = search(epochs=1)
    assert 0 < trace.time[0, -1] / 2.0 <= time.process_time() - started


OWN = """
from dataclasses import dataclass
from typing import ClassVar

from nasbench_lab.train.one_shot import Method
from nasbench_lab.train.one_shot.supernets import Path


@dataclass
class Last:
    architecture: int = -1


@dataclass(frozen=True)
class Own(Method):
    name: ClassVar[str] = "own"
    shift: int = 1

    def start(self, search):
        return Last()

    def step(self, search, state, train):
        state.architecture = int(search.random.integers(search.space.size - self.shift)) + self.shift
        search.update_weights(train, [Path(search.space.codes(state.architecture).tolist())])

    def recommend(self, search, state):
        return state.architecture
"""


def test_a_method_of_a_file_searches_in_any_process(tmp_path):
    file = tmp_path / "own_method.py"
    file.write_text(OWN)
    name = f"{file}:Own"
    one = search(name, runs=2, parameters={"shift": 3})
    two = search(name, runs=2, parameters={"shift": 3}, processes=2)
    assert one.setting.label.startswith("own:shift=3")
    assert same(one, two)
    with pytest.raises(ParameterError, match="is no class derived from"):
        search(f"{file}:Last")
    with pytest.raises(ParameterError, match="there is no file"):
        search(f"{tmp_path / 'absent.py'}:Own")


STATELESS = """
from dataclasses import dataclass
from typing import Any, ClassVar

from nasbench_lab.train.one_shot import Method


@dataclass(frozen=True)
class Stateless(Method):
    name: ClassVar[str] = "stateless"
    state: Any = None
    named: Any = 5

    def start(self, search):
        return self.state

    def step(self, search, state, train):
        pass

    def recommend(self, search, state):
        return self.named


class Unfinished(Method):
    name: ClassVar[str] = "unfinished"
"""


def test_a_method_without_a_state_resumes(tmp_path):
    (tmp_path / "stateless.py").write_text(STATELESS)
    name = f"{tmp_path / 'stateless.py'}:Stateless"
    trace = search(name, epochs=1, folder=tmp_path / "out")
    assert trace.recommended.tolist() == [[5]]
    assert same(search(name, epochs=1, folder=tmp_path / "out"), trace)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("Stateless:state=3", "start must return an object with attributes, or None, got 3"),
        ("Stateless:named=1.5", "recommend of 'stateless' must be a whole number, got 1.5"),
        ("Stateless:named=15625", "recommend of 'stateless' must be at least -1 and below 15625, got 15625"),
        ("Unfinished", "Unfinished is abstract: give a class that defines recommend, start, step"),
    ],
)
def test_a_wrong_method_is_told_in_one_line(kind, message, tmp_path):
    (tmp_path / "stateless.py").write_text(STATELESS)
    with pytest.raises(ParameterError, match=message):
        search(f"{tmp_path / 'stateless.py'}:{kind}", epochs=1)
