"""One-shot searches that take a fraction of a second, on made-up images."""

from types import SimpleNamespace

import numpy as np

from nasbench_lab.spaces import Cell101Space, LayerChainSpace, SizeSpace, TopologySpace
from nasbench_lab.train.datasets import Dataset, Split
from nasbench_lab.train.one_shot.methods.registry import make_method
from nasbench_lab.train.one_shot.search_run import SearchRun, SupernetOptions
from nasbench_lab.train.recipes import TrainingRecipe

CHAIN = LayerChainSpace(
    [
        ["conv3x3-2", "conv3x3-4", "identity"],
        ["relu", "tanh", "identity"],
        ["max-pool", "avg-pool", "identity"],
        ["dense-4", "identity"],
    ]
)
SPACES = {
    "topology": (TopologySpace(), {"channels": 2, "cells": 1}),
    "size": (SizeSpace(), {}),
    "cell101": (Cell101Space(5), {"channels": 5, "cells": 1}),
    "layer-chain": (CHAIN, {}),
}


def made_up_images():
    random = np.random.default_rng(0)

    def split(count):
        return Split(random.normal(size=(count, 1, 4, 4)).astype(np.float32), random.integers(0, 3, count))

    return Dataset("made-up", 3, split(24), split(16), split(16))


def tiny_search(method, space="topology", epochs=2, seed=0, batch=12, **parameters):
    """A search with 24 / batch steps per epoch that was not started yet."""
    where, network = SPACES[space]
    recipe = TrainingRecipe("tiny", epochs, batch, 0.05)
    options = SupernetOptions(network=network)
    return SearchRun(make_method(method, parameters), where, made_up_images(), recipe, seed, options)


def one_step(run):
    """Do one step of a search, and return its batch."""
    context = run.context
    context.begin("step")
    images, labels = next(iter(context.batches.training(context.epoch)))
    batch = SimpleNamespace(images=images, labels=labels[:, 0])
    run.method.step(context, run.state, batch)
    context.step += 1
    return batch
