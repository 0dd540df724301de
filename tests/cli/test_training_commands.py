"""The commands that train, as a user meets them."""

import csv
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from command_line import assert_refused, nasbench_lab
from small_builds import SPEC, recorded

from nasbench_lab.cli.options import needs_torch
from nasbench_lab.errors import ParameterError

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
    table, packed, out = tmp_path / "mine.h5", tmp_path / "small.h5", tmp_path / "out"
    done = nasbench_lab("tables", "build", spec)
    assert done.returncode == 0, done.stderr
    assert f"wrote {table}" in done.stdout
    done = nasbench_lab("tables", "describe", table, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "7 of 15,625 were trained" in done.stdout
    assert (tmp_path / "mine-topology.png").read_bytes()[1:4] == b"PNG"
    done = nasbench_lab("tables", "pack", table, packed)
    assert done.returncode == 0
    assert packed.stat().st_size < table.stat().st_size / 10
    strategies = ("--strategy", "random-search", "--strategy", "local-search")
    done = nasbench_lab("run", "--table", table, *strategies, "--runs", 200, "--evaluations", 300, "--out", out)
    assert done.returncode == 0, done.stderr
    assert_refused(nasbench_lab("validate", out), "not in the catalogue", "--table")
    command = ("validate", out, "--table", table, "--top", 2, "--seeds", 2, "--epochs", 1)
    options = ("--network", "channels=2", "--network", "cells=1")
    done = nasbench_lab(*command, *options)
    assert done.returncode == 0, done.stderr
    assert "rank correlation of promise and training" in done.stdout
    with (tmp_path / "out-validation/picks.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["strategy"] for row in rows} == {"random-search", "local-search"}
    assert all(float(row["trained_low"]) <= float(row["trained"]) <= float(row["trained_high"]) for row in rows)
    details = json.loads((tmp_path / "out-validation/details.json").read_text())["mine/topology"]
    assert {row["index"] for row in rows} == set(details["architectures"])
    assert details["recipe"]["epochs"] == 1
    assert_refused(nasbench_lab(*command, *options), "already has")
    again = nasbench_lab(*command, *options, "--overwrite")
    assert again.returncode == 0
    assert again.stdout == done.stdout  # nothing was trained again


@with_torch
@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("tables", "build", "none.toml"), ("cannot read none.toml",)),
        (("tables", "build", "mine.toml", "--out", "mine.csv"), ("must end in .h5",)),
        (("tables", "build", "mine.toml", "--shard", "3/2"), ("shard must be N/M",)),
        (("tables", "build", "mine.toml", "--device", "tpu"), ("device 'tpu'",)),
        (("tables", "build", "mine.toml", "--precision", "half"), ("unknown precision 'half'",)),
        (("validate", "none"), ("there is no file",)),
        (("tables", "describe", "digits/chian"), ("did you mean 'digits/chain'",)),
    ],
)
def test_mistakes_are_one_line(spec, tmp_path, monkeypatch, arguments, parts):
    monkeypatch.chdir(tmp_path)
    assert_refused(nasbench_lab(*arguments), *parts)


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
