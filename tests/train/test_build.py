"""Building tables: interrupted as uninterrupted, in shards as in one, and nothing trained twice."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from paths import ROOT
from small_builds import SPEC, recorded

import nasbench_lab as nl
from nasbench_lab.errors import DataError, OutputError, ParameterError

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.train.build import BuildShard, ExecutionOptions, assemble, build, read_spec, unfinished  # noqa: E402
from nasbench_lab.train.build.journal import Journal  # noqa: E402
from nasbench_lab.train.build.run import units  # noqa: E402
from nasbench_lab.train.build.worker import Worker  # noqa: E402
from nasbench_lab.train.equivalent_networks import representatives  # noqa: E402

CHAIN = """
name = "mine/chain"
seeds = [4, 2]
budgets = [1, 3]
dataset = { name = "digits" }

[space]
name = "layer-chain"
layers = [["conv3x3-2", "identity"], ["relu", "identity"], ["max-pool", "avg-pool"]]

[recipe]
name = "mine"
epochs = 9
batch = 100
learning_rate = 0.05
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(SPEC)
    return path


def same_tables(one, other):
    assert one.metrics == other.metrics
    for name in one.metrics:
        if name != "seconds":
            np.testing.assert_array_equal(one.values(name), other.values(name), err_msg=name)


def train_here(spec, folder):
    """Train everything in this process, one unit after the other: what the processes must agree with."""
    worker = Worker(spec, spec.make_space(), spec.load_dataset())
    from nasbench_lab.train.build.run import identity

    with Journal(BuildShard().path(folder), identity(spec, worker.dataset, "float32")) as journal:
        for unit in units(spec):
            journal.record(unit, worker.train(unit))
    return assemble(spec, folder)


def test_a_build_killed_twice_is_the_uninterrupted_one(spec, tmp_path):
    spec.write_text(SPEC.replace("sample = 7", "sample = 12"))  # enough that none of the kills comes too late
    specification = read_spec(spec)
    expected = train_here(specification, tmp_path / "uninterrupted")
    command = [sys.executable, "-m", "nasbench_lab", "tables", "build", str(spec), "--processes", "1"]
    journal = tmp_path / "mine.build" / "shard-1-of-1.sqlite"
    random = np.random.default_rng(0)
    kept: dict[int, bytes] = {}
    for _ in range(2):
        before = len(kept)
        process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while process.poll() is None and len(kept) <= before and time.monotonic() < deadline:
            time.sleep(0.02)
            kept |= recorded(journal)
        time.sleep(float(random.uniform(0, 0.3)))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        now = recorded(journal)
        assert {unit: now[unit] for unit in kept} == kept  # nothing lost, nothing trained again
        kept = now
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    now = recorded(journal)
    assert {unit: now[unit] for unit in kept} == kept
    same_tables(nl.load(tmp_path / "mine.h5"), expected)


def test_shards_make_the_same_table(spec, tmp_path):
    specification = read_spec(spec)
    folder = tmp_path / "shards"
    build(specification, folder, shard=BuildShard(1, 2), how=ExecutionOptions(processes=1))
    assert unfinished(specification, folder) == len(units(specification)) // 2
    unfinished_build = (
        r"\d of \d trainings of 'mine/topology' are not finished in .*; run nasbench-lab tables build again"
    )
    with pytest.raises(DataError, match=unfinished_build):
        assemble(specification, folder)
    build(specification, folder, shard=BuildShard(2, 2), how=ExecutionOptions(processes=2))
    same_tables(assemble(specification, folder), train_here(specification, tmp_path / "whole"))


def test_a_table_whose_build_was_stopped_says_how_to_finish_it(spec, tmp_path):
    with pytest.raises(DataError, match=r"there is no file .*mine\.h5$"):
        nl.load(tmp_path / "mine.h5")
    (tmp_path / "mine.build").mkdir()
    with pytest.raises(
        DataError, match=r"if its build was stopped, finish it first: nasbench-lab tables build .*mine.toml"
    ):
        nl.load(tmp_path / "mine.h5")


