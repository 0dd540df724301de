"""Hyperband: brackets of successive halving, from many short trainings to a few long ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import Count
from nasbench_lab.strategies.parts.brackets import BracketState, BracketStrategy
from nasbench_lab.strategies.parts.rungs import Eta, RungCount, hyperband, rungs
from nasbench_lab.strategies.problem import Problem


@final
@dataclass(frozen=True)
class Hyperband(BracketStrategy[BracketState]):
    """Hyperband (Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar, JMLR 2018, algorithm 1 with the sizes of table 1).

    With rungs at R/eta^s_max, ..., R/eta, R epochs, go through the brackets s = s_max, ..., 1, 0 and begin again.
    Bracket s is successive halving over the s + 1 highest rungs. It begins with ``floor((s_max + 1) / (s + 1)) *
    eta^s`` random architectures, so that all brackets cost about the same. The rungs are the table's fidelities nearest
    to R/eta^k.

    With several workers, the architectures of a rung are trained at the same time, and the next rung waits for all.

    Args:
        eta: the best 1/eta of a rung advance, with eta times the epochs; 3 or 4 in the paper.
        lowest: fewest epochs of a rung; by default the table's lowest fidelity.
        rungs: number of rungs, s_max + 1 in the paper; by default as many as fit between the lowest and the highest
            fidelity.
    """

    name: ClassVar[str] = "hyperband"
    aliases: ClassVar[tuple[str, ...]] = ("hb",)
    reference: ClassVar[str] = (
        "Li et al., Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization, JMLR 2018"
    )

    eta: Eta = 3
    lowest: Count | None = None
    rungs: RungCount | None = None

    def evaluated_fidelities(self, available: Sequence[int]) -> tuple[int, ...]:
        """Return the rungs."""
        return rungs(available, self.eta, self.lowest, self.rungs)

    def start(self, problem: Problem) -> BracketState:
        """Return the state before the first bracket."""
        brackets = hyperband(self.evaluated_fidelities(problem.fidelities), self.eta)
        return BracketState(problem.space, problem.streams, problem.workers, brackets)

    def sample(self, state: BracketState, wanted: int) -> IntArray:
        """Draw architectures uniformly, shape (runs, wanted)."""
        return state.space.draw(state.streams, wanted)
