"""The base of strategies that train a predictor on all observed values, propose a batch, and train again."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.models.candidates import distinct_new
from nasbench_lab.strategies.models.encodings import Encoding, encoding_for, length
from nasbench_lab.strategies.models.network_ensemble import Networks, SingleArray, Slope
from nasbench_lab.strategies.models.observations import Observations
from nasbench_lab.strategies.parts.architecture_sizes import ArchitectureSizes
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams


@dataclass
class PredictorState:
    """The proposals and values of all runs.

    Attributes:
        space: the search space.
        streams: the random numbers of all runs.
        observations: proposals and their values.
        visited: the proposed architectures.
        encoding: encoding of architectures for the networks.
        encodings: the proposals in that encoding, shape (runs, proposals, length).
        batch: number of architectures proposed at a time.
        batches: number of batches proposed so far.
    """

    space: Space
    streams: Streams
    observations: Observations
    visited: Visited
    encoding: str
    encodings: SingleArray
    batch: int
    batches: int = 0

    def encode(self, architecture: IntArray) -> SingleArray:
        """Return architectures as inputs of the networks, shape (...) to (..., length)."""
        return self.space.encode(architecture, self.encoding)

    @cached_property
    def everything(self) -> SingleArray:
        """All architectures of a space that is listed in that encoding, shape (1, space.size, length)."""
        return self.encode(np.arange(self.space.size))[None]

    @cached_property
    def sizes(self) -> ArchitectureSizes:
        """The sizes of architectures of the space."""
        return ArchitectureSizes(self.space)

    def choose(self, ranked: IntArray, count: int, uniform: FloatArray) -> IntArray:
        """Choose the first ``count`` new ones of ranked architectures, shape (runs, count) (see `distinct_new`)."""
        return distinct_new(self.visited, ranked, count, uniform)

    def propose(self, chosen: IntArray) -> IntArray:
        """Record proposals, shape (runs, k), and return them."""
        proposed = chosen[:, chosen[0] >= 0]  # -1 in all runs or in none: all have made the same number of proposals
        for architecture in proposed.T:
            self.observations.propose(architecture)
        self.batches += 1
        self.encodings = np.concatenate([self.encodings, self.encode(proposed)], axis=1)
        return chosen

    def train(self, networks: Networks, slope: Slope) -> list[SingleArray]:
        """Return the parameters of networks trained on all proposals, each from its own initial weights."""
        parameters = networks.initial(self.streams.uniform(networks.uniforms))
        networks.train(parameters, self.encodings, slope)
        return parameters


class PredictorStrategy(Strategy[PredictorState]):
    """Trains networks again for every batch that it proposes. A subclass is a dataclass with these parameters.

    Attributes:
        batch: number of architectures evaluated before the networks are trained again; at least the number of workers
            is used.
        encoding: ``"path"`` or ``"one-hot"`` (see `nasbench_lab.strategies.models.encodings.encoding_for`).
        layers: number of hidden layers of a network.
        width: number of units of a layer.
        steps: number of training steps.
        learning_rate: learning rate of Adam.
    """

    family: ClassVar[str] = "model-based"
    runs_at_a_time: ClassVar[int] = 8

    batch: int
    encoding: Encoding
    layers: int
    width: int
    steps: int
    learning_rate: float

    def start(self, problem: Problem) -> PredictorState:
        """Return the state before the first evaluation."""
        space, runs = problem.space, problem.runs
        encoding = encoding_for(space, self.encoding)
        encodings = np.zeros((runs, 0, length(space, encoding)), dtype=np.float32)
        batch = max(self.batch, problem.workers)
        return PredictorState(
            space, problem.streams, Observations(runs), Visited(space, runs), encoding, encodings, batch
        )

    @abc.abstractmethod
    def ask(self, state: PredictorState) -> IntArray:
        """Propose a batch, shape (runs, k)."""

    def tell(self, state: PredictorState, evaluations: Evaluations) -> None:
        """Record the values."""
        state.observations.tell(evaluations)

    def networks(self, state: PredictorState, members: int) -> Networks:
        """Return the untrained networks of every run."""
        return Networks(state.encodings.shape[2], self.layers, self.width, members, self.steps, self.learning_rate)


class CandidateRankingStrategy(PredictorStrategy):
    """Begins with random architectures; then ranks candidates for every batch, and proposes the first of them."""

    initial: int

    @abc.abstractmethod
    def ranked(self, state: PredictorState) -> IntArray:
        """Return candidates, best first, shape (runs, candidates)."""

    def ask(self, state: PredictorState) -> IntArray:
        """Propose the first architectures, then a batch, shape (runs, ``initial`` or ``batch``)."""
        runs = len(state.encodings)
        ranked, count = np.zeros((runs, 0), dtype=np.int64), self.initial
        if state.observations.count:
            ranked, count = self.ranked(state), state.batch
        # First the first draws of all: a run begins like random search.
        uniform = state.visited.uniforms(state.streams, count)
        return state.propose(state.choose(ranked, count, uniform))


def by_score(candidates: IntArray, score: FloatArray | SingleArray) -> IntArray:
    """Return candidates sorted by score, highest first, shape (runs, candidates); ties keep their order."""
    order = np.argsort(-score.astype(np.float32), axis=1, kind="stable")
    return np.take_along_axis(candidates, order, axis=1)
