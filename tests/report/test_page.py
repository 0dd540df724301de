"""The page: complete in itself, safe, accessible, and with the numbers of the study."""

import base64
import dataclasses
import hashlib
import html.parser
import itertools
import json
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
import typer.testing
from made_up_studies import made_up_study, provenance, task

import nasbench_lab as nl
from nasbench_lab.analysis import study
from nasbench_lab.cli import report
from nasbench_lab.cli.app import app
from nasbench_lab.errors import DataError, OutputError, ParameterError, UnknownNameError
from nasbench_lab.report.contrast import contrast_ratio, readable
from nasbench_lab.report.layout.architecture import architecture_graph
from nasbench_lab.report.looks import COLORS
from nasbench_lab.report.page import charts, render_page, theme, write_page
from nasbench_lab.report.page.architecture import draw_architecture
from nasbench_lab.report.page.charts import thinned
from nasbench_lab.report.page.curve_charts import regret_chart, study_charts
from nasbench_lab.report.page.figure_commands import FIGURES, commands
from nasbench_lab.report.page.pairwise import compare_all_pairs
from nasbench_lab.report.page.task_sections import task_details
from nasbench_lab.spaces import ChainSpace, TopologySpace
from nasbench_lab.suites import open_results
from nasbench_lab.testing import synthetic_table

HOSTILE = "</script><script>alert(1)</script> & 'x' \"y\" \u2028 {{ 7 * 7 }} <!-- <b>"

VOID = {"meta", "wbr", "input", "br"}


