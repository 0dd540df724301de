"""The space of some codes of a larger space, for searches that change only these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.messages import shortened
from nasbench_lab.spaces.product import ProductSpace

_SEPARATOR = ","


@final
class CodesSpace(ProductSpace):
    """All combinations of codes without a meaning of their own; the notation is the codes with ``,`` between them.

    Args:
        cardinalities: how many values each code has.

    >>> space = CodesSpace((2, 3))
    >>> space.size, space.format(5), space.parse("1,2")
    (6, '1,2', 5)
    """

    def __init__(self, cardinalities: Sequence[int]) -> None:
        super().__init__("codes", tuple(cardinalities))

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes in a text."""
        parts = [part.strip() for part in text.split(_SEPARATOR)]
        if len(parts) != len(self.cardinalities) or not all(part.isdecimal() for part in parts):
            raise OutOfSpaceError(f"{shortened(text)} is not {len(self.cardinalities)} numbers with commas in between")
        return tuple(map(int, parts))

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the codes as a text."""
        return _SEPARATOR.join(map(str, codes))
