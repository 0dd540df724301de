"""Recipes for shared weights, against torch's own schedules and clipping."""

import dataclasses
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nasbench_lab.errors import ParameterError, UnknownNameError
from nasbench_lab.train.recipes import RECIPES, TrainingRecipe
from nasbench_lab.train.supernet_recipes import SUPERNET_RECIPES, SupernetRecipe, supernet_recipe

FIELDS_OF_STORED_RECIPES = [
    *("name", "epochs", "batch", "learning_rate", "optimizer", "momentum", "nesterov", "weight_decay", "schedule"),
    *("warmup", "average", "padding", "flip", "source"),
]


def test_recipes_of_trainings_keep_the_fields_that_builds_and_tables_have_stored():
    assert list(dataclasses.asdict(RECIPES["digits"])) == FIELDS_OF_STORED_RECIPES


@given(st.sampled_from(sorted(RECIPES)), st.integers(0, 10_000), st.integers(1, 200))
def test_a_recipe_without_the_new_settings_has_the_same_rates_to_the_last_bit(name, step, steps):
    step = min(step, RECIPES[name].epochs * steps - 1)
    assert SupernetRecipe.of(RECIPES[name]).rate(step, steps) == RECIPES[name].rate(step, steps)


@pytest.mark.parametrize("period", [0, 3])
def test_the_cosine_per_epoch_is_that_of_torch(period):
    recipe = SupernetRecipe("r", 9, 2, 0.05, lowest_rate=0.0005, rate_changes="epoch", period=period)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, period or 9, eta_min=0.0005)
    for epoch in range(9):
        for step in range(7):
            assert recipe.rate(7 * epoch + step, 7) == pytest.approx(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()


def test_the_lowest_rate_holds_for_every_schedule():
    for schedule, lowest in (("cosine", 0.1), ("linear", 0.1), ("constant", 1.0)):
        recipe = SupernetRecipe("r", 1, 2, 1.0, schedule=schedule, lowest_rate=0.1)
        rates = [recipe.rate(step, 10_000) for step in (0, 9_999)]
        assert rates == [1.0, pytest.approx(lowest, abs=1e-3)]


def test_published_settings():
    nats, older = supernet_recipe("nats-bench-supernet"), supernet_recipe("nas-bench-201-supernet")
    assert (nats.learning_rate, nats.lowest_rate, nats.momentum, nats.nesterov) == (0.025, 0.001, 0.9, True)
    assert (nats.weight_decay, nats.batch, nats.epochs, nats.clip) == (5e-4, 64, 100, 0)
    assert older == dataclasses.replace(nats, name=older.name, epochs=250, clip=5, source=older.source)
    assert all(recipe.source for recipe in SUPERNET_RECIPES.values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lowest_rate": 0.2}, "lowest_rate must be at most the learning rate, 0.1, got 0.2"),
        ({"lowest_rate": math.nan}, "lowest_rate"),
        ({"clip": -1}, "clip"),
        ({"rate_changes": "batch"}, "rate_changes"),
        ({"period": 3, "schedule": "linear"}, "period is for the schedule 'cosine' only"),
        ({"batch": 1}, "batch"),
    ],
)
def test_values_that_are_not_allowed(changes, message):
    with pytest.raises(ParameterError, match=message):
        SupernetRecipe(**{"name": "r", "epochs": 2, "batch": 2, "learning_rate": 0.1} | changes)


def test_an_unknown_name_suggests_others():
    with pytest.raises(UnknownNameError, match="nats-bench-supernet"):
        supernet_recipe("nats-bench-supernets")


def test_of_keeps_a_recipe_for_shared_weights():
    recipe = SUPERNET_RECIPES["drnas-supernet"]
    assert SupernetRecipe.of(recipe) is recipe
    assert vars(SupernetRecipe.of(TrainingRecipe("t", 3, 4, 0.5)))["epochs"] == 3
