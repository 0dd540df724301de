"""BOHB: Hyperband with architectures that are drawn from a model of the good ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Count, Probability
from nasbench_lab.strategies.models import categorical_kde
from nasbench_lab.strategies.models.categorical_kde import CategoricalKde, Codes
from nasbench_lab.strategies.parts.brackets import BracketState, BracketStrategy
from nasbench_lab.strategies.parts.rungs import Eta, RungCount, hyperband, rungs
from nasbench_lab.strategies.problem import Evaluations, Problem


@dataclass
class _State(BracketState):
    codes: list[Codes] = field(default_factory=list)  # of the evaluated architectures, per rung, (runs, n, codes)
    values: list[FloatArray] = field(
        default_factory=list
    )  # their values, per rung, (runs, n), -inf for a failed training


@final
@dataclass(frozen=True)
class Bohb(BracketStrategy[_State]):
    """BOHB (Falkner, Klein and Hutter, ICML 2018, algorithms 1 and 2) on categorical codes.

    BOHB goes through the brackets of Hyperband but draws new architectures, one at a time, from a model. The model is
    built at the highest rung with at least ``N_min + 2`` evaluations, where N_min is the number of codes + 1. Of the N
    evaluations there, the best ``max(N_min, good_share * N)`` give the density l of good architectures, and the worst
    ``max(N_min, N - those)`` give the density g of the others (equation 3). Both are kernel density estimates
    (`CategoricalKde`). Of ``samples`` draws from l, the one with the largest l/g is proposed. A fraction
    ``random_share`` of the architectures, and all architectures before there is a model, are drawn uniformly. Failed
    trainings rank last.

    The defaults are those of the paper and its code (HpBandSter); ``least_bandwidth`` is in the code only. The
    experiments on NAS-Bench-201 and NATS-Bench had ``samples=4, random_share=0, least_bandwidth=0.3``. HpBandSter
    differs in three points: it widens bandwidths by a factor of 3, but only for numbers, so there is no such parameter
    here; it draws the other values of a code a little less often than l says; and it has no model before g has N_min
    evaluations of its own (2 N_min altogether), whereas equation 3 lets the worst architectures of l count for g as
    well.

    With several workers, one architecture per worker is proposed at a time, from the same model.

    Args:
        eta: the best 1/eta of a rung advance, with eta times the epochs.
        lowest: fewest epochs of a rung; by default the table's lowest fidelity.
        rungs: number of rungs, s_max + 1 in the paper; by default as many as fit between the lowest and the highest
            fidelity.
        samples: number of draws from l per proposal, N_s in the paper.
        random_share: fraction of the architectures that are drawn uniformly, rho in the paper.
        good_share: fraction of the evaluations that count as good, q in the paper.
        least_bandwidth: lower bound of the bandwidths, so that new values are tried even where all good architectures
            agree.
    """

    name: ClassVar[str] = "bohb"
    version: ClassVar[int] = 2
    reference: ClassVar[str] = (
        "Falkner et al., BOHB: Robust and Efficient Hyperparameter Optimization at Scale, ICML 2018"
    )

    eta: Eta = 3
    lowest: Count | None = None
    rungs: RungCount | None = None
    samples: Count = 64
    random_share: Probability = 1 / 3
    good_share: Probability = 0.15
    least_bandwidth: Probability = 1e-3

    def evaluated_fidelities(self, available: Sequence[int]) -> tuple[int, ...]:
        """Return the rungs."""
        return rungs(available, self.eta, self.lowest, self.rungs)

    def start(self, problem: Problem) -> _State:
        """Return the state before the first bracket."""
        fidelities = self.evaluated_fidelities(problem.fidelities)
        state = _State(problem.space, problem.streams, problem.workers, hyperband(fidelities, self.eta))
        width = len(problem.space.cardinalities)
        state.codes = [np.empty((problem.runs, 0, width), dtype=np.int8) for _ in fidelities]
        state.values = [np.empty((problem.runs, 0)) for _ in fidelities]
        return state

    def sample(self, state: _State, wanted: int) -> IntArray:
        """Draw one architecture per worker, from the model if there is one, shape (runs, k)."""
        models = self._models(state)
        return np.stack([self._draw(state, models) for _ in range(min(wanted, state.workers))], axis=1)

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Record the values, for the model as well."""
        height = len(state.bracket.sizes) - state.rung  # counted down from the highest rung, which all brackets share
        codes = state.space.codes(np.maximum(evaluations.architecture, 0)).astype(np.int8)
        state.codes[-height] = np.concatenate([state.codes[-height], codes], axis=1)
        value = np.fmax(evaluations.value, -np.inf)
        state.values[-height] = np.concatenate([state.values[-height], value], axis=1)
        super().tell(state, evaluations)

    def _models(self, state: _State) -> tuple[CategoricalKde, CategoricalKde] | None:
        """Return the densities l and g, or None if no rung has enough evaluations."""
        cardinalities = state.space.cardinalities
        least = len(cardinalities) + 1
        for codes, values in zip(reversed(state.codes), reversed(state.values), strict=True):
            n = values.shape[1]
            if n < least + 2:
                continue
            good = max(least, int(self.good_share * n))
            bad = max(least, n - good)
            order = np.argsort(-values, axis=1, kind="stable")
            ranked = np.take_along_axis(codes, order[:, :, None], axis=1)
            parts = ranked[:, :good], ranked[:, n - bad :]
            good_density, bad_density = (
                categorical_kde.fit(part, cardinalities, self.least_bandwidth) for part in parts
            )
            return good_density, bad_density
        return None

    def _draw(self, state: _State, models: tuple[CategoricalKde, CategoricalKde] | None) -> IntArray:
        """Draw one architecture for every run, shape (runs,)."""
        if models is None:  # in all runs or in none; so a run begins like Hyperband and random search
            return state.space.draw(state.streams, 1)[:, 0]
        width, finer = 1 + 2 * len(state.space.cardinalities), state.space.draws - 1
        uniform = state.streams.uniform(2 + self.samples * width + finer)
        drawn = state.space.sample_columns(uniform[:, [0, *range(uniform.shape[1] - finer, uniform.shape[1])]])[:, 0]
        good, bad = models
        codes = good.sample(uniform[:, 2 : uniform.shape[1] - finer].reshape(len(uniform), self.samples, width))
        # In single precision, as many gains are equal in theory: rounding errors must not choose among them.
        with np.errstate(divide="ignore", over="ignore"):
            gain = (np.fmax(good.density(codes), _TINY) / np.fmax(bad.density(codes), _TINY)).astype(np.float32)
        proposed = _best_in_space(state, codes, gain)
        return np.where((uniform[:, 1] < self.random_share) | (proposed < 0), drawn, proposed)


_TINY = 1e-32  # as in HpBandSter: lower bound of a density


def _best_in_space(state: _State, codes: Codes, gain: NDArray[np.float32]) -> IntArray:
    """Return the architecture with the largest gain among the codes that describe one; -1 if none do. Shape (runs,)."""
    run = np.arange(len(gain))
    best = gain.argmax(axis=1)
    found = state.space.find(codes[run, best])
    for _ in range(gain.shape[1] - 1):  # nearly always ends at once: most codes describe an architecture
        left = np.flatnonzero(found < 0)
        if not len(left):
            break
        gain[left, best[left]] = -np.inf
        best[left] = gain[left].argmax(axis=1)
        found[left] = state.space.find(codes[left, best[left]])
    return found
