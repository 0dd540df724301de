"""A supernet that is split: several copies of its weights, each for the architectures with some options."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from nasbench_lab.checks import AtLeast, require, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.train.one_shot.supernets.selection import Mixture, Selection
from nasbench_lab.train.one_shot.supernets.supernet import Supernet

MOST_PARTS = 125
"""Largest number of sub-supernets: three decisions with five options each."""


class SplitSupernet(Supernet):
    """A supernet with one sub-supernet per combination of options of the first decisions (few-shot supernets).

    Before `split` is called, all paths use the first sub-supernet.

    Args:
        supernet: the first sub-supernet; the others are copies.
        decisions: number of decisions that are split, from the first one on.

    Attributes:
        parts: the sub-supernets; options of the last of the split decisions turn fastest.

    Raises:
        ParameterError: the space has fewer decisions, or there would be more than 125 sub-supernets.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> from nasbench_lab.train.one_shot.supernets import make_supernet
    >>> net = make_supernet(TopologySpace(), image=(1, 8, 8), classes=10, options={"channels": 2, "cells": 1})
    >>> SplitSupernet(net, 1)
    <SplitSupernet: 15,625 architectures, 5 sub-supernets of 6,268 weights, images of 1 x 8 x 8, 10 classes>
    """

    is_split: Tensor

    def __init__(self, supernet: Supernet, decisions: int) -> None:
        nn.Module.__init__(self)
        space = supernet.space
        self.decisions = whole("decisions", decisions, AtLeast(0))
        most = len(space.cardinalities)
        require(decisions <= most, f"decisions must be at most {most} in the space {space.name}, got {decisions}")
        self._sizes = space.cardinalities[:decisions]
        number = math.prod(self._sizes)
        require(
            number <= MOST_PARTS,
            f"decisions={decisions} makes {number:,} sub-supernets in the space {space.name}; "
            f"at most {MOST_PARTS} are allowed",
        )
        self.space, self.image, self.classes = space, supernet.image, supernet.classes
        self.statistics, self.affine, self.partial = supernet.statistics, supernet.affine, supernet.partial
        self.network_options = supernet.network_options
        self.parts = nn.ModuleList([supernet, *(copy.deepcopy(supernet) for _ in range(number - 1))])
        self.register_buffer("is_split", torch.tensor(0))

    def __repr__(self) -> str:
        weights = sum(each.numel() for each in self.parts[0].parameters())
        size = f"{self.space.size:,} architectures, {len(self.parts)} sub-supernets of {weights:,} weights"
        return f"<SplitSupernet: {size}, images of {' x '.join(map(str, self.image))}, {self.classes} classes>"

    def assemble(self, **options: int) -> nn.Module:
        """Not for this supernet: its parts are built already."""
        raise NotImplementedError

    def place(self, codes: Sequence[int]) -> int:
        """Return the place in ``parts`` of the sub-supernet that an architecture uses."""
        if not self.is_split:
            return 0
        found = 0
        for size, code in zip(self._sizes, codes, strict=False):
            found = found * size + int(code)
        return found

    def split(self, optimizer: torch.optim.Optimizer) -> None:
        """Give all sub-supernets the weights of the first one, and what its optimiser knows about them."""
        first, *others = self.parts
        for part in others:
            part.load_state_dict(first.state_dict())
            for old, new in zip(first.parameters(), part.parameters(), strict=True):
                if old in optimizer.state:
                    optimizer.state[new] = copy.deepcopy(optimizer.state[old])
        self.is_split.fill_(1)

    def forward(self, images: Tensor, selection: Selection) -> Tensor:
        """Return the scores of the sub-supernet that the path uses.

        Raises:
            ParameterError: the selection is a mixture, which belongs to no sub-supernet.
        """
        if isinstance(selection, Mixture):
            raise ParameterError("a split supernet takes paths and samples, but no mixtures")
        scores: Tensor = self.parts[self.place(selection.codes)](images, selection)
        return scores

    def evaluator(self, images: Tensor) -> Callable[[Sequence[int]], Tensor]:
        """Return a function that uses the evaluators of the sub-supernets."""
        made: dict[int, Callable[[Sequence[int]], Tensor]] = {}

        def evaluate(codes: Sequence[int]) -> Tensor:
            place = self.place(codes)
            if place not in made:
                made[place] = self._part(codes).evaluator(images)
            return made[place](codes)

        return evaluate

    def stand_alone(self, codes: Sequence[int]) -> nn.Module:
        """Return the network of an architecture, alone, with copies of the weights of its sub-supernet."""
        return self._part(codes).stand_alone(codes)

    def source(self, name: str, codes: Sequence[int]) -> str:
        """Return the name in the first sub-supernet, of whose weights those of others are copies."""
        return self._part(codes).source(name, codes)

    def _part(self, codes: Sequence[int]) -> Supernet:
        return cast(Supernet, self.parts[self.place(codes)])
