"""Tables that train on demand: what they answer, that nothing is trained twice, and failures."""

import contextlib
import dataclasses
import json
import pickle
import sqlite3
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab import train
from nasbench_lab.child_processes import Child
from nasbench_lab.errors import DataError, OutputError, ParameterError, UnknownNameError
from nasbench_lab.train.live_search import one_training, workers
from nasbench_lab.train.live_search.journal import TrainingJournal
from nasbench_lab.train.live_search.network_keys import NetworkNames, stable_text
from nasbench_lab.train.live_search.packing import table_of_trainings
from nasbench_lab.train.proxies import score_architectures
from nasbench_lab.train.recipes import recipe

SPACE = "digits/chain"
CHEAP = 4535  # the network with the fewest layers


@pytest.fixture
def trainings(monkeypatch):
    """Counts the trainings that were started: architecture and epochs before and after."""
    started = []
    original = one_training.Trainer._run

    def run(self, training, request, *rest):
        before = training.epoch
        try:
            original(self, training, request, *rest)
        finally:
            started.append((request.architecture, before, training.epoch))

    monkeypatch.setattr(one_training.Trainer, "_run", run)
    return started


def short(folder=None, **options):
    """A live table whose trainings take a twentieth of a second."""
    options = {"epochs": 2, "seeds": 1, **options}
    return train.live("digits/chain", folder=folder, **options)


@pytest.mark.parametrize(
    ("name", "architecture", "epochs"), [("digits/chain", 2000, 3), ("digits/cell101", 2, 2), ("digits/topology", 1, 1)]
)
def test_a_live_table_answers_what_the_table_has_to_the_last_bit(name, architecture, epochs):
    table, live = nl.load(name), train.live(name)
    for metric in ("train_loss", "valid_loss", "valid_accuracy", "test_accuracy", "parameters", "flops"):
        repeats = range(table.repeats)
        expected = [table.lookup([architecture], epochs, repeat, metric)[0] for repeat in repeats]
        assert [live.lookup([architecture], epochs, repeat, metric)[0] for repeat in repeats] == expected


def test_a_training_resumes_from_a_lower_fidelity_and_equals_one_without_a_break(tmp_path, trainings):
    table, live = nl.load(SPACE), train.live(SPACE, folder=tmp_path)
    found = [live.lookup([CHEAP], epochs, 1, "valid_loss")[0] for epochs in (1, 4, 2)]
    assert found == [table.lookup([CHEAP], epochs, 1, "valid_loss")[0] for epochs in (1, 4, 2)]
    assert [part[1:] for part in trainings] == [(0, 1), (1, 4)]


def test_architectures_with_one_network_share_a_training(trainings):
    live = short()
    names = NetworkNames(live.space)
    keys = [names.of(index).key for index in range(live.space.size)]
    same = next(keys.index(key, keys.index(key) + 1) for key in keys if keys.count(key) > 1)
    live.lookup([same, names.of(same).architecture, same])
    assert len(trainings) == 1


def test_another_table_in_the_folder_trains_nothing(tmp_path, trainings):
    values = short(tmp_path).lookup([CHEAP, 7])
    assert (short(tmp_path).lookup([7, CHEAP]) == values[::-1]).all()
    assert len(trainings) == 2


def test_a_copy_in_another_process_uses_the_same_folder(tmp_path, trainings):
    live = short(tmp_path)
    value = live.lookup([CHEAP])
    copied = pickle.loads(pickle.dumps(live))
    assert (copied.name, copied.checksum) == (live.name, live.checksum)
    assert copied.lookup([CHEAP]) == value
    assert len(trainings) == 1


