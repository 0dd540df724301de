"""The ranking of a supernet's scores on a table, against scores and values that are looked up one by one."""

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

import nasbench_lab as nl
from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.spaces import SubsetSpace, TopologySpace
from nasbench_lab.tables import Description, Metric, Table

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.train.datasets import digits  # noqa: E402
from nasbench_lab.train.equivalent_networks import representatives  # noqa: E402
from nasbench_lab.train.image_batches import ImageBatches  # noqa: E402
from nasbench_lab.train.one_shot import make_supernet, ranking, score  # noqa: E402
from nasbench_lab.train.one_shot.supernet_ranking import chosen_networks  # noqa: E402
from nasbench_lab.train.recipes import recipe  # noqa: E402

SPACE = TopologySpace()
TABLE = nl.load("digits/topology")


@pytest.fixture(scope="module")
def supernet():
    return make_supernet(SPACE, image=(1, 8, 8), classes=10, seed=1, options={"channels": 2, "cells": 1})


def small_table(space, valid, direction="maximize"):
    metrics = (
        Metric("valid_loss", "valid", "nats", direction, ""),
        Metric("test_accuracy", "test", "percent", "maximize", ""),
    )
    description = Description(
        *("mine/digits/small", "made up", space.spec(), (1,), ("0",), metrics, "valid_loss", "test_accuracy"),
        cost=(),
        resumable=False,
    )
    values = np.asarray(valid, dtype=float)[:, None, None]
    return Table(description, {"valid_loss": values, "test_accuracy": -values * (-1 if direction == "maximize" else 1)})


def test_a_sample_is_scored_and_compared_with_the_table(supernet):
    found = ranking(supernet, "digits/topology", architectures=12, seed=5)
    batches = ImageBatches(digits(), recipe("digits"), [0], torch.device("cpu"))
    np.testing.assert_array_equal(found.scores, score(supernet, batches, found.architectures.tolist()))
    truth = [TABLE.query(int(each), repeat="mean")["valid_accuracy"] for each in found.architectures]
    np.testing.assert_allclose(found.truth["valid"], truth)
    assert found.valid.kendall[1.0] == pytest.approx(kendalltau(found.scores, truth).statistic)
    test = TABLE.mean_values("test_accuracy")[found.architectures]
    assert found.test.spearman[1.0] == pytest.approx(spearmanr(found.scores, test).statistic)
    best = found.scores == found.scores.max()
    assert found.valid.regret[1] == pytest.approx(np.max(truth) - np.mean(np.array(truth)[best]))
    assert found.test.regret[1] == pytest.approx(test.max() - test[best].mean())
    top = np.argsort(-found.scores)[:5]
    if len(set(found.scores[top])) == 5:
        assert found.test.regret[5] == pytest.approx(test.max() - test[top[np.argmax(np.array(truth)[top])]])


def test_samples_are_of_different_networks_and_follow_their_seed():
    shared = representatives(SPACE)
    everything = chosen_networks(TABLE)
    assert len(everything) == 5234 == len(np.unique(shared[everything]))
    one, same, other = (chosen_networks(TABLE, 50, seed) for seed in (1, 1, 2))
    assert len(one) == 50
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert set(one) <= set(everything)
    np.testing.assert_array_equal(chosen_networks(TABLE, 10**6), everything)
    equal = np.flatnonzero(shared == shared[0])
    assert chosen_networks(TABLE, equal.tolist()).tolist() == [0], "one network, with many names"
    assert chosen_networks(TABLE, [SPACE.format(7), 3]).tolist() == sorted({int(shared[7]), int(shared[3])})


def test_a_table_of_some_architectures_and_with_missing_values(supernet):
    members = chosen_networks(TABLE)[::800]
    valid = np.linspace(1, 2, len(members))
    valid[3] = np.nan
    table = small_table(SubsetSpace(SPACE, members), valid, "minimize")
    found = ranking(supernet, table)
    assert len(found.architectures) == len(members) - 1
    assert 3 not in found.architectures
    whole = ranking(supernet, TABLE, architectures=members[found.architectures].tolist())
    np.testing.assert_array_equal(found.scores, whole.scores)
    assert found.valid.kendall[1.0] == pytest.approx(-kendalltau(found.scores, found.truth["valid"]).statistic)
    assert found.test.regret == pytest.approx(found.valid.regret), "the test value is the negative loss"


def test_displays(supernet):
    found = ranking(supernet, TABLE, architectures=[1, 5, 100, 2000, 9999], picks=[1, 3])
    assert repr(found) == (
        f"<RankedScores: 5 architectures of digits/topology, Kendall {found.valid.kendall[1.0]:.2f}, "
        f"top fifth {found.valid.kendall[0.2]:.2f}>"
    )
    page = found._repr_html_()
    for words in ("Kendall (valid)", "Spearman (test)", "top fifth", "regret (test, percent)", "precision (valid)"):
        assert words in page
    rows = found.records().to_dict()
    place = next(i for i in range(len(rows["at"])) if (rows["measure"][i], rows["at"][i]) == ("regret", 3.0))
    assert (rows["truth"][place], rows["value"][place]) == ("valid", found.valid.regret[3])
    assert len(rows["at"]) == 2 * (4 + 4 + 2 + 2)
    scores = found.scores_records()
    assert list(scores.columns) == ["architecture", "score", "valid_accuracy", "test_accuracy"]
    assert scores.units["test_accuracy"] == "percent"
    assert list(found.to_frame().columns) == ["measure", "at", "truth", "value"]


def test_wrong_arguments(supernet):
    with pytest.raises(ParameterError, match="images of 1 x 8 x 8 and has 10 classes, but 'cifar100'"):
        ranking(supernet, TABLE, dataset="cifar100")
    with pytest.raises(ParameterError, match="the supernet is one of the space 'topology', but table 'digits/chain'"):
        ranking(supernet, "digits/chain")
    with pytest.raises(ParameterError, match="split must be 'valid' or 'test', got 'train'"):
        ranking(supernet, TABLE, split="train")
    with pytest.raises(ParameterError, match="the number of architectures must be at least 1, got 0"):
        ranking(supernet, TABLE, architectures=0)
    with pytest.raises(ParameterError, match="no valid_accuracy of any"):
        ranking(supernet, TABLE, architectures=[])
    with pytest.raises(OutOfSpaceError):
        ranking(supernet, TABLE, architectures=[20000])
    with pytest.raises(nl.errors.UnknownNameError):
        ranking(supernet, "digits/topologie")


def test_a_trace_is_not_a_supernet():
    with pytest.raises(ParameterError, match=r"ranking needs a supernet, such as supernet\(0\) of a trace, got 'spos'"):
        ranking("spos", TABLE, architectures=3)
