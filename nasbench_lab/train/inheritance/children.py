"""Initial weights of the children of a search, from the trained weights of their parents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor

from nasbench_lab.checks import one_of
from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import Space
from nasbench_lab.train.inheritance.inherited import InheritedWeights, inherit
from nasbench_lab.train.inheritance.net2net import keep_function
from nasbench_lab.train.network_builders import check_options, network_builder
from nasbench_lab.train.network_copies import initialised

Rule = Literal["overlapping", "equal", "net2net"]
"""How children inherit: layers of overlapping or equal shapes (`inherit`), or the function of the parent where the
child can keep it, and layers of overlapping shapes elsewhere (`keep_function`)."""

RULES: tuple[Rule, ...] = ("overlapping", "equal", "net2net")


@dataclass(frozen=True)
class Inheritance:
    """How the networks of a space inherit weights.

    Attributes:
        space: one that has networks.
        image: channels, height and width of the images.
        classes: outputs.
        options: of the networks of the space.
        rule: ``"overlapping"``, ``"equal"`` or ``"net2net"``.

    Raises:
        ParameterError: the space has no networks, they do not take the options, or there is no such rule.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> rule = Inheritance(TopologySpace(), (1, 8, 8), 10, {"channels": 4, "cells": 1})
    >>> parent = rule.network(11, seed=0).state_dict()
    >>> print(rule.initial_weights(13, 11, parent, seed=1))
    60% of the weights from the parent (57 tensors)
    """

    space: Space
    image: tuple[int, int, int]
    classes: int
    options: Mapping[str, int] = field(default_factory=dict)
    rule: Rule = "overlapping"

    def __post_init__(self) -> None:
        one_of("rule", self.rule, RULES)
        check_options(self.space, self.options)

    def network(self, architecture: int, seed: int) -> Any:
        """Return the network of an architecture, with the initial weights of a seed."""
        build = network_builder(self.space, architecture, image=self.image, classes=self.classes, options=self.options)
        return initialised(build, [seed])

    def initial_weights(
        self, child: int, parent: int, state: Mapping[str, Tensor], *, seed: int
    ) -> InheritedWeights | None:
        """Return the initial weights of a child; None if it inherits nothing.

        Args:
            child: index of its architecture.
            parent: index of the parent's architecture.
            state: trained weights of the parent's network, one copy.
            seed: of the weights that are not inherited: those of a training of the child from scratch.

        Raises:
            RuntimeError: the state is not that of the parent's network.
        """
        ours, theirs = self.network(child, seed), self.network(parent, 0)
        theirs.load_state_dict(state)
        if self.rule == "net2net":
            try:
                return keep_function(ours, theirs, seed=seed, image=self.image)
            except ParameterError:  # the child is not larger in the right way
                pass
        found = inherit(ours, theirs, shapes="equal" if self.rule == "equal" else "overlapping")
        return found if found.share else None
