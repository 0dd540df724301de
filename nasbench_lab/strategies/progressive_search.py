"""Progressive search: a predictor leads from small architectures to large ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Count, Positive
from nasbench_lab.strategies.models.encodings import Encoding
from nasbench_lab.strategies.models.network_ensemble import absolute_error
from nasbench_lab.strategies.parts.neighborhood import count_up
from nasbench_lab.strategies.parts.predictor_strategy import PredictorState, PredictorStrategy, by_score
from nasbench_lab.streams import scale


@final
@dataclass(frozen=True)
class ProgressiveSearch(PredictorStrategy):
    """PNAS (Liu, Zoph, Neumann, Shlens, Hua, Li, Fei-Fei, Yuille, Huang and Murphy, ECCV 2018, algorithm 1).

    Evaluate the smallest architectures. Then repeat for the next larger size: train a predictor on all evaluated
    architectures; list the architectures of this size that grow from the evaluated ones of the size before; and
    evaluate the ``batch`` of them with the best predictions. After the largest size, continue with the second smallest:
    the architectures of the size before, of which there are more now, grow again, and the next ``batch`` new ones are
    evaluated. (The paper ends at the largest size. Continuing evaluates, in another order, what a larger beam would
    have evaluated, so that a search can be as long as the budget allows.)

    In the paper a cell grows by a block. Here, the size of a cell of NAS-Bench-101 is its number of vertices. The size
    of any other architecture is the number of its codes that are not 0, the first choice, which is "none" in the cells
    of NAS-Bench-201 (see `nasbench_lab.spaces.Space.size_of`). Architectures grow into their neighbours of the
    next size. The smallest architectures are those of the smallest sizes that have at most ``initial`` architectures
    together, in random order; if the smallest size alone has more, random ones of it. If fewer than ``batch`` new
    architectures can be grown, random new architectures of any size fill the batch.

    The paper's beam is 256 cells per size, for 1,280 evaluations; the default of 20 is for a few hundred. Its best
    predictors were ensembles of five networks, recurrent or not, whose mean counts. Here it is an ensemble of networks
    that are not recurrent, with the paper's absolute error as the loss. The networks differ by their initial weights;
    in the paper, also by which fifth of the data they do not see. Values are scaled to mean 0 and variance 1. A failed
    training counts as the worst value that the run has seen.

    Args:
        initial: largest number of architectures that are evaluated before there is a predictor.
        batch: number of architectures evaluated per size, K in the paper; at least the number of workers is used.
        members: number of networks.
        pool_size: largest number of architectures that are ranked; if more can be grown, a random sample of this size.
        encoding: ``"one-hot"`` or ``"path"`` (see `nasbench_lab.strategies.models.encodings.encode`).
        layers: number of hidden layers of a network.
        width: number of units of a layer.
        steps: number of training steps.
        learning_rate: learning rate of Adam.
    """

    name: ClassVar[str] = "progressive-search"
    aliases: ClassVar[tuple[str, ...]] = ("pnas",)
    version: ClassVar[int] = 2
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
        smallest, sizes = state.sizes.growth(self.initial)
        runs, count = len(state.encodings), state.batch
        ranked = np.zeros((runs, 0), dtype=np.int64)
        if state.batches == 0:
            ranked = smallest[np.argsort(state.streams.uniform(len(smallest)), axis=1, kind="stable")]
            count = min(len(smallest), self.initial)
        elif len(sizes) > 1:
            step = (state.batches - 1) % (len(sizes) - 1)
            ranked = self._ranked(state, sizes[step], sizes[step + 1])
        uniform = state.streams.uniform(state.visited.draws * count).reshape(runs, count, -1)
        return state.propose(state.choose(ranked, count, uniform))

    def _ranked(self, state: PredictorState, before: int, size: int) -> IntArray:
        """Return the architectures that grow from one size to the next, best prediction first, (runs, pool_size)."""
        networks = self.networks(state, self.members)
        parameters = state.train(networks, absolute_error(state.observations.values().value))
        grown = _grown(state, before, size, state.streams.uniform(self.pool_size))
        candidates = np.where(grown < 0, state.observations.architecture[:, :1], grown)  # known, so not proposed again
        predicted = networks.predict(parameters, state.encode(candidates))
        total = sum(predicted[:, member] for member in range(self.members))
        return by_score(candidates, np.where(grown < 0, -np.inf, total))


def _grown(state: PredictorState, before: int, size: int, uniform: FloatArray) -> IntArray:
    """Return new neighbours, of one size, of the proposals of another size; a random sample if there are too many.

    The shape is that of ``uniform``, with -1 for missing neighbours. It does not depend on the runs, because the last
    bits of a network's predictions can depend on the number of its inputs.
    """
    runs, most = uniform.shape
    run, column = np.nonzero(state.sizes.of(state.observations.architecture) == before)
    parent = state.observations.architecture[run, column]
    degree = state.space.degree(parent)
    owner = np.repeat(run, degree)
    neighbor = state.space.neighbor_at(np.repeat(parent, degree), count_up(degree))
    new = (state.sizes.of(neighbor) == size) & ~state.visited.has(owner, neighbor)
    owner, neighbor = owner[new], neighbor[new]
    number = np.bincount(owner, minlength=runs)[:, None]
    place = np.where(number <= most, np.arange(most), scale(uniform, number))
    listed = np.append(neighbor, -1)[np.minimum(number.cumsum(axis=0) - number + place, len(neighbor))]
    return np.where(place < number, listed, -1)
