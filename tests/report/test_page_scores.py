"""The scores of tables on the page and in the folder for a paper: their rank correlations, and what is left out."""

import dataclasses
import html
import re

import numpy as np
import pytest
from command_line import nasbench_lab_here
from made_up_studies import made_up_study
from scipy.stats import spearmanr
from tables_without_scores import without_scores

import nasbench_lab as nl
from nasbench_lab.analysis import study
from nasbench_lab.analysis.score_bias import CONVOLUTIONS, ScoreAgreement
from nasbench_lab.report import scores_table, write_paper_folder
from nasbench_lab.report.local_tables import StudyScores, TableAgreements, study_scores
from nasbench_lab.report.page import render_page
from nasbench_lab.report.page.scores import scores_section
from nasbench_lab.report.paper import folder
from nasbench_lab.simulation.trace_files import save_traces
from nasbench_lab.testing import synthetic_table

HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }}"
NAN = float("nan")
AGREEMENTS = {
    "failed": ScoreAgreement(NAN, NAN, NAN, CONVOLUTIONS, 40),
    "reversed": ScoreAgreement(-0.6, -0.25, -0.125, CONVOLUTIONS, 0),
    "counting": ScoreAgreement(0.8, 0.25, NAN, CONVOLUTIONS, 0),
}
SCORES = TableAgreements("mine", "test_accuracy", AGREEMENTS)


def search_of(*tables):
    budget = nl.Budget(evaluations=5)
    return study([nl.simulate(table, "random-search", runs=5, budget=budget) for table in tables], resamples=0)


@pytest.fixture(scope="module")
def made():
    return search_of("digits/topology", "digits/chain")


def within_equal_numbers(table, score, truth):
    """The definition, architecture by architecture: mean correlation over groups of 10 and more, by their sizes."""
    groups = {}
    for index in range(table.space.size):
        groups.setdefault(table.space.format(index).count("conv"), []).append(index)
    kept = [group for group in groups.values() if len(group) >= 10]
    correlations = [spearmanr(score[group], truth[group]).statistic for group in kept]
    return np.average(correlations, weights=[len(group) for group in kept])


def test_the_numbers_are_rank_correlations_with_test_accuracy(made):
    table = nl.load("digits/topology")
    found = next(each for each in study_scores(made).found if each.table == "digits/topology")
    assert (found.table, found.metric) == ("digits/topology", "test_accuracy")
    truth, scores = table.mean_values("test_accuracy"), table.repeat_values("supernet_fair")
    top = truth >= sorted(truth)[-len(truth) // 5]  # with those that are tied with the last
    expected = {
        "spearman": np.mean([spearmanr(score, truth).statistic for score in scores.T]),
        "top_fifth": np.mean([spearmanr(score[top], truth[top]).statistic for score in scores.T]),
        "within": np.mean([within_equal_numbers(table, score, truth) for score in scores.T]),
    }
    row = next(row for row in scores_section([found]).rows if row.cells[0].text == "supernet_fair")
    assert row.label == "digits/topology"
    shown = [cell.text for cell in row.cells[2:5]]
    assert shown == [f"{expected[name]:.3f}" for name in ("spearman", "top_fifth", "within")]


def test_the_page_shows_them_and_leaves_the_section_out_if_there_are_none(made):
    page = render_page(made, scores=study_scores(made))
    assert 'href="#scores"' in page
    assert "supernet_uniform" in page
    assert "equal numbers of convolutions" in page
    other = search_of(without_scores(synthetic_table()))
    for without in (render_page(made), render_page(other, scores=study_scores(other))):
        assert 'id="scores"' not in without
        assert 'href="#scores"' not in without


def test_tables_that_are_elsewhere_are_named_if_they_have_scores(made):
    topology, chain = made.tasks
    others = [
        dataclasses.replace(chain, name=name, table=name, checksum="another")
        for name in ("nats-bench-tss/cifar10", "nas-bench-macro/cifar10", "my/table")
    ]
    found = study_scores(dataclasses.replace(made, tasks=(topology, *others)))
    assert [each.table for each in found.found] == ["digits/topology"]
    assert found.missing == ("nats-bench-tss/cifar10",)
    page = render_page(made, scores=found)
    assert "Not on the machine where this page was made: nats-bench-tss/cifar10" in page
    changed = dataclasses.replace(made, tasks=(dataclasses.replace(topology, checksum="another"),))
    assert study_scores(changed) == StudyScores((), ("digits/topology",))


def test_the_highest_correlation_is_first_and_failed_scores_are_last():
    section = scores_section([SCORES])
    assert [row.cells[0].text for row in section.rows] == ["counting", "reversed", "failed"]
    titles = [column.title for column in section.columns]
    assert titles[-2:] == ["architectures in a group", "without a score"]
    counting, opposite, failed = section.rows
    assert [cell.text for cell in counting.cells[2:5]] == ["0.800", "0.250", "–"]  # noqa: RUF001
    assert [cell.value for cell in opposite.cells[2:5]] == ["-0.6", "-0.25", "-0.125"]
    assert [cell.value for cell in failed.cells[2:5]] == ["", "", ""]
    assert failed.cells[-1].text == "40"


def test_tables_without_groups_have_no_columns_for_them():
    found = TableAgreements("mine", "test_accuracy", {"synflow": ScoreAgreement(0.5, 0.1, NAN, "", 0)})
    titles = [column.title for column in scores_section([found]).columns]
    assert titles == ["table", "score", "values", "whole space", "top fifth"]
    assert scores_section([]) is None


def test_names_are_text():
    hostile = TableAgreements(HOSTILE, HOSTILE, {HOSTILE: AGREEMENTS["counting"]})
    page = render_page(made_up_study(), scores=StudyScores((hostile,), (HOSTILE,)))
    assert HOSTILE not in page
    assert HOSTILE in html.unescape(re.sub(r"</?wbr>|&#8203;", "", page))
    assert "<script>" not in scores_table([hostile])._repr_html_()


def test_the_folder_for_a_paper_has_them_as_a_table(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "_figures", lambda *_: ())  # they take seconds
    names = write_paper_folder(made_up_study(), None, tmp_path / "paper", scores=[SCORES])
    assert {"scores.tex", "scores.md"} <= set(names)
    lines = (tmp_path / "paper/scores.md").read_text(encoding="utf-8").splitlines()
    assert "| mine | counting | 0.800 | 0.250 | – | equal numbers of convolutions |" in lines  # noqa: RUF001
    without = write_paper_folder(made_up_study(), None, tmp_path / "other")
    assert set(names) - set(without) == {"scores.tex", "scores.md"}


def test_the_command_has_an_option_that_leaves_them_out(tmp_path):
    results = tmp_path / "traces.h5"
    save_traces([nl.simulate("digits/topology", "random-search", runs=3, budget=nl.Budget(evaluations=5))], results)
    for out, option in (("with.html", []), ("without.html", ["--no-scores"])):
        done = nasbench_lab_here("report", results, "--out", tmp_path / out, "--page-only", "--no-landscapes", *option)
        assert done.returncode == 0, done
    assert 'id="scores"' in (tmp_path / "with.html").read_text(encoding="utf-8")
    assert 'id="scores"' not in (tmp_path / "without.html").read_text(encoding="utf-8")
