"""Tests of average task ranks in words, for figures, tables and the page."""

from __future__ import annotations

import math

from nasbench_lab.analysis.studies.results import RankComparison


def tests_in_words(ranks: RankComparison) -> str:
    """Return the tests of the hypothesis that no strategy differs from another, and whether they do not reject it.

    >>> import numpy as np
    >>> square, average = np.ones((3, 3)), np.array([1.0, 2.5, 2.5])
    >>> ranks = RankComparison("test", (0, 1), np.ones((2, 3)), average, 3.0, 0.2, 0.9, square, square, ((0, 1, 2),),
    ...                        0.95, 3.0, 0.16, True)
    >>> tests_in_words(ranks)
    'Friedman p = 0.2 (exact), Iman-Davenport p = 0.16: no difference is proven'
    """
    if math.isnan(ranks.p):
        return "a test needs two strategies and two tasks"
    if len(ranks.ranks) == 2:
        found = f"sign test {p_in_words(ranks.p)}"
    else:
        exact = " (exact)" if ranks.exact else ""
        found = f"Friedman {p_in_words(ranks.p)}{exact}, Iman-Davenport {p_in_words(ranks.iman_davenport_p)}"
    return found if ranks.rejects else f"{found}: no difference is proven"


def p_in_words(value: float) -> str:
    """Return a p-value with two digits; small ones as a bound.

    >>> p_in_words(0.0123), p_in_words(1e-9)
    ('p = 0.012', 'p < 0.001')
    """
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"
