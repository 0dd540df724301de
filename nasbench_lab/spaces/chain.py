"""A sequence of choices, one after the other, written as one character each (NAS-Bench-Macro)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, final

from numpy.typing import ArrayLike

from nasbench_lab.checks import AtLeast, require, whole
from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces.encodings import COUNTS, Vectors, counts
from nasbench_lab.spaces.product import ProductSpace


@final
class ChainSpace(ProductSpace):
    """A chain of ``length`` layers, each one of the ``choices``; index order is that of the sorted notation.

    The search space of NAS-Bench-Macro (Su et al., "Prioritized Architecture Sampling with Monto-Carlo Tree Search",
    CVPR 2021) is the chain of 8 layers with the choices ``0`` (identity), ``1`` (MobileNetV2 block, kernel 3,
    expansion 3) and ``2`` (kernel 5, expansion 6).

    Args:
        choices: the characters that stand for the choices of a layer, in ascending order.
        length: number of layers.

    Raises:
        ParameterError: choices are missing, equal or out of order, or the length is not a whole number from 1.

    >>> macro = ChainSpace("012", 8)
    >>> macro.size, macro.parse("02012100"), macro.format(1)
    (6561, 1602, '00000001')
    """

    encodings: ClassVar[tuple[str, ...]] = (*ProductSpace.encodings, COUNTS)

    def __init__(self, choices: str, length: int) -> None:
        ascending = isinstance(choices, str) and list(choices) == sorted(set(choices))
        require(bool(choices) and ascending, f"choices must be different characters in order, got {choices!r}")
        length = whole("length", length, AtLeast(1))
        super().__init__("chain", (len(choices),) * min(length, 2**10))  # a longer chain is refused there
        self.choices = choices
        self.length = length

    def spec(self) -> Mapping[str, Any]:
        """Return the plain data from which `nasbench_lab.spaces.make_space` makes the same space again."""
        return {"name": self.name, "choices": self.choices, "length": self.length}

    def make_encoding(self, index: ArrayLike, encoding: str) -> Vectors:
        """Return chains as vectors for models; ``"counts"``: how often each choice occurs.

        >>> ChainSpace("012", 8).encode(1602, "counts").tolist()
        [4.0, 2.0, 2.0]
        """
        if encoding == COUNTS:
            return counts(self.codes(index), len(self.choices))
        return super().make_encoding(index, encoding)

    def labels(self, index: int) -> tuple[str, ...]:
        """Return the characters of the layers."""
        return tuple(self.choices[code] for code in self.codes(index).tolist())

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of a chain in official notation."""
        text = text.strip()
        allowed = ", ".join(self.choices)
        if len(text) != self.length:
            raise OutOfSpaceError(f"{text!r} has {len(text)} layers; write {self.length} of {allowed}")
        for position, choice in enumerate(text):
            if choice not in self.choices:
                raise OutOfSpaceError(f"unknown choice {choice!r} for layer {position} of {text!r}; allowed: {allowed}")
        return tuple(self.choices.index(choice) for choice in text)

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the official notation of a chain."""
        return "".join(self.choices[code] for code in codes)
