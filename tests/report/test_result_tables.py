"""Tables for papers and the checklist: the numbers of the study, escaped, with the best and its equals marked."""

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_studies import made_up_study
from markdown_it import MarkdownIt
from scipy.stats import ttest_1samp
from traces import hand_made, with_setting

import nasbench_lab as nl
from nasbench_lab.analysis.studies.pipeline import study
from nasbench_lab.errors import MissingDataError, UnknownNameError
from nasbench_lab.report.paper.checklist import OPEN, checklist_items, reproducibility_checklist
from nasbench_lab.report.paper.tables import (
    ResultTable,
    TableCell,
    latex,
    leaderboard_table,
    markdown,
    results_table,
)
from nasbench_lab.testing import synthetic_table


@pytest.fixture(scope="module")
def small():
    return made_up_study(4, 3)


def table_of(*texts):
    return ResultTable("name", "A caption.", ("strategy", "a/b"), tuple((TableCell(t), TableCell("1")) for t in texts))


# Numbers.


def test_mean_and_deviation_of_what_runs_found(small):
    table = results_table(small)
    assert table.headings == ("strategy", "synthetic/table-0", "synthetic/table-1", "synthetic/table-2")
    for s, row in enumerate(table.rows):
        assert row[0].text == small.labels[s]
        for task, cell in enumerate(row[1:]):
            found = 0.9 - small.final["test"][s, task]
            mean, deviation = (float(part) for part in cell.text.split(" ± "))
            assert mean == pytest.approx(found.mean(), abs=5.1e-5)
            assert deviation == pytest.approx(found.std(ddof=1), abs=5.1e-5)


def test_the_mean_is_that_of_the_summary_of_a_real_study():
    options = {"runs": 9, "budget": nl.Budget(evaluations=9)}
    for direction in ("maximize", "minimize"):
        table = synthetic_table("chain", direction=direction, failures=0.3)
        traces = [nl.simulate(table, name, **options) for name in ("random-search", "local-search")]
        real = study(traces, resamples=5)
        cells = [row[1].text for row in results_table(real, "test").rows]
        for cell, summary in zip(cells, real.summaries, strict=True):
            mean, deviation = (float(part) for part in cell.split(" ± "))
            assert mean == pytest.approx(summary.test_mean, abs=1e-3)
            assert deviation == pytest.approx(summary.test_std, abs=1e-3)


def test_median_and_quartiles_are_those_of_runs(small):
    cell = results_table(small, "valid", statistic="median", tasks=[1]).rows[2][1].text
    regrets = np.sort(small.final["valid"][2, 1])
    numbers = [float(number) for number in re.findall(r"[\d.]+", cell)]
    assert numbers == pytest.approx([regrets[12], regrets[6], regrets[18]], abs=5.1e-5)


def test_more_tasks_than_strategies_are_rows():
    table = results_table(made_up_study(3, 5))
    assert table.headings == ("table", "random-search", "regularized-evolution", "local-search")
    assert [row[0].text for row in table.rows] == [f"synthetic/table-{number}" for number in range(5)]


def test_the_best_is_bold_and_what_is_not_worse_is_marked(small):
    """The marks come from the test of the statistic that the table shows."""
    pairs = small.pairwise["test"]
    for statistic, adjusted in (("mean", pairs.mean_adjusted), ("median", pairs.median_adjusted)):
        table = results_table(small, statistic=statistic)
        for task in range(3):
            regret = getattr(np, statistic)(small.final["test"][:, task], axis=1)
            winner = int(regret.argmin())
            for s in range(4):
                cell = table.rows[s][task + 1]
                assert cell.best == (s == winner)
                assert cell.tied == (s != winner and adjusted[winner, s, task] >= 0.05)
        cells = [cell for row in table.rows for cell in row[1:]]
        assert any(cell.tied for cell in cells)
        assert not all(cell.tied or cell.best for cell in cells)


