"""Comparisons on tables that compute their answers: values where no optimum is known, and the kind of the table."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from command_line import assert_refused
from command_line import nasbench_lab_here as nasbench_lab

import nasbench_lab as nl
from nasbench_lab.analysis import study
from nasbench_lab.errors import MissingDataError
from nasbench_lab.report.figures.final_regret import final_figure
from nasbench_lab.report.figures.regret import regret_figure
from nasbench_lab.report.figures.targets import ecdf_figure
from nasbench_lab.report.page.html import render_page
from nasbench_lab.report.paper.tables import results_table
from nasbench_lab.tables import tabulate
from nasbench_lab.testing import function_table, synthetic_table

CHAIN = {"name": "chain", "choices": "012", "length": 5}
STRATEGIES = ("random-search", "regularized-evolution:population_size=5,sample_size=2")


def traces(table, runs=6):
    return [nl.simulate(table, name, runs=runs, budget=nl.Budget(evaluations=30)) for name in STRATEGIES]


@pytest.fixture(scope="module", params=["maximize", "minimize"])
def both(request):
    """A study of a computed table, and of the same table with stored answers."""
    table = function_table(CHAIN, direction=request.param, kind="surrogate")
    return study(traces(table)), study(traces(tabulate(table)))


def test_what_compares_strategies_does_not_need_the_optimum(both):
    computed, stored = both
    assert computed.kinds == stored.kinds
    for kind in computed.kinds:
        assert np.array_equal(computed.pairwise[kind].a12, stored.pairwise[kind].a12)
        assert np.allclose(computed.ranks[kind].ranks, stored.ranks[kind].ranks)
        one, other = (each.tasks[0].value(kind, each.final[kind]) for each in both)
        assert np.allclose(one, other, equal_nan=True)


def test_the_study_says_what_the_table_is(both):
    computed, stored = both
    task = computed.tasks[0]
    assert (task.table_kind, task.architectures) == ("surrogate", 243)
    assert task.without_optimum == ("observed", "valid", "test")
    assert stored.tasks[0].without_optimum == ()
    assert any("predictions of a model, not trainings" in warning for warning in computed.warnings)
    assert any("so there is no regret" in warning for warning in computed.warnings)
    assert not any("do not differ" in warning for warning in computed.warnings)


def test_no_run_is_said_to_find_an_optimum_that_is_not_known(both):
    computed, stored = both
    for kind in computed.kinds:
        assert all(np.isnan(row.solved) for row in computed.leaderboard[kind])
        assert not any(np.isnan(row.solved) for row in stored.leaderboard[kind])


def test_curves_show_values(both):
    computed, stored = both
    figure = regret_figure(computed, "test")
    panel = figure.axes[0]
    assert "test value" in "".join(figure_texts(figure))
    assert "regret" not in "".join(figure_texts(figure))
    assert "surrogate table" in "".join(figure_texts(figure))
    drawn = panel.lines[0].get_ydata()
    same = regret_figure(stored, "test", y="value").axes[0].lines[0].get_ydata()
    assert np.allclose(drawn, same)
    assert panel.get_yscale() == "linear"


def test_regrets_are_refused_where_there_are_none(both):
    for figure in (regret_figure, final_figure):
        with pytest.raises(MissingDataError, match="is not known, so there is no test regret; plot --y value"):
            figure(both[0], "test", y="regret")
        figure(both[0], "test", y="value")


def test_the_table_for_papers_has_values(both):
    computed, stored = both
    table = results_table(computed, "test", statistic="median")
    assert "Test value" in table.caption
    assert "function/chain: surrogate table; the optimum is not known" in table.caption.replace("\n", " ")
    means = [[cell.text for cell in row] for row in results_table(computed, "test", statistic="mean").rows]
    assert means == [[cell.text for cell in row] for row in results_table(stored, "test", statistic="mean").rows]


def figure_texts(figure):
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text)]


FILE = """
from nasbench_lab.testing import function_table

