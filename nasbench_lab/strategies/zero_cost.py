"""Scores that need no training, in the service of another strategy: a warm start, and a filter of proposals."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import unknown
from nasbench_lab.strategies import registry
from nasbench_lab.strategies.base import Strategy, require, require_count
from nasbench_lab.strategies.problem import Evaluations, Problem, Proposals, Scores

S = TypeVar("S")


class _AroundAnother(Strategy[S], Generic[S]):
    """What both strategies of this file share: another one inside."""

    family: ClassVar[str] = "zero-cost"
    needs: ClassVar[tuple[str, ...]] = ("scores",)
    reference: ClassVar[str] = "Abdelfattah et al., Zero-Cost Proxies for Lightweight NAS, ICLR 2021"

    inner: str | Strategy[Any]
    score: str

    @property
    @abc.abstractmethod
    def _searcher(self) -> Strategy[Any]:
        """The inner strategy, checked."""

    @property
    def asynchronous(self) -> bool:  # type: ignore[override] # of the object: it is that of the inner strategy
        """Whether the inner strategy can be asked before it was told of all that it asked for."""
        return self._searcher.asynchronous

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters; the inner strategy by its label."""
        return {**super().parameters, "inner": self._searcher.label}

    def _check_inner(self) -> None:
        require(
            not self._searcher.multi_fidelity, f"inner must not choose fidelities, and {self._searcher.name!r} does"
        )

    def _check_score(self, problem: Problem) -> None:
        if self.score not in problem.scores.names:
            raise unknown("score", self.score, problem.scores.names)


@dataclass
class _WarmState:
    inner: Any
    ranked: IntArray  # (runs, warm): the architectures with the best scores, best first
    asked: int = 0


@final
@dataclass(frozen=True)
class ZeroCostWarmStart(_AroundAnother[_WarmState]):
    """Begin another strategy with the best of many architectures by a score ("warmup", Abdelfattah et al., ICLR 2021).

    Before the first evaluation, ``candidates`` random architectures are scored, which costs what it costs. The first
    ``warm`` proposals of the inner strategy, random ones mostly, are replaced by those with the highest scores; it is
    told of them as if they were its own. That is honest only where a strategy learns from what it is told alone: for
    those with ``takes_warm_start``. With a population, its size is the natural choice of ``warm``.

    Args:
        inner: name of the strategy, or a Strategy object.
        score: the score; higher is better.
        candidates: how many architectures are scored; 1,000 and 3,000 in the paper.
        warm: how many of them are evaluated.
    """

    name: ClassVar[str] = "zero-cost-warm-start"

    inner: str | Strategy[Any] = "regularized-evolution"
    score: str = "synflow"
    candidates: int = 1000
    warm: int = 10

    def __post_init__(self) -> None:
        require_count("candidates", self.candidates)
        require_count("warm", self.warm)
        require(self.warm <= self.candidates, f"warm must be at most candidates, {self.candidates}, got {self.warm}")
        self._check_inner()
        require(
            self._searcher.takes_warm_start,
            f"{self._searcher.name!r} keeps account of its own proposals and takes no warm start",
        )

    @property
    def _searcher(self) -> Strategy[Any]:
        return registry.resolve(self.inner, {})

    def start(self, problem: Problem) -> _WarmState:
        """Score the candidates, and start the inner strategy."""
        self._check_score(problem)
        drawn = problem.space.sample(problem.streams.uniform(self.candidates))
        order = _by_score(problem.scores, self.score, drawn)[:, : self.warm]
        return _WarmState(self._searcher.start(problem), np.take_along_axis(drawn, order, axis=1))

    def ask(self, state: _WarmState) -> IntArray:
        """Propose what the inner strategy does, or one of the best candidates in its place."""
        architecture = _ask(self._searcher, state.inner)
        first, state.asked = state.asked, state.asked + architecture.shape[1]
        warm = state.ranked[:, first : state.asked]
        if not warm.shape[1]:
            return architecture
        return np.concatenate([warm, architecture[:, warm.shape[1] :]], axis=1)

    def tell(self, state: _WarmState, evaluations: Evaluations) -> None:
        """Pass on what was observed."""
        self._searcher.tell(state.inner, evaluations)


@dataclass
class _FilterState:
    inner: Any
    scores: Scores
    waiting: IntArray  # (runs, k): proposals of the inner strategy that were not looked at
    chosen: IntArray  # (runs, capacity): the inner strategy's number of every evaluation
    looked_at: int = 0  # proposals of the inner strategy
    asked: int = 0


@final
@dataclass(frozen=True)
class ZeroCostFilter(_AroundAnother[_FilterState]):
    """Evaluate only the best of every few proposals by a score ("move proposal", Abdelfattah et al., ICLR 2021).

    The inner strategy is asked for ``candidates`` proposals; they are scored, which costs what it costs, and the one
    with the highest score is evaluated (of equals, the first). The others are forgotten. So the inner strategy must not
    wait for all that it asked for: it must be asynchronous. One that has a population founds it with fewer members.

    Args:
        inner: name of the strategy, or a Strategy object.
        score: the score; higher is better.
        candidates: proposals out of which one is evaluated.
    """

    name: ClassVar[str] = "zero-cost-filter"

    inner: str | Strategy[Any] = "regularized-evolution"
    score: str = "synflow"
    candidates: int = 5

    def __post_init__(self) -> None:
        require_count("candidates", self.candidates)
        self._check_inner()
        require(self._searcher.asynchronous, f"{self._searcher.name!r} waits for all its proposals: it takes no filter")

    @property
    def _searcher(self) -> Strategy[Any]:
        return registry.resolve(self.inner, {})

    def start(self, problem: Problem) -> _FilterState:
        """Start the inner strategy."""
        self._check_score(problem)
        nothing = np.empty((problem.runs, 0), dtype=np.int64)
        return _FilterState(
            self._searcher.start(problem), problem.scores, nothing, np.zeros((problem.runs, 64), dtype=np.int64)
        )

    def ask(self, state: _FilterState) -> IntArray:
        """Propose the best of the next candidates, shape (runs, 1)."""
        while state.waiting.shape[1] < self.candidates:
            state.waiting = np.concatenate([state.waiting, _ask(self._searcher, state.inner)], axis=1)
        candidates, state.waiting = state.waiting[:, : self.candidates], state.waiting[:, self.candidates :]
        best = _by_score(state.scores, self.score, candidates)[:, :1]
        if state.asked == state.chosen.shape[1]:
            state.chosen = np.concatenate([state.chosen, np.zeros_like(state.chosen)], axis=1)
        state.chosen[:, state.asked] = state.looked_at + best[:, 0]
        state.looked_at += self.candidates
        state.asked += 1
        return np.take_along_axis(candidates, best, axis=1)

    def tell(self, state: _FilterState, evaluations: Evaluations) -> None:
        """Pass on what was observed."""
        number = np.take_along_axis(state.chosen, evaluations.number, axis=1)
        self._searcher.tell(state.inner, evaluations._replace(number=number))


def _ask(searcher: Strategy[Any], state: Any) -> IntArray:
    """Return the architectures that the inner strategy proposes."""
    asked = searcher.ask(state)
    return asked.architecture if isinstance(asked, Proposals) else asked


def _by_score(scores: Scores, name: str, architecture: IntArray) -> IntArray:
    """Return the order by score, highest first, of equals the first; without a score last. Shape (runs, k)."""
    score: FloatArray = scores.score(name, architecture)
    return np.argsort(np.where(np.isnan(score), np.inf, -score), axis=1, kind="stable")
