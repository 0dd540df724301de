"""BRP-NAS: a predictor learns which of two architectures is better, and its ranking chooses what to evaluate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import Count, Positive, Probability
from nasbench_lab.strategies.models.candidates import pool
from nasbench_lab.strategies.models.encodings import Encoding
from nasbench_lab.strategies.models.network_ensemble import pairwise_ranking
from nasbench_lab.strategies.models.whole_space import CandidateSet, ranks_all
from nasbench_lab.strategies.parts.predictor_strategy import PredictorState, PredictorStrategy
from nasbench_lab.strategies.problem import Problem

_PARENTS = 10


@final
@dataclass(frozen=True)
class RankingPredictor(PredictorStrategy):
    """A variant of BRP-NAS (Dudziak, Chau, Abdelfattah, Lee, Kim and Lane, NeurIPS 2020) with a pairwise predictor.

    The first ``batch`` architectures are random. Then repeat: train a network to predict which of two evaluated
    architectures is better, rank the other architectures with it, and evaluate ``batch`` more. ``round(greedy *
    batch)`` of them have the highest ranks; the rest are random, so that the network also learns from architectures
    that it ranks low.

    As in the paper, the loss is the cross-entropy over pairs, and only the ranking counts. The paper's network is a
    graph convolution with a classifier on top; here a network gives every architecture i a score o_i from its one-hot
    codes, and i is better than j with probability 1 / (1 + exp(o_j - o_i)) (RankNet: Burges et al., ICML 2005). This is
    the simplest model with a transitive order, so ranking n architectures takes n evaluations of the network. The
    network, the batch and the fraction of greedy proposals are choices of this package. Pairs of equal values and pairs
    of two failed trainings are ignored; any value is better than a failed training.

    With ``candidates="auto"``, all architectures are ranked if there are at most 30,000, and otherwise ``pool_size``
    random ones. In a space that is too large to list, and with ``"pool"``, half of the pool are random and half are
    neighbours of the ten best architectures so far.

    Args:
        batch: number of architectures evaluated before the network is trained again; at least the number of workers is
            used.
        greedy: fraction of a batch that the predictor chooses.
        encoding: ``"one-hot"`` or ``"path"`` (see `nasbench_lab.strategies.models.encodings.encoding_for`).
        layers: number of hidden layers of the network.
        width: number of units of a layer.
        steps: number of training steps, each over all pairs.
        learning_rate: learning rate of Adam.
        candidates: what is ranked: all architectures (``"all"``), a ``"pool"``, or what suits the space (``"auto"``).
        pool_size: number of architectures in a pool.
    """

    name: ClassVar[str] = "brp-nas"
    aliases: ClassVar[tuple[str, ...]] = ("neural-predictor",)
    version: ClassVar[int] = 2
    reference: ClassVar[str] = "Dudziak et al., BRP-NAS: Prediction-Based NAS Using GCNs, NeurIPS 2020"

    batch: Count = 10
    greedy: Probability = 0.5
    encoding: Encoding = "one-hot"
    layers: Count = 2
    width: Count = 20
    steps: Count = 100
    learning_rate: Positive = 0.01
    candidates: CandidateSet = "auto"
    pool_size: Count = 1_000

    def start(self, problem: Problem) -> PredictorState:
        """Return the state before the first evaluation."""
        ranks_all(problem.space, self.candidates)  # before anything is evaluated
        return super().start(problem)

    def ask(self, state: PredictorState) -> IntArray:
        """Propose a batch, shape (runs, ``batch``)."""
        # First the first draws of all: a run begins like random search.
        uniform = state.visited.uniforms(state.streams, state.batch).copy()
        runs = len(state.encodings)
        nothing = np.zeros((runs, 0), dtype=np.int64)
        ranked, favoured = nothing, 0
        if state.observations.count:
            ranked, favoured = self._ranked(state), round(self.greedy * state.batch)
        best = state.choose(ranked, favoured, uniform[:, :favoured])
        others = state.choose(nothing, state.batch - favoured, uniform[:, favoured:])
        return state.propose(np.concatenate([best, others], axis=1))

    def _ranked(self, state: PredictorState) -> IntArray:
        """Return the architectures with the highest predicted ranks, best first; ties: the first."""
        value, space = state.observations.value, state.space
        runs = len(value)
        networks = self.networks(state, 1)
        parameters = state.train(networks, pairwise_ranking(np.fmax(value, -np.inf)))
        if ranks_all(space, self.candidates):
            candidates = np.broadcast_to(np.arange(space.size), (runs, space.size))
            score = networks.predict(parameters, state.everything)[:, 0]
            np.put_along_axis(score, state.observations.architecture, -np.inf, axis=1)
        else:
            candidates = self._pool(state)
            score = networks.predict(parameters, state.encode(candidates))[:, 0]
            score[state.visited.has(np.arange(runs)[:, None], candidates)] = -np.inf
        # Find the threshold first: sorting all scores would take longer than computing them.
        kept = min(state.batch, score.shape[1])
        threshold = np.partition(score, score.shape[1] - kept, axis=1)[:, -kept, None]
        order = np.argsort(-np.where(score >= threshold, score, -np.inf), axis=1, kind="stable")[:, :kept]
        return np.take_along_axis(candidates, order, axis=1)

    def _pool(self, state: PredictorState) -> IntArray:
        """Return the architectures that are ranked where not all are, shape (runs, pool_size)."""
        space, streams, observations = state.space, state.streams, state.observations
        if space.is_listed and self.candidates == "auto":
            return space.draw(streams, self.pool_size)
        value = observations.values().value
        return pool(space, streams, observations.architecture, value, _PARENTS, self.pool_size)
