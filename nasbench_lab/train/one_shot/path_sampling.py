"""Which paths of a supernet a training step uses."""

from __future__ import annotations

import dataclasses
import math
from typing import Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from nasbench_lab.spaces import Space

Paths = NDArray[np.int64]
"""Codes of the paths of one step, shape (paths, decisions)."""


_CANDIDATES = 64


class PathSampler(Protocol):
    """Samples the paths of training steps. The gradients of the paths of a step are added before the step is taken."""

    def paths(self, space: Space, random: Generator) -> Paths:
        """Return the codes of the paths of one step, shape (paths, decisions)."""


@dataclasses.dataclass(frozen=True)
class UniformPaths:
    """One path per step, uniform over the architectures (Guo et al., Single Path One-Shot NAS, ECCV 2020, section 3.2).

    >>> from nasbench_lab.spaces import TopologySpace
    >>> UniformPaths().paths(TopologySpace(), np.random.default_rng(0)).shape
    (1, 6)
    """

    def paths(self, space: Space, random: Generator) -> Paths:
        """Return one path."""
        return np.asarray(space.codes(random.integers(space.size, size=1)))


@dataclasses.dataclass(frozen=True)
class FairPaths:
    """As many paths per step as a decision has options; every option is in exactly one of them.

    This is the strict fairness of FairNAS (Chu et al., ICCV 2021, algorithm 1). The options of every decision are
    shuffled again for every step. If decisions have different numbers of options, those with fewer repeat some, chosen
    at random.

    In some spaces, not all combinations of options are architectures, such as in the cells of NAS-Bench-101, where
    options of missing vertices exclude others. There, a step uses as many architectures, and each one is, of 64 drawn
    uniformly, the one whose options were used least in this step.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> paths = FairPaths().paths(TopologySpace(), np.random.default_rng(0))
    >>> np.sort(paths, axis=0).tolist()[1]
    [1, 1, 1, 1, 1, 1]
    """

    def paths(self, space: Space, random: Generator) -> Paths:
        """Return one path per option."""
        sizes = space.cardinalities
        most = max(sizes)
        if math.prod(sizes) != space.size:
            return _spread(space, random, most)
        columns = []
        for size in sizes:
            rounds = [random.permutation(size) for _ in range(-(-most // size))]
            columns.append(np.concatenate(rounds)[:most])
        return np.stack(columns, axis=1)


def _spread(space: Space, random: Generator, count: int) -> Paths:
    """Return the codes of architectures whose options are spread as evenly as draws allow."""
    decisions = np.arange(len(space.cardinalities))
    used = np.zeros((len(decisions), max(space.cardinalities)), dtype=np.int64)
    paths = []
    for _ in range(count):
        drawn = np.asarray(space.codes(random.integers(space.size, size=_CANDIDATES)), dtype=np.int64)
        paths.append(drawn[used[decisions, drawn].sum(axis=1).argmin()])
        used[decisions, paths[-1]] += 1
    return np.stack(paths)
