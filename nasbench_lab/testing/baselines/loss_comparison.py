"""The statistical tier of a check: what became of every loss since the baseline, and how sure that is.

The runs of a baseline and of a check have the same seeds, so they are compared in pairs. A strategy that was rewritten
without being changed gives differences that are symmetric about 0, which makes Student's t a good test of their mean
even where regrets themselves are skewed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from nasbench_lab.analysis.equivalence import Verdict, compare_samples, equivalence_power, runs_needed
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError

FEWEST_RUNS = 8
"""Fewer runs are not compared: their spread says too little."""

POWER = 0.9
"""Probability to find a rewritten strategy equivalent that `LossComparison.needed` aims at."""


@dataclass(frozen=True)
class LossComparison:
    """What became of one loss (see `LOSSES`): less is better.

    Attributes:
        name: of the loss.
        before, after: its mean over the runs of the baseline, and over those of the check.
        difference: mean of the paired differences; positive is worse.
        low, high: its interval; the true difference is below (or above) it with a probability of at most `error`.
        margin: the largest difference that does not matter.
        error: chance of the verdict "worse" where it is not worse by more than the margin.
        p_worse: p-value of the one-sided test that the difference is not above the margin.
        p_equivalent: p-value of the two one-sided tests that it is not within the margins.
        power: probability to find an equal strategy equivalent.
        detectable: the true worsening that is found "worse" with a probability of 0.8.
        needed: runs with which `power` is `POWER`.
        verdict: "equivalent", "better", "worse" or "inconclusive".
    """

    name: str
    before: float
    after: float
    difference: float
    low: float
    high: float
    margin: float
    error: float
    p_worse: float
    p_equivalent: float
    power: float
    detectable: float
    needed: int
    verdict: Verdict


def compare(name: str, before: FloatArray, after: FloatArray, margin: float, error: float) -> LossComparison:
    """Compare a loss of the same runs before and after.

    Args:
        name: of the loss.
        before: of the baseline's runs, shape (runs,).
        after: of the runs of the same seeds now, shape (runs,).
        margin: the largest difference that does not matter.
        error: chance of calling "worse" what is not worse by more than that.

    Raises:
        ParameterError: too few runs, runs that are no pairs, or a margin or an error that makes no sense.

    >>> import numpy as np
    >>> random = np.random.default_rng(1)
    >>> before, after = random.random((2, 400))
    >>> compare("final", before, after, margin=0.15, error=0.01).verdict
    'equivalent'
    >>> compare("final", before, after + 0.3, margin=0.15, error=0.01).verdict
    'worse'
    """
    if len(before) < FEWEST_RUNS:
        raise ParameterError(f"a comparison needs at least {FEWEST_RUNS} runs, got {len(before)}")
    found = compare_samples(after, before, margin, 1 - error, paired=True)
    spread = float((after - before).std(ddof=1))
    return LossComparison(
        name=name,
        before=float(before.mean()),
        after=float(after.mean()),
        difference=found.difference.estimate,
        low=found.difference.low,
        high=found.difference.high,
        margin=margin,
        error=error,
        p_worse=found.p_worse,
        p_equivalent=found.p_equivalent,
        power=found.power,
        detectable=found.detectable,
        needed=_needed(spread, margin, error),
        verdict=found.verdict,
    )


def error_per_test(level: float, baselines: int, losses: int) -> float:
    """Return the error that every test may make so that all tests together make one with a probability of `level`.

    Bonferroni: the level divided by the number of tests. So a verdict does not depend on which other checks ran, and is
    the same with pytest, without it, and on several processes.
    """
    return level / max(baselines, 1) / max(losses, 1)


def equivalence_chances(
    losses: Mapping[str, FloatArray], margins: Mapping[str, float], error: float
) -> dict[str, float]:
    """Return the probability, per loss, that another sample of the same strategy is found equivalent.

    >>> import numpy as np
    >>> equivalence_chances({"final": np.random.default_rng(1).random(256)}, {"final": 0.15}, 0.005)["final"] > 0.99
    True
    """
    found = {}
    for name, values in losses.items():
        standard_error = math.sqrt(2 / len(values)) * float(values.std(ddof=1))
        found[name] = equivalence_power(margins[name], standard_error, len(values) - 1, 1 - error)
    return found


def _needed(spread: float, margin: float, error: float) -> int:
    # The formula is for two independent samples, whose difference has twice the variance of one.
    return max(runs_needed(spread / math.sqrt(2), margin, POWER, 1 - error), FEWEST_RUNS)
