"""results/surrogates/README.md says what its CSV files say."""

import csv
import re

import pytest
from paths import ROOT

FOLDER = ROOT / "results" / "surrogates"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")


def rows(name):
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tables():
    """The tables of the page: lists of rows, which are lists of cells."""
    found = [[]]
    for line in PAGE.splitlines():
        if line.startswith("|"):
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def test_the_quality_of_predictions_is_that_of_the_file():
    of_test = {}
    for row in rows("quality"):
        of_test.setdefault(
            (row["table"], row["percent"]), row
        )  # the first metric is the one that searches are judged by
    quality = tables()[0][2:]
    assert len(quality) == len(of_test)
    for name, percent, architectures, *numbers in quality:
        row = of_test[name.strip("`"), percent]
        keys = ("kendall_unseen", "r2_unseen", "kendall_cross_validated", "r2_cross_validated")
        assert int(architectures.replace(",", "")) == int(row["architectures"])
        assert numbers == [f"{float(row[key]):.2f}" for key in keys]


def test_the_calibration_is_that_of_the_file():
    known = {(row["table"], row["percent"], row["metric"]): row for row in rows("quality")}
    for name, percent, metric, *numbers in tables()[1][2:]:
        row = known[name.strip("`"), percent, metric.strip("`")]
        assert row["spread_from"] == "repeats"
        shares = [f"{float(row[key]):.0%}".replace("%", " %") for key in ("inside_50", "inside_95")]
        assert numbers == [f"{float(row['spread']):.2f}", *shares]


def test_the_winners_are_those_of_the_file():
    known = {(row["table"], row["percent"]): row for row in rows("replay")}
    shown = tables()[2][2:]
    assert len(shown) == len(known)
    for name, percent, strategies, pairs, same, clear, clear_same, again, order in shown:
        row = known[name.strip("`"), percent]
        assert (strategies, pairs, clear) == (row["strategies"], row["pairs"], row["clear_pairs"])
        shares = [f"{float(row[key]):.0%}".replace("%", " %") for key in ("same", "clear_same", "again")]
        assert [same, clear_same, again] == shares
        assert order == f"{float(row['order']):.2f}"


def test_winners_follow_from_the_means_of_strategies():
    """An independent count of the pairs with the same winner."""
    means = {}
    for row in rows("strategies"):
        means[row["table"], row["source"], row["strategy"], row["evaluations"]] = float(row["mean"])
    for row in rows("replay"):
        names = sorted({key[2] for key in means if key[0] == row["table"]})
        names = [
            name
            for name in names
            if all(
                any(key[:3] == (row["table"], source, name) for key in means)
                for source in ("truth", "again", row["percent"])
            )
        ]
        budgets = sorted({key[3] for key in means if key[0] == row["table"]})
        agree = []
        for budget in budgets:
            for place, one in enumerate(names):
                for other in names[:place]:
                    true, said = (
                        means[row["table"], source, one, budget] - means[row["table"], source, other, budget]
                        for source in ("truth", row["percent"])
                    )
                    agree.append(1.0 if true * said > 0 or true == said == 0 else 0.5 if true * said == 0 else 0.0)
        assert len(agree) == int(row["pairs"])
        assert sum(agree) / len(agree) == pytest.approx(float(row["same"]), abs=2 / len(agree))


def test_the_target_is_in_the_file():
    (row,) = [
        r
        for r in rows("quality")
        if (r["table"], r["percent"], r["metric"]) == ("nats-bench-tss/cifar10", "3", "test_accuracy")
    ]
    assert float(row["kendall_unseen"]) >= 0.80
    assert re.search(r"Kendall's correlation of 0\.80", PAGE)
