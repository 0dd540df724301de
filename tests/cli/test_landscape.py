"""``nasbench-lab landscape``, as a user meets it: what it prints, writes and refuses."""

import csv
import json

import numpy as np
import pytest
from command_line import assert_refused, nasbench_lab_here
from matplotlib.figure import Figure
from scipy.stats import spearmanr

import nasbench_lab as nl
from nasbench_lab.analysis import landscape, optima_network, quality
from nasbench_lab.analysis.table_quality import rank_correlations
from nasbench_lab.cli import tables
from nasbench_lab.cli.tables import fidelity_lines
from nasbench_lab.tables import write
from nasbench_lab.testing import synthetic_table


@pytest.fixture
def without_table_figures(monkeypatch):
    """`tables describe` draws its figure in no time; tests of that command look at it."""
    monkeypatch.setattr(tables, "table_figure", lambda *_: Figure((1, 1)))


def test_it_prints_and_writes_what_is_computed(tmp_path):
    write(synthetic_table(noise=0.05), tmp_path / "mine.h5")
    done = nasbench_lab_here("landscape", tmp_path / "mine.h5", "--out", tmp_path / "out", "--style", "single")
    assert done.returncode == 0, done
    assert "local optima         4 strict, 4 weak; 4 plateaus" in done.stdout
    assert "best improvement     reaches the best from 26.3 % of starts" in done.stdout
    assert "network              4 local optima, 9 escapes, complete" in done.stdout
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        *("landscape.csv", "optima.csv", "fidelities.csv", "network-nodes.csv", "network-edges.csv"),
        *("network.graphml", "landscape.pdf", "landscape.png", "network.pdf", "network.png"),
    }
    with (tmp_path / "out/landscape.csv").open(encoding="utf-8") as file:
        rows = {row["statistic"]: row for row in csv.DictReader(file)}
    table = nl.load(tmp_path / "mine.h5")
    for name, value in landscape(table).statistics().items():
        assert rows[name]["value"] == ("" if value.estimate != value.estimate else str(value.estimate)), name
    with (tmp_path / "out/network-edges.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(optima_network(table).source)


def test_a_sample_has_intervals_and_says_so(tmp_path):
    done = nasbench_lab_here("landscape", "digits/chain", "--sample", 200, "--network-runs", 5, "--split", "valid")
    assert done.returncode == 0
    assert "note: estimates from 200 architectures" in done.stderr
    assert "strict, about" in done.stdout
    assert "valid_accuracy" in done.stdout
    assert "from 5 searches" in done.stdout
    quiet = nasbench_lab_here("landscape", "digits/chain", "--sample", 200, "--network-runs", 5, "--quiet", "--json")
    assert json.loads(quiet.stdout)["sample"] == 200
    assert not quiet.stderr


@pytest.mark.usefixtures("without_table_figures")
def test_spaces_without_neighbours(tmp_path):
    (tmp_path / "mine.csv").write_text("name,test_accuracy\na,1\nb,2\nc,2\n", encoding="utf-8")
    table = nl.read_columns(tmp_path / "mine.csv", architecture="name")
    assert not table.space.has_neighbors
    write(table, tmp_path / "mine.h5")
    done = nasbench_lab_here("landscape", tmp_path / "mine.h5", "--out", tmp_path / "out")
    assert done.returncode == 0, done
    assert "no architecture of this space has a neighbour" in done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"landscape.csv", "landscape.pdf", "landscape.png"}
    assert "landscape of" not in nasbench_lab_here("tables", "describe", tmp_path / "mine.h5", "--out", tmp_path).stdout


def test_mistakes_are_one_line(tmp_path):
    for words, *parts in (
        (("--split", "train"), "split", "'train'", "valid", "test"),
        (("--fidelity", 50), "50"),
        (("--repeat", 7), "repeats 0..2"),
        (("--tolerance", -1), "tolerance must be at least 0"),
        (("--with", "digits/cell101"), "another space"),
        (("--style", "huge", "--out", tmp_path / "out"), "huge"),
    ):
        assert_refused(nasbench_lab_here("landscape", "digits/chain", *words), *parts)
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    write(synthetic_table("tiny"), tmp_path / "tiny.h5")
    assert_refused(nasbench_lab_here("landscape", tmp_path / "tiny.h5", "--out", tmp_path / "file"), "file")
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("without_table_figures")
def test_descriptions_compare_every_pair_of_fidelities(tmp_path):
    two = synthetic_table()
    assert set(fidelity_lines(two, quality(two))) == {"learning curve"}
    assert "rank correlation of epoch 4 with the last epoch" in fidelity_lines(two, quality(two))["learning curve"]
    many = nasbench_lab_here("tables", "describe", "digits/cell101", "--out", tmp_path).stdout
    assert "landscape of test_accuracy" in many
    for line in ("epoch 2              rank correlation with epoch 4: ", "epoch 8              rank correlation with"):
        assert line in many
    found = quality(nl.load("digits/cell101"))
    np.testing.assert_array_equal(np.diag(found.between_fidelities), 1.0)
    np.testing.assert_array_equal(found.between_fidelities, found.between_fidelities.T)
    means = [nl.load("digits/cell101").mean_values("valid_accuracy", epochs) for epochs in (2, 4)]
    assert found.between_fidelities[0, 1] == pytest.approx(spearmanr(*means).statistic)
    assert found.with_end.tolist() == found.between_fidelities[:, -1].tolist()


def test_pairs_of_fidelities_use_the_architectures_that_have_both():
    columns = [np.array([1.0, 2.0, 3.0, np.nan]), np.array([3.0, 1.0, 2.0, 9.0]), np.full(4, 0.5)]
    found = rank_correlations(columns)
    assert found[0, 1] == pytest.approx(spearmanr(columns[0][:3], columns[1][:3]).statistic)
    assert np.isnan(found[2]).all()
    assert np.isnan(rank_correlations(columns[1:])[1]).all()
