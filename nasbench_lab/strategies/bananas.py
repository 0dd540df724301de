"""BANANAS: Bayesian optimisation with an ensemble of neural networks over path encodings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import AtLeast, Count, Positive
from nasbench_lab.strategies.models.candidates import pool_of_neighbors
from nasbench_lab.strategies.models.encodings import Encoding
from nasbench_lab.strategies.models.network_ensemble import absolute_error
from nasbench_lab.strategies.models.normal_draws import normal_numbers
from nasbench_lab.strategies.parts.predictor_strategy import CandidateRankingStrategy, PredictorState, by_score


@final
@dataclass(frozen=True)
class Bananas(CandidateRankingStrategy):
    """BANANAS (White, Neiswanger and Savani, AAAI 2021, algorithm 1).

    The first ``initial`` architectures are random. Then repeat: train ``members`` networks, which differ by their
    initial weights, to predict the values of all evaluated architectures from their encodings. Mutate the ``parents``
    best architectures into ``candidates`` others. Let m and s be the mean and the standard deviation (of the sample,
    over n - 1) of the networks' predictions for a candidate. Draw a value from N(m, s**2) for every candidate
    (independent Thompson sampling), and evaluate the ``batch`` candidates with the largest values. Architectures that
    were evaluated before are no candidates; if there are too few candidates, random new architectures fill the batch.

    The defaults are those of the paper and its code (github.com/naszilla/naszilla), except for the networks, which take
    nearly all of the time. The published networks have 10 layers of 20 units and are trained for 150 epochs in batches
    of 32; here 2 layers of 20 units and 30 steps over all examples give as good a search. ``parents`` is 1 in the
    published code, where a mutation can change several choices; here a mutation is a step to a neighbour, which changes
    one choice, and a single architecture has too few neighbours. Values are scaled to mean 0 and variance 1. A failed
    training counts as the worst value that the run has seen.

    Args:
        initial: number of random architectures at the beginning.
        batch: number of architectures evaluated before the networks are trained again; at least the number of workers
            is used.
        members: number of networks.
        candidates: number of mutated architectures.
        parents: number of architectures that are mutated, each about equally often.
        encoding: ``"path"`` or ``"one-hot"`` (see `nasbench_lab.strategies.models.encodings.encoding_for`).
        layers: number of hidden layers of a network.
        width: number of units of a layer.
        steps: number of training steps.
        learning_rate: learning rate of Adam.
    """

    name: ClassVar[str] = "bananas"
    aliases: ClassVar[tuple[str, ...]] = ("neural-predictor",)
    version: ClassVar[int] = 2
    reference: ClassVar[str] = "White et al., BANANAS: Bayesian Optimization with Neural Architectures, AAAI 2021"
    needs: ClassVar[tuple[str, ...]] = ("neighbours",)

    initial: Count = 10
    batch: Count = 10
    members: Annotated[int, AtLeast(2)] = 5
    candidates: Count = 100
    parents: Count = 10
    encoding: Encoding = "path"
    layers: Count = 2
    width: Count = 20
    steps: Count = 30
    learning_rate: Positive = 0.01

    def ranked(self, state: PredictorState) -> IntArray:
        """Return candidates, the most promising first, shape (runs, candidates)."""
        value = state.observations.values().value
        networks = self.networks(state, self.members)
        parameters = state.train(networks, absolute_error(value))
        uniform = state.streams.uniform(self.candidates)
        known = state.observations.architecture
        candidates = pool_of_neighbors(state.space, known, value, self.parents, uniform)
        predicted = networks.predict(parameters, state.encode(candidates)).astype(np.float64)
        total = sum(predicted[:, member] for member in range(self.members))
        mean = total / self.members
        squares = sum((predicted[:, member] - mean) ** 2 for member in range(self.members))
        normal = normal_numbers(state.streams, self.candidates)
        return by_score(candidates, mean + np.sqrt(squares / (self.members - 1)) * normal)
