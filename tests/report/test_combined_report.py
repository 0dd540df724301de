"""Reports on several results: the page, the checklist and the commands say where everything comes from."""

import html
import re
import shlex

import pytest
from command_line import assert_refused
from command_line import nasbench_lab_here as nasbench_lab
from small_suites import small_shards, small_suite

import nasbench_lab as nl
from nasbench_lab.analysis import study
from nasbench_lab.report import reproducibility_checklist
from nasbench_lab.report.page import render_page
from nasbench_lab.report.paper.checklist import checklist_items
from nasbench_lab.report.study_source import study_of
from nasbench_lab.simulation import save_traces
from nasbench_lab.suites import SuiteFolder, run_suite


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A suite, a suite of which one shard is missing, and a traces file with another seed."""
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        small_shards(patch)
        run_suite(small_suite(folder, title="On Monday"), folder / "one")
        run_suite(small_suite(folder, strategies=["random-search", "hill-climbing"], runs=8), folder / "two")
    half = SuiteFolder.open(folder / "two")
    half.traces_path(half.plan.shards[-1]).with_suffix(".json").unlink()
    table = nl.load(str(folder / "mine.h5"))
    (folder / "three").mkdir()
    trace = nl.simulate(table, "random-search", runs=10, budget=nl.Budget(evaluations=12), seed=5)
    save_traces([trace], folder / "three/traces.h5")
    return folder


def text_of(page):
    return html.unescape(re.sub(r"<[^>]*>", " ", page))


def test_the_page_says_where_results_come_from_and_what_is_missing(folders, tmp_path):
    out = tmp_path / "page.html"
    done = nasbench_lab("report", folders / "one", folders / "two", "--out", out, "--page-only")
    assert done.returncode == 0
    left_out = "so these are left out: hill-climbing on synthetic/chain."
    notes = [
        f"The suite in {folders / 'two'} is not finished: 1 shard is missing, {left_out}",
        "Some runs were given more than once, and count once: 8 runs of random-search on synthetic/chain.",
    ]
    text = text_of(out.read_text())
    for note in notes:
        assert f"note: {note}" in done.stderr
        assert note in text
    for name in ("one", "two"):
        assert str(folders / name) in text
        assert SuiteFolder.open(folders / name).suite.hash[:12] in text
    assert "On Monday" in text
    assert "Results that were combined" in text
    assert text.count('"strategies": [') == 2, "the specification of each suite"


def test_commands_on_the_page_name_all_results_and_labels(folders, tmp_path, monkeypatch):
    paths = [folders / "one", folders / "three"]
    assert_refused(
        nasbench_lab("report", *paths, "--page-only"), "has the seeds 0 and 5 in", "give each of the results a"
    )
    labels = ["--label", "my seed", "--label", "5"]
    out = tmp_path / "page.html"
    assert nasbench_lab("report", *paths, *labels, "--out", out, "--page-only").returncode == 0
    page = out.read_text()
    text = text_of(page)
    assert "random-search (my seed)" in text
    assert "random-search (5)" in text
    assert "local-search (" not in text
    commands = [line for line in text.splitlines() if line.startswith(f"nasbench-lab report {paths[0]}")]
    monkeypatch.chdir(tmp_path)
    assert nasbench_lab(*shlex.split(commands[0])[1:], "--page-only").returncode == 0
    assert (tmp_path / "report.html").read_text() == page


def test_figures_of_several_results(folders, tmp_path):
    paths, labels = [folders / "one", folders / "three"], ["--label", "a", "--label", "b"]
    command = ["plot", *paths, "--figure", "regret", "--out", tmp_path / "one.svg"]
    assert nasbench_lab(*command, *labels, "--strategy", "random-search (b)").returncode == 0
    assert "<svg" in (tmp_path / "one.svg").read_text()
    assert_refused(nasbench_lab(*command, "--label", "a"), "give --label once for each of the 2 results")
    assert_refused(nasbench_lab(*command, "--label", "a", "--label", "a"), "each with another label")
    done = nasbench_lab("plot", folders / "two", "--figure", "final", "--out", tmp_path / "two.svg")
    assert "note: The suite is not finished: 1 shard is missing" in done.stderr


def test_the_checklist_names_every_input(folders):
    found = study_of({"a": folders / "one", "b": folders / "three"}, resamples=0)
    text = reproducibility_checklist(found)
    assert "## Results that were combined" in text
    for line in ("one: On Monday; 3 simulations; ", "three: 1 simulation; nasbench-lab "):
        assert line in text
    assert f"suite {SuiteFolder.open(folders / 'one').suite.hash[:12]}" in text
    assert "label b" in text
    assert "were combined" not in reproducibility_checklist(study_of(folders / "one", resamples=0))


def test_names_of_inputs_cannot_break_the_page(folders):
    hostile = "<script>alert(1)</script>"
    found = study({hostile: folders / "one", "b": folders / "three"}, resamples=0)
    page = render_page(found, source=[hostile, "b"])
    assert hostile not in page
    assert "random-search (&lt;script&gt;alert(1)&lt;/script&gt;)" in page


def test_the_checklist_claims_nothing_of_imported_results(folders, tmp_path):
    trace = nl.simulate(str(folders / "mine.h5"), "random-search", runs=10, budget=nl.Budget(evaluations=12), seed=5)
    steps, budget = trace.records(notation=False), nl.Budget(evaluations=12)
    theirs = nl.Trace.from_steps(steps, table=str(folders / "mine.h5"), strategy="random-search", budget=budget)
    save_traces([theirs], tmp_path / "theirs.h5")
    found = study_of({"a": folders / "one", "b": tmp_path / "theirs.h5"}, resamples=0)
    items = {item.number: item for item in checklist_items(found)}
    assert "root seed 0, run r" in items["P9"].details
    assert "Results of random-search (b) are imported" in items["P9"].details
    assert [items[number].answer for number in ("P5", "P6", "P11")] == ["author"] * 3
    assert "random-search (b)" not in items["P5"].details
    assert "random-search (b), which are imported, do not say " in items["P6"].details
    assert "theirs.h5: imported; 1 simulation" in reproducibility_checklist(found)
    assert "imported results" in text_of(render_page(found))
