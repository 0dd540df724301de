"""Rankings of made-up methods, with as many methods, runs and epochs as a figure needs."""

import numpy as np

from nasbench_lab.analysis.ranked_scores import rank_scores
from nasbench_lab.analysis.ranking_curves import RankedSnapshot, RankingCurve, RankingCurves
from nasbench_lab.testing import synthetic_table


def made_up_curves(methods, runs=3, epochs=(10, 40, 60), labels=None):
    """Scores are true values with noise that shrinks over the epochs, at another rate for every method."""
    table = synthetic_table()
    architectures = np.arange(table.space.size)
    truth = table.mean_values(table.objective.name)
    curves = []
    for number in range(methods):
        label = labels[number] if labels else f"method-{number}"
        found = []
        for run in range(runs):
            random = np.random.default_rng([number, run])
            for epoch in epochs:
                noise = random.normal(size=len(truth)) * truth.std() * (0.5 + number / 5 + 10 / epoch)
                scored = rank_scores(table, architectures, truth + noise, picks=[1, 5, 10], label=label)
                found.append(RankedSnapshot(run, epoch, epoch * (1.0 + number), scored))
        curves.append(RankingCurve(label, tuple(found)))
    return RankingCurves(table.name, "valid", len(truth), len(truth), tuple(curves))
