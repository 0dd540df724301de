"""The statistical tier of a check: how every loss has changed since the baseline, with tests and intervals.

The runs of a baseline and of a check have the same seeds, so they are compared in pairs. If a strategy was rewritten
without a change of its behaviour, the differences are symmetric about 0. Student's t is therefore a good test of their
mean even if the regrets themselves are skewed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from nasbench_lab.analysis.equivalence import SampleComparison, compare_samples, equivalence_power, runs_needed
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError

LossVerdict = Literal["equivalent", "better", "likely better", "worse", "likely worse", "inconclusive"]
"""The judgement of a loss. "better" and "worse" are by more than the margin. "likely better" and "likely worse" are
proven differences of which it is unclear whether they exceed the margin."""

FEWEST_RUNS = 8
"""Smallest number of runs that are compared; the spread of fewer runs is too uncertain."""

POWER = 0.9
"""Probability of the verdict "equivalent" for an equal strategy that `LossComparison.needed` is computed for."""


@dataclass(frozen=True)
class LossComparison:
    """How one loss (see `LOSSES`) has changed; lower is better.

    Attributes:
        name: name of the loss.
        before, after: mean over the runs of the baseline, and over those of the check.
        difference: mean of the paired differences; positive is worse.
        low, high: interval of the difference; the true difference is below (or above) it with a probability of at most
            `error`.
        margin: largest difference that does not matter.
        error: probability of the verdict "worse" if the loss is not worse by more than the margin, and of the verdict
            "worse" or "likely worse" if it is not worse.
        p_worse: p-value of the one-sided test of the hypothesis that the difference is at most the margin.
        p_equivalent: p-value of the two one-sided tests of the hypothesis that it is outside the margins.
        power: probability of the verdict "equivalent" for an equal strategy.
        detectable: true difference that gets the verdict "worse" with a probability of 0.8.
        needed: number of runs with which `power` is `POWER`.
        verdict: see `LossVerdict`.
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
    verdict: LossVerdict


def compare(name: str, before: FloatArray, after: FloatArray, margin: float, error: float) -> LossComparison:
    """Compare a loss of the same runs before and after.

    Args:
        name: name of the loss.
        before: losses of the runs of the baseline, shape (runs,).
        after: losses of the runs with the same seeds now, shape (runs,).
        margin: largest difference that does not matter.
        error: see `LossComparison`.

    Raises:
        ParameterError: there are too few runs, the runs are not pairs, or the margin or the error is not allowed.

    >>> import numpy as np
    >>> random = np.random.default_rng(1)
    >>> before, after = random.random((2, 400))
    >>> compare("final", before, after, margin=0.15, error=0.01).verdict
    'equivalent'
    >>> compare("final", before, after + 0.3, margin=0.15, error=0.01).verdict
    'worse'
    >>> compare("final", before, after + 0.15, margin=0.15, error=0.01).verdict
    'likely worse'
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
        verdict=_verdict(found),
    )


def _verdict(found: SampleComparison) -> LossVerdict:
    if found.verdict != "inconclusive" or found.sign == 0:
        return found.verdict
    return "likely worse" if found.sign > 0 else "likely better"


def error_per_test(level: float, baselines: int, losses: int) -> float:
    """Return the error probability of a single test, for a probability `level` of any error in all tests.

    This is the Bonferroni correction: the level divided by the number of tests. A verdict therefore does not depend on
    which other checks ran, and is the same with pytest, without it, and in several processes.
    """
    return level / max(baselines, 1) / max(losses, 1)


def equivalence_chances(
    losses: Mapping[str, FloatArray], margins: Mapping[str, float], error: float
) -> dict[str, float]:
    """Return, for every loss, the probability that another sample of the same strategy gets the verdict "equivalent".

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
    # The formula is for two independent samples, whose difference has twice the variance of one sample.
    return max(runs_needed(spread / math.sqrt(2), margin, POWER, 1 - error), FEWEST_RUNS)
