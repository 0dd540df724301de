"""Surrogates answer a batch of new architectures: all metrics, with noise, beside the predictions of scikit-learn."""

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.prediction import fit_surrogate
from nasbench_lab.prediction.surrogates.models import DEFAULT_MODELS
from nasbench_lab.strategies.models.regressors import make_regressor
from nasbench_lab.tables import subset

SAMPLE, BATCH = 469, 8192
QUICK = ("extra-trees:n_estimators=3", "gradient-boosting:n_estimators=3")
FORESTS = {
    "default models": DEFAULT_MODELS,
    "histogram gradient boosting": ("hist-gradient-boosting:max_iter=300,learning_rate=0.05",),
}


@pytest.fixture(scope="module")
def fitted():
    """Fit each surrogate once, and the same regressors to every column."""
    known = {}

    def find(names):
        if names not in known:
            table = nl.load("digits/topology")
            chosen = np.random.default_rng(0).permutation(table.space.size)[:SAMPLE]
            sample = subset(table, np.sort(chosen))
            surrogate = fit_surrogate(sample, list(names), metrics=[], fidelities=[12], folds=2, check=False)
            vectors = surrogate.parts.encoder.vectors(np.sort(chosen))
            values = {
                each.metric: table.lookup(np.sort(chosen), metric=each.metric) for each in surrogate.parts.columns
            }
            regressors = [make_regressor(name, seed=0).fit(vectors, each) for each in values.values() for name in names]
            known[names] = surrogate, regressors
        return known[names]

    return find


@pytest.mark.parametrize("contender", ["ours", "scikit-learn"])
@pytest.mark.parametrize("label", FORESTS)
def test_new_architectures(benchmark, per_item, fitted, label, contender):
    benchmark.group = f"answers of a surrogate, {label}"
    surrogate, regressors = fitted(FORESTS[label] if benchmark.enabled else QUICK)
    batch = np.random.default_rng(1).permutation(surrogate.space.size)[: BATCH if benchmark.enabled else 8]

    def ours():
        surrogate._remembered_rows.clear()
        return surrogate.answers(batch, 12, 0)

    def theirs():
        vectors = surrogate.parts.encoder.vectors(batch)
        return [regressor.predict(vectors) for regressor in regressors]

    per_item(contender, len(batch), ours if contender == "ours" else theirs, rounds=3)
