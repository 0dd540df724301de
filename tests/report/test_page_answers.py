"""The answers of the page: sentences for everything that can happen, and marks below the numbers that were tested."""

import dataclasses
import re

import numpy as np
import pytest
from made_up_studies import made_up_study
from traces import by_hand

from nasbench_lab.analysis import first_group, study
from nasbench_lab.report.first_in_words import leaders_in_words
from nasbench_lab.report.page import render_page
from nasbench_lab.report.page.answers import answers_by_task, main_answer
from nasbench_lab.report.page.final_results import final_table
from nasbench_lab.report.page.leaderboard import standings_table
from nasbench_lab.report.page.task_sections import task_details

GOOD, FAIR, BAD = [4, 4, 4, 3, 4, 4], [4, 4, 3, 3, 4, 4], [1, 2, 1, 1, 2, 1]


def compared(endings, tables="a"):
    traces = [by_hand(label, values, table) for table in tables for label, values in endings.items()]
    return study(traces, resamples=0)


def said(endings, tables="a"):
    made = compared(endings, tables)
    return leaders_in_words(made, first_group(made))


@pytest.mark.parametrize(
    ("endings", "tables", "sentence"),
    [
        ({"A": GOOD}, "a", "A is the only strategy, so there is nothing to compare."),
        (
            {"A": GOOD, "B": BAD},
            "a",
            (
                "A has the best run rank (1.00 of 2). Its runs end significantly better than those of B (Mann-"
                "Whitney test over 6 runs each, Holm-adjusted, level 0.05)."
            ),
        ),
        (
            {"A": GOOD, "B": FAIR, "C": BAD},
            "a",
            (
                "A has the best run rank (1.42 of 3). Its runs cannot be distinguished from those of B; they end "
                "significantly better than those of C (Mann-Whitney test over 6 runs each, Holm-adjusted, level "
                "0.05)."
            ),
        ),
        (
            {"A": GOOD, "B": FAIR},
            "a",
            (
                "A has the best run rank (1.42 of 2), but no difference is proven (Mann-Whitney test over 6 runs "
                "each, Holm-adjusted, level 0.05)."
            ),
        ),
        (
            {"A": GOOD[:3], "B": BAD[:3]},
            "a",
            (
                "A has the best run rank (1.00 of 2), but 3 runs are too few for a verdict: with 2 strategies, a "
                "difference can only be significant from 4 runs of each on."
            ),
        ),
        (
            {"A": [4], "B": [1]},
            "a",
            (
                "A has the best run rank (1.00 of 2), but 1 run is too few for a verdict: with 2 strategies, a "
                "difference can only be significant from 4 runs of each on."
            ),
        ),
        (
            {"A": GOOD, "B": GOOD, "C": BAD},
            "a",
            (
                "A and B share the best run rank (1.50 of 3). Their runs end significantly better than those of C "
                "(Mann-Whitney test over 6 runs each, Holm-adjusted, level 0.05)."
            ),
        ),
        (
            {"A": GOOD, "B": BAD},
            "abcdef",
            (
                "A has the best average task rank (1.00 of 2). B is significantly worse (sign test over 6 tasks, p "
                "= 0.031, level 0.05)."
            ),
        ),
        (
            {"A": GOOD, "B": BAD},
            "ab",
            (
                "A has the best average task rank (1.00 of 2), but 2 tasks are too few for a verdict: with 2 "
                "strategies, a difference can only be significant from 6 tasks on."
            ),
        ),
        (
            {"A": [4] * 4, "B": [3] * 4, "C": [2] * 4, "D": [1] * 4},
            "abcd",
            (
                "A has the best average task rank (1.00 of 4). B and C cannot be distinguished from it; D is "
                "significantly worse (Friedman p < 0.001 over 4 tasks, then Nemenyi, level 0.05)."
            ),
        ),
        (
            {"A": GOOD, "B": GOOD, "C": GOOD},
            "abcd",
            (
                "A, B and C share the best average task rank (2.00 of 3), but no difference is proven (Friedman p ="
                " 1 over 4 tasks, level 0.05)."
            ),
        ),
    ],
)
def test_sentences(endings, tables, sentence):
    assert said(endings, tables) == sentence


