"""BANANAS: Bayesian optimisation with an ensemble of neural networks over path encodings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from scipy.special import ndtri

from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy, require, require_count
from nasbench_lab.strategies.models.candidates import distinct_new, pool_of_neighbors
from nasbench_lab.strategies.models.encodings import ENCODINGS, Encoding, encode
from nasbench_lab.strategies.models.ensemble import Networks, SingleArray, absolute_error
from nasbench_lab.strategies.models.observations import Observations
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.strategies.task import Evaluations, Task
from nasbench_lab.streams import IntArray, Streams


@dataclass
class _State:
    space: Space
    streams: Streams
    observations: Observations
    visited: Visited  # proposed before
    encodings: SingleArray  # (runs, proposals, length)
    batch: int  # how many are proposed at a time


@final
@dataclass(frozen=True)
class Bananas(Strategy[_State]):
    """BANANAS (White, Neiswanger and Savani, AAAI 2021, algorithm 1).

    The first ``initial`` architectures are random. Then, for ever: train ``members`` networks, which differ by their
    initial weights, to predict the values of everything evaluated from its encoding. Mutate the ``parents`` best
    architectures into ``candidates`` others. With m and s the mean and the deviation (of the sample, over n - 1) of
    the networks' predictions, draw a value from N(m, s**2) for each candidate on its own (independent Thompson
    sampling), and evaluate the ``batch`` with the largest. What was evaluated before is no candidate; where there are
    too few, random new architectures follow.

    Defaults are those of the paper and its code (github.com/naszilla/naszilla) except for the networks, whose training
    is nearly all of the time: 10 layers of 20 units, trained for 150 epochs in batches of 32, there; 2 layers of 20
    units and 30 steps over all examples here, with which the search gets as far. ``parents`` is 1 in that code, where a
    mutation can change several choices; a step to a neighbour changes one, and a single architecture has too few
    neighbours. Values are scaled to mean 0 and variance 1, and a failed training counts as the worst value that the run
    has seen.

    Args:
        initial: number of random architectures at the beginning.
        batch: number of architectures evaluated before the networks are trained again; at least as many as workers.
        members: number of networks.
        candidates: number of mutated architectures.
        parents: number of architectures that are mutated, each about equally often.
        encoding: ``"path"`` or ``"one-hot"`` (see `nasbench_lab.strategies.models.encodings.encode`).
        layers: hidden layers of a network.
        width: units of a layer.
        steps: steps of training.
        learning_rate: of Adam.
    """

    name: ClassVar[str] = "bananas"
    family: ClassVar[str] = "model-based"
    needs: ClassVar[tuple[str, ...]] = ("neighbours",)
    runs_at_a_time: ClassVar[int] = 16
    reference: ClassVar[str] = "White et al., BANANAS: Bayesian Optimization with Neural Architectures, AAAI 2021"

    initial: int = 10
    batch: int = 10
    members: int = 5
    candidates: int = 100
    parents: int = 10
    encoding: Encoding = "path"
    layers: int = 2
    width: int = 20
    steps: int = 30
    learning_rate: float = 0.01

    def __post_init__(self) -> None:
        for name in ("initial", "batch", "candidates", "parents", "layers", "width", "steps"):
            require_count(name, getattr(self, name))
        require_count("members", self.members)
        require(self.members >= 2, f"members must be at least 2, got {self.members}")
        require(self.encoding in ENCODINGS, f"encoding must be one of {', '.join(ENCODINGS)}, got {self.encoding!r}")
        require(self.learning_rate > 0, f"learning_rate must be positive, got {self.learning_rate}")

    def start(self, task: Task) -> _State:
        """Return the state before the first evaluation."""
        space, runs = task.space, task.runs
        length = encode(space, np.zeros(1, dtype=np.int64), self.encoding).shape[1]
        encodings = np.zeros((runs, 0, length), dtype=np.float32)
        batch = max(self.batch, task.workers)
        return _State(space, task.streams, Observations(runs), Visited(space, runs), encodings, batch)

    def ask(self, state: _State) -> IntArray:
        """Propose the first architectures, then a batch, shape (runs, ``initial`` or ``batch``)."""
        runs = len(state.encodings)
        if state.observations.count == 0:
            ranked, count = np.zeros((runs, 0), dtype=np.int64), self.initial
        else:
            ranked, count = self._ranked(state), state.batch
        uniform = state.streams.uniform(2 * count)
        chosen = distinct_new(state.visited, ranked, count, uniform.reshape(runs, count, 2))
        for architecture in chosen.T:
            if (architecture >= 0).all():  # in all runs or in none
                state.observations.propose(architecture)
        proposed = chosen[:, chosen[0] >= 0]
        encodings = encode(state.space, proposed, self.encoding)
        state.encodings = np.concatenate([state.encodings, encodings], axis=1)
        return chosen

    def _ranked(self, state: _State) -> IntArray:
        """Return candidates, the most promising first, shape (runs, candidates)."""
        value = state.observations.values().value
        known = state.observations.architecture
        networks = Networks(
            state.encodings.shape[2], self.layers, self.width, self.members, self.steps, self.learning_rate
        )
        parameters = networks.initial(state.streams.uniform(networks.uniforms))
        networks.train(parameters, state.encodings, absolute_error(value))
        uniform = state.streams.uniform(self.candidates)
        candidates = pool_of_neighbors(state.space, known, value, self.parents, uniform)
        predicted = networks.predict(parameters, encode(state.space, candidates, self.encoding)).astype(np.float64)
        total = sum(predicted[:, member] for member in range(self.members))
        mean = total / self.members
        squares = sum((predicted[:, member] - mean) ** 2 for member in range(self.members))
        normal = ndtri(np.ascontiguousarray(state.streams.uniform(self.candidates)) + 2.0**-54)
        drawn = mean + np.sqrt(squares / (self.members - 1)) * normal
        order = np.argsort(-drawn.astype(np.float32), axis=1, kind="stable")
        return np.take_along_axis(candidates, order, axis=1)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Take the values in."""
        state.observations.tell(evaluations)
