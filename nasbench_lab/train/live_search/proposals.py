"""One run of a strategy, asked and told evaluation by evaluation, while the evaluations happen in any order."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import StrategyError
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.problem import Evaluations, Problem, Proposals
from nasbench_lab.streams import Streams


@dataclasses.dataclass(eq=False)
class Proposal:
    """An evaluation that the strategy proposed.

    Attributes:
        number: counted from 0.
        architecture: index.
        epochs: fidelity.
        resume: number of the proposal whose training it resumes; -1 for none.
        uniform: random number that chooses the observed repeat.
        value: what the strategy is told, higher is better; None before the evaluation has ended.
        objectives: all objectives, higher is better; None if there is only the value.
        repeat: number of the observed repeat.
        parent: number of the proposal whose weights it starts from; -1 for none.
    """

    number: int
    architecture: int
    epochs: int
    resume: int = -1
    uniform: float = 0.0
    value: float | None = None
    objectives: FloatArray | None = None
    repeat: int = -1
    parent: int = -1

    @property
    def named(self) -> tuple[int, int, int]:
        """Number, architecture and fidelity."""
        return self.number, self.architecture, self.epochs


class ProposedEvaluations:
    """The proposals of one run of a strategy.

    An asynchronous strategy with several workers is told every evaluation when it ends; any other one is told all
    evaluations that it proposed together, in the order in which it proposed them, when the last of them has ended.

    Args:
        strategy: the strategy.
        problem: of one run.
        draws: random numbers that choose repeats.
        draws_always: whether a number is drawn for every proposal, also where it decides nothing. A simulation draws in
            the same way, so that both see the same.
        most: number of proposals after which no more are taken; None for no limit.
    """

    def __init__(
        self, strategy: Strategy[Any], problem: Problem, draws: Streams, *, draws_always: bool, most: int | None
    ) -> None:
        self._strategy, self._problem, self._draws = strategy, problem, draws
        self._draws_always = draws_always or strategy.multi_fidelity
        self._one_by_one = strategy.asynchronous and problem.workers > 1
        self._most = most
        self._queue: deque[Proposal] = deque()
        self._batch: list[Proposal] = []  # proposed together, and not all of them ended
        self.all: list[Proposal] = []
        self.exhausted = False
        self._state = strategy.start(problem)
        self.recommends = strategy.recommends(self._state)

    def take(self) -> Proposal | None:
        """Return the next proposal; None if the strategy waits for evaluations, or proposes nothing more."""
        if not self._queue and not self.exhausted and (self._one_by_one or not self._batch):
            self._ask()
        return self._queue.popleft() if self._queue else None

    def end(self, proposal: Proposal) -> bool:
        """Note that an evaluation has ended, and tell the strategy if it is time; return whether it was told."""
        if self._one_by_one:
            self._tell([proposal])
            return True
        if any(each.value is None for each in self._batch) or self._queue:
            return False
        batch, self._batch = self._batch, []
        self._tell(batch)
        return True

    def recommendation(self) -> int:
        """Return the architecture that the strategy recommends; -1 for none."""
        found = np.asarray(self._strategy.recommend(self._state))
        self._check(found.reshape(1, -1), "recommended")
        return int(found.reshape(-1)[0])

    def _ask(self) -> None:
        asked = self._strategy.ask(self._state)
        given = asked if isinstance(asked, Proposals) else Proposals(asked)
        if not self._strategy.multi_fidelity and (given.fidelity is not None or given.resume is not None):
            raise StrategyError(f"strategy {self._strategy.name!r} proposes fidelities, but is not multi_fidelity")
        architecture = self._check(np.asarray(given.architecture), "proposed")
        count = architecture.shape[1]
        fidelity = self._fidelity(given.fidelity, count)
        resume = np.full(count, -1) if given.resume is None else np.asarray(given.resume).reshape(-1)
        parent = np.full(count, -1) if given.parent is None else np.asarray(given.parent).reshape(-1)
        if self._most is not None:
            count = min(count, self._most - len(self.all))
        uniform = self._draws.uniform(count)[0].copy() if self._draws_always and count else np.zeros(count)
        self._batch = []
        for place in range(count):
            if architecture[0, place] < 0:
                self.exhausted = True
                break
            proposal = Proposal(
                len(self.all),
                int(architecture[0, place]),
                int(fidelity[place]),
                int(resume[place]),
                float(uniform[place]),
                parent=int(parent[place]),
            )
            self._check_resume(proposal)
            self._check_parent(proposal)
            self.all.append(proposal)
            self._queue.append(proposal)
            self._batch.append(proposal)
        if self._most is not None and len(self.all) >= self._most:
            self.exhausted = True
        if self._one_by_one:
            self._batch = []

    def _check(self, asked: Any, what: str) -> Any:
        name, size = self._strategy.name, self._problem.space.size
        if asked.ndim != 2 or len(asked) != 1 or not asked.shape[1] or asked.dtype.kind not in "iu":
            raise StrategyError(
                f"strategy {name!r} must give integers of shape (1, k), not {asked.dtype} of shape {asked.shape}"
            )
        if asked.min() < -1 or asked.max() >= size:
            wrong = asked[(asked < -1) | (asked >= size)][0]
            raise StrategyError(f"strategy {name!r} {what} architecture {wrong}; the space has 0..{size - 1}")
        return asked

    def _fidelity(self, given: Any, count: int) -> Any:
        known = self._problem.fidelities
        if given is None:
            return np.full(count, known[-1])
        fidelity = np.asarray(given).reshape(-1)
        if len(fidelity) != count or not np.isin(fidelity, known).all():
            raise StrategyError(f"strategy {self._strategy.name!r} proposed fidelities {fidelity}; known: {known}")
        return fidelity

    def _check_resume(self, proposal: Proposal) -> None:
        if proposal.resume < 0:
            return
        before = self.all[proposal.resume] if proposal.resume < len(self.all) else None
        if before is None or before.architecture != proposal.architecture or before.epochs >= proposal.epochs:
            raise StrategyError(
                f"strategy {self._strategy.name!r} may only resume the same architecture from a lower fidelity"
            )

    def _check_parent(self, proposal: Proposal) -> None:
        before = self.all[proposal.parent] if 0 <= proposal.parent < len(self.all) else None
        if proposal.parent >= 0 and (before is None or before.value is None):
            raise StrategyError(
                f"strategy {self._strategy.name!r} named evaluation {proposal.parent} as a parent, which has not ended"
            )

    def _tell(self, ended: Sequence[Proposal]) -> None:
        if not ended:
            return
        several = ended[0].objectives is not None
        self._strategy.tell(
            self._state,
            Evaluations(
                np.array([[each.architecture for each in ended]]),
                np.array([[np.nan if each.value is None else each.value for each in ended]]),
                np.array([[each.number for each in ended]]),
                np.array([[each.epochs for each in ended]]) if self._strategy.multi_fidelity else None,
                np.stack([each.objectives for each in ended if each.objectives is not None])[None] if several else None,
            ),
        )
