"""ASNG: adaptive stochastic natural gradient on a factorised distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import AtLeast, Positive
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.parts import categorical, elementary
from nasbench_lab.strategies.parts.learned_distributions import Distribution
from nasbench_lab.strategies.problem import Evaluations, Problem

_NOTHING = 1e-9
"""A smaller norm of a gradient is rounding error; true gradients are larger by orders of magnitude."""


@dataclass
class _State:
    distribution: Distribution  # its probabilities are theta in the paper
    dimension: int  # n: the number of free probabilities
    least: FloatArray  # (values, choices, 1): lower bounds of the probabilities
    free: NDArray[np.bool_]  # (values, choices, 1): all values of a choice but the last
    last: IntArray  # (choices, runs): the last value of every choice
    path: FloatArray  # (values, choices, runs): s, the accumulated directions of the steps
    gamma: FloatArray  # (runs,): the weight accumulated in it
    caution: FloatArray  # (runs,): Delta, the factor by which steps are shorter than the first


@final
@dataclass(frozen=True)
class ASNG(Strategy[_State]):
    """Adaptive stochastic natural gradient (Akimoto, Shirakawa, Yoshinari, Uchida, Saito and Nishida, ICML 2019).

    This is the search part of ASNG-NAS, algorithm 1; evaluations take the place of a network with shared weights. Draw
    ``samples`` architectures x_1 .. x_L from the distribution theta, which starts uniform. Their utilities u_k depend
    on their ranks: 1 / mu for the best mu = ceil(L / 4), -1 / mu for the worst mu, and 0 in between; tied values share
    the mean of their utilities. Then take a step of fixed size along the natural gradient, in the metric of the Fisher
    information F. The less the steps agree, the shorter is the next one::

        G     = mean over k of (u_k - mean u) (onehot(x_k) - theta)
        |G|   = sqrt(G' F(theta) G), the norm of s = F(theta)^(1/2) G
        theta = theta + delta G / |G|                                 delta = initial_step / Delta
        s_acc = (1 - beta) s_acc + sqrt(beta (2 - beta)) s / |G|      beta = min(delta / sqrt(n), 1)
        gamma = (1 - beta)^2 gamma + beta (2 - beta)
        Delta = Delta exp(beta (gamma - |s_acc|^2 / alpha))

    G and s have an entry for each of the first K - 1 values of every choice; n is the number of these entries. No
    probability falls below 1 / (D (K - 1)) (see `parts.categorical.margins`). If all utilities are equal, nothing
    moves. Failed trainings rank last. (The paper has no bound for beta; in spaces of a few architectures beta would
    exceed 2 and s_acc would be imaginary.)

    Args:
        samples: number of architectures drawn before every step, lambda in the paper; at least the number of workers is
            used.
        alpha: the signal-to-noise ratio that the step size maintains.
        initial_step: initial step size, delta_init in the paper.
    """

    name: ClassVar[str] = "asng"
    family: ClassVar[str] = "distribution"
    reference: ClassVar[str] = (
        "Akimoto et al., Adaptive Stochastic Natural Gradient Method for One-Shot Neural Architecture Search, ICML 2019"
    )

    samples: Annotated[int, AtLeast(2)] = 2
    alpha: Positive = 1.5
    initial_step: Positive = 1.0

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation: uniform distributions."""
        cardinalities = np.array(problem.space.cardinalities)
        distribution = Distribution.uniform(problem, max(self.samples, problem.workers))
        values = np.arange(len(distribution.probabilities))[:, None]
        return _State(
            distribution,
            dimension=max(int((cardinalities - 1).sum()), 1),
            least=categorical.margins(problem.space.cardinalities),
            free=(values < cardinalities - 1)[:, :, None],
            last=np.repeat(cardinalities[:, None] - 1, problem.runs, axis=1),
            path=np.zeros_like(distribution.probabilities),
            gamma=np.zeros(problem.runs),
            caution=np.ones(problem.runs),
        )

    def ask(self, state: _State) -> IntArray:
        """Draw some architectures, shape (runs, samples)."""
        return state.distribution.draw()

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Take a step along the natural gradient, and adapt the length of the next one."""
        utility = utilities(evaluations.value.T)
        utility -= categorical.total(utility) / len(utility)
        distribution, before = state.distribution, state.distribution.probabilities
        gradient = np.zeros_like(before)  # the terms with theta cancel: the utilities add up to 0
        for drawn, weight in zip(distribution.codes, utility / len(utility), strict=False):
            categorical.add_at(gradient, drawn, weight)
        whitened = self._whitened(state, gradient)
        norm = np.sqrt(_squares(whitened))
        moving = norm > _NOTHING
        scale = np.divide(1.0, norm, out=np.zeros_like(norm), where=moving)

        step = self.initial_step / state.caution
        beta = np.minimum(step / math.sqrt(state.dimension), 1.0)
        theta = categorical.keep_margins(before + step * scale * gradient, state.least)
        path = (1 - beta) * state.path + np.sqrt(beta * (2 - beta)) * scale * whitened
        gamma = (1 - beta) ** 2 * state.gamma + beta * (2 - beta)
        caution = state.caution * elementary.exp(beta * (gamma - _squares(path) / self.alpha))
        distribution.probabilities = np.where(moving, theta, before)
        state.path = np.where(moving, path, state.path)
        state.gamma = np.where(moving, gamma, state.gamma)
        state.caution = np.where(moving, caution, state.caution)

    @staticmethod
    def _whitened(state: _State, gradient: FloatArray) -> FloatArray:
        """Return the square root of the Fisher information times a direction; 0 for the last value of every choice."""
        theta = state.distribution.probabilities
        root = np.sqrt(np.where(state.free, theta, 1.0))
        last = categorical.at(theta, state.last)
        rest = categorical.at(gradient, state.last) / (last + np.sqrt(last))
        return np.where(state.free, gradient / root - root * rest, 0.0)


def utilities(value: FloatArray) -> FloatArray:
    """Return the utilities of values (samples, runs), by their ranks in each run.

    >>> utilities(np.array([[3.0], [1.0], [np.nan], [2.0]]))[:, 0].tolist()
    [1.0, 0.0, -1.0, 0.0]
    >>> utilities(np.array([[3.0], [3.0], [1.0]]))[:, 0].tolist()
    [0.5, 0.5, -1.0]
    """
    fitness = np.fmax(value, -np.inf)  # NaN becomes -inf
    samples = len(fitness)
    chosen = math.ceil(samples / 4)
    rank = np.arange(samples + 1)
    up_to = (np.minimum(rank, chosen) - np.maximum(rank - (samples - chosen), 0)) / chosen  # sums over the better ranks
    better = (fitness[None] > fitness[:, None]).sum(axis=1)
    equal = (fitness[None] == fitness[:, None]).sum(axis=1)
    return (up_to[better + equal] - up_to[better]) / equal


def _squares(array: FloatArray) -> FloatArray:
    """Return the sum of squares of every run, shape (values, choices, runs) to (runs,)."""
    return categorical.total(categorical.total(np.square(array)))
