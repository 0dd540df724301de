"""Successive halving: train many architectures for a few epochs, and only the best of them for longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import Count
from nasbench_lab.strategies.parts.brackets import BracketState, BracketStrategy
from nasbench_lab.strategies.parts.rungs import Eta, RungCount, bracket, rungs
from nasbench_lab.strategies.problem import Problem


@final
@dataclass(frozen=True)
class SuccessiveHalving(BracketStrategy[BracketState]):
    """Successive halving (Jamieson and Talwalkar, AISTATS 2016, figure 3), repeated with new architectures.

    Train ``configurations`` random architectures for the fewest epochs. Keep the best 1/eta of them (at least one) and
    train those for eta times as many epochs, and so on to the highest fidelity. The rungs are the table's fidelities
    nearest to R/eta^k, where R is the highest fidelity.

    Jamieson and Talwalkar halve (``eta=2``); the default is that of Hyperband, whose most exploring bracket this is.
    With several workers, the architectures of a rung are trained at the same time, and the next rung waits for all.

    Args:
        eta: the best 1/eta of a rung advance, with eta times the epochs.
        configurations: number of architectures at the lowest rung; by default, the number for which one reaches the
            highest.
        lowest: fewest epochs of a rung; by default the table's lowest fidelity.
        rungs: number of rungs; by default as many as fit between the lowest and the highest fidelity.
    """

    name: ClassVar[str] = "successive-halving"
    aliases: ClassVar[tuple[str, ...]] = ("sh", "sha")
    reference: ClassVar[str] = (
        "Jamieson and Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter Optimization, AISTATS 2016"
    )

    eta: Eta = 3
    configurations: Count | None = None
    lowest: Count | None = None
    rungs: RungCount | None = None

    def evaluated_fidelities(self, available: Sequence[int]) -> tuple[int, ...]:
        """Return the rungs."""
        return rungs(available, self.eta, self.lowest, self.rungs)

    def start(self, problem: Problem) -> BracketState:
        """Return the state before the first bracket."""
        fidelities = self.evaluated_fidelities(problem.fidelities)
        configurations = self.configurations or self.eta ** (len(fidelities) - 1)
        return BracketState(
            problem.space, problem.streams, problem.workers, (bracket(configurations, fidelities, self.eta),)
        )

    def sample(self, state: BracketState, wanted: int) -> IntArray:
        """Draw architectures uniformly, shape (runs, wanted)."""
        return state.space.draw(state.streams, wanted)