def test_the_table_says_what_was_done(spec, tmp_path):
    specification = read_spec(spec)
    table = train_here(specification, tmp_path / "work")
    assert table.name == "mine/topology"
    assert table.fidelities == (1, 2)
    assert table.description.resumable
    for part in ("seeds [0, 1]", "batch=100", "'channels': 2", "torch 2", "sha256", "hours"):
        assert part in table.description.source
    chosen = specification.chosen()
    assert table.space.members.tolist() == chosen
    assert table.space.format(3) == specification.make_space().format(chosen[3])
    assert not any(np.isnan(table.values(metric)).any() for metric in table.metrics)
    assert (np.diff(table.values("seconds"), axis=1) > 0).all()
    shared = representatives(specification.make_space())[chosen]
    for representative in shared:  # what is the same network has the same measurements, but parameters of its own
        assert len({row.tobytes() for row in table.values("test_accuracy")[shared == representative]}) == 1
    trace = nl.simulate(table, "local-search", runs=2, budget=nl.Budget(evaluations=7))
    assert np.isfinite(trace.final()).all()


def test_budgets_are_trained_from_scratch(tmp_path):
    path = tmp_path / "chain.toml"
    path.write_text(CHAIN)
    specification = read_spec(path)
    assert len(units(specification)) == 2 * len(np.unique(representatives(specification.make_space())))
    table = train_here(specification, tmp_path / "work")
    assert table.fidelities == (1, 3)
    assert not table.description.resumable
    assert table.description.repeats == ("4", "2")
    assert not np.isnan(table.values("test_f1")).any()
    index = table.space.parse("identity|relu|max-pool")
    worker = Worker(specification, table.space, specification.load_dataset())
    alone = worker.train((int(representatives(table.space)[index]), 1))
    np.testing.assert_array_equal(
        table.values("valid_accuracy")[index, 0], alone["valid_accuracy"][:, 0].astype(np.float32)
    )
    longer = worker.train((int(representatives(table.space)[index]), 3))["valid_accuracy"]
    assert np.isnan(longer).tolist() == [[True, True, False]] * 2, "only the end of a budget is measured"


def test_another_build_is_refused(spec, tmp_path):
    specification = read_spec(spec)
    folder = tmp_path / "work"
    train_here(specification, folder)
    spec.write_text(SPEC.replace("batch = 100", "batch = 90"))
    with pytest.raises(DataError, match="belongs to another build"):
        build(read_spec(spec), folder)


def test_a_damaged_journal_is_refused(spec, tmp_path):
    journal = BuildShard().path(tmp_path / "work")
    journal.parent.mkdir()
    journal.write_bytes(b"no database" * 100)
    with pytest.raises(DataError, match="is damaged"):
        build(read_spec(spec), journal.parent)


def test_a_journal_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot make"):
        Journal(tmp_path / "file" / "journal.sqlite", "x")