def ending(label, regrets, table="a"):
    """Runs that end with given regrets on a table of 101 architectures; NaN for a run without a value."""
    architecture = np.where(np.isnan(regrets), 0, 100 - np.nan_to_num(regrets)).astype(int)[:, None]
    observed = np.where(np.isnan(regrets), np.nan, 100 - np.asarray(regrets))[:, None]
    trace = hand_made(architecture, observed, valid=range(101), test=range(101))
    return with_setting(trace, label=label, strategy=label, table=table, budget=nl.Budget(evaluations=1))


def test_a_mark_does_not_contradict_the_number_beside_it():
    """A strategy that is better in 90 of 100 runs and terrible in 10 has the larger A12 and the worse mean."""
    mixed = np.where(np.arange(100) < 10, 90.0, 3.0)
    steady = np.full(100, 6.0)
    real = study([ending("mixed", mixed), ending("steady", steady)], resamples=0)
    pairs = real.pairwise["test"]
    assert pairs.a12[0, 1, 0] == 0.9
    assert pairs.adjusted[0, 1, 0] < 1e-9
    mean = [row[1] for row in results_table(real).rows]
    assert [(cell.best, cell.tied) for cell in mean] == [(False, False), (True, False)]
    assert pairs.mean_adjusted[0, 1, 0] == pytest.approx(ttest_1samp(mixed, 6.0).pvalue)
    median = [row[1] for row in results_table(real, statistic="median").rows]
    assert [(cell.best, cell.tied) for cell in median] == [(True, False), (False, False)]
    # With fewer terrible runs the means do not differ significantly, whatever the order of the runs says.
    few = study([ending("mixed", np.where(np.arange(100) < 5, 90.0, 3.0)), ending("steady", steady)], resamples=0)
    assert few.pairwise["test"].adjusted[0, 1, 0] < 1e-9
    assert [(row[1].best, row[1].tied) for row in results_table(few).rows] == [(False, True), (True, False)]


def test_a_mean_without_the_failed_runs_is_never_the_best():
    failing = np.where(np.arange(100) < 60, np.nan, 0.0)
    steady = np.array([1.0, 2.0] * 50)
    table = results_table(study([ending("failing", failing), ending("steady", steady)], resamples=0))
    assert [row[1].text for row in table.rows] == ["100.00 ± 0.00 (40 of 100)", "98.50 ± 0.50"]
    assert [(row[1].best, row[1].tied) for row in table.rows] == [(False, False), (True, False)]
    assert "In parentheses: the runs with a value" in table.caption
    both = results_table(study([ending("failing", failing), ending("other", failing)], resamples=0))
    assert not any(cell.best or cell.tied for row in both.rows for cell in row)


def test_where_all_are_the_same_nothing_is_the_best():
    solved = made_up_study(3, 2, zeros=1.0)
    for table in (results_table(solved), results_table(solved, statistic="median")):
        assert not any(cell.best or cell.tied for row in table.rows for cell in row)
    assert {row[6].text for row in leaderboard_table(solved).rows} == {"100.0"}


def test_runs_without_a_value_and_strategies_that_did_not_run(small):
    final = {kind: regrets.copy() for kind, regrets in small.final.items()}
    final["test"][0, 0, :15] = np.nan
    final["test"][1, 0] = np.nan
    runs = small.runs.copy()
    runs[1, 0] = 0
    changed = dataclasses.replace(small, final=final, runs=runs)
    median = [row[1].text for row in results_table(changed, statistic="median").rows]
    assert re.fullmatch(r"∞ \[[\d.]+, ∞\]", median[0])
    assert median[1] == "–"  # noqa: RUF001
    mean = [row[1].text for row in results_table(changed).rows]
    assert float(mean[0].split(" ± ")[0]) == pytest.approx(0.9 - np.nanmean(final["test"][0, 0]), abs=5.1e-5)
    assert mean[0].endswith(" (10 of 25)")
    assert mean[1] == "–"  # noqa: RUF001


