"""Evaluations of made-up predictors, with as many predictors, trials and sizes as a figure needs."""

import numpy as np

from nasbench_lab.prediction import PredictorEvaluation, PredictorTrials, Settings
from nasbench_lab.prediction.trial_runs import COLUMNS


def made_up_evaluation(predictors, trials=5, sizes=(5, 14, 42, 121), encodings=("one-hot", "path"), names=None):
    """Correlations that grow with the labels; the last predictor needs no labels, and has no encoding."""
    found = []
    for number in range(predictors):
        random = np.random.default_rng(number)
        free = number == predictors - 1
        name = names[number // len(encodings)] if names else f"model-{number // len(encodings)}"
        name, encoding = (f"curve-{number}", "") if free else (name, encodings[number % len(encodings)])
        label = name if free else f"{name} ({encoding})"
        values = np.full((len(COLUMNS), trials, len(sizes)), 1.0)
        growing = np.full(len(sizes), 0.4) if free else 0.2 + 0.1 * np.log(sizes) - number / 60
        values[COLUMNS.index("kendall")] = growing + random.normal(0, 0.03, (trials, 1 if free else len(sizes)))
        values[COLUMNS.index("regret_1")] = 3 * (1 - growing)
        values[COLUMNS.index("label_seconds")] = 0.0 if free else 10.0 * np.array(sizes)
        values[COLUMNS.index("query_seconds")] = 400.0 if free else 0.0
        found.append(PredictorTrials(label, name, encoding, not free, np.arange(trials), np.array(sizes), values))
    settings = Settings("digits/made-up", "", tuple(sizes), 200, "uniform", "sample", 0)
    return PredictorEvaluation(settings, "percent", 5234, tuple(found))
