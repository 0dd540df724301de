"""Practical equivalence: whether a difference is too small to matter, too large to be ignored, or still unclear.

A difference is judged by the place of its interval relative to a margin, the largest difference that does not matter in
practice:

    equivalent    it lies within the margin:      -margin [  .....  ] margin
    worse         it lies wholly above it:        -margin [         ] margin  .....
    better        it lies wholly below it
    inconclusive  anything else: more runs are needed

This is the two one-sided tests (TOST) procedure of Schuirmann (1987) for "equivalent", and one one-sided test for each
of the others. With a confidence of 0.95, two versions that differ by no more than the margin are called worse with a
probability of at most 0.05, and two that differ by more are called equivalent with at most 0.05.

With very few runs the verdict is always inconclusive: if even the most extreme order of the runs arises by chance with
more than the allowed error, their values prove nothing, however small their spread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_lab.analysis.intervals import LEVEL, Interval, Intervals
from nasbench_lab.analysis.significance import least_p
from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import Above, AtLeast, Below, number
from nasbench_lab.errors import ParameterError
from nasbench_lab.tables.description import Direction

Verdict = Literal["equivalent", "better", "worse", "inconclusive"]
"""The judgement of a first strategy (or new version), compared with a second one (or old version)."""

_STATED_POWER = 0.8


@dataclass(frozen=True)
class SampleComparison:
    """A new sample compared with an old one. Differences are losses in the unit of the values: positive is worse.

    Attributes:
        verdict: on the new sample.
        difference: mean loss of the new sample minus that of the old one, over the runs with a value. The interval has
            the confidence 2 * level - 1, so that each of its ends has the confidence ``level``. NaN where there are too
            few runs: fewer than two, or without spread fewer than a verdict needs.
        margin: largest difference that does not matter.
        level: confidence of the verdict.
        p_equivalent: p-value of the two one-sided tests of a difference larger than the margin, in either direction.
        p_worse, p_better: p-values of the one-sided tests of a difference not above, or not below, the margin. They are
            never smaller than `least_p` allows; 1 where the numbers of failed runs contradict.
        power: probability to find two equal versions equivalent, with the same numbers of runs and the same spread.
        detectable: the true worsening that is judged "worse" with a probability of 0.8.
        runs: number of runs of the new and of the old sample.
        without_value: number of runs without a value, of the new and of the old sample.
        p_failures: two-sided p-value of equal failure rates; 1 where all runs have a value.
        sign: 1 if the new sample is proven worse, by whatever amount (the interval lies above 0); -1 if it is proven
            better; 0 if neither. An equal sample gets 1, or -1, with a probability of at most ``1 - level``.
    """

    verdict: Verdict
    difference: Interval
    margin: float
    level: float
    p_equivalent: float
    p_worse: float
    p_better: float
    power: float
    detectable: float
    runs: tuple[int, int]
    without_value: tuple[int, int]
    p_failures: float
    sign: Literal[-1, 0, 1]

    def __str__(self) -> str:
        difference = f"{self.difference.estimate:+.4g}"
        if not math.isnan(self.difference.low):
            difference += f" [{self.difference.low:+.4g}, {self.difference.high:+.4g}]"
        text = f"{self.verdict}: {difference} with a margin of {self.margin:.4g} (positive is worse)"
        if not any(self.without_value):
            return text
        known = [f"{runs - lost} of {runs}" for runs, lost in zip(self.runs, self.without_value, strict=True)]
        return f"{text}, over {known[0]} new and {known[1]} old runs; the others have no value"


def compare_samples(
    new: ArrayLike,
    old: ArrayLike,
    margin: float,
    level: float = LEVEL,
    direction: Direction = "minimize",
    *,
    paired: bool = False,
) -> SampleComparison:
    """Judge whether a new sample is equivalent to an old one, better or worse.

    The difference of means has Welch's interval, or Student's for pairs. Runs without a value (NaN or infinite) are
    left out of the means. If there are any, a first test finds out whether one sample has more of them (Fisher's exact
    test, or McNemar's exact test for pairs). If so, this decides the verdict. If not, the means may decide, but never
    against the runs without a value, which are the worst: a sample with a larger share of them is never "better", one
    with a smaller share never "worse", and "equivalent" requires equal shares. Each of the two tests has half of the
    error that ``level`` allows (Bonferroni).

    There is no verdict ("inconclusive") if the runs are too few for the level: `least_p` of the numbers of runs with a
    value, or 0.5 to the number of pairs, must not exceed the allowed error. With a level of 0.95 and no failed runs,
    this takes 3 runs of each version, or 5 pairs.

    Args:
        new: values of the new version, one per run.
        old: values of the old version; for pairs, the same number.
        margin: largest difference of means that does not matter, at least 0, in the unit of the values.
        level: confidence of the verdict, above 0.5 and below 1.
        direction: ``"minimize"`` where values are losses, ``"maximize"`` where more is better.
        paired: whether values at the same position belong together (same seed, same start).

    Raises:
        ParameterError: a sample is empty or not one-dimensional, or another argument is out of range.

    >>> spread = np.linspace(-1, 1, 200)
    >>> compare_samples(5 + spread, 5 + spread, margin=0.2).verdict
    'equivalent'
    >>> str(compare_samples(6 + spread, 5 + spread, margin=0.2))
    'worse: +1 [+0.9041, +1.096] with a margin of 0.2 (positive is worse)'
    >>> compare_samples(6 + spread, 5 + spread, margin=0.2, direction="maximize").verdict
    'better'
    >>> compare_samples([5.1, 4.0, 6.0], [5.0, 4.0, 6.2], margin=0.2).verdict
    'inconclusive'
    >>> compare_samples([6.0, 6.0], [5.0, 5.0], margin=0.2).verdict  # two runs prove nothing
    'inconclusive'
    """
    losses = [_losses(values, direction) for values in (new, old)]
    if paired and len(losses[0]) != len(losses[1]):
        raise ParameterError(f"pairs need as many new values as old ones, got {len(losses[0])} and {len(losses[1])}")
    number("level", level, Above(0.5), Below(1))
    number("margin", margin, AtLeast(0))
    failed = [~np.isfinite(values) for values in losses]
    failures = int(failed[0].sum()), int(failed[1].sum())
    error = (1 - level) / 2 if any(failures) else 1 - level
    p_failures = 1.0
    if any(failures):
        p_failures = _mcnemar(*failed) if paired else _fisher(failures, (len(losses[0]), len(losses[1])))
    difference, spread, degrees = (_paired if paired else _welch_of)(*losses)
    least = _least_p(*failed, paired=paired)
    few = least > error
    interval = intervals_of(difference, spread, degrees, 1 - 2 * error).at()
    if few and spread == 0:
        interval = Interval(interval.estimate, math.nan, math.nan)
    p_equivalent, p_worse, p_better = (
        max(p, least) for p in _p_values(float(difference), float(spread), float(degrees), margin)
    )
    more_failed = np.sign(failures[0] * len(losses[1]) - failures[1] * len(losses[0]))
    verdict: Verdict = "inconclusive" if few else _verdict(interval, margin)
    if more_failed:
        worse_or_better: Verdict = "worse" if more_failed > 0 else "better"
        p_equivalent = 1.0
        p_worse, p_better = (p_worse, 1.0) if more_failed > 0 else (1.0, p_better)
        if p_failures <= 2 * error:
            verdict = worse_or_better
        elif verdict != worse_or_better:
            verdict = "inconclusive"
    sign = 0 if few else _sign(interval)
    return SampleComparison(
        verdict=verdict,
        difference=interval,
        margin=float(margin),
        level=float(level),
        p_equivalent=p_equivalent,
        p_worse=p_worse,
        p_better=p_better,
        power=0.0 if few else equivalence_power(margin, float(spread), float(degrees), 1 - error),
        detectable=math.inf if few else _detectable(margin, float(spread), float(degrees), error),
        runs=(len(losses[0]), len(losses[1])),
        without_value=failures,
        p_failures=p_failures,
        sign=0 if sign * more_failed < 0 else sign,
    )


def welch(
    means: tuple[FloatArray, FloatArray],
    variances: tuple[FloatArray, FloatArray],
    counts: tuple[FloatArray, FloatArray],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the difference of means, its standard error and degrees of freedom (Welch 1947); the shapes broadcast.

    Args:
        means: of the first and of the second samples.
        variances: of both, with n - 1.
        counts: numbers of values of both.
    """
    first, second = (variance / count for variance, count in zip(variances, counts, strict=True))
    total = first + second
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees = total**2 / (first**2 / (counts[0] - 1) + second**2 / (counts[1] - 1))
    # Without spread the degrees of freedom have no effect, but they must be a number.
    return means[0] - means[1], np.sqrt(total), np.where(total == 0, 1.0, degrees)


def intervals_of(difference: FloatArray, error: FloatArray, degrees: FloatArray, confidence: float) -> Intervals:
    """Return Student's intervals of estimates with standard errors and degrees of freedom, all of one shape."""
    from scipy.special import stdtrit

    half = stdtrit(degrees, (1 + confidence) / 2) * error
    return Intervals(np.asarray(difference), difference - half, difference + half)


def verdicts(low: FloatArray, high: FloatArray, margin: FloatArray) -> NDArray[np.str_]:
    """Return the verdicts on intervals relative to margins, in the shape to which they broadcast.

    >>> verdicts(np.array([-1.0, 3.0, -5.0, 1.0]), np.array([1.0, 4.0, -3.0, 3.0]), np.array(2.0)).tolist()
    ['equivalent', 'worse', 'better', 'inconclusive']
    """
    choices = [(low >= -margin) & (high <= margin), low > margin, high < -margin]
    return np.select(choices, ["equivalent", "worse", "better"], "inconclusive")


def _verdict(interval: Interval, margin: float) -> Verdict:
    if interval.low >= -margin and interval.high <= margin:
        return "equivalent"
    if interval.low > margin:
        return "worse"
    return "better" if interval.high < -margin else "inconclusive"


def _sign(interval: Interval) -> Literal[-1, 0, 1]:
    if interval.low > 0:
        return 1
    return -1 if interval.high < 0 else 0


def equivalence_power(margin: float, error: float, degrees: float, level: float = LEVEL) -> float:
    """Return the probability of finding two equal versions equivalent (power of TOST at a true difference of 0).

    Args:
        margin: largest difference that does not matter.
        error: standard error of the difference.
        degrees: its degrees of freedom.
        level: confidence of the verdict.

    >>> round(equivalence_power(0.3, 0.1, 100), 3)
    0.817
    """
    from scipy.special import stdtr, stdtrit

    if math.isnan(error) or math.isnan(degrees):
        return math.nan
    if error == 0:
        return 1.0
    return max(0.0, float(2 * stdtr(degrees, margin / error - stdtrit(degrees, level)) - 1))


def runs_needed(deviation: float, margin: float, power: float = 0.9, level: float = LEVEL) -> int:
    """Return the number of runs per version that finds two equal versions equivalent with a given probability.

    The normal approximation is n = 2 (deviation (z_level + z_both) / margin)^2, with z_both the quantile of
    (1 + power) / 2, as two one-sided tests must succeed. Student's t adds z_level^2 / 4 (Guenther 1981).

    Args:
        deviation: standard deviation of a run's value.
        margin: largest difference that does not matter.
        power: the probability of success.
        level: confidence of the verdict.

    Raises:
        ParameterError: an argument is out of range.

    >>> runs_needed(deviation=1.0, margin=0.3)
    242
    """
    from scipy.special import ndtri

    if not (0 < margin < math.inf and 0 <= deviation < math.inf and 0 < power < 1 and 0.5 < level < 1):
        message = "runs_needed takes a margin above 0, a deviation of at least 0, 0 < power < 1 and 0.5 < level < 1"
        raise ParameterError(message)
    quantile = float(ndtri(level))
    normal = 2 * (deviation * (quantile + float(ndtri((1 + power) / 2))) / margin) ** 2
    return max(2, math.ceil(normal + quantile**2 / 4))


def _losses(values: ArrayLike, direction: Direction) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not array.size:
        raise ParameterError(f"a sample must be one-dimensional and not empty, got shape {array.shape}")
    if direction not in ("minimize", "maximize"):
        raise ParameterError(f'direction must be "minimize" or "maximize", got {direction!r}')
    return -array if direction == "maximize" else array


def _welch_of(new: FloatArray, old: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    known = [values[np.isfinite(values)] for values in (new, old)]
    if min(map(len, known)) < 2:
        return (np.array(np.nan),) * 3
    means, variances, counts = zip(*((k.mean(), k.var(ddof=1), np.array(float(len(k)))) for k in known), strict=True)
    return welch(means, variances, counts)


def _paired(new: FloatArray, old: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    both = np.isfinite(new) & np.isfinite(old)
    gaps = new[both] - old[both]
    if len(gaps) < 2:
        return (np.array(np.nan),) * 3
    return gaps.mean(), np.asarray(gaps.std(ddof=1) / math.sqrt(len(gaps))), np.array(len(gaps) - 1.0)


def _least_p(new_failed: NDArray[np.bool_], old_failed: NDArray[np.bool_], *, paired: bool) -> float:
    """Return the smallest p-value that the order of the values, or the signs of their differences, can prove."""
    if paired:
        return float(0.5 ** int((~new_failed & ~old_failed).sum()))
    return least_p(int((~new_failed).sum()), int((~old_failed).sum()))


def _fisher(failures: tuple[int, int], runs: tuple[int, int]) -> float:
    from scipy.stats import fisher_exact

    table = [[failures[0], runs[0] - failures[0]], [failures[1], runs[1] - failures[1]]]
    return float(fisher_exact(table).pvalue)


def _mcnemar(new: NDArray[np.bool_], old: NDArray[np.bool_]) -> float:
    """Return the exact p-value of equal failure rates, from the pairs that failed in one version only."""
    from scipy.stats import binomtest

    only_new, only_old = int((new & ~old).sum()), int((old & ~new).sum())
    return float(binomtest(only_new, only_new + only_old).pvalue) if only_new + only_old else 1.0


def _p_values(difference: float, error: float, degrees: float, margin: float) -> tuple[float, float, float]:
    """Return the p-values of "equivalent" (the larger of two one-sided tests), "worse" and "better"."""
    from scipy.special import stdtr

    if math.isnan(difference):
        return 1.0, 1.0, 1.0
    if error == 0:  # without spread only the number of runs limits what they prove
        worse, better = difference > margin, difference < -margin
        return float(worse or better), float(not worse), float(not better)
    at_most = float(stdtr(degrees, (difference - margin) / error))
    at_least = float(stdtr(degrees, -(difference + margin) / error))
    return max(at_most, at_least), 1 - at_most, 1 - at_least


def _detectable(margin: float, error: float, degrees: float, alpha: float) -> float:
    from scipy.special import stdtrit

    return margin + float(stdtrit(degrees, 1 - alpha) + stdtrit(degrees, _STATED_POWER)) * error