class Page(html.parser.HTMLParser):
    """What is in a page: every element, with its place in the tree, and its own text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.problems = [], [], []
        self.feed(text)
        self.close()
        if self.open:
            self.problems.append(f"never closed: {self.open}")

    def handle_starttag(self, name, attributes):
        names = [key for key, _ in attributes]
        if len(names) != len(set(names)):
            self.problems.append(f"an attribute twice: {name} {names}")
        element = {"name": name, "inside": [e["name"] for e in self.open], "text": "", **dict(attributes)}
        self.elements.append(element)
        if name not in VOID:
            self.open.append(element)

    def handle_endtag(self, name):
        if not self.open or self.open[-1]["name"] != name:
            self.problems.append(f"</{name}> closes {self.open[-1:]}")
        else:
            self.open.pop()

    def handle_data(self, data):
        if self.open:
            self.open[-1]["text"] += data

    def all(self, name, **wanted):
        found = [e for e in self.elements if e["name"] == name]
        return [e for e in found if all(e.get(key.rstrip("_")) == value for key, value in wanted.items())]

    def data(self):
        (script,) = self.all("script", id="data")
        return json.loads(script["text"])

    def texts(self):
        return " ".join(e["text"] for e in self.elements if e["name"] not in ("script", "style"))


STUDIES = {
    "two tasks": made_up_study(3, 2),
    "one of each": made_up_study(1, 1, timed=False),
    "many": made_up_study(31, 3),
    "solved": made_up_study(3, 2, zeros=0.7),
    "hostile": made_up_study(labels=(HOSTILE, "b", "c"), tables=(HOSTILE, "second"), warnings=(HOSTILE,)),
}


@pytest.fixture(scope="module")
def texts():
    return {name: render_page(study, source="results/mine") for name, study in STUDIES.items()}


@pytest.fixture(scope="module")
def pages(texts):
    return {name: Page(text) for name, text in texts.items()}


each_study = pytest.mark.parametrize("name", STUDIES)


@each_study
def test_the_html_is_well_formed(pages, name):
    page = pages[name]
    assert page.problems == []
    ids = [element["id"] for element in page.elements if "id" in element]
    assert len(ids) == len(set(ids))
    targets = [e["href"][1:] for e in page.all("a") if e["href"].startswith("#")]
    referred = [e[key] for e in page.elements for key in ("aria-labelledby", "aria-describedby", "for") if key in e]
    assert targets
    assert set(targets + referred) <= set(ids)


@each_study
def test_nothing_is_loaded_from_anywhere(texts, pages, name):
    for element in pages[name].elements:
        assert element["name"] not in {"link", "img", "iframe", "object", "embed", "base", "form", "audio", "video"}
        assert not {"src", "srcset", "style", "background"} & set(element), element
        assert not [key for key in element if key.startswith("on")], element
        if "href" in element:
            assert element["href"].startswith("#")
    for script_or_style in (*pages[name].all("style"), *pages[name].all("script")):
        assert not re.search(r"url\((?!#)|@import|fetch\(|XMLHttpRequest|import\(|eval\(", script_or_style["text"])
    addresses = set(re.findall(r"https?://[^\s\"'<]+", texts[name]))
    assert addresses <= {"http://www.w3.org/2000/svg"}, "the name of SVG, which is not an address"


@each_study
def test_the_policy_allows_this_style_and_this_script_only(pages, name):
    page = pages[name]
    (policy,) = [e["content"] for e in page.all("meta") if e.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy
    (css,), (_, js) = page.all("style"), page.all("script")
    for rule, text in (("style-src", css["text"]), ("script-src", js["text"])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"


def test_what_users_named_is_text_and_nothing_else(texts, pages):
    page = pages["hostile"]
    assert len(page.all("script")) == 2
    assert page.data()["strategies"][0]["label"] == HOSTILE
    assert page.data()["charts"]["regret"]["choices"][0]["options"][0][1] == HOSTILE
    assert "49" not in [e["text"].strip() for e in page.elements]
    assert "<script>alert" not in texts["hostile"]
    assert "\u2028" not in re.findall(r'<script type="application/json" id="data">(.*?)</script>', texts["hostile"])[0]
    assert not page.all("b")


@each_study
def test_headings_landmarks_and_language(pages, name):
    page = pages[name]
    assert page.all("html")[0]["lang"] == "en"
    levels = [int(e["name"][1]) for e in page.elements if re.fullmatch("h[1-6]", e["name"])]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels
    assert [len(page.all(landmark)) for landmark in ("header", "main", "nav", "footer")] == [1, 1, 1, 1]
    first_link = page.all("a")[0]
    assert (first_link["class"], first_link["href"]) == ("skip", "#main")


@each_study
def test_tables_say_what_they_are(pages, name):
    page = pages[name]
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(e["scope"] in {"row", "col"} for e in page.all("th"))
    assert all(e.get("aria-label") for e in page.elements if e.get("role") in {"region", "img"} and e["name"] != "svg")
    drawings = [e for e in page.all("svg") if e.get("role") == "img"]
    described = [e for e in page.all("title") if e["inside"][-1] == "svg"] + [e for e in drawings if "aria-label" in e]
    assert len(described) == len(drawings)
    assert all("role" in e or e.get("aria-hidden") == "true" for e in page.all("svg"))


def test_the_same_study_gives_the_same_bytes(texts):
    assert render_page(made_up_study(3, 2), source="results/mine") == texts["two tasks"]


def test_no_date_and_no_path_of_the_machine(texts):
    assert not re.search(r"\b20[23]\d-\d\d-\d\d\b|/home/|/tmp/|/work/", texts["two tasks"])


@pytest.mark.parametrize("name", ["two tasks", "solved"])
def test_curves_have_the_numbers_of_the_study(pages, name):
    study, data = STUDIES[name], pages[name].data()
    chart = data["charts"]["regret"]
    for (kind, axis, place), found in study.curves.items():
        for center, expected in (("median", found.quartiles), ("mean", found.mean), ("iqm", found.iqm)):
            low, middle, high = expected if center == "median" else (expected.low, expected.estimate, expected.high)
            view = chart["views"][f"{place}|{kind}|{axis}|{center}"]
            np.testing.assert_allclose(
                chart["grids"][view["grid"]], found.grid, rtol=0 if axis == "evaluations" else 5e-4
            )
            assert [line[0] for line in view["lines"]] == [0, 1, 2]
            for strategy, *lists in view["lines"]:
                for packed, values in zip(lists, (middle, low, high), strict=True):
                    exact = np.where(np.isfinite(values[strategy]), values[strategy], np.nan)
                    np.testing.assert_allclose(unpacked(packed), exact, rtol=5e-4)


def unpacked(values):
    found = []
    for value in values:
        found += [value[0]] * value[1] if isinstance(value, list) else [value]
    return [np.nan if value is None else value for value in found]


def test_the_leaderboard_and_the_matrix_have_the_numbers_of_the_study(pages):
    study, page = STUDIES["two tasks"], pages["two tasks"]
    values = [e["data-value"] for e in page.all("td") if e.get("data-value")]
    for standing in study.leaderboard["test"]:
        for number in (
            standing.task_rank,
            standing.run_rank,
            standing.iqm.estimate,
            standing.auc.estimate,
            100 * standing.solved,
        ):
            assert repr(float(number)) in values
    view = page.data()["matrix"]["views"]["1|a12"]
    a12 = study.pairwise["test"].a12[..., 1]
    expected = [f"{a12[i, j]:.2f}" if i != j else "" for i in range(3) for j in range(3)]
    assert view["texts"] == expected
    adjusted = study.pairwise["test"].adjusted[..., 1]
    marks = "".join(
        "-" if i == j else "s" if adjusted[i, j] >= 0.05 else "b" if a12[i, j] > 0.5 else "w"
        for i in range(3)
        for j in range(3)
    )
    assert view["marks"] == marks
    assert set(marks) == set("-sbw"), "the made-up study has all of them"


def test_colours_over_all_tasks_come_from_the_test_of_the_numbers():
    study = made_up_study(12, 10)
    order = tuple(study.labels.index(row.strategy) for row in study.leaderboard["test"])
    matrix = compare_all_pairs(study, "test", order)
    pairs, ranks = study.pairwise["test"], study.ranks["test"]
    cells = [(i, j) for i in order for j in order]
    for measure, p, better in (
        ("a12", pairs.mean_a12_adjusted, pairs.mean_a12 > 0.5),
        ("p", ranks.nemenyi, ranks.ranks[:, None] < ranks.ranks),
    ):
        marks = ["-" if i == j else "s" if p[i, j] >= 0.05 else "b" if better[i, j] else "w" for i, j in cells]
        assert matrix.views[f"all|{measure}"].marks == "".join(marks)
        assert {"s", "b", "w"} <= set(marks)
    counts = matrix.views["all|difference"]
    assert set(counts.marks) == {"-", "s"}, "no test belongs to counts of tasks"
    i, j = order[0], order[-1]
    won = (pairs.adjusted[i, j] < 0.05) & (pairs.a12[i, j] > 0.5)
    assert counts.texts[11].startswith(f"{won.sum()} : ")


def test_means_say_how_many_runs_they_count():
    study = made_up_study(2, 1)
    few = dataclasses.replace(study.summaries[1], test_runs=9, without_value=16)
    section = next(task_details(dataclasses.replace(study, summaries=(study.summaries[0], few))))
    ends = section.tables[0]
    place = [column.title for column in ends.columns].index("test") - 1
    whole, part = (row.cells[place].spread for row in ends.rows)
    assert "of" not in whole
    assert part.endswith(" (9 of 25)")
    assert "infinitely bad" in ends.caption
    assert "infinitely bad" not in next(task_details(study)).tables[0].caption
    assert "can rise again" in section.tables[1].caption


def test_sections_follow_from_what_there_is(pages):
    assert [e["text"] for e in pages["two tasks"].all("a")[1:]] == [
        "Leaderboard", "Curves", "Progress", "Differences", "Targets", "Tasks", "Provenance", "Citations",
    ]  # fmt: skip
    assert "Differences" not in [e["text"] for e in pages["one of each"].all("a")]
    assert "progress" not in pages["one of each"].data()["charts"], "over one task it would be the curve again"
    assert pages["one of each"].data()["matrix"] is None
    assert "seconds" not in json.dumps(pages["one of each"].data()["charts"]["regret"]["choices"])


def test_what_is_missing_has_a_reason():
    tasks = (task("full"), task("untested", kinds=("observed", "valid"), axes=("evaluations",)))
    study = made_up_study(labels=("a", "b"), tables=("full", "untested"))
    there = {(kind, axis, place) for place in (0, 1) for kind in tasks[place].kinds for axis in tasks[place].axes}
    curves = {key: found for key, found in study.curves.items() if key in there}
    study = dataclasses.replace(study, tasks=tasks, curves=curves)
    chart = regret_chart(study)
    assert chart.missing["1|test|evaluations|median"] == "untested: no test measurements."
    assert chart.missing["1|valid|seconds|mean"] == "untested: no training times."
    assert "1|valid|evaluations|mean" in chart.views
    assert not set(chart.missing) & set(chart.views)
    assert Page(render_page(study)).problems == []


def test_a_strategy_that_ran_on_one_task_only():
    study = made_up_study(3, 2)
    runs = study.runs.copy()
    runs[2, 1] = 0
    study.final["test"][2, 1] = np.nan
    rows = tuple(row for place, row in enumerate(study.summaries) if place != 5)
    page = Page(render_page(dataclasses.replace(study, runs=runs, summaries=rows)))
    assert page.problems == []
    assert "nan" not in page.texts().lower().split()


def test_nothing_in_common_leaves_no_leaderboard():
    study = dataclasses.replace(made_up_study(2, 2), leaderboard={}, progress={}, ranks={}, pairwise={}, profiles={})
    page = Page(render_page(study))
    assert page.problems == []
    assert "No task was searched by all strategies" in page.texts()


def test_results_in_memory_without_provenance():
    page = Page(render_page(made_up_study(2, 1, provenance={}, found=(), warnings=())))
    assert page.problems == []
    assert not page.all("aside")


def test_a_citation_that_is_no_bibtex_is_shown_as_it_is():
    given = provenance(("mine",))
    given["tables"][0]["citation"] = "see my thesis <1>"
    page = Page(render_page(made_up_study(2, 1, provenance=given)))
    assert "see my thesis <1>" in [e["text"] for e in page.all("pre")]


def test_curves_are_thinned_to_what_a_page_can_hold(pages):
    grids = [grid for chart in pages["many"].data()["charts"].values() for grid in chart["grids"]]
    assert max(map(len, grids)) <= charts.MOST_POINTS
    few, many = study_charts(STUDIES["two tasks"]), study_charts(made_up_study(30, 12))
    assert charts.points_for(few) == charts.MOST_POINTS
    assert charts.points_for(many) * sum(chart.numbers for chart in many) <= charts.MOST_NUMBERS
    assert charts.points_for(many) >= charts.LEAST_POINTS


@pytest.mark.parametrize("scale", [None, "linear", "log"])
@pytest.mark.parametrize(("count", "most"), [(1, 200), (200, 200), (201, 200), (10_000, 25)])
def test_thinning_keeps_the_ends(count, most, scale):
    places = thinned(np.arange(1.0, count + 1), most, scale)
    assert (places[0], places[-1]) == (0, count - 1)
    assert len(places) <= most
    assert len(places) == count or len(places) >= most // 3
    assert places == sorted(set(places))


@pytest.mark.parametrize("grid", [np.arange(1.0, 5001), np.linspace(0.5, 3e4, 900), np.geomspace(1e-3, 40, 800)])
def test_thinning_leaves_small_steps_on_both_kinds_of_axis(grid):
    """No step is much wider than an even grid of as many points would have, or than the grid itself has."""
    kept = grid[thinned(grid, 200)]
    for scaled, whole in ((kept, grid), (np.log(kept), np.log(grid))):
        even = np.ptp(whole) / 99
        assert np.diff(scaled).max() <= even + np.diff(whole).max()


TEXTS = [
    *((ink, paper) for ink in ("text", "muted") for paper in ("page", "surface", "raised")),
    *(("text", paper) for paper in ("better", "worse")),
    *(("accent", paper) for paper in ("page", "surface", "accent-soft")),
    ("on-accent", "accent"),
    ("warning", "warning-soft"),
    ("warning", "surface"),
]


@pytest.mark.parametrize("colors", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_contrast(colors):
    for ink, paper in TEXTS:
        assert contrast_ratio(colors[ink], colors[paper]) >= 4.5, (ink, paper)
    assert contrast_ratio(colors["edge"], colors["surface"]) >= 3, "borders of controls"
    assert contrast_ratio(colors["warning-edge"], colors["page"]) >= 2.5
    for color in COLORS:
        assert contrast_ratio(readable(color, colors["surface"], 3.0), colors["surface"]) >= 3.0


def test_forty_strategies_look_different():
    looks = {(n % len(COLORS), theme.dasharray(n)) for n in range(theme.looks_in_all())}
    assert len(looks) == theme.looks_in_all() == 40


def test_an_architecture_is_drawn_with_its_labels():
    graph = architecture_graph(TopologySpace(), 6111)
    text = str(draw_architecture(graph))
    assert Page(text).problems == []
    for edge in graph.edges:
        assert f">{edge.label}<" in text
    assert text.count('class="arrow"') == len(graph.edges)
    assert graph.name in text
    hostile = architecture_graph(ChainSpace("&<", 2), 1)
    assert "&lt;" in str(draw_architecture(hostile))
    assert Page(str(draw_architecture(hostile))).problems == []


def test_the_file_appears_complete_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "folder" / "report.html"
    write_page(STUDIES["one of each"], path)
    first = path.read_bytes()
    assert first.startswith(b"<!DOCTYPE html>")
    assert b"\r" not in first
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_page(STUDIES["one of each"], tmp_path / "file" / "report.html")
    assert [child.name for child in path.parent.iterdir()] == ["report.html"]


def test_the_template_engine_is_loaded_only_when_a_page_is_made():
    code = "import sys, nasbench_lab.report.page.html; print('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder with the traces of two small comparisons."""
    from nasbench_lab.simulation import save_traces

    folder = tmp_path_factory.mktemp("results")
    budget = nl.Budget(evaluations=20)
    names, tables = (
        ("random-search", "local-search"),
        (synthetic_table("topology"), nl.load("nas-bench-graph/proteins")),
    )
    save_traces([nl.simulate(table, n, runs=9, budget=budget) for table in tables for n in names], folder / "traces.h5")
    return folder


