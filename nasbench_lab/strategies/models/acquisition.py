"""Acquisition functions: scores of architectures from the mean and deviation that a model predicts.

Higher is better throughout, for the objective and for the acquisition.
"""

from __future__ import annotations

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.strategies.parts.elementary import exp, log, log_normal_cdf, normal_cdf

_ROOT_TWO_PI = 2.5066282746310002
_ROOT_HALF = 0.7071067811865476
_SUPPORT = 6.0  # largest deviations of a normal variable that are considered
_SURE = 9.0  # deviations below which a normal variable is for certain: its probability rounds to 1
_GRID = 9


def expected_improvement(mean: FloatArray, deviation: FloatArray, best: FloatArray) -> FloatArray:
    """Return E max(Y - best, 0) for a normal Y: s (z Phi(z) + phi(z)) with z = (mean - best) / s.

    Jones, Schonlau and Welch, Efficient Global Optimization of Expensive Black-Box Functions, Journal of Global
    Optimization 1998, equation 15. Without deviation it is max(mean - best, 0).
    """
    gain = mean - best
    z = gain / np.where(deviation > 0, deviation, 1.0)
    with np.errstate(under="ignore"):
        density = exp(-0.5 * z * z) / _ROOT_TWO_PI
    return np.where(deviation > 0, np.maximum(deviation * (z * normal_cdf(z) + density), 0.0), np.maximum(gain, 0.0))


def roughly_expected_improvement(mean: FloatArray, deviation: FloatArray, best: FloatArray) -> FloatArray:
    """Return `expected_improvement` up to a relative error of 1e-6 where it matters, in a fraction of the time.

    The last bits depend on the processor.
    """
    gain = mean - best
    z = gain / np.where(deviation > 0, deviation, 1.0)
    with np.errstate(under="ignore"):
        improvement = gain * ndtr(z) + deviation * (np.exp(-0.5 * z * z) / _ROOT_TWO_PI)
    return np.maximum(np.where(deviation > 0, improvement, gain), 0.0)


def expected_improvement_of_logs(mean: FloatArray, deviation: FloatArray, best: FloatArray) -> FloatArray:
    """Return E max(exp(-best) - exp(-Y), 0) for a normal Y: by how much a cost falls whose negative logarithm is Y.

    With z = (mean - best) / s it is exp(-best) (Phi(z) - exp(s^2 / 2 - s z) Phi(z - s)): Hutter et al., An Experimental
    Investigation of Model-Based Parameter Optimisation, GECCO 2009; derived by Watanabe, arXiv:2411.18095. Without
    deviation it is max(exp(-best) - exp(-mean), 0).
    """
    z = (mean - best) / np.where(deviation > 0, deviation, 1.0)
    low, high = np.minimum(z, 0.0), np.maximum(z, 0.0)
    with np.errstate(under="ignore"):
        # The difference above is one of nearly equal numbers where z < 0. There it is phi(z) (R(z) - R(z - s)), with
        # R = Phi / phi, which `erfcx` gives without underflow, and from 0 without the exponential of the C library.
        ratios = erfcx(-low * _ROOT_HALF) - erfcx((deviation - low) * _ROOT_HALF)
        below = 0.5 * exp(-0.5 * low * low) * ratios
        above = normal_cdf(high) - exp(deviation * (0.5 * deviation - high)) * normal_cdf(high - deviation)
        share = np.where(z < 0, below, above)
        certain = 1.0 - exp(np.minimum(best - mean, 0.0))
        return exp(-best) * np.maximum(np.where(deviation > 0, share, certain), 0.0)


def max_value_entropy(mean: FloatArray, deviation: FloatArray, maxima: FloatArray) -> FloatArray:
    """Return the information that an observation gives about the largest value of the whole space.

    It is the mean over K draws of that maximum of g phi(g) / (2 Phi(g)) - log Phi(g), with g = (maximum - mean) / s:
    Wang and Jegelka, Max-value Entropy Search for Efficient Bayesian Optimization, ICML 2017, equation 6.

    Args:
        mean: shape (...).
        deviation: of the same shape.
        maxima: shape (..., K).
    """
    g = (maxima - mean[..., None]) / np.where(deviation > 0, deviation, 1.0)[..., None]
    log_cdf = log_normal_cdf(g)
    with np.errstate(under="ignore"):
        ratio = exp(-0.5 * g * g - log_cdf) / _ROOT_TWO_PI
    return np.where(deviation > 0, (0.5 * g * ratio - log_cdf).mean(axis=-1), 0.0)


