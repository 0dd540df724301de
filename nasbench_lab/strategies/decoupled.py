"""Decoupled search: search one part of the architectures with the rest fixed, then the next part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import AtLeast, require
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.lookup import find_strategy
from nasbench_lab.strategies.parts.code_parts import CodePart, PartScores, parts_in_order, shares_in, split_evaluations
from nasbench_lab.strategies.problem import Evaluations, Problem, Proposals


@dataclass
class _State:
    problem: Problem
    parts: tuple[CodePart, ...]
    lengths: tuple[int, ...]  # evaluations of every part
    base: IntArray  # (runs,): the architectures whose other codes are fixed
    best: IntArray  # (runs,): the best architectures, -1 before any
    best_value: FloatArray  # (runs,)
    best_fidelity: IntArray  # (runs,): the fidelity of that value
    proposed: IntArray  # (runs, k): what the inner strategy proposed last
    inner: Any = None
    turn: int = 0  # which part is searched, counted over all rounds
    begun: int = 0  # evaluations before this part was begun
    asked: int = 0

    @property
    def part(self) -> CodePart:
        """The part that is searched."""
        return self.parts[self.turn % len(self.parts)]

    @property
    def left(self) -> int:
        """Evaluations until the next part; 0 or less where the space is searched as a whole."""
        return self.begun + self.lengths[self.turn % len(self.parts)] - self.asked


@final
@dataclass(frozen=True)
class Decoupled(Strategy[_State]):
    """Search one part of the architectures with the rest fixed, then the next, with any strategy inside.

    The parts are groups of codes that the space names (`Space.code_groups`): the outer levels and the cell of a
    hierarchical space, the nodes of a cell, the layers of a chain, the parts of a product. Every part gets its share of
    the evaluations. The inner strategy starts again with every part, and sees a space of that part alone. When its
    share is used up, the best architecture so far is fixed, and the next part is searched. After the last part the
    first one is searched again, and so on, which is coordinate descent over blocks.

    This is how layers, widths and kernels are often chosen one after the other. It searches much smaller spaces, but
    what it finds depends on what was fixed first, where parts interact.

    A run whose inner strategy has nothing more to propose evaluates the fixed architecture until the next part. A space
    that names no parts is searched as a whole.

    Args:
        inner: name of the strategy that searches every part, or a Strategy object.
        order: names of parts with ``+`` between them, as in ``macro+cell``; ``/`` joins groups to one part, as in
            ``layer1/layer2+layer3``. Parts that are not named stay as they were fixed at the start. Empty: all groups,
            in the order of the codes.
        evaluations: number of evaluations for one round over all parts; usually the whole budget.
        split: shares of the parts, with ``+`` between them. The parts without a number have equal shares of the rest:
            ``0.7`` is 70 percent for the first part. Empty: equal shares.
        fixed: what the other parts are at the start: ``"random"``, a random architecture of every run, or
            ``"default"``, the first choice everywhere (all codes are 0).
    """

    name: ClassVar[str] = "decoupled"
    aliases: ClassVar[tuple[str, ...]] = ("decoupled-search", "coordinate-search", "block-coordinate-descent")
    family: ClassVar[str] = "decoupled"
    reference: ClassVar[str] = "Wright, Coordinate Descent Algorithms, Mathematical Programming 2015"

    inner: str | Strategy[Any] = "regularized-evolution"
    order: str = ""
    evaluations: Annotated[int, AtLeast(1)] = 100
    split: str | float = ""
    fixed: Literal["random", "default"] = "random"

    def check(self) -> None:
        """Require an order and shares that can be read."""
        require(isinstance(self.order, str), f"order must be names of parts with + in between, got {self.order!r}")
        shares_in(self.split)
        require(not isinstance(self.searcher, Decoupled), "inner must be another strategy than 'decoupled'")

    @property
    def searcher(self) -> Strategy[Any]:
        """The inner strategy as an object."""
        return find_strategy(self.inner)

    @property
    def multi_fidelity(self) -> bool:  # type: ignore[override] # of the object: it is that of the inner strategy
        """Whether the inner strategy proposes fidelities."""
        return self.searcher.multi_fidelity

    @property
    def deterministic(self) -> bool:  # type: ignore[override] # likewise
        """Whether no random numbers are drawn."""
        return self.fixed == "default" and self.searcher.deterministic

    @property
    def runs_at_a_time(self) -> int:  # type: ignore[override] # likewise
        """Most runs that are simulated together."""
        return self.searcher.runs_at_a_time

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters; the inner strategy by its label."""
        return {**super().parameters, "inner": self.searcher.label}

    def evaluated_fidelities(self, available: Any) -> tuple[int, ...]:
        """Return the fidelities at which the inner strategy evaluates."""
        return self.searcher.evaluated_fidelities(available)

    def notes(self, space: Space) -> tuple[str, ...]:
        """Say where the search is not decoupled."""
        if space.code_groups:
            return ()
        return (f"{self.name} searches this space as a whole, like {self.searcher.label}: it names no parts",)

    def start(self, problem: Problem) -> _State:
        """Fix all parts, and start the inner strategy with the first."""
        parts = parts_in_order(problem.space, self.order)
        split = self.split if len(parts) > 1 else ""
        lengths = split_evaluations(split, len(parts), self.evaluations)
        runs = problem.runs
        if self.fixed == "random":
            base = problem.space.draw(problem.streams, 1)[:, 0]
        else:
            base = np.full(runs, max(0, int(problem.space.find([0] * len(problem.space.cardinalities)))))
        nothing = np.full(runs, -1, dtype=np.int64)
        worst = np.full(runs, -np.inf)
        state = _State(problem, parts, lengths, base, nothing, worst, nothing.copy(), nothing[:, None])
        self._begin(state)
        return state

    def _begin(self, state: _State) -> None:
        """Start the inner strategy with the part whose turn it is."""
        problem, part = state.problem, state.part
        scores = problem.scores if part.is_all else PartScores(problem.scores, part, state.base)
        inner = Problem(part.space, problem.streams, problem.fidelities, problem.workers, problem.objectives, scores)
        state.inner = self.searcher.start(inner)
        state.begun = state.asked

    def ask(self, state: _State) -> IntArray | Proposals:
        """Propose what the inner strategy proposes, shape (runs, k), with the other parts as they are fixed."""
        if state.left <= 0 and len(state.parts) > 1:
            self._fix(state)
            state.turn += 1
            self._begin(state)
        asked = self.searcher.ask(state.inner)
        proposals = asked if isinstance(asked, Proposals) else Proposals(asked)
        if len(state.parts) > 1:
            architecture, *rest = proposals
            left = (None if each is None else each[:, : state.left] for each in rest)
            proposals = Proposals(architecture[:, : state.left], *left)
        state.asked += proposals.architecture.shape[1]
        state.proposed = proposals.architecture
        whole = state.part.whole(state.base, proposals.architecture)
        if len(state.parts) > 1:
            whole = np.where(whole >= 0, whole, state.base[:, None])
        if not self.searcher.multi_fidelity:
            return whole
        resume = proposals.resume
        if resume is not None:
            resume = np.where(resume >= 0, resume + state.begun, -1)
        return Proposals(whole, proposals.fidelity, resume)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Remember the best architecture, and pass the values on to the inner strategy."""
        highest = state.problem.fidelities[-1]
        for column, value in enumerate(evaluations.value.T):
            fidelity = highest if evaluations.fidelity is None else evaluations.fidelity[:, column]
            better = (fidelity > state.best_fidelity) & ~np.isnan(value)
            better |= (fidelity == state.best_fidelity) & (value > state.best_value)
            state.best = np.where(better, evaluations.architecture[:, column], state.best)
            state.best_value = np.where(better, value, state.best_value)
            state.best_fidelity = np.where(better, fidelity, state.best_fidelity)
        waited = self._waited(state, evaluations.architecture)
        told = evaluations._replace(
            architecture=np.where(waited, -1, state.part.of(evaluations.architecture)),
            value=np.where(waited, np.nan, evaluations.value),
            number=evaluations.number - state.begun,
        )
        self.searcher.tell(state.inner, told)

    def _waited(self, state: _State, architecture: IntArray) -> NDArray[np.bool_]:
        """Return which evaluations stand for none of the inner strategy, in whatever order they ended."""
        fixed = architecture == state.base[:, None]
        proposed = (state.proposed == state.part.of(state.base)[:, None]).sum(axis=1, keepdims=True)
        ended = (state.proposed < 0).any(axis=1, keepdims=True)
        return ended & fixed & (np.cumsum(fixed, axis=1) > proposed)

    def _fix(self, state: _State) -> None:
        """Fix the best architecture so far, or what the inner strategy recommends."""
        found = state.best
        if self.searcher.recommends(state.inner):
            recommended = self.recommend(state)
            found = np.where(recommended >= 0, recommended, found)
        state.base = np.where(found >= 0, found, state.base)

    def recommends(self, state: _State) -> bool:
        """Return whether the inner strategy recommends."""
        return self.searcher.recommends(state.inner)

    def recommend(self, state: _State) -> IntArray:
        """Return what the inner strategy recommends, shape (runs,), with the other parts as they are fixed."""
        return state.part.whole(state.base, self.searcher.recommend(state.inner)[:, None])[:, 0]