def test_the_leaderboard(small):
    table = leaderboard_table(small)
    assert table.headings == (
        "strategy", "task rank", "run rank", "regret", "improvement", "AUC", "solved (%)", "unbeaten",
    )  # fmt: skip
    for row, standing in zip(table.rows, small.leaderboard["test"], strict=True):
        assert row[0].text == standing.strategy
        assert row[1].text == f"{standing.task_rank:.2f}"
        assert row[2].text == f"{standing.run_rank:.2f}"
        assert float(row[3].text.split(" [")[0]) == pytest.approx(standing.iqm.estimate, abs=5.1e-5)
        assert row[7].text == f"{standing.unbeaten:.0f}"
    assert [row[1].best for row in table.rows] == [True, False, False, False]
    places = [small.labels.index(row[0].text) for row in table.rows]
    p = small.ranks["test"].nemenyi[places[0]]
    assert [row[1].tied for row in table.rows[1:]] == [p[place] >= 0.05 for place in places[1:]]
    assert not any(row[2].tied for row in table.rows), "no test belongs to run ranks"
    alone = leaderboard_table(made_up_study(4, 1))
    assert alone.headings[:2] == ("strategy", "run rank")
    assert not any(row[1].tied for row in alone.rows)


def test_a_leaderboard_of_what_cannot_be_normalised_has_fewer_columns(small):
    endless = {
        name: dataclasses.replace(small.leaderboard["test"][0].iqm, estimate=np.nan, low=np.nan, high=np.nan)
        for name in ("iqm", "auc")
    }
    rows = tuple(dataclasses.replace(row, **endless) for row in small.leaderboard["test"])
    table = leaderboard_table(dataclasses.replace(small, leaderboard={"test": rows}))
    assert table.headings == ("strategy", "task rank", "run rank", "improvement", "solved (%)", "unbeaten")
    unknown = tuple(dataclasses.replace(row, unbeaten=np.nan) for row in small.leaderboard["test"])
    table = leaderboard_table(dataclasses.replace(small, leaderboard={"test": unknown}))
    assert table.headings[-1] == "solved (%)"
    assert "Unbeaten" not in table.caption


def test_the_caption_of_a_leaderboard_says_what_is_ignored_and_not_proven(small):
    assert "ignores" not in leaderboard_table(small).caption
    rows = tuple(dataclasses.replace(row, ignored=(1,)) for row in small.leaderboard["test"])
    table = leaderboard_table(dataclasses.replace(small, leaderboard={"test": rows}))
    assert table.headings[1:5] == ("task rank", "run rank", "regret", "mean")
    assert float(table.rows[0][4].text.split(" [")[0]) == pytest.approx(rows[0].mean.estimate, abs=5.1e-5)
    caption = table.caption
    assert "The interquartile mean ignores all runs of some strategies on synthetic/table-1." in caption
    assert "Friedman p = 0.002 (exact), Iman-Davenport p = 0.001. Marks of task ranks: Nemenyi over tables" in caption
    weak = dataclasses.replace(small.ranks["test"], p=0.2)
    caption = leaderboard_table(dataclasses.replace(small, ranks={"test": weak})).caption
    assert "Friedman p = 0.2 (exact), Iman-Davenport p = 0.001: no difference is proven." in caption
    two = study([ending(f"s{n}", [n] * 30, table) for table in "ab" for n in (1.0, 2.0)], resamples=0)
    assert "Sign test p = 0.5: no difference is proven." in leaderboard_table(two).caption
    assert "Ranks are not tested" in leaderboard_table(made_up_study(3, 1)).caption


def test_captions_say_runs_budget_and_test(small):
    assert results_table(small).caption == (
        "Mean test value (fraction) of the architectures found: mean ± standard deviation of 25 runs, budget 60 "
        "evaluations. Test: Welch's test of means over runs, Holm-adjusted over all pairs, p < 0.05."
    )
    assert (
        "Validation regret, mean over repeats (fraction), at the end: median"
        in results_table(small, "valid", statistic="median").caption
    )
    assert "on each of 3 tables, budget 60 evaluations." in leaderboard_table(small).caption