TABLE = function_table({"name": "chain", "choices": "abcdefgh", "length": 20}, name="mine/large")
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("computed")
    (folder / "mine.py").write_text(FILE)
    (folder / "suite.toml").write_text(
        'strategies = ["random-search", "regularized-evolution"]\ntables = ["mine.py:TABLE"]\nruns = 4\n'
        "[budget]\nevaluations = 20\n"
    )
    done = nasbench_lab("suite", "run", folder / "suite.toml", "--out", folder / "out", "--processes", "1")
    assert done.returncode == 0, done.stderr
    return folder


def test_a_suite_on_a_table_in_a_file(results):
    again = nasbench_lab("suite", "run", results / "suite.toml", "--out", results / "out", "--processes", "1")
    assert again.returncode == 0, again.stderr
    stored = nl.suites.open_results(results / "out")
    trace = stored.trace(0)
    alone = nl.simulate(nl.load(f"{results}/mine.py:TABLE"), "random-search", runs=4, budget=nl.Budget(evaluations=20))
    assert np.array_equal(trace.architecture, alone.architecture)
    assert np.array_equal(trace.value("test"), alone.value("test"), equal_nan=True)
    assert trace.setting.checksum == alone.setting.checksum


def test_the_page(results):
    done = nasbench_lab("report", results / "out", "--out", results / "page.html", "--page-only")
    assert done.returncode == 0, done.stderr
    page = (results / "page.html").read_text()
    assert "Value over the search" in page
    assert "Regret over the search" not in page
    assert "mine/large is a function table" in page
    assert "1,152,921,504,606,846,976" in page


def test_commands(results):
    refused = nasbench_lab("plot", results / "out", "--figure", "regret", "--y", "regret", "--out", results / "x.png")
    assert_refused(refused, "the best test_accuracy of mine/large is not known")
    done = nasbench_lab("plot", results / "out", "--figure", "final", "--y", "value", "--out", results / "x.png")
    assert done.returncode == 0, done.stderr
    shown = nasbench_lab("tables", "info", f"{results}/mine.py:TABLE", "--json")
    assert json.loads(shown.stdout)["kind"] == "function"
    assert json.loads(shown.stdout)["optima"] == []
    assert_refused(nasbench_lab("tables", "describe", f"{results}/mine.py:TABLE"), "computes its answers (function)")


def test_a_changed_file_is_another_table(results, tmp_path):
    (tmp_path / "mine.py").write_text(FILE.replace('"length": 20', '"length": 19'))
    (tmp_path / "suite.toml").write_text((results / "suite.toml").read_text())
    out = results / "out"
    copy = tmp_path / "out"
    shutil.copytree(out, copy)
    done = nasbench_lab("suite", "run", tmp_path / "suite.toml", "--out", copy, "--processes", "1")
    found = nl.suites.open_results(copy)
    assert done.returncode == 2 or {setting.checksum for setting in found.settings} != {
        setting.checksum for setting in nl.suites.open_results(out).settings
    }


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        (("measured",), "simulated seconds"),
        (("live",), "measured seconds"),
        (("measured", "live"), "simulated or measured seconds"),
    ],
)
def test_seconds_say_whether_they_are_measured(kinds, words):
    found = []
    for table, kind in zip(("chain", "topology"), kinds, strict=False):
        for name in ("random-search", "local-search"):
            trace = nl.simulate(synthetic_table(table), name, runs=3, budget=nl.Budget(seconds=300))
            found.append(dataclasses.replace(trace, reference=dataclasses.replace(trace.reference, kind=kind)))
    found = study(found, resamples=20)
    for figure in (regret_figure(found, axis="seconds"), ecdf_figure(found, axis="seconds")):
        assert figure.axes[-1].get_xlabel() == words
    assert {panel.get_xlabel() for panel in regret_figure(found, axis="both").axes} >= {
        "evaluations",
        *(f"{kind} seconds" for kind in words.removesuffix(" seconds").split(" or ")),
    }
    page = render_page(found)
    for kind in ("simulated", "measured"):
        assert (f"{kind} seconds" in page) == (kind in words)
