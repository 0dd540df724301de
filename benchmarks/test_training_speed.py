"""Training of one architecture beside a plain loop, and of three seeds side by side beside one after the other."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

import plain_training  # noqa: E402

from nasbench_lab.train.datasets import digits  # noqa: E402
from nasbench_lab.train.networks import topology_network  # noqa: E402
from nasbench_lab.train.recipes import recipe  # noqa: E402
from nasbench_lab.train.training import Training  # noqa: E402

CODES = [3, 1, 3, 2, 4, 3]
CHANNELS, CELLS = 8, 3
SEEDS = [1, 2, 3]
RECIPE = dataclasses.replace(recipe("digits"), epochs=2, average=0.0)


@pytest.fixture(scope="module")
def dataset():
    return digits()


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def build(copies):
    return topology_network(CODES, channels=CHANNELS, cells=CELLS, image_channels=1, copies=copies)


def train(dataset, seeds):
    return Training(build, dataset, RECIPE, seeds).finish().values["test_accuracy"]


@pytest.mark.parametrize("contender", ["ours", "plain loop"])
def test_epochs_of_one_network(benchmark, per_item, dataset, contender):
    benchmark.group = "an epoch of one network"
    if contender == "ours":
        accuracy = per_item(contender, RECIPE.epochs, lambda: train(dataset, SEEDS[:1])[0])
    else:
        accuracy = per_item(
            contender,
            RECIPE.epochs,
            lambda: plain_training.train(plain_training.network(CODES, CHANNELS, CELLS), dataset, RECIPE),
        )
    assert len(accuracy) == RECIPE.epochs


@pytest.mark.parametrize("contender", ["ours", "one by one", "plain loop"])
def test_epochs_of_three_seeds(benchmark, per_item, dataset, contender):
    benchmark.group = "an epoch of one of three seeds"
    contenders = {
        "ours": lambda: train(dataset, SEEDS),
        "one by one": lambda: [train(dataset, [seed]) for seed in SEEDS],
        "plain loop": lambda: [
            plain_training.train(plain_training.network(CODES, CHANNELS, CELLS), dataset, RECIPE) for _ in SEEDS
        ],
    }
    accuracy = per_item(contender, len(SEEDS) * RECIPE.epochs, contenders[contender], rounds=3)
    assert np.size(accuracy) == len(SEEDS) * RECIPE.epochs


def test_the_plain_network_is_the_same():
    """The straw must be no straw man: as many weights, and the same layers in the same order."""
    plain = [tuple(p.shape) for p in plain_training.network(CODES, CHANNELS, CELLS).parameters() if p.ndim == 4]
    ours = [tuple(p.shape) for p in build(1).parameters() if p.ndim == 4]
    assert sorted(plain) == sorted(ours[:-1])  # our classifier is a 1x1 convolution
