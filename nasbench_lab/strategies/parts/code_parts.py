"""Parts of architectures that are searched with the rest fixed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import require
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened, unknown
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.problem import Scores

_THEN, _WITH = "+", "/"


@dataclass(frozen=True)
class CodePart:
    """A part of the architectures of a space.

    Attributes:
        name: what it is called.
        all: the whole space.
        positions: which codes belong to the part.
        space: the space of these codes; the whole space where they are all.
    """

    name: str
    all: Space
    positions: tuple[int, ...]
    space: Space

    @property
    def is_all(self) -> bool:
        """Whether the part is the whole space."""
        return self.space is self.all

    def whole(self, base: IntArray, part: IntArray) -> IntArray:
        """Return architectures with this part, and the rest of others; -1 where the part is -1.

        Args:
            base: the others, shape (runs,).
            part: indices in the space of this part, shape (runs, k).

        Returns:
            Indices in the whole space, shape (runs, k).
        """
        if self.is_all:
            return part
        codes = np.repeat(self.all.codes(base)[:, None].astype(np.int64), part.shape[1], axis=1)
        codes[..., self.positions] = self.space.codes(np.maximum(part, 0))
        return np.where(part >= 0, self.all.index(codes), -1)

    def of(self, whole: IntArray) -> IntArray:
        """Return the index of this part of architectures, of the same shape; -1 where they are -1."""
        if self.is_all:
            return whole
        codes = self.all.codes(np.maximum(whole, 0))[..., self.positions]
        return np.where(whole >= 0, self.space.index(codes.astype(np.int64)), -1)


@dataclass(frozen=True)
class PartScores(Scores):
    """The scores of a part: those of the architectures that have it, and the rest as it is fixed."""

    scores: Scores
    part: CodePart
    base: IntArray

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the available scores."""
        return self.scores.names

    def score(self, name: str, architecture: IntArray) -> FloatArray:
        """Return the scores of architectures, shape (runs, k) to (runs, k)."""
        return self.scores.score(name, self.part.whole(self.base, architecture))


def parts_in_order(space: Space, order: str) -> tuple[CodePart, ...]:
    """Return the parts that a text names, such as ``macro+cell`` or ``layer1/layer2+layer3``; empty: all groups.

    A space without groups of codes is one part.

    Raises:
        UnknownNameError: the space has no such group.
        ParameterError: a group is named twice, or groups cannot be searched together.

    >>> from nasbench_lab.spaces import SizeSpace
    >>> [(part.name, part.space.size) for part in parts_in_order(SizeSpace(), "layer5+layer1/layer2")]
    [('layer5', 8), ('layer1/layer2', 64)]
    """
    groups = space.code_groups
    if not groups:
        require(not order, f"order must be empty for the space {space.name!r}, which names no parts, got {order!r}")
        return (CodePart(space.name, space, tuple(range(len(space.cardinalities))), space),)
    texts = order.split(_THEN) if order else list(groups)
    named = [[name.strip() for name in text.split(_WITH)] if order else [text] for text in texts]
    flat = [name for names in named for name in names]
    for name in flat:
        if name not in groups:
            raise unknown("part", name, groups)
        require(flat.count(name) == 1, f"order names the part {name!r} twice")
    parts = []
    for names in named:
        positions = tuple(sorted(place for name in names for place in groups[name]))
        every = len(positions) == len(space.cardinalities)
        parts.append(CodePart(_WITH.join(names), space, positions, space if every else space.space_of_codes(positions)))
    return tuple(parts)


def split_evaluations(split: str | float, parts: int, evaluations: int) -> tuple[int, ...]:
    """Return how many evaluations every part has, at least one each, by its share.

    Args:
        split: shares with ``+`` in between; parts without one have equal shares of the rest.
        parts: number of parts.
        evaluations: of all parts together.

    Raises:
        ParameterError: the shares are not numbers between 0 and 1, or there are too many or too large ones; or there
            are fewer evaluations than parts.

    >>> split_evaluations(0.5, 2, 101), split_evaluations("0.2+0.2", 4, 100)
    ((50, 51), (20, 20, 30, 30))
    """
    shares = shares_in(split)
    require(evaluations >= parts, f"evaluations must be at least one per part, {parts}, got {evaluations}")
    require(len(shares) <= parts, f"split has {len(shares)} shares, but there are {parts} parts")
    rest = 1 - sum(shares)
    more = parts - len(shares)
    require(bool(more) or abs(rest) < 1e-9, f"the shares of all parts must add up to 1, got split={split}")
    require(not more or rest > 1e-9, f"the shares of the first parts must leave some for others, got split={split}")
    ends = np.cumsum(shares + [rest / more] * more if more else shares)
    places = [math.floor(end * evaluations + 1e-9) for end in ends[:-1]] + [evaluations]
    for place in range(parts):  # at least one evaluation each
        low = (places[place - 1] if place else 0) + 1
        places[place] = min(max(places[place], low), evaluations - (parts - 1 - place))
    return tuple(int(length) for length in np.diff([0, *places]))


def shares_in(split: str | float) -> list[float]:
    """Return the shares that a text names.

    Raises:
        ParameterError: they are not numbers between 0 and 1.

    >>> shares_in("0.2+0.5"), shares_in("")
    ([0.2, 0.5], [])
    """
    texts = str(split).split(_THEN) if split != "" else []
    try:
        shares = [float(text) for text in texts]
    except ValueError:
        shares = [math.nan]
    if not all(0 < share < 1 for share in shares):
        raise ParameterError(f"split must be shares between 0 and 1 with + in between, got {shortened(split)}")
    return shares
