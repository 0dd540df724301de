"""A climber that moves on when it has seen nothing better for a while."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nasbench_lab import Strategy
from nasbench_lab.strategies import Evaluations, Problem


@dataclass
class State:
    """Where every run is. Arrays of shape (runs,)."""

    space: Any
    streams: Any
    best: np.ndarray  # the architecture that it climbs from
    value: np.ndarray  # what was observed of it
    stale: np.ndarray  # evaluations since it was found
    started: bool = False


@dataclass(frozen=True)
class PatientClimber(Strategy[State]):
    """Mutate the best architecture; after ``patience`` evaluations without a better one, start from a random one.

    Args:
        patience: evaluations after which a climb is given up.
    """

    name: ClassVar[str] = "patient-climber"

    patience: int = 30

    def start(self, task: Problem) -> State:
        """Return the state before the first evaluation."""
        nothing = np.full(task.runs, -np.inf)
        return State(task.space, task.streams, np.zeros(task.runs, int), nothing, np.zeros(task.runs, int))

    def ask(self, state: State) -> np.ndarray:
        """Propose a mutation, or a random architecture where a climb begins, shape (runs, 1)."""
        uniform = state.streams.uniform(2)  # for every run, whether it needs both or not
        random = state.space.sample(uniform[:, :1])
        if not state.started:
            return random
        return np.where(self._gives_up(state)[:, None], random, state.space.mutate(state.best, uniform[:, 1])[:, None])

    def tell(self, state: State, evaluations: Evaluations) -> None:
        """Climb where it got better, or where a new climb begins."""
        value = np.fmax(evaluations.value[:, 0], -np.inf)  # a failed training (NaN) is the worst there is
        climbs = (value > state.value) | self._gives_up(state) | (not state.started)
        state.best = np.where(climbs, evaluations.architecture[:, 0], state.best)
        state.value = np.where(climbs, value, state.value)
        state.stale = np.where(climbs, 0, state.stale + 1)
        state.started = True

    def _gives_up(self, state: State) -> np.ndarray:
        return state.stale >= self.patience
