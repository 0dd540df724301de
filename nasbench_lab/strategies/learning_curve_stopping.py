"""Random search that stops a training early when its learning curve predicts that it will not become the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Count
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.models.power_law import PowerLaw
from nasbench_lab.strategies.parts.rungs import Eta, rungs
from nasbench_lab.strategies.problem import Evaluations, Problem, Proposals
from nasbench_lab.streams import Streams


@dataclass
class _State:
    space: Space
    streams: Streams
    checkpoints: IntArray  # epochs, ascending
    law: PowerLaw
    # Of the current trainings, (runs, workers):
    architecture: IntArray
    ended: IntArray  # number of checkpoints seen; 0 for a new training
    number: IntArray  # of the last evaluation
    curve: FloatArray  # (runs, workers, checkpoints): values seen
    hopeless: IntArray  # number of consecutive predictions below the best
    # Of the best training so far, (runs,) and (runs, checkpoints):
    best: FloatArray  # -inf before the first
    best_curve: FloatArray


@final
@dataclass(frozen=True)
class LearningCurveStopping(Strategy[_State]):
    """Random search with early stopping by extrapolation, after Domhan, Springenberg and Hutter (IJCAI 2015).

    Train random architectures from checkpoint to checkpoint. At each checkpoint, predict the value at the end; if it is
    below the best value of a finished training, stop the training and begin another. The first training of a run always
    finishes; failed trainings end at once. The checkpoints are the table's fidelities nearest to R/eta^k, where R is
    the highest fidelity.

    Domhan et al. stop when the probability of a better end is below 5 %, by Markov chain Monte Carlo over a mixture of
    eleven curves. Here are two simpler rules:

    - ``"power-law"``: the least-squares fit of ``y = a - b e^-alpha`` in the number of epochs e, their curve "pow3", to
      the values seen so far (`PowerLaw`); before three checkpoints, the other rule.
    - ``"last-seen"``: a curve keeps its distance to the curve of the best training. So a training stops where it is
      worse than the best training was at the same checkpoint.

    With several workers, one training per worker runs at a time. If trainings cannot be resumed, every checkpoint costs
    a training of its own, and stopping saves little.

    Args:
        extrapolation: rule that predicts the end, ``"power-law"`` or ``"last-seen"``.
        patience: number of consecutive predictions below the best after which a training stops.
        eta: factor between the epochs of consecutive checkpoints.
        lowest: fewest epochs of a checkpoint; by default the table's lowest fidelity.
    """

    name: ClassVar[str] = "learning-curve-stopping"
    family: ClassVar[str] = "multi-fidelity"
    reference: ClassVar[str] = (
        "Domhan et al., Speeding up Automatic Hyperparameter Optimization of Deep Neural Networks by Extrapolation of "
        "Learning Curves, IJCAI 2015 (simplified)"
    )
    multi_fidelity: ClassVar[bool] = True

    extrapolation: Literal["power-law", "last-seen"] = "power-law"
    patience: Count = 1
    eta: Eta = 2
    lowest: Count | None = None

    def evaluated_fidelities(self, available: Sequence[int]) -> tuple[int, ...]:
        """Return the checkpoints."""
        return rungs(available, self.eta, self.lowest)

    def start(self, problem: Problem) -> _State:
        """Return the state before the first training."""
        checkpoints = self.evaluated_fidelities(problem.fidelities)
        shape = (problem.runs, problem.workers)
        return _State(
            space=problem.space,
            streams=problem.streams,
            checkpoints=np.array(checkpoints),
            law=PowerLaw(checkpoints, shape),
            architecture=np.full(shape, -1),
            ended=np.zeros(shape, dtype=np.int64),
            number=np.full(shape, -1),
            curve=np.full((*shape, len(checkpoints)), np.nan),
            hopeless=np.zeros(shape, dtype=np.int64),
            best=np.full(problem.runs, -np.inf),
            best_curve=np.full((problem.runs, len(checkpoints)), -np.inf),
        )

    def ask(self, state: _State) -> Proposals:
        """Propose the next checkpoint of every training, or the first of a new one, shape (runs, workers)."""
        drawn = state.space.draw(state.streams, state.ended.shape[1])
        begins = state.ended == 0
        state.architecture = np.where(begins, drawn, state.architecture)
        return Proposals(state.architecture, state.checkpoints[state.ended], np.where(begins, -1, state.number))

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Record the values, and stop the trainings that are predicted not to become the best."""
        value = evaluations.value
        np.put_along_axis(state.curve, state.ended[..., None], value[..., None], axis=2)
        if self._extrapolates(state):
            state.law.add(state.ended, value)
        finished = state.ended == len(state.checkpoints) - 1
        below = self._below_best(state, value)
        state.hopeless = np.where(below, state.hopeless + 1, 0)
        over = finished | np.isnan(value) | (state.hopeless >= self.patience)
        self._keep_best(state, value, finished)
        state.ended = np.where(over, 0, state.ended + 1)
        state.hopeless[over] = 0
        state.number = evaluations.number

    def _extrapolates(self, state: _State) -> bool:
        """Return whether three points of a curve are known at some checkpoint before the end."""
        return self.extrapolation == "power-law" and len(state.checkpoints) > 3

    def _below_best(self, state: _State, value: FloatArray) -> NDArray[np.bool_]:
        """Return whether the predicted end is below the best, shape (runs, workers)."""
        then = np.take_along_axis(state.best_curve, state.ended, axis=1)
        last_seen = value < then
        if not self._extrapolates(state):
            return last_seen
        known = (state.ended >= 2) & (state.best > -np.inf)[:, None]
        return np.where(known, state.law.at_end(state.ended) < state.best[:, None], last_seen)

    @staticmethod
    def _keep_best(state: _State, value: FloatArray, finished: NDArray[np.bool_]) -> None:
        """Update the best training from those that have finished; ties: the one proposed first."""
        end = np.where(finished, np.fmax(value, -np.inf), -np.inf)
        winner = end.argmax(axis=1)
        run = np.arange(len(end))
        better = end[run, winner] > state.best
        state.best = np.where(better, end[run, winner], state.best)
        state.best_curve = np.where(better[:, None], state.curve[run, winner], state.best_curve)
