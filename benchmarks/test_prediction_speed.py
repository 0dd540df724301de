"""A hundred trials of a random forest in two processes, beside the naive loop over trials and sizes."""

import numpy as np
import pytest
from scipy.stats import kendalltau
from sklearn.ensemble import RandomForestRegressor

import nasbench_lab as nl
from nasbench_lab.prediction import SIZES, evaluate

TRIALS, TEST = 100, 200


def naive(table, trials, sizes):
    """One process; encodes the whole space, and measures one correlation."""
    values = table.mean_values("valid_accuracy")
    found = []
    for trial in range(trials):
        order = np.random.default_rng(trial).permutation(table.space.size)
        test = order[:TEST]
        for size in sizes:
            vectors = table.space.encode(np.arange(table.space.size))
            train = order[TEST : TEST + size]
            model = RandomForestRegressor(random_state=trial).fit(vectors[train], values[train])
            found.append(kendalltau(model.predict(vectors[test]), values[test]).statistic)
    return np.mean(found)


@pytest.mark.parametrize("contender", ["ours", "naive loop"])
def test_a_hundred_trials_of_a_forest(benchmark, per_item, contender):
    benchmark.group = "a random forest, 100 trials x 8 sizes"
    table = nl.load("digits/topology")
    trials, sizes = (TRIALS, SIZES) if benchmark.enabled else (1, SIZES[:1])
    processes = 2 if benchmark.enabled else 1

    def ours():
        return evaluate(table, "random-forest", sizes=sizes, trials=trials, processes=processes)

    per_item(contender, trials, ours if contender == "ours" else lambda: naive(table, trials, sizes), rounds=1)
