"""Simulated annealing: random steps, which may be worse while the temperature is high."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Above, AtLeast, AtMost, Positive
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts import elementary
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams


@dataclass
class _State:
    space: Space
    streams: Streams
    centre: IntArray  # (runs,)
    value: FloatArray  # (runs,): value of the centre, -inf for a failed training
    first: FloatArray  # (runs, initial): values of the first random architectures
    scale: FloatArray  # (runs,): their standard deviation
    told: int = 0  # evaluations so far, the same for every run
    founded: bool = False  # whether the first architectures were proposed


@final
@dataclass(frozen=True)
class SimulatedAnnealing(Strategy[_State]):
    """Metropolis steps at a falling temperature (Kirkpatrick, Gelatt and Vecchi, Science 1983).

    Evaluate ``initial`` random architectures and start at the best, the centre. Then repeat: evaluate a random
    neighbour of the centre, and move there with probability min(1, exp((v' - v) / T)), where v and v' are the values of
    the centre and the neighbour. In the n-th of these steps, n = 0, 1, ...::

        T = temperature * s * cooling ** n

    Values may be fractions, percent or losses, so temperatures are in units of s, the standard deviation of the values
    of the first architectures (White, "Concepts of scale in simulated annealing", ICCD 1984, finds a suitable initial
    temperature of this order).

    ``cooling`` is that of SANAS, the simulated annealing over architectures of PaddleSlim (``reduce_rate=0.85`` per
    evaluation). SANAS starts at T = 10 (100 in its documentation) for accuracies in [0, 1]. So it walks at random for
    the first 30 (40) evaluations, until T is about as large as the differences between accuracies; here T starts there.
    Unlike SANAS, this evaluates an architecture again when it is drawn again.

    With several workers, a neighbour of the centre is proposed whenever a worker is free, and is compared with the
    centre at the time when its evaluation ends.

    Args:
        temperature: initial temperature, in standard deviations of random architectures.
        cooling: factor on the temperature after every evaluation.
        initial: number of random architectures at the beginning.
    """

    name: ClassVar[str] = "simulated-annealing"
    aliases: ClassVar[tuple[str, ...]] = ("sa", "annealing")
    family: ClassVar[str] = "model-free"
    reference: ClassVar[str] = "Kirkpatrick et al., Optimization by Simulated Annealing, Science 1983"
    needs: ClassVar[tuple[str, ...]] = ("neighbours",)
    asynchronous: ClassVar[bool] = True

    temperature: Positive = 1.0
    cooling: Annotated[float, Above(0), AtMost(1)] = 0.85
    initial: Annotated[int, AtLeast(2)] = 10

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: no run has a centre."""
        runs = problem.runs
        return _State(
            space=problem.space,
            streams=problem.streams,
            centre=np.full(runs, -1),
            value=np.full(runs, -np.inf),
            first=np.full((runs, self.initial), np.nan),
            scale=np.zeros(runs),
        )

    def ask(self, state: _State) -> IntArray:
        """Propose all of the first architectures at once, then one neighbour at a time, shape (runs, 1)."""
        if not state.founded:
            state.founded = True
            return state.space.draw(state.streams, self.initial)
        if state.told == 0:  # with many workers, no evaluation has ended yet
            return state.space.draw(state.streams, 1)
        return state.space.mutate(state.centre, state.streams.uniform(1)[:, 0])[:, None]

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Move the centres where a step is accepted."""
        uniform = state.streams.uniform(evaluations.value.shape[1])
        for architecture, observed, u in zip(evaluations.architecture.T, evaluations.value.T, uniform.T, strict=True):
            value = np.fmax(observed, -np.inf)  # NaN becomes -inf
            if state.told < self.initial:
                state.first[:, state.told] = observed
                accepted = (value > state.value) | (state.centre < 0)
            else:
                accepted = self._accept(state, value, u)
            state.centre = np.where(accepted, architecture, state.centre)
            state.value = np.where(accepted, value, state.value)
            state.told += 1
            if state.told == self.initial:
                state.scale = _deviation(state.first)

    def _accept(self, state: _State, value: FloatArray, uniform: FloatArray) -> NDArray[np.bool_]:
        """Return where a step is accepted, shape (runs,)."""
        temperature = self.temperature * float(elementary.power(self.cooling, state.told - self.initial)) * state.scale
        better = value >= state.value
        worse = np.where(better, 0.0, value - np.where(better, 0.0, state.value))  # -inf for a failed training
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            probability = elementary.exp(worse / temperature)  # NaN or 0 where the temperature is 0
        return better | (uniform < probability)


def _deviation(values: FloatArray) -> FloatArray:
    """Return the standard deviation of the values in each row that are not NaN; 0 where there are fewer than two."""
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=1), 1)
    total = squares = np.zeros(len(values))
    for column in np.where(known, values, 0.0).T:  # in a fixed order: NumPy's sums depend on the memory layout
        total = total + column
    for column in np.where(known, values - (total / count)[:, None], 0.0).T:
        squares = squares + column**2
    return np.sqrt(squares / count)
