"""The base of strategies that rank proposals by zero-cost scores and leave the search to another strategy inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import require
from nasbench_lab.messages import unknown
from nasbench_lab.strategies import registry
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.problem import Problem, Proposals, Scores

S = TypeVar("S")

AUTO = "auto"
"""Stands for the score that `chosen_score` names."""

PREFERRED = ("synflow", "naswot", "jacov", "zen")
"""The scores that are chosen first, in this order: that of the publication of these strategies, then those with the
highest published rank correlations on NAS-Bench-201 (Krishnakumar et al., NeurIPS 2022)."""


def chosen_score(names: Sequence[str]) -> str | None:
    """Return the score that strategies use by default: the first of `PREFERRED`, otherwise the first of the table.

    It depends on nothing but the names, so equal tables always have the same one.

    Args:
        names: the scores of a table, in its order.

    Returns:
        The name; None if the table has no scores.

    >>> chosen_score(["supernet_fair", "zen", "synflow"]), chosen_score(["supernet_fair", "mine"]), chosen_score([])
    ('synflow', 'supernet_fair', None)
    """
    return next((name for name in (*PREFERRED, *names) if name in names), None)


class ScoredStrategy(Strategy[S], Generic[S]):
    """A strategy around another one. A subclass is a dataclass with these parameters.

    Attributes:
        inner: name of the inner strategy, or a Strategy object.
        score: name of the score; higher is better. ``"auto"``: the one that `chosen_score` names.
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

    def find_score(self, problem: Problem) -> str:
        """Return the name of the score on a table.

        Raises:
            UnknownNameError: the table does not have it, or no score.
        """
        names = problem.scores.names
        name = chosen_score(names) if self.score == AUTO else self.score
        if name is None or name not in names:
            raise unknown("score", self.score, names)
        return name


def ask_inner(searcher: Strategy[Any], state: Any) -> IntArray:
    """Return the architectures that the inner strategy proposes, shape (runs, k)."""
    asked = searcher.ask(state)
    return asked.architecture if isinstance(asked, Proposals) else asked


def order_by_score(scores: Scores, name: str, architecture: IntArray) -> IntArray:
    """Return the positions sorted by score, highest first, shape (runs, k); ties: the first; unknown scores last."""
    score: FloatArray = scores.score(name, architecture)
    return np.argsort(np.where(np.isnan(score), np.inf, -score), axis=1, kind="stable")
