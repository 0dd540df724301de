"""The base of strategies that rank proposals by zero-cost scores and leave the search to another strategy inside."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import require
from nasbench_lab.messages import unknown
from nasbench_lab.strategies import registry
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.problem import Problem, Proposals, Scores

S = TypeVar("S")


class ScoredStrategy(Strategy[S], Generic[S]):
    """A strategy around another one. A subclass is a dataclass with these parameters.

    Attributes:
        inner: name of the inner strategy, or a Strategy object.
        score: name of the score; higher is better.
    """

    family: ClassVar[str] = "zero-cost"
    needs: ClassVar[tuple[str, ...]] = ("scores",)
    reference: ClassVar[str] = "Abdelfattah et al., Zero-Cost Proxies for Lightweight NAS, ICLR 2021"

    inner: str | Strategy[Any]
    score: str

    def check(self) -> None:
        """Require an inner strategy that does not choose fidelities."""
        searcher = self.searcher
        require(not searcher.multi_fidelity, f"inner must not choose fidelities, and {searcher.name!r} does")

    @property
    def searcher(self) -> Strategy[Any]:
        """The inner strategy as an object."""
        return registry.resolve(self.inner, {})

    @property
    def asynchronous(self) -> bool:  # type: ignore[override] # of the object: it is that of the inner strategy
        """Whether the inner strategy can propose before all earlier proposals were evaluated."""
        return self.searcher.asynchronous

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters; the inner strategy by its label."""
        return {**super().parameters, "inner": self.searcher.label}

    def recommends(self, state: Any) -> bool:
        """Return whether the inner strategy recommends."""
        return self.searcher.recommends(state.inner)

    def recommend(self, state: Any) -> IntArray:
        """Return what the inner strategy recommends, shape (runs,)."""
        return self.searcher.recommend(state.inner)

    def require_score(self, problem: Problem) -> None:
        """Raise an UnknownNameError if the table does not have the score."""
        if self.score not in problem.scores.names:
            raise unknown("score", self.score, problem.scores.names)


def ask_inner(searcher: Strategy[Any], state: Any) -> IntArray:
    """Return the architectures that the inner strategy proposes, shape (runs, k)."""
    asked = searcher.ask(state)
    return asked.architecture if isinstance(asked, Proposals) else asked


def order_by_score(scores: Scores, name: str, architecture: IntArray) -> IntArray:
    """Return the positions sorted by score, highest first, shape (runs, k); ties: the first; unknown scores last."""
    score: FloatArray = scores.score(name, architecture)
    return np.argsort(np.where(np.isnan(score), np.inf, -score), axis=1, kind="stable")