def test_many_strategies_are_counted():
    made = made_up_study(24, 4)
    text = leaders_in_words(made, first_group(made))
    found = first_group(made)
    assert f"the {len(found.worse)} others are significantly worse" in text
    assert len(text) < 400


def test_the_page_and_each_task_begin_with_an_answer():
    made = compared({"A": GOOD, "B": FAIR, "C": BAD}, "abc")
    text = render_page(made)
    sentences = re.findall(r'<p class="sentence">(.*?)</p>', text)
    assert sentences[0] == main_answer(made).sentence
    assert sentences[1:] == [leaders_in_words(made, first_group(made, task=place)) for place in range(3)]
    assert text.index(sentences[0]) < text.index('id="leaderboard"')


def test_runs_without_a_value_are_said():
    answer = main_answer(compared({"A": [4, 4, 4, -1, 4, 4], "B": BAD}, "ab"))
    assert answer.notes[-1] == "Without any value, so counted as the worst: A (2 of 12 runs)."


def test_the_first_task_by_task():
    made = compared({"A": GOOD, "B": FAIR, "C": BAD}, "ab")
    table = answers_by_task(made)
    assert [[cell.text for cell in row.cells] for row in table.rows] == [["A", "B", "C"]] * 2
    assert answers_by_task(compared({"A": GOOD, "B": BAD})) is None
    few = answers_by_task(compared({"A": [4], "B": [1]}, "ab"))
    assert [cell.text for cell in few.rows[0].cells] == ["A", "too few runs", "too few runs"]


def test_nothing_in_common_is_said():
    made = study([by_hand("A", GOOD, "a"), by_hand("B", GOOD, "b")], resamples=0)
    assert "No task was searched by all strategies" in main_answer(made).sentence


def marks(table):
    """Which columns have marks, and these from top to bottom."""
    columns = zip(table.columns[1:], zip(*(row.cells for row in table.rows), strict=True), strict=True)
    return {heading.title: [cell.mark for cell in cells] for heading, cells in columns if any(c.mark for c in cells)}


def test_marks_stand_below_the_numbers_that_were_tested():
    several = made_up_study(6, 4)
    found = first_group(several)
    expected = ["first" if s in found.first else "same" if s in found.same else "worse" for s in found.order]
    assert marks(standings_table(several, "test")) == {"average task rank": expected}
    alone = made_up_study(6, 1)
    assert list(marks(standings_table(alone, "test"))) == ["P(first is better)"]
    assert marks(standings_table(made_up_study(6, 2), "test")) == {}, "too few tasks"
    for section in task_details(several):
        assert list(marks(section.tables[0])) == ["P(first is better)"]


def test_a_test_that_does_not_reject_marks_all_as_one_group():
    made = made_up_study(4, 4)
    weak = dataclasses.replace(made.ranks["test"], p=0.4)
    (column,) = marks(standings_table(dataclasses.replace(made, ranks={"test": weak}), "test")).values()
    assert set(column) == {"first", "same"}


def test_margins_and_verdicts_are_explained_where_they_stand():
    made = made_up_study(4, 1)
    table = final_table(made, 0, "test", range(4), made.summaries)
    terms = dict(table.terms)
    assert "Differences of mean regrets up to the margin of 0.012 do not matter." in table.caption
    assert {"margin", "equivalent", "worse, better", "inconclusive"} <= set(terms)
    assert "does not mean that the strategies are equal" in terms["inconclusive"]
    assert "the 90 % interval" in terms["equivalent"]
    verdicts = made.pairwise["test"].verdict[:, int(np.argmin(made.final["test"][:, 0].mean(axis=1))), 0]
    assert ("Inconclusive is not equal" in table.caption) == ("inconclusive" in verdicts)
    text = render_page(made)
    assert "<summary>What the words in this table mean</summary>" in text
    assert " title=" not in text.partition("<script")[0].replace("<title", "")


def test_the_usual_margin_is_named():
    section = next(task_details(compared({"A": GOOD, "B": BAD})))
    assert "a hundredth of the regret of the average random architecture" in section.tables[0].caption