def test_tables_that_are_not_there(small):
    with pytest.raises(UnknownNameError, match="unknown statistic 'mode'"):
        results_table(small, statistic="mode")
    with pytest.raises(MissingDataError, match="no table has test"):
        results_table(made_up_study(2, 1, kinds=("observed", "valid")), "test")
    task = dataclasses.replace(small.tasks[0], kinds=("observed", "valid"))
    mixed = dataclasses.replace(small, tasks=(task, *small.tasks[1:]))
    assert results_table(mixed).headings == ("strategy", "synthetic/table-1", "synthetic/table-2")
    with pytest.raises(MissingDataError, match="none of these tables has test measurements"):
        results_table(mixed, tasks=[0])


# Type.


def test_latex_is_a_table_of_booktabs(small):
    text = results_table(small).to_latex()
    assert [text.count(rf"\{rule}") for rule in ("toprule", "midrule", "bottomrule")] == [1, 1, 1]
    assert r"\label{tab:results-test-mean}" in text
    assert r"\shortstack[r]{synthetic/\\table-0}" in text
    assert text.count(r" $\pm$ ") == 4 * 3 + 1
    best = results_table(small).rows[0][1].text.replace("±", r"$\pm$")
    assert rf"random-search & \textbf{{{best}}}" in text
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 5
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {3}


def test_wide_tables_are_cut_between_columns():
    study_ = made_up_study(12, 10)
    table = results_table(study_, statistic="median")
    text = table.to_latex()
    assert text.startswith(r"\begin{table*}")
    blocks = re.findall(r"\\begin\{tabular\}\{(l(r+))\}", text)
    assert len(blocks) > 1
    assert sum(len(columns) for _, columns in blocks) == 10
    assert text.count("random-search &") == len(blocks)
    assert table_of("random-search").to_latex().startswith(r"\begin{table}")


@given(st.text(st.characters(codec="ascii", min_codepoint=32), max_size=30))
def test_latex_is_escaped(text):
    escaped = latex(text)
    assert not escaped.lstrip().startswith(("[", "*")), "taken for an argument of the line break before"
    escaped = escaped.removeprefix("{}")
    plain = re.sub(r"\\text(backslash|asciitilde|asciicircum|less|greater)\{\}", "", escaped)
    assert not re.search(r"(?<!\\)[&%$#_{}]|[~^<>]", plain), escaped
    names = {"backslash": "\\", "asciitilde": "~", "asciicircum": "^", "less": "<", "greater": ">"}
    back = re.sub(r"\\text(\w+)\{\}|\\([&%$#_{}])", lambda m: names.get(m[1], m[2]), escaped)
    assert back == text


@given(st.text(st.characters(codec="ascii", min_codepoint=32), max_size=30))
def test_markdown_is_escaped(text):
    table = f"| a | b |\n| --- | --- |\n| x | .{markdown(text)}. |\n"
    tokens = MarkdownIt("commonmark").enable("table").parse(table)
    (shown,) = [token for token in tokens if token.type == "inline"][3:]
    assert {child.type for child in shown.children} <= {"text", "text_special"}
    assert "".join(child.content for child in shown.children) == f".{text}."
    assert not re.search(r"(?<!\\)(\\\\)*\$", markdown(text)), "the start of a formula"


def test_rows_of_any_name_are_rows():
    names = ["[2em] a", "*", "[b]/*c", "x & y", "$5", "\\\\", "a\nb"]
    table = table_of(*names)
    wide = ResultTable("name", "[A] caption.", ("strategy", *names), ((TableCell("a"),) * (len(names) + 1),))
    for text in (table.to_latex(), wide.to_latex()):
        assert not re.search(r"(\\\\|\\[a-z]+rule)\s*[\[*]", text)
    rows = [line for line in table.to_markdown().splitlines() if line.startswith("|")]
    assert len(rows) == len(names) + 2
    assert rows[5:7] == [r"| x \& y | 1 |", r"| \$5 | 1 |"]


