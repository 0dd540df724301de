"""Cells of recurrent networks as graphs: reading and writing recipes, an order of the nodes, and what cells share."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.messages import shortened

OPERATIONS = {
    "linear": ("L", 1, 3),
    "activation_tanh": ("T", 1, 1),
    "activation_sigm": ("S", 1, 1),
    "activation_leaky_relu": ("R", 1, 1),
    "elementwise_sum": ("A", 2, 3),
    "elementwise_prod": ("P", 2, 3),
    "blend": ("B", 3, 3),
}
"""Name of an operation to its letter in the short form, and its least and most inputs."""

ENDS = ("x", "h_prev_0", "h_prev_1", "h_prev_2")
"""The inputs of a cell: the word, and the states from the word before."""

MOST_STATES = 3
MOST_NODES = 15
_LETTERS = {letter: name for name, (letter, _, _) in OPERATIONS.items()}
_SHORT_ENDS = ("x", "a", "b", "c")
_COMMUTE = {"linear", "elementwise_sum", "elementwise_prod"}
_STATE = re.compile(r"h_new_([0-9])", re.ASCII)
_LONGEST = 20_000  # characters

Node = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class RecurrentCell:
    """A cell of a recurrent network.

    Attributes:
        nodes: operation and inputs of every node. Input i is number i of `ENDS` for i < 4, otherwise node i - 4, which
            comes earlier.
        states: the nodes that are the new states, by position; the first is also the output.
    """

    nodes: tuple[Node, ...]
    states: tuple[int, ...]

    @classmethod
    def from_recipe(cls, text: str) -> RecurrentCell:
        """Read a recipe, a JSON object of name to operation and inputs; equal graphs give equal cells.

        Raises:
            OutOfSpaceError: the text is no recipe; the message says what is wrong.
        """
        recipe = _checked(text)
        return _ordered(recipe, _states(recipe))

    @classmethod
    def from_short(cls, text: str) -> RecurrentCell:
        """Read the short form.

        >>> RecurrentCell.from_short("Lx,a;T0|1").states
        (1,)
        """
        body, _, states = text.partition("|")
        nodes = []
        for part in body.split(";"):
            inputs = tuple(_SHORT_ENDS.index(i) if i in _SHORT_ENDS else 4 + int(i) for i in part[1:].split(","))
            nodes.append((_LETTERS[part[0]], inputs))
        return cls(tuple(nodes), tuple(int(state) for state in states.split(",")))

    def short(self) -> str:
        """Return the short form: a letter per operation with its inputs, then the new states."""
        parts = []
        for operation, inputs in self.nodes:
            names = [_SHORT_ENDS[i] if i < 4 else str(i - 4) for i in inputs]
            parts.append(OPERATIONS[operation][0] + ",".join(names))
        return ";".join(parts) + "|" + ",".join(map(str, self.states))

    def recipe(self) -> str:
        """Return the recipe, with nodes numbered: the names of the original are not kept."""
        names = [f"h_new_{self.states.index(i)}" if i in self.states else f"node_{i}" for i in range(len(self.nodes))]
        every = (*ENDS, *names)
        content = {
            name: {"op": operation, "input": [every[i] for i in inputs]}
            for name, (operation, inputs) in zip(names, self.nodes, strict=True)
        }
        return json.dumps(content)

    def features(self) -> Counter[Hashable]:
        """Return how often the graph has every operation, and every pair of operations that follow each other."""
        found: Counter[Hashable] = Counter(operation for operation, _ in self.nodes)
        for operation, inputs in self.nodes:
            found.update((ENDS[i] if i < 4 else self.nodes[i - 4][0], operation) for i in inputs)
        found.update((self.nodes[node][0], f"h_new_{state}") for state, node in enumerate(self.states))
        return found


def _checked(text: str) -> Mapping[str, tuple[str, list[str]]]:
    """Return name to operation and inputs."""
    if len(text) > _LONGEST:
        raise OutOfSpaceError(f"{shortened(text)} is no recipe")
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OutOfSpaceError(
            f'malformed recipe {shortened(text)}; write {{"h_new_0": {{"op": "linear", "input": ["x", "h_prev_0"]}}}}'
        ) from error
    if not isinstance(content, dict) or not 1 <= len(content) <= MOST_NODES:
        raise OutOfSpaceError(f"a recipe is a JSON object of 1 to {MOST_NODES} nodes, got {shortened(text)}")
    recipe = {}
    for name, node in content.items():
        if name in ENDS or not isinstance(node, dict) or set(node) != {"op", "input"}:
            raise OutOfSpaceError(f"node {shortened(name)} of a recipe needs the keys op and input, and another name")
        operation, inputs = node["op"], node["input"]
        if not isinstance(operation, str) or operation not in OPERATIONS:
            raise OutOfSpaceError(f"unknown operation {shortened(operation)}; known are {', '.join(OPERATIONS)}")
        _, least, most = OPERATIONS[operation]
        if not isinstance(inputs, list) or not least <= len(inputs) <= most:
            raise OutOfSpaceError(f"{operation} of node {shortened(name)} takes {least} to {most} inputs")
        unknown = [i for i in inputs if not isinstance(i, str) or (i not in ENDS and i not in content)]
        if unknown:
            raise OutOfSpaceError(f"node {shortened(name)} has the unknown input {shortened(unknown[0])}")
        recipe[name] = (operation, inputs)
    return recipe


def _states(recipe: Mapping[str, Any]) -> list[str]:
    numbers = sorted(int(match[1]) for name in recipe if (match := _STATE.fullmatch(name)))
    if numbers != list(range(len(numbers))) or not 1 <= len(numbers) <= MOST_STATES:
        raise OutOfSpaceError(f"a recipe needs the nodes h_new_0, h_new_1, ..., at most {MOST_STATES} of them")
    return [f"h_new_{number}" for number in numbers]


def _ordered(recipe: Mapping[str, tuple[str, list[str]]], states: list[str]) -> RecurrentCell:
    """Order nodes by what they compute and for what they are used, so that names and order do not matter."""
    colour = _colours(recipe, states)
    left, placed = dict(recipe), {name: place for place, name in enumerate(ENDS)}
    nodes: list[Node] = []
    while left:
        ready = [name for name, (_, inputs) in left.items() if all(i in placed for i in inputs)]
        if not ready:
            raise OutOfSpaceError(f"the recipe has a cycle through {shortened(next(iter(left)))}")

        def key(name: str) -> tuple[Any, ...]:
            operation, inputs = recipe[name]
            return colour[name], _sorted(operation, [placed[i] for i in inputs])

        first = min(ready, key=key)
        operation, inputs = left.pop(first)
        nodes.append((operation, tuple(_sorted(operation, [placed[i] for i in inputs]))))
        placed[first] = len(ENDS) + len(nodes) - 1
    return RecurrentCell(tuple(nodes), tuple(placed[state] - len(ENDS) for state in states))


def _sorted(operation: str, inputs: list[Any]) -> list[Any]:
    return sorted(inputs) if operation in _COMMUTE else list(inputs)


def _colours(recipe: Mapping[str, tuple[str, list[str]]], states: list[str]) -> dict[str, int]:
    """Return a number per node, refined until nodes of the same number look the same from the inputs and the states."""
    used: dict[str, list[tuple[str, int]]] = {name: [] for name in recipe}
    for name, (operation, inputs) in recipe.items():
        for place, source in enumerate(inputs):
            if source in used:
                used[source].append((name, 0 if operation in _COMMUTE else place))
    label: dict[str, Any] = {
        name: (list(OPERATIONS).index(operation), states.index(name) if name in states else -1)
        for name, (operation, _) in recipe.items()
    }
    colour = _numbered(label)
    for _ in recipe:
        outer = {name: (0, place) for place, name in enumerate(ENDS)}
        seen = outer | {name: (1, number) for name, number in colour.items()}
        label = {
            name: (
                colour[name],
                _sorted(operation, [seen[i] for i in inputs]),
                sorted((colour[user], place) for user, place in used[name]),
            )
            for name, (operation, inputs) in recipe.items()
        }
        colour = _numbered(label)
    return colour


def _numbered(label: Mapping[str, Any]) -> dict[str, int]:
    order = sorted({json.dumps(each): each for each in label.values()}.values())
    return {name: order.index(each) for name, each in label.items()}
