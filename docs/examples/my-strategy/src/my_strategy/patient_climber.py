"""A hill climber that restarts when it has not improved for a while."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nasbench_lab import Strategy
from nasbench_lab.strategies import Evaluations, Problem


@dataclass
class State:
    """The state of all runs. Arrays have shape (runs,)."""

    space: Any
    streams: Any
    best: np.ndarray  # the best architecture of the current climb
    value: np.ndarray  # its observed value
    stale: np.ndarray  # evaluations since it was found
    started: bool = False


@dataclass(frozen=True)
class PatientClimber(Strategy[State]):
    """Mutate the best architecture; after ``patience`` evaluations without a better one, start from a random one.

    Args:
        patience: number of evaluations without improvement after which the climb restarts.
    """

    name: ClassVar[str] = "patient-climber"

    patience: int = 30

    def start(self, problem: Problem) -> State:
        """Return the state before the first evaluation."""
        runs = problem.runs
        worst = np.full(runs, -np.inf)
        return State(problem.space, problem.streams, np.zeros(runs, int), worst, np.zeros(runs, int))

    def ask(self, state: State) -> np.ndarray:
        """Return a mutation, or a random architecture where a climb begins, shape (runs, 1)."""
        random = state.space.draw(state.streams, 1)
        uniform = state.streams.uniform(1)[:, 0]  # always both, even if a run needs only one of them
        if not state.started:
            return random
        return np.where(self._restarts(state)[:, None], random, state.space.mutate(state.best, uniform)[:, None])

    def tell(self, state: State, evaluations: Evaluations) -> None:
        """Keep the new architecture where it is better, or where a new climb begins."""
        value = np.fmax(evaluations.value[:, 0], -np.inf)  # a failed training (NaN) counts as the worst value
        climbs = (value > state.value) | self._restarts(state) | (not state.started)
        state.best = np.where(climbs, evaluations.architecture[:, 0], state.best)
        state.value = np.where(climbs, value, state.value)
        state.stale = np.where(climbs, 0, state.stale + 1)
        state.started = True

    def _restarts(self, state: State) -> np.ndarray:
        return state.stale >= self.patience
