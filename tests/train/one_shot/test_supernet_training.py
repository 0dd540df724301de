"""Training supernets: sampled paths, seeds, checkpoints, and what the scores are worth on a table."""

import numpy as np
import pytest
from scipy.stats import chisquare

import nasbench_lab as nl
from nasbench_lab.analysis.score_rankings import ranking_quality
from nasbench_lab.errors import DataError
from nasbench_lab.spaces import SizeSpace, TopologySpace

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.train.datasets import digits  # noqa: E402
from nasbench_lab.train.one_shot.path_sampling import FairPaths, UniformPaths  # noqa: E402
from nasbench_lab.train.one_shot.scoring import score  # noqa: E402
from nasbench_lab.train.one_shot.supernet_training import SupernetTraining  # noqa: E402
from nasbench_lab.train.one_shot.supernets import make_supernet  # noqa: E402
from nasbench_lab.train.recipes import TrainingRecipe  # noqa: E402

SPACE = TopologySpace()


def training(sampler=UniformPaths(), epochs=2, seed=0, statistics="batch", channels=2, cells=1):  # noqa: B008 - frozen
    net = make_supernet(
        SPACE,
        image=(1, 8, 8),
        classes=10,
        seed=seed,
        statistics=statistics,
        options={"channels": channels, "cells": cells},
    )
    return SupernetTraining(net, sampler, digits(), TrainingRecipe("short", epochs, 50, 0.1), seed)


def weights(supernet):
    return torch.cat([value.flatten().float() for value in supernet.state_dict().values()])


def test_uniform_paths_are_uniform():
    random = np.random.default_rng(1)
    drawn = np.concatenate([UniformPaths().paths(SPACE, random) for _ in range(5000)])
    for column in drawn.T:
        assert chisquare(np.bincount(column, minlength=5)).pvalue > 1e-4


@pytest.mark.parametrize("space", [SPACE, SizeSpace()], ids=["topology", "size"])
def test_fair_paths_use_every_option_once_per_step_and_shuffle_again(space):
    random = np.random.default_rng(1)
    steps = [FairPaths().paths(space, random) for _ in range(300)]
    options = np.arange(space.cardinalities[0])
    for paths in steps:
        assert (np.sort(paths, axis=0) == options[:, None]).all()
    assert len({paths.tobytes() for paths in steps}) == 300, "one shuffle per epoch is not the published algorithm"
    together = np.concatenate(steps)
    pairs = np.bincount(together[:, 0] * len(options) + together[:, 1], minlength=len(options) ** 2)
    assert chisquare(pairs).pvalue > 1e-4, "columns are shuffled independently"


def test_a_seed_determines_a_training():
    same = [weights(training(seed=seed).finish()) for seed in (3, 3, 4)]
    assert torch.equal(same[0], same[1])
    assert not torch.equal(same[0], same[2])


@pytest.mark.parametrize("sampler", [UniformPaths(), FairPaths()])
def test_a_resumed_training_equals_an_uninterrupted_one(sampler, tmp_path):
    expected = weights(training(sampler, epochs=3).finish())
    first = training(sampler, epochs=3)
    next(first.epochs())
    first.save(tmp_path / "net.pt")
    second = training(sampler, epochs=3)
    second.load(tmp_path / "net.pt")
    assert second.epoch == 1
    assert torch.equal(weights(second.finish()), expected)
    (tmp_path / "net.pt").write_bytes((tmp_path / "net.pt").read_bytes()[:1000])
    with pytest.raises(DataError, match="not a readable checkpoint of a supernet"):
        second.load(tmp_path / "net.pt")


def test_fair_gradients_are_sums_over_paths():
    run = training(FairPaths())
    run.supernet.train()
    images, labels = next(iter(run.batches.training(0)))
    paths = FairPaths().paths(SPACE, np.random.default_rng(0)).tolist()
    for codes in paths:
        run.loss(images, labels[:, 0], codes).backward()
    summed = {name: weight.grad for name, weight in run.supernet.named_parameters()}
    run.supernet.zero_grad(set_to_none=True)
    sum(run.loss(images, labels[:, 0], codes) for codes in paths).backward()
    for name, weight in run.supernet.named_parameters():
        if weight.grad is None:  # its edge leads to no output in all paths
            assert summed[name] is None
        else:
            torch.testing.assert_close(weight.grad, summed[name])


def test_scores_by_batch_statistics_rank_cells_and_by_running_statistics_do_not():
    table = nl.load("digits/topology")
    picked = np.random.default_rng(2).choice(SPACE.size, 60, replace=False)
    truth = table.mean_values("valid_accuracy")[picked]
    run = training(epochs=30, channels=8, cells=3)
    run.finish()
    found = {}
    for statistics in ("batch", "running"):
        supernet = make_supernet(
            SPACE, image=(1, 8, 8), classes=10, statistics=statistics, options={"channels": 8, "cells": 3}
        )
        supernet.load_state_dict(run.supernet.state_dict())
        found[statistics] = ranking_quality(score(supernet, run.batches, picked), truth, picks=[1]).kendall[1.0]
    assert found["batch"] > 0.3
    assert found["running"] < 0.25


def test_reprs_are_one_short_line():
    supernet = make_supernet(TopologySpace(), image=(1, 8, 8), classes=10, options={"channels": 4, "cells": 1})
    recipe = TrainingRecipe("a", epochs=2, batch=50, learning_rate=0.1)
    training = SupernetTraining(supernet, UniformPaths(), digits(), recipe, seed=0)
    assert repr(training) == "<SupernetTraining of topology on digits: 0 of 2 epochs, 0 s>"
    counts = "3,600 training, 450 validation and 447 test images of 1 x 8 x 8, 10 classes"
    assert repr(training.dataset) == f"<Dataset digits: {counts}>"