def test_the_page_of_real_results(results):
    found = study(open_results(results), resamples=100)
    page = Page(render_page(found, source=str(results)))
    assert page.problems == []
    text = page.texts()
    assert "nas-bench-graph/proteins" in text
    assert "qin2022nasbenchgraph" in text, "the table's BibTeX"
    assert "Arch(" in text, "the notation of what was found"
    best = found.leaderboard["test"][0]
    assert repr(float(best.iqm.estimate)) in [e.get("data-value") for e in page.all("td")]
    view = page.data()["charts"]["regret"]["views"]["1|test|evaluations|median"]
    final = [unpacked(line[1])[-1] for line in view["lines"]]
    assert final == pytest.approx(found.curves["test", "evaluations", 1].quartiles[1, :, -1], rel=5e-4)


def test_the_commands_on_the_page_exist(results):
    """Every command is taken by the command line; the figures' names are those of ``plot``."""
    from nasbench_lab.cli import plot

    assert set(FIGURES) <= set(plot.FIGURES)
    found = study(open_results(results), resamples=10)
    given = [shlex.split(command) for _, command in commands(str(results), found)]
    assert {words[1] for words in given} == {"report", "plot", "cite"}
    options = {word for words in given for word in words if word.startswith("--")}
    assert options <= {"--kind", "--reference", "--figure", "--out", "--table"}
    assert [words[-3] for words in given if words[1] == "cite"] == ["nas-bench-graph/proteins"]


