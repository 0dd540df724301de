"""Published numbers beside ours."""

import math

import numpy as np
import pytest
from paths import ROOT

import nasbench_lab as nl
from nasbench_lab.analysis import compare_with_published
from nasbench_lab.errors import NasbenchLabError
from nasbench_lab.report import published_table
from nasbench_lab.suites import Published, built_in, read_suite, run_suite
from nasbench_lab.suites.toml_files import suite_of
from nasbench_lab.testing import synthetic_table

RESULTS = ROOT / "results" / "nas-bench-201-paper"
SUITE = {"strategies": ["random-search"], "tables": ["digits/chain"], "budget": {"evaluations": 5}}
ROW = {"strategy": "random-search", "table": "digits/chain", "source": "Nobody 2020, table 1", "test": [90.0, 1.0]}


@pytest.mark.mirror
def test_the_committed_comparison_is_what_the_suite_finds(tmp_path):
    suite = read_suite("nas-bench-201-paper")
    results = run_suite(suite, tmp_path / "results")
    page = published_table(compare_with_published(results, suite.published), suite.title)
    assert page == (RESULTS / "published.md").read_text(encoding="utf-8")


def test_rows_belong_to_the_hash_as_little_as_the_title():
    plain, with_rows = suite_of(SUITE), suite_of({**SUITE, "published": [ROW]})
    assert plain.hash == with_rows.hash
    assert suite_of(with_rows.spec) == with_rows
    assert with_rows.published == (Published(**ROW),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test": [90.0]}, "test of a published row must be [mean, standard deviation]"),
        ({"test": [90.0, -1.0]}, "test of a published row must be [mean, standard deviation]"),
        ({"test": [math.nan, 1.0]}, "test of a published row must be [mean, standard deviation]"),
        ({"test": None}, "needs valid or test"),
        ({"runs": 1}, "runs of a published row must be a whole number from 2, got 1"),
        ({"source": ""}, "source of a published row must be a text"),
        ({"table": None}, "an entry of published has no table"),
        ({"tset": [1.0, 1.0]}, "unknown key in published 'tset'; did you mean 'test'?"),
    ],
)
def test_bad_rows_are_refused_in_one_line(change, message):
    row = {key: value for key, value in {**ROW, **change}.items() if value is not None}
    with pytest.raises(NasbenchLabError) as caught:
        suite_of({**SUITE, "published": [row]})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_ours_is_the_mean_over_runs_and_the_error_is_of_both_sides():
    table = synthetic_table("chain")
    trace = nl.simulate(table, "random-search", runs=50, budget=nl.Budget(evaluations=10))
    row = Published("random-search", table.name, "Nobody 2020", valid=(0.5, 0.25), runs=25)
    other = Published("local-search", table.name, "Nobody 2020", valid=(0.5, 0.25))
    (beside,) = compare_with_published([trace], [other, row])
    ours = trace.final("valid")
    assert beside.mean == pytest.approx(ours.mean())
    assert beside.difference == pytest.approx(ours.mean() - 0.5)
    assert beside.standard_error == pytest.approx(np.sqrt(ours.var(ddof=1) / 50 + 0.25**2 / 25))


def test_every_published_row_of_a_built_in_suite_names_what_is_in_it():
    for name in built_in():
        suite = read_suite(name)
        for row in suite.published:
            assert row.strategy in {entry.name for entry in suite.strategies}
            assert row.table in {entry.name for entry in suite.tables}
