"""A training step of a supernet beside one that computes all operations, and scores beside plain forward passes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from plain_supernet import PlainSupernet  # noqa: E402
from torch.nn import functional  # noqa: E402

from nasbench_lab.spaces import TopologySpace  # noqa: E402
from nasbench_lab.train.datasets import digits  # noqa: E402
from nasbench_lab.train.equivalent_networks import representatives  # noqa: E402
from nasbench_lab.train.one_shot import SupernetTraining, UniformPaths, make_supernet, score  # noqa: E402
from nasbench_lab.train.one_shot.supernets import Path  # noqa: E402
from nasbench_lab.train.recipes import TrainingRecipe  # noqa: E402

SPACE = TopologySpace()
OPTIONS = {"channels": 8, "cells": 3}
STEPS, SCORED = 20, 300
RECIPE = TrainingRecipe("supernet", epochs=1, batch=50, learning_rate=0.1)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def training():
    supernet = make_supernet(SPACE, image=(1, 8, 8), classes=10, seed=0, options=OPTIONS)
    return SupernetTraining(supernet, UniformPaths(), digits(), RECIPE, seed=0)


def plain_supernet():
    return PlainSupernet(**OPTIONS).to(memory_format=torch.channels_last)


def steps(network, forward, batch, paths):
    """Train along paths, one step each, as SupernetTraining does."""
    images, labels = batch
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    network.train()
    for codes in paths:
        optimizer.zero_grad()
        functional.cross_entropy(forward(images, codes), labels[:, 0]).backward()
        optimizer.step()


@pytest.mark.parametrize("contender", ["ours", "all operations"])
def test_steps(benchmark, per_item, contender):
    benchmark.group = "a step of a supernet, uniform paths"
    run = training()
    batch = next(run.batches.training(0))
    paths = SPACE.codes(np.random.default_rng(0).integers(SPACE.size, size=STEPS)).tolist()
    if contender == "ours":
        network = run.supernet
        per_item(contender, STEPS, lambda: steps(network, lambda x, codes: network(x, Path(codes)), batch, paths))
    else:
        network = plain_supernet()
        per_item(contender, STEPS, lambda: steps(network, network, batch, paths))


@pytest.mark.parametrize("contender", ["ours", "path by path", "all operations"])
def test_scores(benchmark, per_item, contender):
    benchmark.group = "the score of a network, 450 images"
    run = training()
    distinct = np.unique(representatives(SPACE))
    number = 20 if benchmark.disabled else SCORED  # tests only see whether it runs
    some = np.random.default_rng(0).choice(distinct, number, replace=False)
    ((images, labels),) = run.batches.evaluation(digits().valid, batch=450)
    plain = plain_supernet()

    def accuracies(forward):
        with torch.no_grad():
            outputs = [forward(images, codes) for codes in SPACE.codes(some).tolist()]
        return [100 * float((x.argmax(1) == labels[:, 0]).float().mean()) for x in outputs]

    contenders = {
        "ours": lambda: score(run.supernet, run.batches, some),
        "path by path": lambda: accuracies(lambda x, codes: run.supernet(x, Path(codes))),
        "all operations": lambda: accuracies(plain),
    }
    run.supernet.eval()
    assert len(per_item(contender, number, contenders[contender], rounds=2)) == number


def test_the_plain_supernet_is_the_same():
    """The straw must be no straw man: with the same weights, the same outputs."""
    ours, plain = training().supernet.train(), plain_supernet().train()
    convolutions, others = ([m for m in net.modules() if isinstance(m, torch.nn.Conv2d)] for net in (ours, plain))
    with torch.no_grad():
        for mine, theirs in zip(convolutions[:-1], others, strict=True):
            theirs.weight.copy_(mine.weight)
        plain.classifier.weight.copy_(convolutions[-1].weight[:, :, 0, 0])
        plain.classifier.bias.copy_(convolutions[-1].bias)
        images = torch.randn(9, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        for codes in SPACE.codes(np.random.default_rng(1).integers(SPACE.size, size=10)).tolist():
            torch.testing.assert_close(plain(images, codes), ours(images, Path(codes)), rtol=1e-3, atol=1e-4)
