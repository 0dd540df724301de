"""How the networks of a built table were trained, read from the text that the build wrote into the table."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from nasbench_lab.checks import whole
from nasbench_lab.errors import NasbenchLabError
from nasbench_lab.tables import Table
from nasbench_lab.train.recipes import TrainingRecipe

_RECIPE = re.compile(r"\b(?:Training)?Recipe\(")
_NETWORK = re.compile(r"; networks with (\{[^{}]*\}); data: ")
_SEEDS = re.compile(r"from the seeds (\[[\d, ]+\]) each")
_DATA = re.compile(r"\(sha256 ([0-9a-f]{64})\)")


class StatedTraining(NamedTuple):
    """How the networks of a built table were trained.

    Attributes:
        recipe: the recipe; its epochs are those of a learning curve, and do not matter if there are budgets.
        network: options of the networks.
        seeds: seeds that were trained side by side, one per repeat.
        budgets: numbers of epochs of separate trainings; empty if the table has learning curves.
        data: SHA-256 of the data set, see `Dataset.digest`.
    """

    recipe: TrainingRecipe
    network: Mapping[str, Any]
    seeds: tuple[int, ...]
    budgets: tuple[int, ...]
    data: str


def stated_training(table: Table) -> StatedTraining | None:
    """Return how the networks of a table were trained; None if the table was not built by training here.

    >>> import nasbench_lab as nl
    >>> stated = stated_training(nl.load("digits/topology"))
    >>> stated.recipe.name, stated.network, stated.seeds, stated.budgets
    ('digits', {'channels': 8, 'cells': 3}, (0, 1, 2), ())
    """
    text = table.description.source
    seeds, data, recipe = _SEEDS.search(text), _DATA.search(text), _recipe(text)
    if seeds is None or data is None or recipe is None:
        return None
    network = _NETWORK.search(text)
    try:
        options = ast.literal_eval(network[1]) if network else {}
        numbers = tuple(whole("a seed", seed) for seed in ast.literal_eval(seeds[1]))
    except (ValueError, SyntaxError, NasbenchLabError):
        return None
    budgets = () if table.description.resumable else table.fidelities
    return StatedTraining(recipe, options, numbers, budgets, data[1])


def _recipe(text: str) -> TrainingRecipe | None:
    """Return the recipe in a text, which has it as Python prints it; nothing in it is executed."""
    found = _RECIPE.search(text)
    if found is None:
        return None
    for end in (match.end() for match in re.finditer(r"\)", text[found.start() :])):
        try:
            call = ast.parse(text[found.start() : found.start() + end], mode="eval").body
            assert isinstance(call, ast.Call)  # noqa: S101 - a name and brackets
            fields = {each.arg: ast.literal_eval(each.value) for each in call.keywords if each.arg}
            return TrainingRecipe(**fields)
        except SyntaxError:  # a bracket inside a text
            continue
        except (ValueError, TypeError, NasbenchLabError):
            return None
    return None
