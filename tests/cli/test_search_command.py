"""``nasbench-lab search`` as a user meets it."""

import json
import subprocess
import sys

import numpy as np
import pytest
from command_line import assert_refused, nasbench_lab_here

pytest.importorskip("torch")

from inline_trainings import InlineWorkers

from nasbench_lab.train.live_search import search_run

SPACE = """
name = "layer-chain"
layers = [["conv3x3-4", "conv5x5-4"], ["relu", "tanh"], ["max-pool", "avg-pool"], ["dense-16", "identity"]]
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a space and images."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(search_run, "TrainingWorkers", InlineWorkers)
    (tmp_path / "my-space.toml").write_text(SPACE)
    labels = np.arange(60) % 3
    images = (np.random.default_rng(0).integers(0, 99, (60, 8, 8)) + 70 * labels[:, None, None]).astype(np.uint8)
    parts = {"train": slice(0, 40), "test": slice(40, 60)}
    arrays = {
        f"{part}_{name}": array[where]
        for part, where in parts.items()
        for name, array in (("images", images), ("labels", labels))
    }
    np.savez(tmp_path / "my-images.npz", **arrays)
    return tmp_path


NEW = (
    "search", "--space", "my-space.toml", "--dataset", "my-images.npz", "--strategy", "random-search", "--out", "mine",
    "--recipe", "digits", "--epochs", 1, "--processes", 1,
)  # fmt: skip


def test_a_search_on_own_data_from_the_space_to_a_table(here):
    first = nasbench_lab_here(*NEW, "--evaluations", 2, "--retrain", 0)
    assert first.returncode == 0, first.stderr
    assert "random-search: 2 evaluations, 2 trainings" in first.stdout
    done = nasbench_lab_here(
        "search", "--resume", "mine", "--evaluations", 3, "--retrain", 1, "--seeds", 2, "--processes", 1, "--json"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["evaluations"], found["strategy"]) == (3, "random-search")
    (best,) = found["retrained"]
    assert np.sum(best["confusion"], axis=(1, 2)).tolist() == [20, 20]
    assert found["best"][0]["index"] == best["architecture"]
    assert "<html" in (here / "mine/report.html").read_text()[:200].lower()
    load = f"""
import torch
from nasbench_lab import spaces, train
network = train.network(spaces.read_space("my-space.toml"), {best["architecture"]}, dataset="my-images.npz")
network.load_state_dict(torch.load("mine/{best["weights"][0]}", weights_only=True))
program = torch.export.load("mine/{best["exported"]}").module()
print(network(torch.zeros(3, 1, 8, 8)).shape, program(torch.zeros(3, 1, 8, 8)).shape)
"""
    printed = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, check=False)
    assert printed.stdout == "torch.Size([3, 3]) torch.Size([3, 3])\n", printed.stderr
    assert nasbench_lab_here("tables", "pack", "mine", "mine.h5").returncode == 0
    assert "my-images" in nasbench_lab_here("tables", "info", "mine.h5").stdout


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ((), ["a search needs a budget"]),
        (("--evaluations", 3, "--strategy", "random-serch"), ["random-search"]),
        (("--evaluations", 3, "--recipe", "digit"), ["digits"]),
        (("--evaluations", 3, "--dataset", "none.npz"), ["none.npz"]),
        (("--evaluations", 3, "--space", "none.toml"), ["none.toml"]),
        (("--evaluations", 3, "--limit", "parameter=3"), ["parameters"]),
        (("--evaluations", 3, "--fidelity", 5), ["fidelity"]),
        (("--evaluations", 3, "--network", "channels=4"), ["channels = 4"]),
        (("--evaluations", 3, "--export", "onx"), ["onnx"]),
        (("--evaluations", 3, "--budgets", "4;5"), ["--budgets"]),
        (("--hours", -1), ["must be positive"]),
        (("--evaluations", 3, "--resume", "mine"), ["--resume cannot be used with --space"]),
    ],
)
def test_wrong_settings_are_one_line_before_anything_is_trained(here, options, parts):
    assert_refused(nasbench_lab_here(*NEW, *options), *parts)
    assert not (here / "mine").exists()


def test_failed_trainings_are_tried_again_where_it_is_asked_for(here):
    slow = nasbench_lab_here(*NEW, "--evaluations", 2, "--retrain", 0, "--training-limit", 1e-6, "--epochs", 2)
    assert "2 failed (2 over the time limit)" in slow.stdout
    assert "--resume mine --retry-failed" in slow.stderr
    again = ("search", "--resume", "mine", "--processes", 1, "--retrain", 0)
    assert "2 failed" in nasbench_lab_here(*again).stdout
    done = nasbench_lab_here(*again, "--retry-failed", "--json")
    assert "the search goes on after evaluation 0 of 2" in done.stderr
    assert json.loads(done.stdout)["failed"] == {}
    assert_refused(nasbench_lab_here(*again, "--retry-reason", "loss"), "--retry-reason needs --retry-failed")
    assert_refused(nasbench_lab_here(*again, "--retry-failed", "--retry-reason", "lss"), "'loss'")
    assert_refused(nasbench_lab_here(*NEW, "--evaluations", 2, "--retry-failed"), "--retry-failed needs --resume")


def test_what_is_missing_is_named(here):
    assert_refused(nasbench_lab_here("search", "--evaluations", 3), "--space, --dataset, --strategy, --out")
    assert_refused(nasbench_lab_here("search", "--resume", "nothing"), "nothing has no search to continue")
