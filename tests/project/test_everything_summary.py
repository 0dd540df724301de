"""The tool that summarises the suite "everything": its numbers are those of separate simulations."""

import csv
import dataclasses

import numpy as np
import pytest
from repository_tools import load_tool

import nasbench_lab as nl
from nasbench_lab.analysis import a12
from nasbench_lab.suites import SuiteFolder, read_suite, run_suite

STRATEGIES = ["random-search", "local-search", "umda"]
RUNS = 6


@pytest.fixture(scope="module")
def tool():
    return load_tool("summarise_everything")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished part of the suite."""
    out = tmp_path_factory.mktemp("everything") / "out"
    run_suite(
        dataclasses.replace(read_suite("everything"), strategies=STRATEGIES, tables=["digits/chain"], runs=RUNS), out
    )
    return SuiteFolder.open(out)


@pytest.fixture(scope="module")
def rows(tool, folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("summary")
    results = tool.open_results(folder.path)
    tool.write(
        out / "strategies.csv",
        [dataclasses.asdict(row) for table in folder.plan.tables for row in tool.rows_of_table(table, results)],
    )
    with (out / "strategies.csv").open() as file:
        return list(csv.DictReader(file))


def test_there_is_a_row_per_variant_strategy_and_share(rows):
    found = {(row["variant"], row["strategy"], row["share"]) for row in rows}
    variants = [variant.name for variant in read_suite("everything").variants]
    assert len(rows) == len(found) == len(variants) * len(STRATEGIES) * 4


@pytest.mark.parametrize(
    ("variant", "options"),
    [
        ("one training", {"budget": nl.Budget(evaluations=100)}),
        ("mean of trainings", {"budget": nl.Budget(evaluations=100), "repeat": "mean"}),
        ("four workers", {"budget": nl.Budget(mean_trainings=25), "workers": 4}),
    ],
)
def test_numbers_are_those_of_separate_simulations(rows, variant, options):
    table = nl.load("digits/chain")
    final = {}
    for name in STRATEGIES:
        trace = nl.simulate(table, name, runs=RUNS, **options)
        final[name] = trace.regret("valid")[np.arange(RUNS), trace.evaluations - 1]
    means = table.mean_values("valid_accuracy", table.fidelities[-1])
    scale = np.nanmax(means) - np.nanmean(means)
    for row in (row for row in rows if row["variant"] == variant and row["share"] == "1"):
        regret = final[row["strategy"]]
        assert float(row["regret"]) == pytest.approx(regret.mean(), rel=1e-4)
        assert float(row["normalised"]) == pytest.approx(regret.mean() / scale, rel=1e-4)
        assert float(row["error"]) == pytest.approx(regret.std(ddof=1) / RUNS**0.5 / scale, rel=1e-4)
        assert float(row["better"]) == pytest.approx(a12(regret, final["random-search"]), rel=1e-4)


def test_ranks_add_up(rows):
    of = [float(row["rank"]) for row in rows if (row["variant"], row["share"]) == ("time", "0.25")]
    assert sum(of) == pytest.approx(len(STRATEGIES) * (len(STRATEGIES) + 1) / 2)


def test_digests_depend_on_the_traces(tool, folder, tmp_path):
    part = dataclasses.replace(
        read_suite("everything"), strategies=STRATEGIES[:2], tables=["digits/chain"], runs=RUNS - 1
    )
    run_suite(part, tmp_path / "out")
    keys = ("variant", "strategy")
    one, other = (
        {tuple(row[key] for key in keys): row["sha256"] for row in tool.digests(each)}
        for each in (folder, SuiteFolder.open(tmp_path / "out"))
    )
    assert len(one) == 12
    assert len(other) == 8
    assert all(one[key] != other[key] for key in other)
    assert len(set(one.values())) == 12
