"""Recipes and options of networks where the user gives none."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from nasbench_lab.spaces import Space
from nasbench_lab.train.networks import networks_of
from nasbench_lab.train.recipes import TrainingRecipe, recipe
from nasbench_lab.train.supernet_recipes import SupernetRecipe, supernet_recipe


def default_recipe(dataset: str) -> TrainingRecipe:
    """Return the recipe for a data set where the user names none: ours for digits, NATS-Bench's 200 epochs for others.

    >>> default_recipe("digits").name, default_recipe("cifar10").name
    ('digits', 'nats-bench-200')
    """
    if dataset == "digits":
        return recipe("digits")
    return dataclasses.replace(recipe("nats-bench-200"), padding=_padding(dataset))


def default_supernet_recipe(dataset: str) -> SupernetRecipe:
    """Return the recipe for the shared weights where the user names none: ours for digits, NATS-Bench's for others.

    >>> default_supernet_recipe("digits").name, default_supernet_recipe("cifar10").name
    ('digits-supernet', 'nats-bench-supernet')
    """
    if dataset == "digits":
        return supernet_recipe("digits-supernet")
    return dataclasses.replace(supernet_recipe("nats-bench-supernet"), padding=_padding(dataset))


def _padding(dataset: str) -> int:
    return 2 if dataset == "ImageNet16-120" else 4  # as published for images of 16 and 32 pixels


def default_network(space: Space, dataset: str) -> Mapping[str, Any]:
    """Return the options of networks where the user gives none: those of the embedded tables for digits.

    Raises:
        ParameterError: the space has no networks.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> default_network(TopologySpace(), "digits"), default_network(TopologySpace(), "cifar10")
    ({'channels': 8, 'cells': 3}, {})
    """
    return networks_of(space).default_options(dataset)


def default_supernet_recipe(dataset: str) -> TrainingRecipe:
    """Return the recipe of shared weights where the user names none.

    >>> default_supernet_recipe("digits").learning_rate, default_supernet_recipe("cifar10").learning_rate
    (0.1, 0.025)
    """
    if dataset == "digits":
        return TrainingRecipe("supernet-digits", 50, 50, 0.1, source="docs/design/one-shot.md")
    padding = 2 if dataset == "ImageNet16-120" else 4
    source = "Dong and Yang, NAS-Bench-201, ICLR 2020"
    return TrainingRecipe("supernet-nas-bench-201", 50, 64, 0.025, padding=padding, flip=True, source=source)
