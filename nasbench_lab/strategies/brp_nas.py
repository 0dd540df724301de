"""Search with a predictor that learns which of two architectures is the better one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy, require, require_count
from nasbench_lab.strategies.models.candidates import distinct_new
from nasbench_lab.strategies.models.encodings import ENCODINGS, Encoding, encode
from nasbench_lab.strategies.models.ensemble import Networks, SingleArray, pairwise_ranking
from nasbench_lab.strategies.models.observations import Observations
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.strategies.task import Evaluations, Task
from nasbench_lab.streams import IntArray, Streams

_MOST_ENUMERATED = 30_000


@dataclass
class _State:
    space: Space
    streams: Streams
    observations: Observations
    visited: Visited  # proposed before
    encodings: SingleArray  # (runs, proposals, length)
    everything: SingleArray | None  # (1, space.size, length), where the space is small enough
    batch: int  # how many are proposed at a time


@final
@dataclass(frozen=True)
class RankingPredictor(Strategy[_State]):
    """BRP-NAS in spirit (Dudziak, Chau, Abdelfattah, Lee, Kim and Lane, NeurIPS 2020): a pairwise predictor, iterated.

    The first ``batch`` architectures are random. Then, for ever: train a network to say which of two evaluated
    architectures is better, rank the others with it, and evaluate ``batch`` more: ``round(greedy * batch)`` that it
    ranks highest, and as many as are left over drawn at random, so that it also learns what it does not like.

    As in the paper, the loss is the cross-entropy over pairs, and only the ranking counts. Unlike there, the network is
    not a graph convolution with a classifier on top but gives every architecture a score, o, from one-hot codes, and i
    is better than j with probability 1 / (1 + exp(o_j - o_i)) (RankNet: Burges et al., ICML 2005): the simplest model
    whose binary relation is an order, so that ranking n architectures takes n evaluations of it. The network, the
    batch and the share of greedy proposals are this package's choices. Equal values make no pair, nor do two failed
    trainings; any value is better than a failed one.

    All architectures are ranked where there are at most 30,000, else ``pool_size`` random ones.

    Args:
        batch: number of architectures evaluated before the network is trained again; at least as many as workers.
        greedy: fraction of a batch that the predictor chooses.
        encoding: ``"one-hot"`` or ``"path"`` (see `nasbench_lab.strategies.models.encodings.encode`).
        layers: hidden layers of the network.
        width: units of a layer.
        steps: steps of training, each over all pairs.
        learning_rate: of Adam.
        pool_size: number of architectures that are ranked in large spaces.
    """

    name: ClassVar[str] = "brp-nas"
    family: ClassVar[str] = "model-based"
    runs_at_a_time: ClassVar[int] = 16
    reference: ClassVar[str] = "Dudziak et al., BRP-NAS: Prediction-Based NAS Using GCNs, NeurIPS 2020"

    batch: int = 10
    greedy: float = 0.5
    encoding: Encoding = "one-hot"
    layers: int = 2
    width: int = 20
    steps: int = 100
    learning_rate: float = 0.01
    pool_size: int = 1_000

    def __post_init__(self) -> None:
        for name in ("batch", "layers", "width", "steps", "pool_size"):
            require_count(name, getattr(self, name))
        require(0 <= self.greedy <= 1, f"greedy must be from 0 to 1, got {self.greedy}")
        require(self.encoding in ENCODINGS, f"encoding must be one of {', '.join(ENCODINGS)}, got {self.encoding!r}")
        require(self.learning_rate > 0, f"learning_rate must be positive, got {self.learning_rate}")

    def start(self, task: Task) -> _State:
        """Return the state before the first evaluation."""
        space, runs = task.space, task.runs
        everything = None
        if space.size <= _MOST_ENUMERATED:
            everything = encode(space, np.arange(space.size), self.encoding)[None]
        length = encode(space, np.zeros(1, dtype=np.int64), self.encoding).shape[1]
        encodings = np.zeros((runs, 0, length), dtype=np.float32)
        batch = max(self.batch, task.workers)
        return _State(space, task.streams, Observations(runs), Visited(space, runs), encodings, everything, batch)

    def ask(self, state: _State) -> IntArray:
        """Propose a batch, shape (runs, ``batch``)."""
        runs = len(state.encodings)
        uniform = state.streams.uniform(2 * state.batch).reshape(runs, state.batch, 2).copy()
        ranked = np.zeros((runs, 0), dtype=np.int64)
        favoured = 0
        if state.observations.count:
            favoured = round(self.greedy * state.batch)
            ranked = self._ranked(state)
        chosen = np.concatenate(
            [
                distinct_new(state.visited, ranked, favoured, uniform[:, :favoured]),
                distinct_new(state.visited, ranked[:, :0], state.batch - favoured, uniform[:, favoured:]),
            ],
            axis=1,
        )
        proposed = chosen[:, chosen[0] >= 0]  # -1 in all runs or in none
        for architecture in proposed.T:
            state.observations.propose(architecture)
        encodings = encode(state.space, proposed, self.encoding)
        state.encodings = np.concatenate([state.encodings, encodings], axis=1)
        return chosen

    def _ranked(self, state: _State) -> IntArray:
        """Return the architectures that the predictor ranks highest, best first; of equals, the first."""
        value = state.observations.value
        networks = Networks(state.encodings.shape[2], self.layers, self.width, 1, self.steps, self.learning_rate)
        parameters = networks.initial(state.streams.uniform(networks.uniforms))
        networks.train(parameters, state.encodings, pairwise_ranking(np.fmax(value, -np.inf)))
        runs = len(value)
        if state.everything is None:
            candidates = state.space.sample(state.streams.uniform(self.pool_size))
            score = networks.predict(parameters, encode(state.space, candidates, self.encoding))[:, 0]
            score[state.visited.has(np.arange(runs)[:, None], candidates)] = -np.inf
        else:
            candidates = np.broadcast_to(np.arange(state.space.size), (runs, state.space.size))
            score = networks.predict(parameters, state.everything)[:, 0]
            np.put_along_axis(score, state.observations.architecture, -np.inf, axis=1)
        # The threshold first: sorting everything would take longer than the predictor.
        kept = min(state.batch, score.shape[1])
        threshold = np.partition(score, score.shape[1] - kept, axis=1)[:, -kept, None]
        order = np.argsort(-np.where(score >= threshold, score, -np.inf), axis=1, kind="stable")[:, :kept]
        return np.take_along_axis(candidates, order, axis=1)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Take the values in."""
        state.observations.tell(evaluations)
