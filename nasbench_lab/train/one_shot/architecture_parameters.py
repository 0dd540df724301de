"""Trained distributions over architectures: one categorical distribution per decision."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn

from nasbench_lab.arrays import FloatArray
from nasbench_lab.spaces import Space

_CODES_AT_A_TIME = 2**16
_ROUNDS = 200


class ArchitectureParameters(nn.Module):
    """One vector of logits per decision, the alphas of DARTS.

    Args:
        space: the search space.
        scale: standard deviation of the initial logits; DARTS uses 0.001.
        random: draws the initial logits.
        device: where the logits are.

    Attributes:
        logits: one parameter per decision, shape (options,).
    """

    def __init__(self, space: Space, scale: float, random: Generator, device: torch.device | str = "cpu") -> None:
        super().__init__()
        drawn = [scale * random.standard_normal(size) for size in space.cardinalities]
        self.logits = nn.ParameterList(
            nn.Parameter(torch.tensor(each, dtype=torch.float32, device=device)) for each in drawn
        )

    def probabilities(self) -> list[Tensor]:
        """Return the softmax of the logits of every decision."""
        return [logits.softmax(dim=0) for logits in self.logits]

    def log_probabilities(self) -> list[FloatArray]:
        """Return the logarithms of the probabilities, without gradients."""
        return [logits.detach().double().log_softmax(dim=0).cpu().numpy() for logits in self.logits]


def most_probable(
    space: Space, log_probabilities: Sequence[FloatArray], without: Sequence[Collection[int]] | None = None
) -> int:
    """Return the architecture with the highest product of probabilities; of several, the first.

    Args:
        space: the search space.
        log_probabilities: per decision, shape (options,).
        without: per decision, the options that are not allowed, e.g. ``none`` where a method leaves it out of the
            derived architecture.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> space = TopologySpace()
    >>> likely = [np.log([0.5, 0.1, 0.1, 0.2, 0.1])] * 6
    >>> space.codes(most_probable(space, likely)).tolist()
    [0, 0, 0, 0, 0, 0]
    >>> space.codes(most_probable(space, likely, without=[[0]] * 6)).tolist()
    [3, 3, 3, 3, 3, 3]
    """
    scores = [np.array(each, dtype=np.float64) for each in log_probabilities]
    for each, excluded in zip(scores, without or [()] * len(scores), strict=True):
        each[list(excluded)] = -np.inf
    best = np.array([int(each.argmax()) for each in scores])
    index = int(space.find(best[None])[0])
    if index >= 0:
        return index
    # The most probable options do not form an architecture, as in the cells of NAS-Bench-101: look at all.
    return int(np.argmax(total_of(space, scores)))


def total_of(space: Space, log_probabilities: Sequence[FloatArray]) -> FloatArray:
    """Return the sum over decisions for every architecture, shape (size,)."""
    space.require_listed("choosing the most probable architecture where not every combination of codes is one")
    found = np.empty(space.size)
    for first in range(0, space.size, _CODES_AT_A_TIME):
        codes = space.codes(np.arange(first, min(first + _CODES_AT_A_TIME, space.size)))
        found[first : first + len(codes)] = sum(each[codes[:, place]] for place, each in enumerate(log_probabilities))
    return found


def sample_codes(space: Space, probabilities: Sequence[FloatArray], random: Generator, size: int) -> NDArray[np.int64]:
    """Return the codes of architectures that are drawn from the distributions, shape (size, decisions).

    Draws that are no architectures are drawn again.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> only = [np.eye(5)[2]] * 6
    >>> sample_codes(TopologySpace(), only, np.random.default_rng(0), 2).tolist()
    [[2, 2, 2, 2, 2, 2], [2, 2, 2, 2, 2, 2]]
    """
    sums = [np.cumsum(each / np.sum(each)) for each in probabilities]
    found = np.empty((0, len(sums)), dtype=np.int64)
    for _ in range(_ROUNDS):
        uniform = random.random((size, len(sums)))
        columns = [
            np.minimum(np.searchsorted(each, uniform[:, place], side="right"), len(each) - 1)
            for place, each in enumerate(sums)
        ]
        drawn = np.stack(columns, axis=1)
        found = np.concatenate([found, drawn[space.find(drawn) >= 0]])
        if len(found) >= size:
            return found[:size]
    # Hardly any combination of likely options is an architecture: draw from all architectures.
    with np.errstate(divide="ignore"):
        totals = total_of(space, [np.log(each) for each in probabilities])
    noisy = totals + random.gumbel(size=(size, space.size))
    return np.concatenate([found, space.codes(noisy.argmax(axis=1))])[:size]


def most_probable_ones(space: Space, log_probabilities: Sequence[FloatArray], count: int) -> list[int]:
    """Return the architectures with the highest products of probabilities, the best first; fewer if there are fewer.

    They are found one after the other, without a list of all architectures: the next best codes differ from some better
    ones in one decision, where they have the next best option.

    >>> from nasbench_lab.spaces import ChainSpace
    >>> space = ChainSpace("abc", 2)
    >>> likely = [np.log([0.6, 0.3, 0.1]), np.log([0.5, 0.1, 0.4])]
    >>> [space.format(index) for index in most_probable_ones(space, likely, 4)]
    ['aa', 'ac', 'ba', 'bc']
    """
    orders = [np.argsort(-each, kind="stable").tolist() for each in log_probabilities]
    values = [-np.asarray(each)[order] for each, order in zip(log_probabilities, orders, strict=True)]
    first = (0,) * len(orders)
    waiting = [(float(sum(each[0] for each in values)), first)]
    found: dict[int, None] = {}
    while waiting and len(found) < count:
        _, ranks = heapq.heappop(waiting)
        index = int(space.find([order[rank] for order, rank in zip(orders, ranks, strict=True)]))
        if index >= 0:
            found[index] = None
        # Every other row of ranks is reached once: from the row where its last rank that is not 0 is one less.
        last = max((place for place, rank in enumerate(ranks) if rank), default=0)
        for place in range(last, len(ranks)):
            if ranks[place] + 1 < len(orders[place]):
                after = (*ranks[:place], ranks[place] + 1, *ranks[place + 1 :])
                cost = sum(each[rank] for each, rank in zip(values, after, strict=True))
                heapq.heappush(waiting, (float(cost), after))
    return list(found)
