"""All combinations of named choices, such as ``kernel=3,width=16``: the space of a user's table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, final

from nasbench_lab.spaces.graph import Graph, choice_graph
from nasbench_lab.spaces.named_choices import Choice, Choices
from nasbench_lab.spaces.product import ProductSpace


@final
class ChoicesSpace(ProductSpace):
    """All combinations of named choices; the last choice turns fastest in the index order.

    Args:
        choices: pairs of a name and its values, in the order of their codes.

    Raises:
        ParameterError: the choices are wrong, see `Choices`, or there are too many.

    >>> space = ChoicesSpace([("kernel", [3, 5]), ("width", [16, 32, 64])])
    >>> space.size, space.format(4), space.parse("kernel=3,width=64")
    (6, 'kernel=5,width=32', 2)
    """

    def __init__(self, choices: Iterable[Choice]) -> None:
        self.choices = Choices(choices)
        super().__init__("choices", self.choices.cardinalities)

    def spec(self) -> Mapping[str, Any]:
        """Return the plain data from which `nasbench_lab.spaces.make_space` makes the same space again."""
        return {"name": self.name, "choices": self.choices.spec()}

    @property
    def code_groups(self) -> Mapping[str, tuple[int, ...]]:
        """A group for every choice, by its name."""
        return {name: (place,) for place, name in enumerate(self.choices.names)}

    @property
    def named_choices(self) -> Choices:
        """The choices."""
        return self.choices

    def labels(self, index: int) -> tuple[str, ...]:
        """Return ``name = value`` of every choice."""
        return self.choices.labels(self.codes(index).tolist())

    def graph(self, index: int) -> Graph:
        """Return the choices beside each other."""
        return choice_graph(self.labels(index))

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of a combination in official notation."""
        return self.choices.parse(text)

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the official notation of a combination."""
        return self.choices.format(codes)
