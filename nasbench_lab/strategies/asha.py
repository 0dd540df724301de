"""ASHA: asynchronous successive halving, which never waits for a training to end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Count
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts.rungs import Eta, RungCount, rungs
from nasbench_lab.strategies.problem import Evaluations, Problem, Proposals
from nasbench_lab.streams import Streams

_FIRST_CAPACITY = 64


@dataclass
class _State:
    space: Space
    streams: Streams
    fidelities: IntArray  # of the rungs, ascending
    # Of every evaluation of every run, (runs, capacity), by its number:
    architecture: IntArray
    rung: NDArray[np.int8]
    # The same on every rung but the highest, (rungs - 1, runs, capacity):
    waiting: FloatArray  # its value while it waits for promotion; -inf for all others and for failed trainings
    # Of every promotion from such a rung, in order, (rungs - 1, runs, places):
    promoted: FloatArray  # the value, -inf in unused places
    promoted_number: NDArray[np.int32]  # the number of the evaluation
    # Of every such rung and run, (rungs - 1, runs):
    promotions: IntArray  # number of promotions
    ended: IntArray  # number of evaluations that ended
    best: IntArray  # number of the best evaluation that waits for promotion, -1 for none
    best_value: FloatArray  # its value, -inf for none
    rank: IntArray  # number of better evaluations that were promoted
    run: IntArray  # (runs,): 0, 1, 2, ...
    asked: int = 0


@final
@dataclass(frozen=True)
class Asha(Strategy[_State]):
    """Asynchronous successive halving (Li et al., MLSys 2020, algorithm 2).

    Whenever a worker is free, look at the rungs from the second highest down. If an architecture is among the best
    1/eta of all that ended at a rung and was not promoted yet, train the best such architecture at the next rung. If no
    rung has one, train a random architecture at the lowest rung. So no worker waits for slow trainings; the price is
    that some promoted architectures later turn out not to be among the best. Ties: the one proposed first. Failed
    trainings are never promoted.

    The rungs are the table's fidelities nearest to R/eta^k, where R is the highest fidelity. The paper's experiments
    have ``eta=4``; the default is that of the other strategies of this family, so that all have the same rungs.

    Args:
        eta: the best 1/eta of a rung advance, with eta times the epochs.
        lowest: fewest epochs of a rung, r * eta^s in the paper; by default the table's lowest fidelity.
        rungs: number of rungs; by default as many as fit between the lowest and the highest fidelity.
    """

    name: ClassVar[str] = "asha"
    family: ClassVar[str] = "multi-fidelity"
    reference: ClassVar[str] = "Li et al., A System for Massively Parallel Hyperparameter Tuning, MLSys 2020"
    asynchronous: ClassVar[bool] = True
    multi_fidelity: ClassVar[bool] = True

    eta: Eta = 3
    lowest: Count | None = None
    rungs: RungCount | None = None

    def evaluated_fidelities(self, available: Sequence[int]) -> tuple[int, ...]:
        """Return the rungs."""
        return rungs(available, self.eta, self.lowest, self.rungs)

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: empty rungs."""
        fidelities = self.evaluated_fidelities(problem.fidelities)
        shape = (len(fidelities) - 1, problem.runs)
        return _State(
            space=problem.space,
            streams=problem.streams,
            fidelities=np.array(fidelities),
            architecture=np.full((problem.runs, _FIRST_CAPACITY), -1),
            rung=np.zeros((problem.runs, _FIRST_CAPACITY), dtype=np.int8),
            waiting=np.full((*shape, _FIRST_CAPACITY), -np.inf),
            promoted=np.full((*shape, 1), -np.inf),
            promoted_number=np.zeros((*shape, 1), dtype=np.int32),
            promotions=np.zeros(shape, dtype=np.int64),
            ended=np.zeros(shape, dtype=np.int64),
            best=np.full(shape, -1),
            best_value=np.full(shape, -np.inf),
            rank=np.zeros(shape, dtype=np.int64),
            run=np.arange(problem.runs),
        )

    def ask(self, state: _State) -> Proposals:
        """Propose a promotion or a new architecture, shape (runs, 1)."""
        _make_room(state, ("architecture", "rung", "waiting"), state.asked + 1)
        drawn = state.space.draw(state.streams, 1)[:, 0]
        rung = self._promotable_rung(state)
        promoting = np.flatnonzero(rung >= 0)
        number = np.full(len(rung), -1)
        number[promoting] = state.best[rung[promoting], promoting]
        architecture = np.where(number >= 0, state.architecture[state.run, number], drawn)
        if len(promoting):
            _promote(state, promoting, rung[promoting], number[promoting])
        state.architecture[:, state.asked] = architecture
        state.rung[:, state.asked] = rung + 1
        state.asked += 1
        fidelity = state.fidelities[rung + 1]
        resume = np.where(fidelity > state.fidelities[np.maximum(rung, 0)], number, -1)
        return Proposals(architecture[:, None], fidelity[:, None], resume[:, None])

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Enter the values at their rungs."""
        steps = zip(evaluations.architecture.T, evaluations.value.T, evaluations.number.T, strict=True)
        for architecture, value, number in steps:
            rung = state.rung[state.run, number].astype(np.int64)
            counts = np.flatnonzero((architecture >= 0) & (rung < len(state.ended)))
            _put(state, counts, rung[counts], number[counts], np.fmax(value[counts], -np.inf))

    def _promotable_rung(self, state: _State) -> IntArray:
        """Return the highest rung with an architecture to promote, -1 for none; shape (runs,)."""
        found = np.full(len(state.run), -1)
        for rung in range(len(state.ended)):
            among_best = state.rank[rung] < state.ended[rung] // self.eta
            found[among_best & (state.best_value[rung] > -np.inf)] = rung
        return found


def _put(state: _State, run: IntArray, rung: IntArray, number: IntArray, value: FloatArray) -> None:
    """Enter one evaluation per given run at its rung."""
    state.ended[rung, run] += 1
    state.waiting[rung, run, number] = value
    best, best_value = state.best[rung, run], state.best_value[rung, run]
    better = np.flatnonzero((value > best_value) | ((value == best_value) & (number < best)))
    _set_best(state, run[better], rung[better], number[better], value[better])


def _promote(state: _State, run: IntArray, rung: IntArray, number: IntArray) -> None:
    """Remove the best evaluation of a rung from those that wait, in each of the given runs, and find the next best."""
    place = state.promotions[rung, run]
    state.promotions[rung, run] += 1
    _make_room(state, ("promoted", "promoted_number"), state.promotions.max())
    state.promoted[rung, run, place] = state.waiting[rung, run, number]
    state.promoted_number[rung, run, place] = number
    state.waiting[rung, run, number] = -np.inf
    waiting = state.waiting[rung, run, : state.asked]
    following = waiting.argmax(axis=1)
    _set_best(state, run, rung, following, waiting[np.arange(len(run)), following])


def _set_best(state: _State, run: IntArray, rung: IntArray, number: IntArray, value: FloatArray) -> None:
    """Record the best evaluation that waits at rungs, and the number of better ones that were promoted from there."""
    state.best[rung, run], state.best_value[rung, run] = number, value
    places = slice(state.promotions.max(initial=0))
    promoted = state.promoted[rung, run, places]
    level = np.where(value > -np.inf, value, np.nan)[:, None]  # where nothing waits the rank does not matter
    ahead, equal = promoted > level, promoted == level
    ahead |= equal & (state.promoted_number[rung, run, places] < number[:, None])
    state.rank[rung, run] = np.count_nonzero(ahead, axis=1)


def _make_room(state: _State, names: tuple[str, ...], needed: int) -> None:
    """Double the capacity of arrays until their last axis has the needed length."""
    for name in names:
        array = getattr(state, name)
        while array.shape[-1] < needed:
            more = np.full_like(array, -np.inf if array.dtype.kind == "f" else 0)
            array = np.concatenate([array, more], axis=-1)
        setattr(state, name, array)
