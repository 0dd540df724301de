"""The noise ceiling is what a model of the true expected values reaches, and the verdict says where it is too low."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from nasbench_lab.prediction import fit_surrogate
from nasbench_lab.prediction.surrogates.ceiling import noise_ceiling, repeats_needed, two_repeats
from nasbench_lab.prediction.surrogates.verdict import Verdict
from nasbench_lab.tables import Table, subset
from nasbench_lab.testing import synthetic_table


@pytest.mark.parametrize("size", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("repeats", [1, 3])
def test_the_ceiling_is_what_the_expected_values_reach(size, repeats):
    """Exact for normal values; skewed ones whose noise grows with how bad they are come close."""
    random = np.random.default_rng(1)
    normal = random.standard_normal(4000)
    bad = np.exp(1.5 * normal)
    for true, noise, precision in ((normal, 1.0, 0.02), (-bad, 0.3 * bad + 0.2, 0.06)):
        values = true[:, None] + size * np.reshape(noise, (-1, 1)) * random.standard_normal((4000, max(repeats, 2)))
        agreement = kendalltau(values[:, 0], values[:, 1]).statistic
        reached = kendalltau(true, values[:, :repeats].mean(axis=1)).statistic
        assert noise_ceiling(agreement, np.full(4000, repeats)) == pytest.approx(reached, abs=precision)


def test_more_repeats_raise_the_ceiling_up_to_what_is_needed():
    needed = repeats_needed(0.3, 0.7)
    assert noise_ceiling(0.3, [needed]) >= 0.7 > noise_ceiling(0.3, [needed - 1])
    both = noise_ceiling(0.3, [1, 3])
    assert both == pytest.approx((noise_ceiling(0.3, [1]) + noise_ceiling(0.3, [3])) / 2)
    assert noise_ceiling(-0.2, [5]) == 0.0
    assert np.isnan(noise_ceiling(float("nan"), [5]))
    assert noise_ceiling(1.0, [1]) == pytest.approx(1.0)


def test_any_two_repeats_of_an_architecture_are_compared():
    values = np.array([[np.nan, 1.0, 2.0, 3.0], [4.0, np.nan, np.nan, 5.0], [6.0, np.nan, np.nan, np.nan]])
    assert two_repeats(values).tolist() == [[1.0, 2.0], [4.0, 5.0]]
    assert two_repeats(values[:, :1]).shape == (0, 2)


def noisy(size):
    """A third of the synthetic chain, with repeats that have noise of a size of their own."""
    table = synthetic_table("chain")
    values = {metric: table.values(metric).copy() for metric in table.metrics}
    for place, metric in enumerate((table.description.valid, table.description.test)):
        noise = np.random.default_rng(place).standard_normal(values[metric].shape)
        values[metric] = values[metric].mean(axis=-1, keepdims=True) + size * noise
    return subset(Table(table.description, values), range(0, 243, 2))


def verdict_of(size):
    found = fit_surrogate(noisy(size), "ridge", "one-hot", metrics=[], fidelities=[12], folds=2, check=False)
    return Verdict.from_plain(found.verdict)


def test_a_verdict_says_that_repeats_are_too_noisy_to_judge():
    verdict = verdict_of(0.4)
    assert verdict.is_too_noisy
    assert verdict.judged.ceiling < 0.7
    line = verdict.lines()["verdict"]
    assert line.startswith("cannot be judged: repeats differ so much that a perfect model would rank with")
    assert "repeats of each architecture" in line or "no repeats agree" in line
    assert f"(a perfect model: {verdict.judged.ceiling:.3f})" in verdict.judged.in_words


def test_a_verdict_of_precise_repeats_is_about_the_model():
    verdict = verdict_of(0.005)
    assert verdict.judged.ceiling > 0.9
    assert not verdict.is_too_noisy
    assert verdict.judged.kendall < verdict.judged.ceiling
    assert "cannot be judged" not in verdict.lines()["verdict"]


def test_verdicts_of_earlier_files_have_no_ceiling():
    plain = verdict_of(0.005).to_plain()
    for check in plain["metrics"]:
        del check["ceiling"]
    again = Verdict.from_plain(plain)
    assert np.isnan(again.judged.ceiling)
    assert not again.is_too_noisy
    assert "perfect" not in again.judged.in_words