def roughly_max_value_entropy(mean: FloatArray, deviation: FloatArray, maxima: FloatArray) -> FloatArray:
    """Return `max_value_entropy` up to a relative error of 1e-6, in a fraction of the time.

    The last bits depend on the processor.
    """
    g = (maxima - mean[..., None]) / np.where(deviation > 0, deviation, 1.0)[..., None]
    log_cdf = log_ndtr(g)
    with np.errstate(under="ignore"):
        ratio = np.exp(-0.5 * g * g - log_cdf) / _ROOT_TWO_PI
    return np.where(deviation > 0, (0.5 * g * ratio - log_cdf).mean(axis=-1), 0.0)


def sample_maxima(mean: FloatArray, deviation: FloatArray, uniform: FloatArray) -> FloatArray:
    """Draw the largest value of a space from a Gumbel distribution (Wang and Jegelka 2017, section 3.1).

    The quartiles of the maximum of independent normal variables, P(max < y) = prod Phi((y - mean) / s), determine the
    two parameters of the Gumbel distribution: P(max < y) = exp(-exp(-(y - a) / b)). Variables that
    are hardly ever the maximum can be left out, so that the arrays are small.

    Args:
        mean: shape (runs, n).
        deviation: of the same shape.
        uniform: in [0, 1), shape (runs, K).
    """
    deviation = np.maximum(deviation, 1e-12)
    low, high = mean.max(axis=1), (mean + _SUPPORT * deviation).max(axis=1)
    # On the scale of the Gumbel distribution, -log(-log P), the distribution function is nearly a straight line.
    grid = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, _GRID)
    levels = [float(-log(-log(p))) for p in (0.25, 0.5, 0.75)]
    # No factor is below 1/2, so the product of 256 is at least 1e-77.
    factors = (grid[:, :, None] - mean[:, None]) / deviation[:, None]
    line = -np.log(np.maximum(-np.log(ndtr(factors).prod(axis=2)), 1e-300))
    # Rough numbers show between which points of the grid the line crosses a level; only these must be precise.
    needed = np.zeros(line.shape, dtype=bool)
    for level in levels:
        near = np.abs(line - level) < 1e-6
        first = np.clip((line < level).sum(axis=1, keepdims=True), 1, _GRID - 1)
        needed |= near | (np.arange(_GRID) == first) | (np.arange(_GRID) == first - 1)
    factors = factors[needed]
    below = np.ones(factors.shape)
    uncertain = factors < _SURE
    below[uncertain] = normal_cdf(factors[uncertain])
    line[needed] = -log(np.maximum(-log(below.prod(axis=1)), 1e-300))
    quartiles = [_crossing(grid, line, level) for level in levels]
    scale = (quartiles[2] - quartiles[0]) / (log(log(4.0)) - log(log(4.0 / 3.0)))
    location = quartiles[1] + scale * log(log(2.0))
    drawn = -log(-log(np.maximum(uniform, 2.0**-53)))
    return np.maximum(location[:, None] + scale[:, None] * drawn, low[:, None])


def _crossing(grid: FloatArray, values: FloatArray, level: float) -> FloatArray:
    """Return where ascending values reach a level, linear between the points of a grid, shape (runs,)."""
    last = grid.shape[1] - 1
    above = np.clip((values < level).sum(axis=1), 1, last)
    run = np.arange(len(grid))
    left, right = values[run, above - 1], values[run, above]
    part = np.clip((level - left) / np.where(right > left, right - left, 1.0), 0.0, 1.0)
    return grid[run, above - 1] + part * (grid[run, above] - grid[run, above - 1])


def first_best(score: FloatArray) -> IntArray:
    """Return the position of the largest score of every run, shape (runs, n) to (runs,); ties: the first.

    Scores are compared in single precision: many architectures have equal scores in theory, and if rounding errors
    chose among them, traces would differ between platforms.
    """
    return score.astype(np.float32).argmax(axis=1)
