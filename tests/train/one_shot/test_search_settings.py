"""What the recipe and the precision of a search change: clipping, learning rates and mixed precision."""

import dataclasses

import numpy as np
import pytest
import torch

from nasbench_lab.spaces import TopologySpace
from nasbench_lab.train.datasets import digits
from nasbench_lab.train.one_shot.path_sampling import UniformPaths
from nasbench_lab.train.one_shot.scoring import score
from nasbench_lab.train.one_shot.search_context import Batch, SearchContext, SupernetOptions
from nasbench_lab.train.one_shot.supernet_training import SupernetTraining
from nasbench_lab.train.one_shot.supernets import Path, make_supernet
from nasbench_lab.train.supernet_recipes import SupernetRecipe

RECIPE = SupernetRecipe("plain", 2, 100, 0.1, momentum=0.0, weight_decay=0.0, schedule="constant")
CODES = [3, 2, 4, 1, 3, 2]


def small(**options):
    return make_supernet(
        TopologySpace(), image=(1, 8, 8), classes=10, seed=0, options={"channels": 2, "cells": 1}, **options
    )


def context(recipe=RECIPE, precision="float32", statistics="batch"):
    options = SupernetOptions(precision=precision, statistics=statistics)
    return SearchContext(small(statistics=statistics), digits(), recipe, 0, options)


def first_batch(search):
    images, labels = next(iter(search.batches.training(0)))
    return Batch(images, labels[:, 0])


def moved(search):
    """Return how far a step moves the shared weights."""
    before = [weights.detach().clone() for weights in search.supernet.parameters()]
    search.update_weights(first_batch(search), [Path(CODES)])
    steps = [after.detach() - old for after, old in zip(search.supernet.parameters(), before, strict=True)]
    return float(torch.cat([step.flatten() for step in steps]).norm())


def test_a_step_is_as_long_as_the_clipped_gradient():
    free = moved(context())
    assert moved(context(dataclasses.replace(RECIPE, clip=1e6))) == pytest.approx(free, rel=1e-5)
    limit = free / 0.1 / 3  # a third of the norm of the gradient
    assert moved(context(dataclasses.replace(RECIPE, clip=limit))) == pytest.approx(free / 3, rel=1e-4)


def test_the_training_of_a_supernet_clips_too():
    weights = {}
    for clip in (0.0, 1e-6):
        recipe = dataclasses.replace(RECIPE, epochs=1, clip=clip)
        supernet = SupernetTraining(small(), UniformPaths(), digits(), recipe, seed=0).finish()
        weights[clip] = torch.cat([each.detach().flatten() for each in supernet.parameters()])
    start = torch.cat([each.detach().flatten() for each in small().parameters()])
    assert float((weights[1e-6] - start).norm()) < 1e-5 < float((weights[0.0] - start).norm())


def test_the_rate_follows_the_recipe():
    search = context(SupernetRecipe("falling", 2, 100, 0.1, lowest_rate=0.01, rate_changes="epoch"))
    search.step = search.steps
    search.update_weights(first_batch(search), [Path(CODES)])
    assert search.rate == search.optimizer.param_groups[0]["lr"] == pytest.approx(0.055)


@pytest.mark.parametrize("statistics", ["batch", "recalibrated"])
def test_scores_are_computed_with_the_precision_of_the_search(statistics):
    architectures = np.arange(0, 15_625, 3_000)
    found = {}
    for precision in ("float32", "bfloat16"):
        search = context(precision=precision, statistics=statistics)
        seen = []
        for layer in search.supernet.modules():
            if isinstance(layer, torch.nn.Conv2d):
                layer.register_forward_hook(lambda _layer, _given, output, seen=seen: seen.append(output.dtype))
        found[precision] = search.supernet_scores(architectures)
        assert set(seen) == {getattr(torch, precision)}
        assert search.scores_of(first_batch(search).images, Path(CODES)).dtype == torch.float32
    assert found["bfloat16"] == pytest.approx(found["float32"], abs=5)
    assert all(weights.dtype == torch.float32 for weights in search.supernet.parameters())


def test_many_images_are_scored_in_batches(monkeypatch):
    monkeypatch.setattr("nasbench_lab.train.one_shot.scoring._MOST", 150)
    for statistics in ("running", "recalibrated"):  # do not depend on the other images of a batch
        search = context(statistics=statistics)
        told = []
        found = score(
            search.supernet, search.batches, [5, 3, 9_999], progress=lambda *given, told=told: told.append(given)
        )
        with monkeypatch.context() as patch:
            patch.setattr("nasbench_lab.train.one_shot.scoring._MOST", 10_000)
            together = context(statistics=statistics)
            assert found.tolist() == score(together.supernet, together.batches, [5, 3, 9_999]).tolist()
        assert told[-1] == (3, 3)