def test_markdown_has_the_same_cells(small):
    table = results_table(small)
    lines = [line for line in table.to_markdown().splitlines() if line.startswith("|")]
    assert lines[1] == "| --- | ---: | ---: | ---: |"
    for line, row in zip(lines[2:], table.rows, strict=True):
        texts = [cell.strip().strip("*") for cell in line.strip("|").split(" | ")]
        assert texts == [cell.text for cell in row]
    assert f"**{table.rows[0][1].text}**" in lines[2]


# The checklist.


def answers(study_):
    return {item.number: item for item in checklist_items(study_)}


def test_every_question_is_answered_or_marked(small):
    text = reproducibility_checklist(small)
    lines = [line for line in text.splitlines() if line.startswith("- [")]
    found = checklist_items(small)
    assert len(lines) == len(found) == len({item.number for item in found})
    for item, line in zip(found, lines, strict=True):
        assert line.startswith("- [x] **Yes**") == (item.answer == "yes")
        assert (OPEN in line) == (item.answer == "author")
    conference = [item.number for item in found if not item.number.startswith("P")]
    assert len(conference) == 4 + 9 + 5 + 3 + 2 + 1 + 2
    assert [item.number for item in found if item.number.startswith("P")] == [f"P{n}" for n in range(1, 15)]


def test_the_protocol_is_the_same_only_if_it_is(small):
    assert answers(small)["2a"].answer == "yes"
    runs = small.runs.copy()
    runs[1, 2] = 7
    uneven = answers(dataclasses.replace(small, runs=runs))["2a"]
    assert (uneven.answer, uneven.details) == (
        "no",
        "Strategies differ in their number of runs on synthetic/table-2.",
    )
    runs[1, 2] = 0
    missing = answers(dataclasses.replace(small, runs=runs))
    assert missing["2a"].details == "These are missing: regularized-evolution on synthetic/table-2."
    assert missing["P4"].answer == missing["P6"].answer == "no"


def test_baselines_seeds_and_times(small):
    assert answers(small)["P8"].answer == "yes"
    assert answers(dataclasses.replace(small, strategies=("a", "b", "c", "d")))["P8"].answer == "no"
    assert "25 runs of every strategy; root seed 0" in answers(small)["2c"].details
    assert answers(made_up_study(2, 1, runs=1))["P9"].answer == "no"
    assert "no times" in answers(made_up_study(2, 1, timed=False))["P13"].details
    assert "simulated seconds" not in answers(made_up_study(2, 1, timed=False))["P7"].details


def test_provenance_fills_in_compute_and_citations(small):
    unknown = answers(dataclasses.replace(small, provenance={}))
    assert unknown["2h"].answer == unknown["4a"].answer == "author"
    table = {"name": "digits/chain", "citation": "@misc{a, title = {A}}", "licence": "CC-BY-4.0"}
    origin = {"wall_seconds": 7200.0, "platforms": ["Linux x86_64"], "tables": [table], "versions": {"numpy": ["2.1"]}}
    known = answers(dataclasses.replace(small, provenance=origin))
    assert known["2h"].answer == "yes"
    assert known["2h"].details.startswith("2 hours of simulation, summed over processes, on Linux x86\\_64")
    assert known["4a"].answer == "yes"
    assert known["4b"].details == "Licences of tables: digits/chain: CC-BY-4.0."
    assert known["3a"].details.startswith("Results of numpy 2.1.")
    without = {**origin, "tables": [{**table, "citation": ""}]}
    assert answers(dataclasses.replace(small, provenance=without))["4a"].answer == "author"


def test_variants_are_named_as_possible_ablations():
    assert "local-search; local-search (variant=10)" not in answers(made_up_study(3, 1))["2i"].details
    assert "random-search, random-search (variant=8)" in answers(made_up_study(9, 1))["2i"].details


def test_long_lists_are_cut_and_warnings_shown(small):
    text = reproducibility_checklist(made_up_study(20, 1))
    assert "and 8 more" in text
    assert "Only few tasks" in text.split("## Limits of the results")[1]
    assert "Limits of the results" not in reproducibility_checklist(dataclasses.replace(small, warnings=()))
