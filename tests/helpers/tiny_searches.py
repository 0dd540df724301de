"""One-shot searches that take a fraction of a second: few images, narrow networks."""

import dataclasses
import functools

import numpy as np

from nasbench_lab.spaces import Cell101Space, LayerChainSpace, SizeSpace, TopologySpace
from nasbench_lab.train.datasets import Dataset, digits
from nasbench_lab.train.datasets.dataset import Split
from nasbench_lab.train.one_shot.methods.registry import make_method
from nasbench_lab.train.one_shot.search_context import SupernetOptions
from nasbench_lab.train.one_shot.search_run import SearchRun
from nasbench_lab.train.recipes import TrainingRecipe

CHAIN = LayerChainSpace([["conv3x3-2", "conv5x5-2"], ["relu", "tanh", "identity"], ["max-pool", "identity"]])
SPACES = {
    "topology": (TopologySpace(), {"channels": 4, "cells": 1}),
    "size": (SizeSpace(), {}),
    "cell101": (Cell101Space(4), {"channels": 5, "cells": 1}),
    "layer-chain": (CHAIN, {}),
}

QUICK = {
    "drnas": {"warmup": 0.0},
    "enas": {"updates": 1, "per_steps": 2, "aggregate": 3, "samples": 3},
    "fairnas": {"population": 3, "generations": 2, "parents": 2},
    "few-shot": {"population": 3, "generations": 2, "parents": 2},
    "pc-darts": {"warmup": 0.0},
    "random-search-ws": {"samples": 5, "batches": 1, "finalists": 2},
    "setn": {"selected": 3},
    "spos": {"population": 3, "generations": 2, "parents": 2},
}
"""Parameters with which short searches recommend something, after scoring a few architectures at the end."""


@functools.cache
def images(pixels=8, train=40, valid=20, test=20):
    """A part of the digits, with images of 8 x 8 or 4 x 4 pixels."""

    def part(split, first, count):
        chosen = split.images[first : first + count].astype(np.float32)
        if pixels == 4:
            chosen = chosen.reshape(count, 1, 4, 2, 4, 2).mean(axis=(3, 5))
        return Split(chosen, split.labels[first : first + count])

    whole = digits()
    return Dataset(
        "few digits", 10, part(whole.train, 0, train), part(whole.valid, 0, valid), part(whole.test, 0, test)
    )


def search(method, space="topology", epochs=2, seed=0, dataset=None, batch=20, network=None, **parameters):
    """Return a run of a method, with quick parameters unless others are given.

    Args:
        method: name.
        space: name in `SPACES`, or a space.
        epochs: of two steps each, unless another dataset or batch is given.
        seed: of the run.
        dataset: default `images`.
        batch: number of images.
        network: options of the networks.
        parameters: of the method.
    """
    space, options = SPACES[space] if isinstance(space, str) else (space, {})
    dataset = dataset or images(4 if space.name == "size" else 8)
    return SearchRun(
        make_method(method, {**QUICK.get(method, {}), **parameters}),
        space,
        dataset,
        TrainingRecipe("short", epochs, batch, 0.1),
        seed,
        SupernetOptions(network=options if network is None else network),
    )


def other_test_images(dataset):
    """Return the data set with other test images."""
    other = Split(dataset.test.images[::-1].copy(), dataset.test.labels)
    return dataclasses.replace(dataset, test=other)


def train_batch(run):
    """Return the first batch of training images of a run."""
    from nasbench_lab.train.one_shot.search_context import Batch

    x, labels = next(iter(run.context.batches.training(0)))
    return Batch(x, labels[:, 0])
