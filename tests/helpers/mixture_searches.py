"""Tiny searches with mixtures, in double precision, for methods that train one."""

import numpy as np
import torch

from nasbench_lab.spaces import Cell101Space, LayerChainSpace, SizeSpace, TopologySpace
from nasbench_lab.train.datasets import Dataset, Split
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext, SupernetOptions
from nasbench_lab.train.one_shot.search_run import SearchRun
from nasbench_lab.train.recipes import TrainingRecipe

CHAIN = LayerChainSpace([["conv3x3-2", "conv5x5-4", "identity"], ["relu", "tanh"], ["max-pool", "identity"]])
SPACES = {
    "topology": (TopologySpace(), {"channels": 4, "cells": 1}),
    "size": (SizeSpace(), {}),
    "cell101": (Cell101Space(4), {"channels": 5, "cells": 1}),
    "layer-chain": (CHAIN, {}),
}


def dataset(side=4, images=18):
    """Three classes, which the mean pixel tells apart."""

    def split(seed):
        random = np.random.default_rng(seed)
        labels = np.tile(np.arange(3), images // 3)
        pixels = random.normal(size=(images, 1, side, side)) + labels[:, None, None, None]
        return Split(pixels.astype(np.float32), labels)

    return Dataset("three-classes", 3, split(0), split(1), split(2))


def search_run(method, space="topology", epochs=1, seed=0, batch=9, **recipe):
    """A run on tiny networks and images."""
    chosen, network = SPACES[space]
    training = TrainingRecipe("tiny", epochs, batch, recipe.pop("learning_rate", 0.1), **recipe)
    return SearchRun(method, chosen, dataset(), training, seed, SupernetOptions(network=network))


def double_context(method, space="topology", **recipe):
    """The context and state of a method in double precision, with weights that are not symmetric."""
    run = search_run(method, space, **recipe)
    context = run.context
    context.supernet.double()
    state = run.state
    for module in vars(state).values():
        if isinstance(module, torch.nn.Module):
            module.double()
    return context, state


def double_batches(context: SearchContext):
    """A training batch and a validation batch in double precision."""
    images, labels = next(iter(context.batches.training(0)))
    valid = context.valid_batch()
    return Batch(images.double(), labels[:, 0]), Batch(valid.images.double(), valid.labels)


def slopes(function, parameters, gradients, directions=2, size=1e-6):
    """Pairs of slopes of a function along random directions: by gradients, and by central differences of its values."""
    parameters, found = list(parameters), []
    for seed in range(directions):
        random = torch.Generator().manual_seed(seed)
        direction = [torch.randn(each.shape, generator=random, dtype=each.dtype) for each in parameters]
        values = []
        for shift in (size, -2 * size, size):
            with torch.no_grad():
                for parameter, along in zip(parameters, direction, strict=True):
                    parameter.add_(shift * along)
            values.append(function().item() if len(values) < 2 else 0.0)
        by_gradient = sum(float((a * b).sum()) for a, b in zip(gradients, direction, strict=True) if a is not None)
        found.append((by_gradient, (values[0] - values[1]) / (2 * size)))
    return found
