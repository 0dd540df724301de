"""``nasbench-lab predictors``: run, show again, draw, list, and mistakes."""

import csv

import pytest
from command_line import assert_refused, nasbench_lab_here

TINY = ("--table", "digits/chain", "--sizes", "8,40", "--trials", "2", "--test", "30", "--processes", "1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("evaluation") / "found"
    words = ("--predictor", "knn", "--predictor", "last-value", "--encoding", "one-hot", "--encoding", "counts")
    done = nasbench_lab_here("predictors", "run", *TINY, *words, "--out", path)
    assert done.returncode == 0, done
    assert "knn (counts)" in done.stdout
    assert f"predictors plot {path}" in done.stdout
    return path


def test_results_are_shown_again(folder, tmp_path):
    done = nasbench_lab_here(
        "predictors", "show", folder, "--measure", "regret_1", "--csv", tmp_path / "all.csv", "--predictor", "knn"
    )
    assert done.returncode == 0, done
    assert "regret of the best predicted (percent) on 30 unseen architectures" in done.stdout
    assert "last-value" not in done.stdout
    rows = list(csv.DictReader((tmp_path / "all.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 2 * 2 * 2
    assert {row["predictor"] for row in rows} == {"knn (one-hot)", "knn (counts)"}


@pytest.mark.parametrize("words", [(), ("--axis", "seconds", "--style", "slide"), ("--figure", "map")])
def test_figures_are_drawn(folder, tmp_path, words):
    done = nasbench_lab_here("predictors", "plot", folder, *words, "--out", tmp_path / "figure.png")
    assert done.returncode == 0, done
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_predictors_are_listed():
    done = nasbench_lab_here("predictors", "list", "--table", "digits/chain")
    assert done.returncode == 0, done
    assert "random-forest" in done.stdout
    assert "one-hot, codes, counts" in done.stdout
    shown = nasbench_lab_here("predictors", "list", "sum-of-losses")
    assert "number of last epochs whose losses are summed" in " ".join(shown.stdout.split())
    assert "RandomForestRegressor" in nasbench_lab_here("predictors", "list", "random-forest").stdout


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("run", *TINY, "--predictor", "forrest"), ("forrest",)),
        (("run", *TINY, "--predictor", "knn", "--sizes", "5;8"), ("5;8",)),
        (("run", *TINY, "--predictor", "knn", "--encoding", "path"), ("path", "one-hot")),
        (("run", *TINY, "--predictor", "knn", "--test-from", "bad"), ("uniform", "good")),
        (("run", *TINY, "--predictor", "knn", "--measure", "tau"), ("tau", "kendall")),
        (("run", *TINY, "--predictor", "knn:"), ("malformed predictor 'knn:'",)),
        (("run", *TINY, "--predictor", "knn", "--transfer", "pooled"), ("--transfer needs --source",)),
        (("run", *TINY, "--predictor", "knn", "--source-labels", "9"), ("--source-labels needs --source",)),
        (("run", *TINY, "--predictor", "knn", "--source-epochs", "4"), ("--source-epochs needs --source",)),
        (("show", "."), ("no evaluation of predictors",)),
        (("show", ".", "--csv", "x.h5"), ("--csv must be a file that ends in .csv, got 'x.h5'",)),
        (("show", ".", "--summary", "x.pdf"), ("--summary must be a file that ends in .csv, got 'x.pdf'",)),
        (("list", "nothing-like-it"), ("nothing-like-it",)),
    ],
)
def test_mistakes_are_one_line(words, parts):
    assert_refused(nasbench_lab_here("predictors", *words), *parts)


def test_predictions_that_are_missing_or_all_equal_are_explained(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "class Mine:\n"
        "    def fit(self, X, y):\n        return self\n"
        "    def predict(self, X):\n        return np.full(len(X), np.nan)\n",
        encoding="utf-8",
    )
    mine = f"{tmp_path / 'mine.py'}:Mine"
    done = nasbench_lab_here("predictors", "run", *TINY, "--predictor", mine, "--predictor", "knn")
    assert done.returncode == 0, done
    assert f"note: {mine} (one-hot) has no prediction for 100.0% of test architectures" in done.stderr
    assert "knn (one-hot) has" not in done.stderr
    assert "an empty cell: no value in any trial" in done.stdout
    assert "empty cell" not in nasbench_lab_here("predictors", "run", *TINY, "--predictor", "knn").stdout


def test_a_highlighted_predictor_must_exist(folder, tmp_path):
    done = nasbench_lab_here("predictors", "plot", folder, "--highlight", "svr", "--out", tmp_path / "figure.png")
    assert_refused(done, "unknown predictor to highlight 'svr'")


def test_a_figure_needs_a_known_ending(folder, tmp_path):
    assert_refused(nasbench_lab_here("predictors", "plot", folder, "--out", tmp_path / "figure.gif"), ".pdf")
    assert_refused(nasbench_lab_here("predictors", "plot", folder, "--figure", "bars", "--out", "x.png"), "bars", "map")
