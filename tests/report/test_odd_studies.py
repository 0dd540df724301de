"""Reports of studies at the edges: everything is written, or a note says why it is not; nothing ends in an error."""

import dataclasses
import re

import numpy as np
import pytest
from command_line import assert_refused, nasbench_lab_here
from hypothesis import HealthCheck, given, settings
from odd_studies import odd_traces

import nasbench_lab as nl
from nasbench_lab.analysis import study
from nasbench_lab.report import write_paper_folder
from nasbench_lab.report.figures.paper_styles import PAPER_STYLES
from nasbench_lab.report.page import write_page
from nasbench_lab.simulation import save_traces
from nasbench_lab.simulation.results import Results
from nasbench_lab.testing import synthetic_table

pytestmark = pytest.mark.filterwarnings(
    "ignore::nasbench_lab.OneFidelityWarning",
    "ignore::nasbench_lab.SearchOnTestWarning",
    "ignore::nasbench_lab.SettingWarning",
    "ignore::nasbench_lab.errors.MissingFontWarning",
)

CHAIN = synthetic_table("chain")
ALWAYS = {
    "a12": "",
    "cd": "",
    "ecdf-evaluations": "",
    "ecdf-seconds": "",
    "leaderboard": "",
    "normalised": "",
    "profile": "",
    "rank": "",
    "final": "(-[0-9]+)?",
    "regret-evaluations": "(-[0-9]+)?",
    "regret-seconds": "(-[0-9]+)?",
    "architecture": "-.+",
    "pareto": "(-.+)?",
}
"""Beginnings and ends of the names of figures that every report has, or says why it has not."""


def check_folder(folder, traces):
    """Check that every figure and table was written, or is listed with a reason."""
    names = {path.name for path in folder.iterdir()}
    listed = (folder / "missing.md").read_text(encoding="utf-8") if "missing.md" in names else ""
    missing = dict(re.findall(r"^- `([^`]+)`: (.{10,})$", listed, re.MULTILINE))
    assert len(missing) == listed.count("\n- ")
    drawn = {name.removesuffix(".svg") for name in names if name.endswith(".svg")}
    for style in (each.name for each in PAPER_STYLES):
        absent = {f"{name.removesuffix(f'-{style}')}-{style}" for name in missing}
        for name, more in ALWAYS.items():
            both = [
                {each for each in found if re.fullmatch(f"{name}{more}-{style}", each)} for found in (drawn, absent)
            ]
            assert both[0] or both[1], name
            assert not both[0] & both[1], name
    tables = {name.removesuffix(".tex") for name in names if name.endswith(".tex")}
    for table in ("leaderboard", "results"):
        assert [each for each in (*tables, *missing) if each.startswith(f"{table}-")], table
    assert {f"{name}.md" for name in tables} <= names
    assert "checklist.md" in names
    assert ("references.bib" in names) != ("references.bib" in missing)
    architectures = {each.removesuffix("-single").removesuffix("-double") for each in (*drawn, *missing)}
    architectures = [each for each in architectures if each.startswith("architecture-")]
    tasks = {repr(dataclasses.replace(t.setting.conditions, seed=0)) + t.setting.table for t in traces}
    assert len(architectures) == len(tasks), "one per task, also where their names are alike"


@given(odd_traces())
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_report_is_written(tmp_path_factory, traces):
    if not traces:
        return
    out = tmp_path_factory.mktemp("report")
    found = study(traces, resamples=20)
    write_page(found, out / "report.html")
    names = write_paper_folder(found, Results.of(traces), out / "paper", formats=("svg",))
    assert names == sorted(path.name for path in (out / "paper").iterdir())
    check_folder(out / "paper", traces)
    for name in names:
        if name.endswith(".tex"):
            assert not re.search(r"\\\\\s*[\[*]", (out / "paper" / name).read_text(encoding="utf-8"))


def without_times(table):
    description = dataclasses.replace(table.description, cost=())
    return nl.Table(description, {name: table.values(name) for name in table.metrics})


def nearly_failed():
    values = {name: np.array(CHAIN.values(name)) for name in CHAIN.metrics}
    values["valid_accuracy"][1:] = np.nan
    return nl.Table(CHAIN.description, values)


SHORT = nl.Budget(evaluations=3)
NOTHING = {
    "a budget too short": (CHAIN, {"budget": nl.Budget(seconds=0.5)}),
    "failed trainings": (nearly_failed(), {"budget": SHORT}),
    "limits that no run keeps": (
        CHAIN,
        {"budget": SHORT, "limits": {"parameters": float(np.sort(CHAIN.values("parameters"))[0])}},
    ),
}


def without_values(case):
    table, options = NOTHING[case]
    traces = [nl.simulate(table, name, runs=2, **options) for name in ("random-search", "hyperband")]
    assert all((trace.final_incumbent() < 0).all() for trace in traces)
    return traces


@pytest.mark.parametrize("case", NOTHING)
def test_reports_of_runs_without_a_value(case, tmp_path):
    found = study(without_values(case), resamples=20)
    write_page(found, tmp_path / "report.html")
    names = write_paper_folder(found, None, tmp_path / "paper", formats=())
    text = (tmp_path / "paper" / "missing.md").read_text()
    assert "- `regret-evaluations`: there is nothing to draw: " in text
    assert "- `architecture-synthetic-chain`: no run on 'synthetic/chain' has a value" in text
    assert {"results-test-mean.md", "results-test-median.tex", "leaderboard-test.md"} <= set(names)


def test_the_report_command_of_runs_without_a_value(tmp_path):
    save_traces(without_values("a budget too short"), tmp_path / "traces.h5")
    done = nasbench_lab_here("report", tmp_path / "traces.h5", "--out", tmp_path / "report.html")
    assert done.returncode == 0, done.stderr
    assert "says which figures and tables are missing" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "report.html").stat().st_size > 10_000


EMPTY_FIGURES = {
    "untimed": ("regret --axis seconds", "ecdf --axis seconds"),
    "no value": (
        "regret",
        "regret --kind both --axis both",
        "regret --statistic mean",
        "ecdf",
        "final",
        "normalised",
        "architecture",
        "pareto",
    ),
    "alone": ("a12",),
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Return files of traces: of a table without times, without any value, and of a single strategy."""
    folder = tmp_path_factory.mktemp("stored")
    of = {
        "untimed": [
            nl.simulate(without_times(CHAIN), name, runs=3, budget=SHORT) for name in ("asha", "random-search")
        ],
        "no value": [
            nl.simulate(CHAIN, name, runs=2, budget=nl.Budget(seconds=0.5), objectives=["parameters"])
            for name in ("nsga-ii", "random-search")
        ],
        "alone": [nl.simulate(CHAIN, "random-search", runs=3, budget=SHORT)],
    }
    for name, traces in of.items():
        save_traces(traces, folder / f"{name}.h5")
    return folder


@pytest.mark.parametrize(
    ("which", "figure"), [(which, figure) for which in EMPTY_FIGURES for figure in EMPTY_FIGURES[which]]
)
def test_a_figure_that_would_be_empty_is_an_error(stored, tmp_path, which, figure):
    out = tmp_path / "figure.png"
    done = nasbench_lab_here("plot", stored / f"{which}.h5", "--figure", *figure.split(), "--out", out)
    assert_refused(done)
    assert not list(tmp_path.iterdir())
