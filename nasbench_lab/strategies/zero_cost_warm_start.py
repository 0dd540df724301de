"""Zero-cost warm start: begin another strategy with the architectures of the highest score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import Count, require
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts.scored_strategy import AUTO, ScoredStrategy, ask_inner, order_by_score
from nasbench_lab.strategies.problem import Evaluations, Problem


@dataclass
class _State:
    inner: Any
    ranked: IntArray  # (runs, warm): the architectures with the highest scores, best first
    asked: int = 0


@final
@dataclass(frozen=True)
class ZeroCostWarmStart(ScoredStrategy[_State]):
    """Begin another strategy with the best of many architectures by a score ("warmup", Abdelfattah et al., ICLR 2021).

    Before the first evaluation, score ``candidates`` random architectures, at the simulated cost of the scores. The
    ``warm`` architectures with the highest scores replace the first proposals of the inner strategy, which are usually
    random. The inner strategy is told their values as if it had proposed them. This is valid only for strategies that
    learn only from what they are told: those with ``takes_warm_start``. For a strategy with a population, the
    population size is the natural choice of ``warm``.

    Args:
        inner: name of the inner strategy, or a Strategy object.
        score: name of the score; higher is better. ``"auto"`` is the first that the table has of synflow, naswot, jacov
            and zen; otherwise the first score of the table. The parameters of a trace name the score that was used.
            ``supernet_fair`` of digits/topology is one of a trained supernet.
        candidates: number of architectures that are scored; 1,000 and 3,000 in the paper.
        warm: number of them that are evaluated.
    """

    name: ClassVar[str] = "zero-cost-warm-start"

    inner: str | Strategy[Any] = "regularized-evolution"
    score: str = AUTO
    candidates: Count = 1000
    warm: Count = 10

    def check(self) -> None:
        """Require ``warm`` <= ``candidates``, and an inner strategy that takes a warm start."""
        require(self.warm <= self.candidates, f"warm must be at most candidates, {self.candidates}, got {self.warm}")
        super().check()
        require(
            self.searcher.takes_warm_start,
            f"{self.searcher.name!r} keeps account of its own proposals and takes no warm start",
        )

    def start(self, problem: Problem) -> _State:
        """Score the candidates, and start the inner strategy."""
        score = self.find_score(problem)
        drawn = problem.space.draw(problem.streams, self.candidates)
        order = order_by_score(problem.scores, score, drawn)[:, : self.warm]
        return _State(self.searcher.start(problem), np.take_along_axis(drawn, order, axis=1))

    def ask(self, state: _State) -> IntArray:
        """Propose the best candidates first, then what the inner strategy proposes, shape (runs, k)."""
        architecture = ask_inner(self.searcher, state.inner)
        first, state.asked = state.asked, state.asked + architecture.shape[1]
        warm = state.ranked[:, first : state.asked]
        if not warm.shape[1]:
            return architecture
        return np.concatenate([warm, architecture[:, warm.shape[1] :]], axis=1)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Pass the values on to the inner strategy."""
        self.searcher.tell(state.inner, evaluations)
