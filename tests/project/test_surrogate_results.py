"""results/surrogates/README.md says what its CSV files say."""

import csv
import re

import pytest
from paths import ROOT

from nasbench_lab.strategies import list_strategies, needs

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
    for name, percent, architectures, *numbers, speed in quality:
        row = of_test[name.strip("`"), percent]
        keys = ("kendall_unseen", "r2_unseen", "kendall_cross_validated", "r2_cross_validated")
        assert int(architectures.replace(",", "")) == int(row["architectures"])
        assert numbers == [f"{float(row[key]):.2f}" for key in keys]
        assert float(speed.replace(",", "")) == pytest.approx(float(row["per_second"]), rel=0.06)  # two digits


def test_the_calibration_is_that_of_the_file():
    known = {(row["table"], row["percent"], row["metric"]): row for row in rows("quality")}
    assert len(tables()[1][2:]) == sum(row["spread"] != "" for row in known.values())
    for name, percent, metric, *numbers in tables()[1][2:]:
        row = known[name.strip("`"), percent, metric.strip("`")]
        assert row["spread_from"] == "repeats"
        shares = [f"{float(row[key]):.0%}".replace("%", " %") for key in ("inside_50", "inside_95")]
        assert numbers == [f"{float(row['spread']):.2f}", *shares]


def test_leaving_out_strategies_is_what_the_file_says():
    of_table = {}
    for row in rows("left-out"):
        of_table.setdefault(row["table"], []).append(row)
    shown = tables()[2][2:]
    assert len(shown) == len(of_table) == 3
    for name, architectures, count, whole, mean, worst, strategy in shown:
        (first, *each) = of_table[name.strip("`")]
        values = {row["strategy"]: float(row["kendall"]) for row in each}
        assert (first["strategy"], int(first["architectures"])) == ("", int(architectures.replace(",", "")))
        assert int(count) == len(values)
        lowest = min(values, key=values.get)
        expected = [float(first["kendall"]), sum(values.values()) / len(values), values[lowest]]
        assert [whole, mean, worst] == [f"{value:.2f}" for value in expected]
        assert strategy == f"`{lowest}`"


def test_the_winners_are_those_of_the_file():
    known = {(row["table"], row["percent"]): row for row in rows("replay")}
    shown = tables()[3][2:]
    assert len(shown) == len(known) == 9
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
        assert sum(agree) / len(agree) == pytest.approx(float(row["same"]), abs=1e-6)


def test_the_target_is_in_the_file():
    (row,) = [
        r
        for r in rows("quality")
        if (r["table"], r["percent"], r["metric"]) == ("nats-bench-tss/cifar10", "3", "test_accuracy")
    ]
    assert float(row["kendall_unseen"]) >= 0.80
    assert re.search(r"Kendall's correlation of 0\.80", PAGE)


def strategies_of(table):
    return {row["strategy"] for row in rows("strategies") if row["table"] == table}


def test_all_strategies_but_those_that_the_page_names_take_part():
    paragraph = next(part for part in PAGE.split("\n\n") if part.startswith("All registered strategies"))
    without, at_end = paragraph.split("; and on NAS-Bench-101")
    never = set(re.findall(r"`([\w-]+)`", without))
    scored = set(re.findall(r"`(zero-cost[\w-]+)`", at_end))
    assert never == {name for name in list_strategies() if "fidelities" in needs(name)}
    assert scored == {name for name in list_strategies() if "scores" in needs(name)}
    every = set(list_strategies()) - never
    for table in ("nats-bench-tss/cifar10", "digits/topology"):
        assert strategies_of(table) == every
    assert strategies_of("nas-bench-101/means") == every - scored
