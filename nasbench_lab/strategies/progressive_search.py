"""Progressive search: from small architectures to large ones, led by a predictor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Count, Positive
from nasbench_lab.strategies.models.encodings import Encoding
from nasbench_lab.strategies.models.ensemble import absolute_error
from nasbench_lab.strategies.parts.neighborhood import count_up
from nasbench_lab.strategies.parts.predictor_strategy import PredictorState, PredictorStrategy, by_score
from nasbench_lab.streams import scale


@final
@dataclass(frozen=True)
class ProgressiveSearch(PredictorStrategy):
    """PNAS (Liu, Zoph, Neumann, Shlens, Hua, Li, Fei-Fei, Yuille, Huang and Murphy, ECCV 2018, algorithm 1).

    Evaluate the smallest architectures. Then, from one size to the next: train a predictor on everything evaluated;
    list what the evaluated architectures of the size before become when they grow by one; and evaluate the ``batch`` of
    these that are predicted to be best. After the largest size, go on with the second smallest: architectures of the
    size before, of which there are more now, grow again, and the next ``batch`` that are new are evaluated. (The paper
    ends at the largest size. Going on is what a larger beam would have done, in another order, so that a search can be
    as long as the budget says.)

    In the paper a cell grows by a block. Here, the size of a cell of NAS-Bench-101 is its number of vertices, and that
    of any other architecture the number of its codes that are not 0, the first choice, which is "none" in the cells of
    NAS-Bench-201 (see `nasbench_lab.strategies.parts.sizes.sizes`). Architectures grow into those of their neighbours
    that have the next size. The smallest are all architectures of the smallest sizes, as far as they are at most
    ``initial`` together; if those of the smallest size alone are more, random ones of them; all in random order. Where
    fewer than ``batch`` new ones can be grown, random new architectures of any size follow.

    The paper's beam is 256 cells a size, for 1,280 evaluations; the default of 20 is for a few hundred. Its best
    predictors were ensembles of five networks, recurrent or not, whose mean counts; this one is an ensemble of networks
    that are not recurrent, with the paper's absolute error as the loss. Members differ by their initial weights; there,
    also by which fifth of the data they do not see. Values are scaled to mean 0 and variance 1, and a failed training
    counts as the worst value that the run has seen.

    Args:
        initial: most architectures that are evaluated before there is a predictor.
        batch: number of architectures evaluated of every size, K in the paper; at least as many as workers.
        members: number of networks.
        pool_size: most architectures that are ranked; where more can be grown, so many random ones of them.
        encoding: ``"one-hot"`` or ``"path"`` (see `nasbench_lab.strategies.models.encodings.encode`).
        layers: hidden layers of a network.
        width: units of a layer.
        steps: steps of training.
        learning_rate: of Adam.
    """

    name: ClassVar[str] = "progressive-search"
    aliases: ClassVar[tuple[str, ...]] = ("pnas",)
    reference: ClassVar[str] = "Liu et al., Progressive Neural Architecture Search, ECCV 2018"
    needs: ClassVar[tuple[str, ...]] = ("neighbours",)

    initial: Count = 40
    batch: Count = 20
    members: Count = 5
    pool_size: Count = 1_000
    encoding: Encoding = "one-hot"
    layers: Count = 2
    width: Count = 20
    steps: Count = 50
    learning_rate: Positive = 0.01

    def ask(self, state: PredictorState) -> IntArray:
        """Propose the smallest architectures, then a batch of the next size, shape (runs, k)."""
        sizes, number = np.unique(state.sizes, return_counts=True)
        first = max(int((number.cumsum() <= self.initial).sum()), 1)  # how many sizes are evaluated to begin with
        runs, count = len(state.encodings), state.batch
        ranked = np.zeros((runs, 0), dtype=np.int64)
        if state.batches == 0:
            smallest = np.flatnonzero(state.sizes <= sizes[first - 1])
            ranked = smallest[np.argsort(state.streams.uniform(len(smallest)), axis=1, kind="stable")]
            count = min(len(smallest), self.initial)
        elif first < len(sizes):
            step = first + (state.batches - 1) % (len(sizes) - first)
            ranked = self._ranked(state, sizes[step - 1], sizes[step])
        uniform = state.streams.uniform(2 * count).reshape(runs, count, 2)
        return state.propose(state.choose(ranked, count, uniform))

    def _ranked(self, state: PredictorState, before: int, size: int) -> IntArray:
        """Return what architectures of one size become at the next, the most promising first, (runs, pool_size)."""
        networks = self.networks(state, self.members)
        parameters = state.train(networks, absolute_error(state.observations.values().value))
        grown = _grown(state, before, size, state.streams.uniform(self.pool_size))
        candidates = np.where(grown < 0, state.observations.architecture[:, :1], grown)  # which is not proposed again
        predicted = networks.predict(parameters, state.encode(candidates))
        total = sum(predicted[:, member] for member in range(self.members))
        return by_score(candidates, np.where(grown < 0, -np.inf, total))


def _grown(state: PredictorState, before: int, size: int, uniform: FloatArray) -> IntArray:
    """Return new neighbours, of one size, of what was proposed of another; -1 for none, random ones of too many.

    The shape is that of ``uniform``, whatever the runs have: the predictions of a network can depend, in their last
    bits, on how many there are.
    """
    runs, most = uniform.shape
    run, column = np.nonzero(state.sizes[state.observations.architecture] == before)
    parent = state.observations.architecture[run, column]
    degree = state.space.degree(parent)
    owner = np.repeat(run, degree)
    neighbor = state.space.neighbor_at(np.repeat(parent, degree), count_up(degree))
    new = (state.sizes[neighbor] == size) & ~state.visited.has(owner, neighbor)
    owner, neighbor = owner[new], neighbor[new]
    number = np.bincount(owner, minlength=runs)[:, None]
    place = np.where(number <= most, np.arange(most), scale(uniform, number))
    listed = np.append(neighbor, -1)[np.minimum(number.cumsum(axis=0) - number + place, len(neighbor))]
    return np.where(place < number, listed, -1)