def test_two_at_once_train_everything_once(tmp_path, trainings):
    found = {}

    def ask(name):
        found[name] = short(tmp_path).lookup([CHEAP, 7, 8])

    threads = [threading.Thread(target=ask, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found["a"] == found["b"]).all()
    assert len(trainings) == 3


PROCESS = """
import sys, time
from nasbench_lab import train
from nasbench_lab.train.live_search.one_training import Trainer

def train_or_hang(self, request, *rest, train=Trainer._train):
    if request.architecture == int(hangs_at):
        print("training", flush=True)
        time.sleep(3600)
    return train(self, request, *rest)

folder, hangs_at, *asked = sys.argv[1:]
live = train.live("digits/chain", folder=folder, epochs=2, seeds=1)
Trainer._train = train_or_hang
print("ready", flush=True)
sys.stdin.readline()
print(live.lookup([int(index) for index in asked]).tolist())
"""


def test_two_real_processes_train_everything_once_although_one_is_killed(tmp_path, trainings):
    """They begin at the same time, from opposite ends. One is killed while it trains and the other waits for it."""
    names = NetworkNames(short().space)
    asked = list({names.of(index).key: names.of(index).architecture for index in range(40, 52)}.values())
    at = asked[2]

    def start(hangs_at, order):
        command = [sys.executable, "-c", PROCESS, *map(str, (tmp_path, hangs_at, *order))]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def rows():
        with contextlib.closing(sqlite3.connect(tmp_path / "trainings.sqlite")) as journal:
            return journal.execute("SELECT network, budget, epochs FROM trainings").fetchall()

    with start(at, asked) as killed, start(-1, asked[::-1]) as other:
        assert [each.stdout.readline() for each in (killed, other)] == ["ready\n"] * 2
        for process in (killed, other):
            process.stdin.write("go\n")
            process.stdin.flush()
        assert killed.stdout.readline() == "training\n"
        while len(rows()) < len(asked) - 1 and other.poll() is None:
            time.sleep(0.05)
        assert len(rows()) == len(asked) - 1
        killed.kill()
        values = json.loads(other.communicate()[0])
    assert len(rows()) == len(set(rows())) == len(asked)
    assert short(tmp_path).lookup(asked[::-1]).tolist() == values
    assert trainings == []


def test_a_folder_of_other_trainings_is_refused(tmp_path):
    short(tmp_path)
    with pytest.raises(DataError, match="another space, data set, recipe"):
        short(tmp_path, epochs=3)


def test_a_damaged_journal_is_refused(tmp_path):
    (tmp_path / "trainings.sqlite").write_bytes(b"SQLite format 3\0" + b"?" * 5000)
    with pytest.raises((DataError, OutputError)):
        short(tmp_path)


def test_a_damaged_checkpoint_only_costs_its_epochs(tmp_path, trainings):
    short(tmp_path).lookup([CHEAP], 1)
    (checkpoint,) = (tmp_path / "checkpoints").iterdir()
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    value = short(tmp_path).lookup([CHEAP], 2)
    assert value == short().lookup([CHEAP], 2)
    assert [part[1:] for part in trainings] == [(0, 1), (0, 2), (0, 2)]


def test_a_loss_that_is_not_finite_is_a_failed_training(tmp_path):
    wild = dataclasses.replace(recipe("digits"), learning_rate=1e30, epochs=1)
    live = train.live(SPACE, "digits", wild, folder=tmp_path, seeds=1)
    assert np.isnan(live.lookup([CHEAP])).all()
    (trained,) = live.trainings.journal.items()
    assert trained.reason == "the loss is not finite"
    trace = nl.simulate(live, "random-search", runs=1, budget=nl.Budget(evaluations=1))
    assert np.isnan(trace.observed).all()
    assert (trace.time > 0).all()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "out of memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "out of memory"),
        (RuntimeError("a kernel is too large"), "RuntimeError: a kernel is too large"),
        (ParameterError("no such network"), "no such network"),
    ],
)
def test_an_error_in_a_training_is_recorded_and_not_repeated(tmp_path, monkeypatch, error, reason):
    def fail(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(one_training.Trainer, "_prepared", fail)
        assert np.isnan(short(tmp_path).lookup([CHEAP])).all()
    live = short(tmp_path)
    assert np.isnan(live.lookup([CHEAP])).all()
    assert [trained.reason for trained in live.trainings.journal.items()] == [reason]


def test_a_training_beyond_its_time_limit_has_failed(tmp_path):
    live = short(tmp_path, longest=1e-6)
    assert np.isnan(live.lookup([CHEAP], 2)).all()
    (trained,) = live.trainings.journal.items()
    assert trained.reason == "the training took longer than the limit of 1e-06 s"


def test_what_is_wrong_is_said_before_anything_is_trained(tmp_path, trainings):
    for options, error, text in (
        ({"metrics": ["synfow"]}, UnknownNameError, "synflow"),
        ({"width": 3}, ParameterError, "width = 3"),
        ({"seeds": 0}, ParameterError, "seeds"),
        ({"device": "tpu:7"}, ParameterError, "tpu"),
        ({"recipe": "digit"}, UnknownNameError, "digits"),
    ):
        with pytest.raises(error, match=text):
            short(tmp_path / "new", **options).lookup([CHEAP])
    with pytest.raises(ParameterError, match="give a data set"):
        train.live("topology")
    assert trainings == []


def test_zero_cost_scores_and_costs_are_computed_without_a_training(tmp_path, trainings):
    live = short(tmp_path, metrics=["parameters", "latency", "synflow", "naswot"])
    found = live.untrained([CHEAP, 7], ["parameters", "latency", "synflow", "naswot"])
    assert found["parameters"].tolist() == nl.load(SPACE).lookup([CHEAP, 7], metric="parameters").tolist()
    assert (found["latency"] > 0).all()
    expected = score_architectures(SPACE, "synflow", dataset="digits", architectures=[CHEAP, 7])
    assert found["synflow"].tolist() == expected.values["synflow"][:, 0].tolist()
    again = short(tmp_path, metrics=["parameters", "latency", "synflow", "naswot"])
    assert again.untrained([CHEAP, 7], ["latency"])["latency"].tolist() == found["latency"].tolist()
    assert trainings == []


def test_what_was_trained_is_a_table_with_the_values_of_the_table(tmp_path):
    live = train.live(SPACE, folder=tmp_path)
    live.lookup([CHEAP], 12)
    live.lookup([2000], 2)
    packed, table = table_of_trainings(tmp_path), nl.load(SPACE)
    assert packed.space.size == 2
    trained = sorted([2000, live.trainings.names.of(CHEAP).architecture])
    assert packed.space.in_parent(np.arange(2)).tolist() == trained
    for metric in ("valid_loss", "test_accuracy", "test_f1", "parameters"):
        mine, theirs = packed.values(metric), table.values(metric)[packed.space.in_parent(np.arange(2))]
        known = ~np.isnan(mine)
        assert known.any()
        assert (mine[known] == theirs[known]).all()
    assert np.isnan(packed.values("valid_loss")).any(axis=(1, 2)).sum() == 1


def test_a_folder_without_trainings_is_no_table(tmp_path):
    with pytest.raises(DataError, match="has no trainings of a live search"):
        table_of_trainings(tmp_path)


def test_a_record_survives_in_the_journal(tmp_path):
    live = short(tmp_path)
    live.lookup([CHEAP], 1)
    trained = next(live.trainings.journal.items())
    with TrainingJournal(tmp_path, live.trainings.identity) as journal:
        found = journal.find(trained.network, trained.budget)
    assert found.arrays["valid_loss"].tolist() == trained.arrays["valid_loss"].tolist()


def test_a_process_that_dies_twice_with_a_training_leaves_a_record(tmp_path, monkeypatch):
    started = []

    class Line:
        def recv(self):
            raise EOFError

        def send(self, _content):
            pass

        def close(self):
            pass

    def start(_serve):
        started.append(Child(SimpleNamespace(join=lambda *_: None, exitcode=-9, terminate=lambda: None), Line()))
        return started[-1]

    live = short(tmp_path)
    monkeypatch.setattr(workers, "start_child", start)
    monkeypatch.setattr(workers.multiprocessing.connection, "wait", lambda lines, _seconds: lines)
    request = live.trainings.request(CHEAP, 2)
    with workers.TrainingWorkers(live.trainings.trainer, ["cpu"]) as pool:
        pool.submit(request)
        assert pool.wait(0.0) == []
        (ended,) = pool.wait(0.0)
    assert ended.answer.trained.reason == "its process died (signal 9; out of memory?)"
    assert len(started) == 3
    assert np.isnan(live.lookup([CHEAP])).all()


def test_a_real_process_answers_and_ends(tmp_path):
    live = short(tmp_path)
    with workers.TrainingWorkers(live.trainings.trainer, ["cpu"]) as pool:
        pool.get_ready()
        pool.submit(live.trainings.request(CHEAP, 2))
        (ended,) = pool.wait(600.0)
        (place,) = pool._places
    assert ended.answer.fresh
    assert not place.child.process.is_alive()
    assert live.lookup([CHEAP]) == short(tmp_path / "other").lookup([CHEAP])


def test_names_of_networks_do_not_depend_on_the_order_of_sets():
    assert stable_text((frozenset("ab"), 1)) == stable_text((frozenset("ba"), np.int64(1)))
