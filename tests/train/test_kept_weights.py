"""The weights of trained picks: kept, found again after a kill, and trained again only where they are missing."""

import contextlib
import json
from concurrent.futures import Future

import numpy as np
import pytest

from nasbench_lab.errors import SettingWarning
from nasbench_lab.spaces import SubsetSpace, TopologySpace

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab import train  # noqa: E402
from nasbench_lab.train import pick_training  # noqa: E402
from nasbench_lab.train.build import BuildSpec, run, worker  # noqa: E402
from nasbench_lab.train.pick_training import train_picks  # noqa: E402
from nasbench_lab.train.recipes import TrainingRecipe  # noqa: E402


@pytest.fixture
def spec(tmp_path):
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (60, 8, 8), dtype=np.uint8), np.arange(60) % 3
    file = tmp_path / "mine.npz"
    np.savez(file, train_images=images, train_labels=labels, test_images=images[:30], test_labels=labels[:30])
    return BuildSpec(
        name="mine validated",
        title="",
        space=SubsetSpace(TopologySpace(), [11, 1462, 9000]).spec(),
        dataset={"file": str(file), "layout": "nhw"},
        recipe=TrainingRecipe("short", 1, 20, 0.1, average=0.5),
        seeds=(0, 4),
        network={"channels": 2, "cells": 1},
    )


PICKS = [0, 1]


class InThisProcess:
    """Stands for the pool of processes, and counts what is trained."""

    def __init__(self):
        self.trained = []

    @contextlib.contextmanager
    def pool(self, _processes, arguments):
        spec, _, device, precision, checkpoints, weights, _ = arguments
        self.worker = worker.Worker(
            spec, spec.make_space(), spec.load_dataset(), device, precision, checkpoints, weights
        )
        yield self

    def submit(self, _train, unit):
        self.trained.append(unit[0])
        future = Future()
        future.set_result((unit, self.worker.train(unit)))
        return future


@pytest.fixture
def trainer(monkeypatch):
    trainer = InThisProcess()
    monkeypatch.setattr(run, "_pool", trainer.pool)
    monkeypatch.setattr(pick_training, "measure_costs", lambda *_, **__: None)  # takes seconds
    return trainer


def test_weights_are_kept_and_found_again(trainer, spec, tmp_path):
    found = train_picks(spec, PICKS, tmp_path)
    assert trainer.trained == PICKS
    names = [path.relative_to(tmp_path).as_posix() for path in found[1].weights]
    assert names == ["weights/topology-1462-seed-0.pt", "weights/topology-1462-seed-4.pt"], (
        "numbered as in the whole space"
    )
    for place, path in enumerate(found[1].weights):
        details = json.loads(path.with_suffix(".json").read_text())
        assert details["seed"] == spec.seeds[place]
        assert details["metrics"]["test_accuracy"] == found[1].test_accuracy[place]
        assert details["network"]["architecture"] == TopologySpace().format(1462)
        assert details["network"]["space"] == {"name": "topology"}
        assert train.load(path).training is False
    again = train_picks(spec, PICKS, tmp_path)
    assert trainer.trained == PICKS, "nothing is trained twice"
    np.testing.assert_array_equal(again[0].test_accuracy, found[0].test_accuracy)


def test_after_a_kill_only_what_is_not_complete_is_trained_again(trainer, spec, tmp_path):
    found = train_picks(spec, PICKS, tmp_path)
    before = found[1].weights[0].read_bytes()
    found[1].weights[1].with_suffix(".json").unlink()  # killed between the weights and their details
    with pytest.warns(SettingWarning, match="1 of 2 trainings .* were finished without their weights"):
        train_picks(spec, PICKS, tmp_path)
    assert trainer.trained == [*PICKS, 1]
    assert found[1].weights[0].read_bytes() == before, "the same bytes"


def test_trainings_without_weights_are_done_again_only_for_their_weights(trainer, spec, tmp_path):
    bare = train_picks(spec, PICKS, tmp_path, keep_weights=False)
    assert bare[0].weights == ()
    assert not (tmp_path / "weights").exists()
    with pytest.warns(SettingWarning, match="2 of 2 trainings"):
        kept = train_picks(spec, PICKS, tmp_path)
    assert trainer.trained == 2 * PICKS
    np.testing.assert_array_equal(bare[1].test_accuracy, kept[1].test_accuracy)
    train_picks(spec, PICKS, tmp_path, keep_weights=False)
    assert trainer.trained == 2 * PICKS
