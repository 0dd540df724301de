"""Zero-cost filter: of every few proposals of another strategy, evaluate only the one with the highest score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import Count, require
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts.scored_strategy import AUTO, ScoredStrategy, ask_inner, order_by_score
from nasbench_lab.strategies.problem import Evaluations, Problem, Scores


@dataclass
class _State:
    inner: Any
    scores: Scores
    score: str
    waiting: IntArray  # (runs, k): proposals of the inner strategy that were not scored yet
    chosen: IntArray  # (runs, capacity): the inner strategy's number of every evaluation
    scored: int = 0  # proposals of the inner strategy so far
    asked: int = 0


@final
@dataclass(frozen=True)
class ZeroCostFilter(ScoredStrategy[_State]):
    """Evaluate only the best of every few proposals by a score ("move proposal", Abdelfattah et al., ICLR 2021).

    Ask the inner strategy for ``candidates`` proposals and score them, at the simulated cost of the scores. Evaluate
    the one with the highest score (ties: the first) and forget the others. The inner strategy must therefore not wait
    for all of its proposals: it must be asynchronous. One with a population starts with fewer members.

    Args:
        inner: name of the inner strategy, or a Strategy object.
        score: name of the score; higher is better. ``"auto"`` is the first that the table has of synflow, naswot, jacov
            and zen; otherwise the first score of the table. The parameters of a trace name the score that was used.
            ``supernet_fair`` of digits/topology is one of a trained supernet.
        candidates: number of proposals of which one is evaluated.
    """

    name: ClassVar[str] = "zero-cost-filter"

    inner: str | Strategy[Any] = "regularized-evolution"
    score: str = AUTO
    candidates: Count = 5

    def check(self) -> None:
        """Require an asynchronous inner strategy."""
        super().check()
        require(self.searcher.asynchronous, f"{self.searcher.name!r} waits for all its proposals: it takes no filter")

    def start(self, problem: Problem) -> _State:
        """Start the inner strategy."""
        nothing = np.empty((problem.runs, 0), dtype=np.int64)
        chosen = np.zeros((problem.runs, 64), dtype=np.int64)
        return _State(self.searcher.start(problem), problem.scores, self.find_score(problem), nothing, chosen)

    def ask(self, state: _State) -> IntArray:
        """Propose the best of the next candidates, shape (runs, 1)."""
        while state.waiting.shape[1] < self.candidates:
            state.waiting = np.concatenate([state.waiting, ask_inner(self.searcher, state.inner)], axis=1)
        candidates, state.waiting = state.waiting[:, : self.candidates], state.waiting[:, self.candidates :]
        best = order_by_score(state.scores, state.score, candidates)[:, :1]
        if state.asked == state.chosen.shape[1]:
            state.chosen = np.concatenate([state.chosen, np.zeros_like(state.chosen)], axis=1)
        state.chosen[:, state.asked] = state.scored + best[:, 0]
        state.scored += self.candidates
        state.asked += 1
        return np.take_along_axis(candidates, best, axis=1)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Pass the values on to the inner strategy, with its own numbers of the evaluations."""
        number = np.take_along_axis(state.chosen, evaluations.number, axis=1)
        self.searcher.tell(state.inner, evaluations._replace(number=number))