def test_the_command(results, tmp_path, monkeypatch):
    """The folder for papers is tested elsewhere; here it is enough that it is asked for."""
    asked = []
    monkeypatch.setattr(report, "write_paper_folder", lambda *given, **options: asked.append((given, options)) or ["a"])
    runner = typer.testing.CliRunner()
    out = tmp_path / "mine.html"
    done = runner.invoke(app, ["report", str(results), "--out", str(out), "--kind", "valid"])
    assert done.exit_code == 0, done.output
    assert f"wrote {out}" in done.stdout
    assert "note: " in done.stderr, "the warnings of the study"
    page = Page(out.read_text(encoding="utf-8"))
    assert page.problems == []
    assert "by validation regret (mean over repeats)." in page.texts()
    assert f"nasbench-lab report {results} --kind valid --reference random-search" in page.texts()
    ((given, options),) = asked
    assert (given[2], options["overwrite"]) == (tmp_path / "mine-paper", False)
    again = runner.invoke(app, ["report", str(results), "--out", str(out), "--page-only", "--overwrite"])
    assert again.exit_code == 0
    assert len(asked) == 1


def test_mistakes_are_one_line_before_anything_is_computed(results, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "study_of", None)
    runner = typer.testing.CliRunner()
    (tmp_path / "old.html").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    for arguments, error, part in (
        ([results, "--out", tmp_path / "old.html"], OutputError, "old.html already exists"),
        ([results, "--out", tmp_path / "full"], OutputError, "is a folder; choose another file"),
        ([results, "--out", tmp_path / "new.html", "--paper", tmp_path / "full"], OutputError, "full is not empty"),
        ([results, "--out", tmp_path / "new.pdf"], ParameterError, "--out must be a file that ends in .html or .htm"),
        ([results, "--kind", "tests"], UnknownNameError, "did you mean 'test'"),
        ([results, "--page-only", "--paper", tmp_path / "x"], ParameterError, "--page-only"),
        ([tmp_path / "nothing", "--out", tmp_path / "x.html"], DataError, "no results at"),
    ):
        done = runner.invoke(app, ["report", *map(str, arguments)])
        assert isinstance(done.exception, error), done
        assert part in str(done.exception)
        assert "\n" not in str(done.exception)
    assert (tmp_path / "old.html").read_text() == "mine"


def test_architectures_of_an_unknown_space_are_listed():
    study = made_up_study(3, 1)
    unknown = dataclasses.replace(study, tasks=tuple(dataclasses.replace(task, space={}) for task in study.tasks))
    page = Page(render_page(unknown))
    assert page.problems == []
    assert not [e for e in page.all("svg") if "drawing" in e.get("class", "")]
    assert "3 architectures, not drawn" in page.texts()
    many = Page(render_page(made_up_study(31, 1)))
    assert len([e for e in many.all("svg") if "drawing" in e.get("class", "")]) == 6
    assert "25 more, not drawn" in many.texts()
