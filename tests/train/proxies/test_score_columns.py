"""Scores of proxies as columns of tables, and files of scores."""

import numpy as np
import pytest
from command_line import assert_refused, nasbench_lab_here
from tables_without_scores import without_scores

import nasbench_lab as nl

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.errors import DataError, ParameterError  # noqa: E402
from nasbench_lab.simulation.zero_cost_scores import score_names  # noqa: E402
from nasbench_lab.train.equivalent_networks import representatives  # noqa: E402
from nasbench_lab.train.proxies import score_architectures, with_scores  # noqa: E402

FEW = range(0, 4536, 800)
SMALL = without_scores(nl.tables.subset(nl.load("digits/chain"), FEW))


def scored(*proxies, table=SMALL, **options):
    return score_architectures(table, list(proxies), **{"batch": 4, **options})


def test_columns_are_the_scores_on_the_clock_of_the_table():
    scores = scored("synflow", "snip", seeds=[0, 1, 2])
    table = with_scores(SMALL, scores, scale=3.0)
    assert score_names(table.description) == ("synflow", "snip")
    for name in ("synflow", "snip"):
        assert table.values(name) == pytest.approx(scores.values[name], rel=1e-6), "one repeat per seed"
        assert table.values(f"{name}_seconds") == pytest.approx(3 * scores.seconds[name].mean(axis=1), rel=1e-6)
        assert "from the seeds 0, 1, 2" in table.description.metric(name).description
    trace = nl.simulate(table, "zero-cost-filter", score="snip", runs=2, budget=nl.Budget(evaluations=4))
    assert trace.setting.parameters["score"] == "snip"


def test_other_numbers_of_seeds_give_means_that_cost_all_of_them():
    two, one = scored("snip", seeds=[3, 4]), scored("snip", seeds=[4])
    mean = with_scores(SMALL, two)
    assert mean.values("snip") == pytest.approx(two.values["snip"].mean(axis=1), rel=1e-6)
    assert mean.values("snip_seconds") == pytest.approx(two.seconds["snip"].sum(axis=1), rel=1e-6)
    assert with_scores(SMALL, one).values("snip") == pytest.approx(two.values["snip"][:, 1], rel=1e-6)


def test_measurements_of_the_table_are_kept():
    scores = scored("flops", "params")
    table = with_scores(SMALL, scores)
    assert np.array_equal(table.values("flops"), SMALL.values("flops"))
    assert table.values("flops_score") == pytest.approx(scores.values["flops"][:, 0])
    again = with_scores(table, scores)
    assert again.metrics == table.metrics, "columns of earlier scores are replaced"
    named = with_scores(SMALL, scores, names={"flops": "macs"})
    assert score_names(named.description) == ("macs", "params")
    with pytest.raises(ParameterError, match="two columns would be called 'params'"):
        with_scores(SMALL, scores, names={"flops": "params"})


def test_equal_networks_share_a_score_and_missing_ones_are_refused():
    whole = nl.load("digits/topology")
    shared = representatives(whole.space)
    pair = np.flatnonzero(shared == np.bincount(shared).argmax())[:3]
    table = nl.tables.subset(whole, pair)
    scores = scored("synflow", table=table, architectures=[0], options={"channels": 2, "cells": 1})
    values = with_scores(table, scores).values("synflow")
    assert values.shape == (3,)
    assert len(set(values)) == 1
    with pytest.raises(ParameterError, match=r"5 of 6 architectures of .* have no scores: score all networks"):
        with_scores(SMALL, scored("params", architectures=[2]))


def test_failed_scores_are_nan_but_cost_seconds():
    scores = scored("naswot")
    failed = np.isnan(scores.values["naswot"][:, 0])
    assert 0 < failed.sum() < len(failed)
    table = with_scores(SMALL, scores)
    assert np.array_equal(np.isnan(table.values("naswot")), failed)
    assert (table.values("naswot_seconds") > 0).all()
    nl.simulate(table, "zero-cost-filter", runs=3, budget=nl.Budget(evaluations=5))


def test_a_file_of_either_form_continues(tmp_path):
    found = {}
    for name in ("scores.h5", "scores.npz"):
        first = scored("snip", "naswot", "az_nas", architectures=[0, 1, 2], checkpoint=tmp_path / name)
        again = scored("snip", "naswot", "az_nas", "params", seeds=[0, 1], checkpoint=tmp_path / name)
        assert np.array_equal(again.seconds["snip"][:3, 0], first.seconds["snip"][:, 0]), "not measured again"
        found[name] = again
    for label, values in found["scores.h5"].values.items():
        np.testing.assert_array_equal(values, found["scores.npz"].values[label])
    assert found["scores.h5"].failures == found["scores.npz"].failures
    assert (tmp_path / "scores.h5").read_bytes().startswith(b"\x89HDF")


@pytest.mark.parametrize("damage", ["cut", "empty", "other"])
def test_a_damaged_file_is_one_clear_line(tmp_path, damage):
    path = tmp_path / "scores.h5"
    scored("params", architectures=[0, 1], checkpoint=path)
    if damage == "other":
        nl.tables.write(SMALL, path)
    else:
        path.write_bytes(path.read_bytes()[: -200 if damage == "cut" else 0])
    with pytest.raises(DataError, match=r"scores\.h5 holds no scores of proxies, or is damaged") as error:
        scored("params", checkpoint=path)
    assert "\n" not in str(error.value)


def test_a_space_without_networks_is_refused_before_images_are_asked_for(tmp_path):
    (tmp_path / "mine.csv").write_text("name,test_accuracy\na,1\nb,2\n", encoding="utf-8")
    nl.tables.write(nl.read_columns(tmp_path / "mine.csv", architecture="name"), tmp_path / "mine.h5")
    refused = nasbench_lab_here("proxies", "run", "--table", tmp_path / "mine.h5", "--proxy", "params")
    assert_refused(refused, "there are no networks for the space 'listed'")
