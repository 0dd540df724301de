"""The section of the page about predictors: their numbers, as text, beside a search."""

import html
import re

from command_line import assert_refused, nasbench_lab_here
from made_up_predictors import made_up_evaluation
from made_up_studies import made_up_study

from nasbench_lab.prediction import evaluate
from nasbench_lab.report.page import render_page
from nasbench_lab.report.page.predictors import predictor_sections

FOUND = made_up_evaluation(5)
HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }}"


def test_the_table_has_all_predictors_best_first():
    (section,) = predictor_sections({"my results": FOUND})
    order = [label for label, _ in FOUND.ranked()]
    assert [row.label for row in section.table.rows] == order
    assert order[0] in section.sentence
    best = FOUND.predictor(order[0]).intervals("kendall").estimate[-1]
    assert f"{best:.2f}" in section.sentence
    titles = [column.title for column in section.table.columns]
    assert titles[1:5] == [f"Kendall, {size} labels" for size in FOUND.sizes]
    assert float(section.table.rows[0].cells[3].value) == best
    assert "'my results'" in section.commands[0]


def test_the_page_shows_it_beside_a_search():
    study = made_up_study()
    without, page = render_page(study), render_page(study, predictors={"found": FOUND})
    assert 'href="#predictors"' in page
    assert 'id="predictors"' not in without
    assert "nasbench-lab predictors plot found" in page


def test_labels_are_text():
    found = made_up_evaluation(3, names=[HOSTILE] * 3)
    page = render_page(made_up_study(), predictors={HOSTILE: found})
    assert HOSTILE not in page
    assert HOSTILE in html.unescape(re.sub(r"</?wbr>|&#8203;", "", page))


def test_the_command_takes_folders_of_evaluations(tmp_path):
    evaluate("digits/chain", "knn", sizes=[8], trials=2, test=20, out=tmp_path / "found")
    search = ("--table", "digits/chain", "--strategy", "random-search", "--runs", "3", "--evaluations", "5")
    assert nasbench_lab_here("run", *search, "--out", tmp_path / "search").returncode == 0
    page = tmp_path / "report.html"
    words = ("--predictors", tmp_path / "found", "--out", page, "--page-only")
    done = nasbench_lab_here("report", tmp_path / "search", *words)
    assert done.returncode == 0, done
    assert "knn (one-hot)" in page.read_text(encoding="utf-8")
    assert_refused(nasbench_lab_here("report", tmp_path / "found", "--out", tmp_path / "x.html"), "--predictors")
