"""Predictor search: any regressor over any encoding ranks the architectures, and the best are evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Count, Probability, require
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.models.candidates import distinct_new, pool
from nasbench_lab.strategies.models.observations import Observations
from nasbench_lab.strategies.models.regressors import (
    Regressor,
    fit_regressor,
    make_regressor,
    predict_values,
    regressor_facts,
    regressor_label,
)
from nasbench_lab.strategies.models.whole_space import CandidateSet, ranks_all
from nasbench_lab.strategies.parts.scored_vectors import ScoredVectors
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams

_POOL = 1_000
_PARENTS = 10
_SEEDS = 2**32
_BITS = 2.0**30


@dataclass
class _State:
    space: Space
    streams: Streams
    vectors: ScoredVectors
    observations: Observations
    visited: Visited
    batch: int


@final
@dataclass(frozen=True)
class PredictorSearch(Strategy[_State]):
    """Train a predictor, evaluate the architectures that it ranks highest, and repeat.

    The first ``initial`` architectures are random. Then repeat: fit the model to all evaluated architectures, rank the
    candidates by its predictions, and evaluate ``batch`` more. ``round(greedy * batch)`` of them are the highest; the
    others are random, so that the model also learns from architectures that it ranks low (as in BRP-NAS). Equal
    predictions are put in random order. No architecture is evaluated twice.

    The model is any regressor with the interface of scikit-learn. It is fitted in a Python loop over runs, so this
    strategy is slow: a run of 150 evaluations takes about a second with the defaults. The strategies `brp-nas`,
    `bananas`, `npenas`, `smac` and `gp-bo` train the models of all runs at once. The page docs/encodings.md lists
    models and encodings, and docs/design/predictor-search.md how the defaults were chosen.

    The default model is the pairwise ranker of BRP-NAS, which only learns the order of architectures.

    Values are scaled to mean 0 and variance 1. A failed training counts as the worst value that the run has seen. An
    encoding can contain zero-cost scores of the table, such as ``"graph-features+synflow"``: a run pays for the score
    of an architecture once, when it first is a candidate. A failed score counts as the lowest that the run has seen.

    Args:
        model: a name of `list_regressors`, also with parameters (``"extra-trees:n_estimators=100"``),
            ``"package.module:Class"``, or a regressor.
        encoding: an encoding of the space (`Space.encodings`), a zero-cost score, ``"scores"`` for all scores, or
            several joined with ``+``. None: what the model needs; otherwise ``"graph-features"`` where the space has
            them, and ``"one-hot"`` where it does not.
        initial: number of random architectures at the beginning.
        batch: number of architectures evaluated before the model is fitted again; at least the number of workers is
            used.
        greedy: fraction of a batch that the model chooses.
        candidates: what is ranked. ``"all"``: all architectures; ``"pool"``: half of them random, and half neighbours
            of the ten best; ``"auto"``: all of at most 30,000, unless a ``pool_size`` is given, and otherwise a pool.
        pool_size: number of architectures in a pool; None for 1,000.
    """

    name: ClassVar[str] = "predictor-search"
    aliases: ClassVar[tuple[str, ...]] = ("neural-predictor", "surrogate")
    version: ClassVar[int] = 1
    family: ClassVar[str] = "model-based"
    reference: ClassVar[str] = "White et al., How Powerful are Performance Predictors in NAS?, NeurIPS 2021"
    runs_at_a_time: ClassVar[int] = 8

    model: str | Regressor = "pairwise-ranker"
    encoding: str | None = None
    initial: Count = 10
    batch: Count = 10
    greedy: Probability = 0.8
    candidates: CandidateSet = "auto"
    pool_size: Count | None = None

    def check(self) -> None:
        """Require a model that can be made, an encoding that it takes, and candidates that fit the size of a pool."""
        require(
            self.candidates != "all" or self.pool_size is None,
            "candidates='all' has no pool: leave out pool_size, or choose candidates='pool'",
        )
        needed = regressor_facts(self.model).encoding
        require(
            self.encoding is None or needed is None or self.encoding == needed,
            f"model {regressor_label(self.model)!r} takes encoding {needed!r} only, got {self.encoding!r}",
        )
        make_regressor(self.model)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters; the model by its label."""
        return {**super().parameters, "model": regressor_label(self.model)}

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation."""
        self._ranks_all(problem.space)  # before anything is evaluated
        space, runs = problem.space, problem.runs
        encoding = regressor_facts(self.model).encoding if self.encoding is None else self.encoding
        if encoding is None:
            encoding = "graph-features" if "graph-features" in space.encodings else "one-hot"
        vectors = ScoredVectors(space, problem.scores, encoding, runs)
        batch = max(self.batch, problem.workers)
        return _State(space, problem.streams, vectors, Observations(runs), Visited(space, runs), batch)

    def ask(self, state: _State) -> IntArray:
        """Propose the first architectures, then a batch, shape (runs, ``initial`` or ``batch``)."""
        runs = state.streams.runs
        nothing = np.zeros((runs, 0), dtype=np.int64)
        ranked, greedy, count = nothing, 0, self.initial
        if state.observations.count:
            ranked, greedy, count = self._ranked(state), round(self.greedy * state.batch), state.batch
        # First the first draws of all: a run begins like random search.
        uniform = state.visited.uniforms(state.streams, count).copy()
        best = distinct_new(state.visited, ranked, greedy, uniform[:, :greedy])
        others = distinct_new(state.visited, nothing, count - greedy, uniform[:, greedy:])
        chosen = np.concatenate([best, others], axis=1)
        for architecture in chosen[:, chosen[0] >= 0].T:  # -1 in all runs or in none: all have proposed as many
            state.observations.propose(architecture)
        return chosen

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Record the values."""
        state.observations.tell(evaluations)

    def _ranks_all(self, space: Space) -> bool:
        """Return whether all architectures are candidates."""
        return ranks_all(space, self.candidates if self.pool_size is None else "pool")

    def _ranked(self, state: _State) -> IntArray:
        """Return the candidates with the highest predictions, best first, shape (runs, at least a batch)."""
        known = state.observations.architecture
        # Fewer bits, so that rounding errors of the scaling cannot decide between two splits of a tree.
        value = np.round(state.observations.values().value * _BITS) / _BITS
        runs, space = state.streams.runs, state.space
        seed = (state.streams.uniform(1)[:, 0] * _SEEDS).astype(np.int64)
        if self._ranks_all(space):
            candidates = np.broadcast_to(np.arange(space.size), (runs, space.size))
            examples, inputs = state.vectors.encode(known), state.vectors.encode_all()
        else:
            candidates = pool(space, state.streams, known, value, _PARENTS, self.pool_size or _POOL)
            examples, inputs = state.vectors.encode(known), state.vectors.encode(candidates)
        score, label = np.empty(candidates.shape), f"model {regressor_label(self.model)!r}"
        for run in range(runs):
            regressor = make_regressor(self.model, seed=int(seed[run]))
            fit_regressor(regressor, examples[run], value[run], label)
            score[run] = predict_values(regressor, inputs[run], label)
        score[state.visited.has(np.arange(runs)[:, None], candidates)] = -np.inf
        return _first(candidates, score, state.streams.uniform(candidates.shape[1]), state.batch)


def _first(candidates: IntArray, score: FloatArray, uniform: FloatArray, count: int) -> IntArray:
    """Return candidates by score, highest first, and ties by the uniform numbers; NaN is the lowest score."""
    height = np.where(np.isnan(score), -np.inf, score).astype(np.float32)
    order = np.lexsort((uniform, -height), axis=1)[:, : 4 * count]  # a pool can hold an architecture several times
    return np.take_along_axis(candidates, order, axis=1)