def test_the_journal_gives_back_what_was_recorded(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([True])}
    with Journal(tmp_path / "j.sqlite", "x") as journal:
        journal.record((3, 12), arrays)
        journal.record((1, 12), arrays)
        assert journal.finished() == {(3, 12), (1, 12)}
    with Journal(tmp_path / "j.sqlite", "x") as journal:
        found = list(journal.items())
    assert [unit for unit, _ in found] == [(1, 12), (3, 12)]
    assert found[0][1].keys() == arrays.keys()
    np.testing.assert_array_equal(found[0][1]["a"], arrays["a"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('name = "mine/topology"', ""), "lacks name"),
        (("sample = 7", "sampel = 7"), "did you mean 'sample'"),
        (("sample = 7", "sample = 0"), "sample must be at least 1, got 0"),
        (("sample = 7", "sample = 15626"), "sample must be at most the size of the space, 15625, got 15626"),
        (("seeds = 2", "seeds = 0"), "the number of seeds must be at least 1, got 0"),
        (("seeds = 2", "seeds = []"), "seeds must be at least one number"),
        (("seeds = 2", "seeds = [-1]"), "a seed must be at least 0, got -1"),
        (("seeds = 2", "seeds = [1, 1]"), "seeds must be different"),
        (("seeds = 2", 'seeds = "two"'), "seeds must be a number"),
        (("seeds = 2", "seeds = true"), "seeds must be a number"),
        (("seeds = 2", "seeds = 2\nbudgets = [3, 1]"), "budgets must be ascending"),
        (("seeds = 2", "seeds = 2\nbudgets = 3"), "budgets must be a list"),
        (("epochs = 2", "epoch = 2"), "did you mean 'epochs'"),
        (("epochs = 2", "epochs = 0"), "epochs must be at least 1, got 0"),
        (('base = "digits"', 'base = "digit"'), "did you mean 'digits'"),
        (('base = "digits", ', ""), "the recipe is wrong"),
        (('name = "topology"', 'name = "topologies"'), "did you mean 'topology'"),
        (('name = "digits"', 'name = "digit"'), "did you mean 'digits'"),
        (("channels = 2", "channel = 2"), "a network takes channels and cells"),
        (("channels = 2", "channels = 0"), "a network takes channels and cells"),
        (("channels = 2", 'channels = "a"'), "a network takes channels and cells"),
        (("cells = 1", "cells = true"), "a network takes channels and cells"),
        (("seeds = 2", "seeds = [9223372036854775808]"), "a seed must be below"),
        (("sample = 7", 'sample = "x"'), "sample must be a whole number"),
        (("sample = 7", "sample = 7\nsample_seed = -1"), "sample_seed must be at least 0, got -1"),
        (("seeds = 2", 'seeds = 2\nbudgets = ["a"]'), "a budget must be a whole number"),
        (("epochs = 2", "epochs = 1.5"), "epochs must be a whole number, got 1.5"),
        (("epochs = 2", 'flip = "no"'), "flip must be True or False, got 'no'"),
        (("epochs = 2", "learning_rate = inf"), "learning_rate must be a finite number"),
        (('licence = "CC0-1.0"', "licence = 5"), "licence must be a text"),
        (('notes = ["for tests"]', "notes = [5]"), "notes must be texts"),
        (('name = "topology"', "name = 5"), "unknown space"),
        (('name = "digits"', "name = 5"), "unknown data set"),
        (
            ('name = "digits"', 'name = "digits"\nhardening = { noise = -1.0 }'),
            "noise must be from 0 to 10, got -1.0",
        ),
        (("channels = 2", "channels = ="), "is not a TOML file"),
    ],
)
def test_specifications_that_do_not_fit(spec, tmp_path, change, message):
    assert change[0] in SPEC
    spec.write_text(SPEC.replace(*change))
    with pytest.raises((DataError, ParameterError, LookupError), match=message) as caught:
        build(read_spec(spec), tmp_path / "work", how=ExecutionOptions(processes=1))
    assert "\n" not in str(caught.value)


def test_a_specification_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        read_spec(tmp_path / "none.toml")


def test_images_that_a_network_cannot_take(spec, tmp_path):
    images = np.zeros((20, 7, 7), np.uint8)
    labels = np.arange(20) % 2
    np.savez(tmp_path / "odd.npz", train_images=images, train_labels=labels, test_images=images, test_labels=labels)
    spec.write_text(SPEC.replace('name = "digits"', 'file = "odd.npz"\nlayout = "nhw"'))
    with pytest.raises(ParameterError, match="images of 7x7 pixels") as caught:
        build(read_spec(spec), tmp_path / "work")
    assert "\n" not in str(caught.value)


def test_processes_end_with_a_killed_build(spec):
    command = [sys.executable, "-m", "nasbench_lab", "tables", "build", str(spec), "--processes", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = spec.with_suffix(".build") / "shard-1-of-1.sqlite"
    deadline = time.monotonic() + 60
    while not recorded(journal) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        pytest.skip("needs Linux, to see the processes")
    pids = [int(pid) for pid in children.read_text().split()]
    assert pids
    process.kill()
    process.wait()
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(alive(pid) for pid in pids)


def alive(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("shard", [(0, 1), (2, 1), (1, 0)])
def test_shards_that_make_no_sense(shard):
    with pytest.raises(ParameterError, match="a shard must be N/M"):
        BuildShard(*shard)


def test_the_specifications_of_the_embedded_tables_can_be_read():
    for path in sorted((ROOT / "data").glob("*.toml")):
        assert read_spec(path).name == path.stem.replace("-", "/", 1)
