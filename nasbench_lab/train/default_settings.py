"""Recipes and options of networks where the user gives none."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from nasbench_lab.spaces import Space
from nasbench_lab.train.networks import networks_of
from nasbench_lab.train.recipes import TrainingRecipe, padding_of, recipe
from nasbench_lab.train.supernet_recipes import SupernetRecipe, supernet_recipe


def default_recipe(dataset: str) -> TrainingRecipe:
    """Return the recipe for a data set where the user names none: ours for digits, NATS-Bench's 200 epochs for others.

    >>> default_recipe("digits").name, default_recipe("cifar10").name
    ('digits', 'nats-bench-200')
    """
    if dataset == "digits":
        return recipe("digits")
    return dataclasses.replace(recipe("nats-bench-200"), padding=padding_of(dataset))


def default_supernet_recipe(dataset: str) -> SupernetRecipe:
    """Return the recipe for the shared weights where the user names none: ours for digits, NATS-Bench's for others.

    >>> default_supernet_recipe("digits").name, default_supernet_recipe("cifar10").name
    ('digits-supernet', 'nats-bench-supernet')
    """
    if dataset == "digits":
        return supernet_recipe("digits-supernet")
    return dataclasses.replace(supernet_recipe("nats-bench-supernet"), padding=padding_of(dataset))


def default_network(space: Space, dataset: str) -> Mapping[str, Any]:
    """Return the options of networks where the user gives none: those of the embedded tables for digits.

    Raises:
        ParameterError: the space has no networks.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> default_network(TopologySpace(), "digits"), default_network(TopologySpace(), "cifar10")
    ({'channels': 8, 'cells': 3}, {})
    """
    return networks_of(space).default_options(dataset)
