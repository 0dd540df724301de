"""Bayesian optimisation with a Gaussian process; the candidates are all architectures of a small space, or a pool."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Count, NonNegative, Positive, require
from nasbench_lab.spaces.base import Space
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.models.acquisition import (
    expected_improvement,
    first_best,
    max_value_entropy,
    roughly_expected_improvement,
    roughly_max_value_entropy,
    sample_maxima,
)
from nasbench_lab.strategies.models.gp_candidates import Candidates, Pool, Prediction, WholeSpace
from nasbench_lab.strategies.models.kernels import Kind
from nasbench_lab.strategies.models.observations import Fantasy, Observations
from nasbench_lab.strategies.models.screen import Chosen, best_candidate, best_sum, largest
from nasbench_lab.strategies.models.whole_space import CandidateSet, ranks_all
from nasbench_lab.strategies.parts.visited import Visited
from nasbench_lab.strategies.problem import Evaluations, Problem
from nasbench_lab.streams import Streams

LENGTHSCALES = (0.25, 0.5, 1.0, 2.0, 4.0)
NOISES = (1e-4, 1e-3, 1e-2, 1e-1)

_REFIT_FACTOR = 1.5
_MOST_PLACES = 2**16
_MAXIMA = 10
_PROMISING = 256  # candidates; the others are hardly ever the maximum
_SPREAD = 3.0  # deviations above the mean, by which these candidates are chosen

Acquisition = Literal["ei", "ucb", "thompson", "mes"]


@dataclass
class _State:
    space: Space
    streams: Streams
    candidates: Candidates
    observations: Observations
    visited: Visited  # all earlier proposals
    founded: bool = False  # whether the first architectures were proposed
    refit_at: int = 0  # number of observed values at which the kernel is fitted again


@final
@dataclass(frozen=True)
class GaussianProcessSearch(Strategy[_State]):
    """Bayesian optimisation (Jones, Schonlau and Welch 1998) with a Gaussian process over architectures.

    The first ``initial`` architectures are random. Then repeat: fit a Gaussian process with a constant mean to all
    observed values, and evaluate the new architecture that maximises the acquisition function.

    *Kernel.* ``"hamming"``: exp(-d / l), where d is the fraction of codes that differ. ``"matern"``: Matern's kernel
    with smoothness 5/2 over one-hot codes, whose squared distance is scaled to 1 where all codes differ. ``"path"``:
    exp(-d / l), where d is the number of paths that only one of two cells has, divided by twice the mean number of
    paths (White, Neiswanger and Savani, BANANAS, AAAI 2021); in spaces without paths, one-hot codes take their place.

    *Acquisition,* with m and s the posterior mean and deviation. ``"ei"``: the expected improvement over the largest
    posterior mean of the evaluated architectures (as values are noisy; without noise, this is the largest value).
    ``"ucb"``: m + ``exploration`` * s (Srinivas et al., ICML 2010, with a constant factor). ``"thompson"``: a draw from
    the posterior, jointly over all candidates. ``"mes"``: max-value entropy search (Wang and Jegelka, ICML 2017) with
    10 draws of the maximum.

    *Hyper-parameters.* Values are scaled to mean 0 and variance 1. The mean and variance of the process are their
    maximum likelihood estimates at every step. Unless they are given, l is one of 1/4, 1/2, 1, 2, 4, and the variance
    of the noise is one of 1e-4, 1e-3, 1e-2, 1e-1 times the variance of the process: the pair with the largest marginal
    likelihood, chosen again whenever the number of observed values has grown by half.

    *Candidates.* ``"auto"``: all architectures if there are at most 30,000 (and 65,536 combinations of codes), for the
    kernels "hamming" and "matern". Otherwise, and for "path", a pool drawn again at every step: half of it random, half
    neighbours of the ten best architectures so far. ``"all"`` and ``"pool"`` choose one of them; with "all", there may
    be more than 30,000 architectures, but the space must be one that can be listed.

    A failed training counts as the worst value that the run has seen. With several workers, an evaluation that has not
    ended counts as if it had the posterior mean at the time of its proposal (``"believer"``), or the smallest, mean or
    largest value so far ("constant liar"): Ginsbourger, Le Riche and Carraro, Kriging Is Well-Suited to Parallelize
    Optimization, 2010.

    *Recommendation.* ``"observed"``: none, so the architecture with the best observed value counts, as for other
    strategies. ``"evaluated"``: the evaluated architecture with the largest posterior mean. ``"space"``: that of all
    architectures, if these are the candidates. Both, the best evaluated point and the largest posterior mean, are usual
    answers (Frazier, A Tutorial on Bayesian Optimization, arXiv 1807.02811, 2018, algorithm 1). The search is the same.
    Recommending did not pay where it was measured (`docs/design/strategy-defaults.md`), so it is off by default.

    A proposal costs a small matrix product and a few passes over the candidates. Memory grows with the square of the
    number of evaluations: 80 kB per run for 100 evaluations. With all architectures of NAS-Bench-201 as candidates, it
    grows by at most another 4 kB per evaluation (16 kB with "matern").

    Args:
        kernel: ``"hamming"``, ``"matern"`` or ``"path"``.
        acquisition: ``"ei"``, ``"ucb"``, ``"thompson"`` or ``"mes"``.
        initial: number of random architectures at the beginning.
        exploration: number of deviations that "ucb" adds to the mean.
        lengthscale: l, or None to fit it.
        noise: variance of the noise as a fraction of the variance of the process, or None to fit it.
        candidates: all architectures (``"all"``), a ``"pool"``, or what suits the space (``"auto"``).
        pool_size: number of candidates in a pool.
        fantasy: value of an evaluation that has not ended: ``"believer"``, ``"min"``, ``"mean"`` or ``"max"``.
        recommendation: the answer of a run: the best ``"observed"`` value, or the largest posterior mean of all
            ``"evaluated"`` architectures or of the whole ``"space"``.
    """

    name: ClassVar[str] = "gp-bo"
    aliases: ClassVar[tuple[str, ...]] = (
        "gp",
        "gaussian-process",
        "bo",
        "bayesian-optimization",
        "bayesian-optimisation",
    )
    version: ClassVar[int] = 2
    family: ClassVar[str] = "model-based"
    reference: ClassVar[str] = (
        "Jones et al., Efficient Global Optimization of Expensive Black-Box Functions, J. of Global Optimization 1998"
    )
    asynchronous: ClassVar[bool] = True
    runs_at_a_time: ClassVar[int] = 32

    kernel: Kind = "hamming"
    acquisition: Acquisition = "ei"
    initial: Count = 10
    exploration: NonNegative = 2.0
    lengthscale: Positive | None = None
    noise: Positive | None = None
    candidates: CandidateSet = "auto"
    pool_size: Count = 1_000
    fantasy: Fantasy = "believer"
    recommendation: Literal["observed", "evaluated", "space"] = "observed"

    def check(self) -> None:
        """Require a kernel that can compare all architectures at once, if all are candidates."""
        require(
            self.candidates != "all" or self.kernel != "path",
            "candidates='all' is for the kernels 'hamming' and 'matern'; for kernel 'path' choose 'pool'",
        )

    def start(self, problem: Problem) -> _State:
        """Return the state before the first evaluation."""
        space, runs = problem.space, problem.runs
        lengthscales = LENGTHSCALES if self.lengthscale is None else (self.lengthscale,)
        candidates: Candidates
        if self._ranks_all(space):
            candidates = WholeSpace(space, self.kernel, lengthscales, runs)
        else:
            candidates = Pool(space, self.kernel, lengthscales, runs, self.pool_size)
        require(
            isinstance(candidates, WholeSpace) or self.recommendation != "space",
            f"recommendation='space' needs all architectures as candidates; for kernel {self.kernel!r} on "
            f"{space.size:,} architectures choose 'evaluated'",
        )
        return _State(space, problem.streams, candidates, Observations(runs, self.fantasy), Visited(space, runs))

    def _ranks_all(self, space: Space) -> bool:
        """Return whether all architectures are candidates."""
        places = math.prod(space.cardinalities)
        wanted = ranks_all(space, self.candidates) and self.kernel != "path"
        require(
            self.candidates != "all" or places <= _MOST_PLACES,
            f"candidates='all' needs at most {_MOST_PLACES:,} combinations of codes, and space {space.name!r} has "
            f"{places:,}: choose 'pool'",
        )
        return wanted and places <= _MOST_PLACES

    def ask(self, state: _State) -> IntArray:
        """Propose the first architectures at once, then one at a time, shape (runs, 1)."""
        if not state.founded:
            state.founded = True
            first = state.visited.begin(state.streams, self.initial)
            return np.concatenate([_propose(state, architecture) for architecture in first.T], axis=1)
        if state.observations.told == 0 or state.observations.count == state.space.size:
            return _propose(
                state, _draw(state)
            )  # no evaluation has ended yet (many workers), or no new architecture is left
        value, centre, scale = state.observations.values()
        if state.observations.told >= state.refit_at:
            state.candidates.fit(NOISES if self.noise is None else (self.noise,), value)
            state.refit_at = math.ceil(_REFIT_FACTOR * state.observations.told)
        proposed = state.observations.architecture
        prediction = state.candidates.predict(value, proposed, state.visited, state.streams)
        position, believed = self._most_promising(state, value, prediction)
        chosen = prediction.architecture[np.arange(len(value)), position]
        # Where the whole pool was proposed before, propose a random new architecture.
        other, lost = _draw(state), np.isneginf(prediction.bounds.mean.max(axis=1))
        return _propose(state, np.where(lost, other, chosen), centre + scale * np.where(lost, 0.0, believed))

    def tell(self, state: _State, evaluations: Evaluations) -> None:
        """Record the values."""
        state.observations.tell(evaluations)

    def recommends(self, state: _State) -> bool:
        """Return whether the strategy has an answer of its own."""
        return self.recommendation != "observed"

    def recommend(self, state: _State) -> IntArray:
        """Return the architecture with the largest posterior mean, shape (runs,); -1 before the first model.

        Trainings that failed, or that have not ended, are no answers.
        """
        observations, run = state.observations, np.arange(state.streams.runs)
        if not state.candidates.fitted:
            return np.full(len(run), -1)
        value = observations.values().value
        answers = observations.known & ~np.isnan(observations.value)
        if self.recommendation == "space":
            return state.candidates.best_of_space(value, excluded=observations.known & ~answers)
        means = np.where(answers, state.candidates.means_of_proposals(value), -np.inf)
        return np.where(answers.any(axis=1), observations.architecture[run, means.argmax(axis=1)], -1)

    def _most_promising(self, state: _State, value: FloatArray, prediction: Prediction) -> Chosen:
        """Return the candidate with the largest acquisition; where the whole pool was proposed before, any."""
        bounds, best = prediction.bounds, prediction.best
        used_up = np.isneginf(bounds.mean.max(axis=1))
        if used_up.any():
            bounds = bounds._replace(mean=np.where(used_up[:, None], np.float32(0.0), bounds.mean))
        if self.acquisition == "thompson":
            position = first_best(state.candidates.draw(value, prediction, state.streams))
            return Chosen(position, bounds.exactly(np.arange(len(position)), position[:, None])[0][:, 0])
        if self.acquisition == "ucb":
            return best_sum(self.exploration, bounds)
        if self.acquisition == "ei":
            return best_candidate(
                lambda m, s, run: expected_improvement(m, s, best[run]),
                lambda m, s, run: roughly_expected_improvement(m, s, best[run]),
                bounds,
            )
        promising = largest(bounds, _SPREAD, min(_PROMISING, bounds.mean.shape[1]))
        maxima = sample_maxima(*promising, state.streams.uniform(_MAXIMA))
        maxima = np.maximum(maxima, best[:, None])
        return best_candidate(
            lambda m, s, run: max_value_entropy(m, s, maxima[run]),
            lambda m, s, run: roughly_max_value_entropy(m, s, maxima[run]),
            bounds,
        )


def _propose(state: _State, architecture: IntArray, believed: FloatArray | None = None) -> IntArray:
    """Record proposals and the values that the model predicts, both (runs,); return the proposals, (runs, 1)."""
    if (architecture < 0).any():  # in all runs or in none: all have made the same number of proposals
        return architecture[:, None]
    run = np.arange(len(architecture))
    new = ~state.visited.has(run, architecture)
    state.visited.add(run[new], architecture[new])
    state.observations.propose(architecture, believed)
    state.candidates.add(architecture)
    return architecture[:, None]


def _draw(state: _State) -> IntArray:
    uniform = state.streams.uniform(state.visited.draws)
    return state.visited.draw(np.arange(len(uniform)), uniform)
