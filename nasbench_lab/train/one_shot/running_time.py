"""Approximate running times of one-shot searches, for the time left of a suite."""

from __future__ import annotations

import numpy as np

from nasbench_lab.train.one_shot.search_plan import SearchPlan

_PASS = 1.7
"""Seconds of an epoch with one path per step, per second of an epoch of a row of the table. Measured on our tables."""

_SCORE = 0.4
"""Seconds of a score, per second of an epoch of a row."""


def estimated_seconds(plan: SearchPlan) -> float:
    """Return the approximate seconds of a run, on the clock of the table; wrong by a factor of two or three.

    >>> from nasbench_lab.train.one_shot.search_plan import plan_search
    >>> 20 < estimated_seconds(plan_search("digits/topology", "spos", epochs=300)) < 120
    True
    """
    table = plan.table
    epochs = table.fidelities[0]
    row = float(np.nanmean(table.cost(epochs))) / epochs if table.has_times else 1.0
    trained = plan.recipe.epochs * _PASS * plan.method.passes(table.space)
    return row * (trained + _SCORE * plan.method.scored)
