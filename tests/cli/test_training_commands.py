"""The commands that train, as a user meets them."""

import csv
import importlib.util
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import assert_refused, nasbench_lab_here
from small_builds import SPEC, recorded

import nasbench_lab as nl
from nasbench_lab.cli.options import needs_torch
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.results import Results
from nasbench_lab.suites import read_suite, run_suite
from nasbench_lab.tables import subset, write
from nasbench_lab.testing import synthetic_table

TORCH = importlib.util.find_spec("torch") is not None
with_torch = pytest.mark.skipif(not TORCH, reason="needs torch: pip install 'nasbench-lab[torch]'")


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(SPEC)
    return path


def test_without_torch_the_commands_say_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ParameterError, match=r"pip install 'nasbench-lab\[torch\]'"):
        needs_torch()


@with_torch
def test_from_a_specification_to_a_validated_search(spec, tmp_path):
    from nasbench_lab import train
    from nasbench_lab.train.complexity import parameters
    from nasbench_lab.train.saved_weights import read_details

    table, packed, out = tmp_path / "mine.h5", tmp_path / "small.h5", tmp_path / "out"
    done = nasbench_lab_here("tables", "build", spec, "--processes", 1)
    assert done.returncode == 0, done.stderr
    assert f"wrote {table}" in done.stdout
    done = nasbench_lab_here("tables", "describe", table, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "7 of 15,625 were trained" in done.stdout
    assert "topology, 7 of its 15,625 architectures" in nasbench_lab_here("tables", "info", table).stdout
    assert (tmp_path / "mine-topology.png").read_bytes()[1:4] == b"PNG"
    done = nasbench_lab_here("tables", "pack", table, packed)
    assert done.returncode == 0
    assert packed.stat().st_size < table.stat().st_size
    strategies = ("--strategy", "random-search", "--strategy", "local-search")
    done = nasbench_lab_here("run", "--table", table, *strategies, "--runs", 20, "--evaluations", 7, "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    command = ("validate", out, "--top", 2, "--seeds", 2, "--epochs", 1)
    options = ("--network", "channels=2", "--network", "cells=1", "--processes", 1)
    done = nasbench_lab_here(*command, *options)
    assert done.returncode == 0, done.stderr
    assert "rank correlation of promise and training" in done.stdout
    with (tmp_path / "out-validation/picks.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["strategy"] for row in rows} == {"random-search", "local-search"}
    assert all(float(row["trained_low"]) <= float(row["trained"]) <= float(row["trained_high"]) for row in rows)
    details = json.loads((tmp_path / "out-validation/details.json").read_text())["mine/topology"]
    assert {row["index"] for row in rows} == set(details["architectures"])
    assert details["recipe"]["epochs"] == 1
    weights = [path for each in details["architectures"].values() for path in each["weights"]]
    assert f"weights of {len(set(weights))} trainings" in done.stdout
    assert f'to load one: nasbench_lab.train.load("{(tmp_path / "out-validation").as_posix()}/weights/' in done.stdout
    for row in rows:
        files = [tmp_path / "out-validation" / path for path in details["architectures"][row["index"]]["weights"]]
        accuracies = [read_details(file)["metrics"]["test_accuracy"] for file in files]
        assert statistics.fmean(accuracies) == pytest.approx(float(row["trained"]), rel=1e-4)
        assert parameters(train.load(files[0])) == details["architectures"][row["index"]]["parameters"]
    assert_refused(nasbench_lab_here(*command, *options), "already has")
    again = nasbench_lab_here(*command, *options, "--overwrite", "--no-weights")
    assert again.returncode == 0
    assert again.stdout == done.stdout[: done.stdout.index("weights of")]  # nothing was trained again
    assert not (tmp_path / "out-validation/weights").exists()


@pytest.fixture
def cells(tmp_path):
    """The file of a table with 53 cells."""
    write(subset(nl.load("digits/topology"), range(0, 15_625, 300), name="some/cells"), tmp_path / "cells.h5")
    return tmp_path / "cells.h5"


@with_torch
def test_the_picks_of_a_suite_are_trained(cells, tmp_path):
    write(synthetic_table("tiny"), tmp_path / "tiny.h5")
    path = tmp_path / "suite.toml"
    path.write_text(
        "strategies = ['random-search', 'local-search']\nruns = 20\nbudget = { evaluations = 20 }\n"
        "tables = ['cells.h5', 'tiny.h5']\n"
    )
    run_suite(read_suite(path), tmp_path / "results")
    options = ("--top", 1, "--seeds", 2, "--epochs", 1, "--network", "channels=2", "--network", "cells=1")
    done = nasbench_lab_here("validate", tmp_path / "results", *options, "--log", f"tensorboard:{tmp_path / 'logs'}")
    assert done.returncode == 0, done.stderr
    assert "note: synthetic/tiny is left out: networks of" in done.stderr
    details = json.loads((tmp_path / "results-validation/details.json").read_text())
    assert list(details) == ["some/cells"]
    with (tmp_path / "results-validation/picks.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["strategy"] for row in rows} == {"random-search", "local-search"}
    whole = nl.load("digits/topology").space
    assert all(whole.parse(row["architecture"]) == 300 * int(row["index"]) for row in rows)
    trainings = {path for each in details["some/cells"]["architectures"].values() for path in each["weights"]}
    assert all((tmp_path / "results-validation" / path).exists() for path in trainings)
    if importlib.util.find_spec("tensorboard"):
        logs = {path.name for path in (tmp_path / "logs").glob("some-cells-validated/*")}
        assert logs == {Path(path).stem for path in trainings}
    assert_refused(nasbench_lab_here("validate", tmp_path / "results", "--table", tmp_path / "tiny.h5"), "networks of")


@with_torch
def test_picks_of_one_table_under_two_settings_are_two_tasks(cells):
    from nasbench_lab.cli.validate import _tasks

    table = nl.load(cells)
    traces = [
        nl.simulate(table, name, runs=20, budget=nl.Budget(evaluations=evaluations))
        for name in ("random-search", "local-search")
        for evaluations in (3, 20)
    ]
    tasks = _tasks(Results.of(traces), None, 2)
    assert sorted(tasks) == ["some/cells (20 evaluations)", "some/cells (3 evaluations)"]
    for name, task in tasks.items():
        assert task.space is table.space
        assert {pick.table for pick in task.picks} == {name}
        assert len(task.picks) == 4


@with_torch
@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("tables", "build", "none.toml"), ("cannot read none.toml",)),
        (("tables", "build", "mine.toml", "--out", "mine.csv"), ("must end in .h5",)),
        (("tables", "build", "mine.toml", "--shard", "3/2"), ("shard must be N/M",)),
        (("tables", "build", "mine.toml", "--device", "tpu"), ("device 'tpu'",)),
        (("tables", "build", "mine.toml", "--precision", "half"), ("unknown precision 'half'",)),
        (("validate", "none"), ("there are no results at none",)),
        (("tables", "build", "mine.toml", "--log", "tensorbord:x"), ("did you mean 'tensorboard'",)),
        (("tables", "describe", "digits/chian"), ("did you mean 'digits/chain'",)),
    ],
)
def test_mistakes_are_one_line(spec, tmp_path, monkeypatch, arguments, parts):
    monkeypatch.chdir(tmp_path)
    assert_refused(nasbench_lab_here(*arguments), *parts)


@with_torch
def test_a_build_that_is_interrupted_says_how_to_go_on(spec, tmp_path):
    command = [sys.executable, "-m", "nasbench_lab", "tables", "build", str(spec), "--processes", "1"]
    environment = {**os.environ, "COLUMNS": "200"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    journal = tmp_path / "mine.build/shard-1-of-1.sqlite"
    deadline = time.monotonic() + 60
    while not recorded(journal) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "run the same command again to continue" in errors
    assert "Traceback" not in errors
    assert output == ""
    assert recorded(journal)
    assert not (tmp_path / "mine.h5").exists()
