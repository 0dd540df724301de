"""The scores of supernets in digits/topology: the tool that makes them, at a tiny scale, and the stored columns."""

import csv
import re
import subprocess
import sys

import numpy as np
import pytest
from paths import ROOT
from repository_tools import load_tool
from scipy.stats import kendalltau

import nasbench_lab as nl

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.train.equivalent_networks import representatives  # noqa: E402


@pytest.fixture(scope="module")
def tool():
    return load_tool("score_digits_topology")


def test_the_recipe_at_a_tiny_scale(tool, tmp_path, capsys):
    networks = (0, 1, 5, 7, 9, 20, 40)
    study = tool.Study(
        trainings=(("uniform", 2), ("fair", 1)),
        columns=(("uniform", 2),),
        running=(("fair", 1),),
        seeds=(0, 1, 2),
        options={"channels": 2, "cells": 1},
        networks=networks,
    )
    rows = list(tool.quality_rows(study, tmp_path))
    assert len(rows) == 2 * 9, "two truths of three supernets with three statistics"
    assert {(row["paths"], row["epochs"], row["statistics"]) for row in rows} == {
        ("uniform", "2", "batch"),
        ("fair", "1", "batch"),
        ("fair", "1", "running"),
    }
    assert {row["networks"] for row in rows} == {"7"}
    printed = capsys.readouterr().out
    assert printed.count("scored") == 9
    assert list(tool.quality_rows(study, tmp_path)) == rows, "from the working folder"
    assert not capsys.readouterr().out

    table = nl.load(tool.TABLE)
    scored = tool.with_scores(study, table, tmp_path, scale=2.0)
    values, seconds = scored.values("supernet_uniform"), scored.values("supernet_uniform_seconds")
    stored = [np.load(tmp_path / f"uniform-2-{seed}-batch.npz") for seed in (0, 1, 2)]
    for seed, arrays in enumerate(stored):
        assert values[list(networks), seed] == pytest.approx(arrays["scores"], rel=1e-6)
        training = scored.values("supernet_uniform_training_seconds")[list(networks), seed]
        assert training == pytest.approx(2 * float(arrays["training"]), rel=1e-6)
    assert seconds[list(networks)] == pytest.approx(2 * stored[0]["seconds"], rel=1e-6)
    assert len(set(stored[0]["seconds"])) == len(networks), "every network was timed"
    plain = tool.trained(study, "uniform", 2, 1, "batch", tmp_path)
    assert np.array_equal(tool.together(plain, np.array(networks))[0], stored[1]["scores"])


NAMES = ("supernet_uniform", "supernet_fair")


@pytest.fixture(scope="module")
def table():
    return nl.load("digits/topology")


def test_stored_scores_are_those_of_networks(table):
    shared = representatives(table.space)
    steps = 450 / 100  # an accuracy is a number of the 450 validation images
    for name in NAMES:
        values = table.values(name)
        assert values.shape == (15_625, 3)
        assert np.array_equal(values, values[shared]), "equal networks have equal scores"
        assert np.allclose(values * steps, np.rint(values * steps), atol=1e-3)
        assert 0 < values.min() < 20, "some cells do not use their input"
        assert 50 < values.max() < table.optimum("valid"), "shared weights are worse than those of a training alone"
        seconds, training = table.values(f"{name}_seconds"), table.values(f"{name}_training_seconds")
        assert np.array_equal(seconds, seconds[shared])
        assert 0 < seconds.min() < seconds.max() < table.cost().max(), "no score takes as long as a training"
        assert (training == training[0]).all(), "the training of a supernet costs the same for all"
        assert (training[0] > 10 * table.cost().mean()).all()
    assert np.array_equal(table.values("supernet_fair_seconds"), table.values("supernet_uniform_seconds"))
    unlike = [table.values(name)[:, seed] for name in NAMES for seed in range(3)]
    assert len({column.tobytes() for column in unlike}) == 6, "every supernet has scores of its own"


def test_stored_scores_rank_as_the_pages_say(table):
    """docs/supernets.md and results/one-shot/scores say what scipy finds."""
    networks = np.unique(representatives(table.space))
    truth = table.mean_values("valid_accuracy")[networks]
    lines = (ROOT / "results" / "one-shot" / "scores" / "quality.csv").read_text(encoding="utf-8").splitlines()
    rows = [row for row in csv.DictReader(lines) if row["truth"] == "valid_accuracy" and row["statistics"] == "batch"]
    page = (ROOT / "docs" / "supernets.md").read_text(encoding="utf-8")
    for name, epochs in (("uniform", "300"), ("fair", "60")):
        found = [kendalltau(column[networks], truth).statistic for column in table.values(f"supernet_{name}").T]
        stored = [row["Kendall, best 100%"] for row in rows if (row["paths"], row["epochs"]) == (name, epochs)]
        assert [f"{tau:.4f}" for tau in found] == stored
        assert f"| {name} | {epochs} | " in page
        assert f" | {np.mean(found):.2f} ({min(found):.2f} to {max(found):.2f}) | " in page
        assert min(found) >= 0.5


def test_the_page_says_what_was_measured():
    """Every row of the page's tables is in results/one-shot/scores."""
    lines = (ROOT / "results" / "one-shot" / "scores" / "quality.csv").read_text(encoding="utf-8").splitlines()
    rows = [row for row in csv.DictReader(lines) if row["truth"] == "valid_accuracy"]
    page = (ROOT / "docs" / "supernets.md").read_text(encoding="utf-8")

    def said(which, column, form):
        values = [float(row[column]) for row in rows if (row["paths"], row["epochs"], row["statistics"]) == which]
        assert len(values) == 3
        return form.format(np.mean(values)), *map(form.format, (min(values), max(values)))

    kinds = sorted({(row["paths"], row["epochs"]) for row in rows})
    assert len(kinds) == 5
    for paths, epochs in kinds:
        which = (paths, epochs, "batch")
        taus = [said(which, f"Kendall, best {share}%", "{:.2f}") for share in (100, 50, 20, 10)]
        seconds = said(which, "training seconds", "{:.0f}")[0]
        cells = " | ".join(f"{mean} ({low} to {high})" for mean, low, high in taus)
        assert f"| {paths} | {epochs} | {seconds} | {cells} |" in page
        picks = [said(which, f"regret of the best {k}", "{:.1f}") for k in (1, 10, 100)]
        among = said(which, "precision of the best 100", "{:.0%}")[0].replace("%", " %")
        cells = " | ".join(f"{mean} ({low} to {high})" for mean, low, high in picks)
        assert re.search(rf"\| {paths} \| {epochs} \| {among}( of the true 100 best)? \| {re.escape(cells)} \|", page)
    running = [said(("uniform", "300", "running"), f"Kendall, best {share}%", "{:.2f}") for share in (100, 20)]
    words = " ".join(page.split())
    assert all(f"{mean} ({low} to {high})" in words for mean, low, high in running)


@pytest.mark.parametrize("name", ["zero-cost-filter", "zero-cost-warm-start"])
def test_strategies_search_with_the_scores_without_torch(name, table):
    code = f"""
import sys
import nasbench_lab as nl
trace = nl.simulate("digits/topology", "{name}", score="supernet_fair", runs=4, budget=nl.Budget(seconds=120))
assert "torch" not in sys.modules
print(*trace.time[:, 0])
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    first = np.array(printed.split(), dtype=float)
    assert (first > table.values("supernet_fair_training_seconds").min()).all()
