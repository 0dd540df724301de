"""Figures and tables take a study, traces, results or a path, and draw the same."""

import dataclasses

import numpy as np
import pytest
import study_figures

import nasbench_lab as nl
from nasbench_lab.analysis import study
from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.report import (
    cd_figure,
    leaderboard_table,
    pareto_figure,
    regret_figure,
    results_table,
)
from nasbench_lab.report.study_source import study_of, traces_of
from nasbench_lab.simulation import save_traces
from nasbench_lab.simulation.results import Results
from nasbench_lab.testing import identical, synthetic_table

FIGURES = {
    **study_figures.FIGURES,
    "overview": lambda results: regret_figure(results, "both", "both", style="double"),
    "mean": lambda results: regret_figure(results, statistic="mean"),
}


@pytest.fixture(scope="module")
def traces():
    options = {"runs": 8, "budget": nl.Budget(evaluations=25)}
    tables = (synthetic_table("chain"), synthetic_table("topology"))
    names = ("random-search", "local-search", "regularized-evolution")
    return [nl.simulate(table, name, **options) for table in tables for name in names]


@pytest.fixture(scope="module")
def folder(traces, tmp_path_factory):
    path = tmp_path_factory.mktemp("results")
    save_traces(traces, path / "traces.h5")
    return path


def drawn(figure):
    """Everything that a figure draws, panel by panel."""
    found = []
    for panel in figure.axes:
        found += [panel.get_title(loc="left"), panel.get_xlabel(), panel.get_ylabel()]
        found += [text.get_text() for text in panel.texts]
        found += [np.asarray(line.get_xydata(), dtype=float).tolist() for line in panel.lines]
        found += [path.vertices.tolist() for collection in panel.collections for path in collection.get_paths()]
        found += [(patch.get_x(), patch.get_width()) for patch in panel.patches]
    return repr(found)


@pytest.mark.parametrize("name", FIGURES)
def test_all_sources_give_the_same_figure(name, traces, folder):
    figure = FIGURES[name]
    expected = drawn(figure(study(traces, points=256)))
    sources = (traces, tuple(traces), Results.of(traces), folder, str(folder), folder / "traces.h5")
    for source in sources:
        assert drawn(figure(source)) == expected, source


def test_one_trace_is_enough(traces):
    assert drawn(regret_figure(traces[0])) == drawn(regret_figure(traces[:1]))
    assert study_of(traces[0], resamples=0).labels == ("random-search",)


def test_tables_take_the_same_sources(traces, folder):
    found = study(traces)
    for table in (results_table, leaderboard_table):
        assert table(folder) == table(traces) == table(found)


def test_fronts_need_traces(folder):
    options = {"runs": 3, "budget": nl.Budget(evaluations=15), "objectives": ["parameters"]}
    trace = nl.simulate(synthetic_table("chain"), "random-search", **options)
    assert drawn(pareto_figure(trace)) == drawn(pareto_figure(Results.of([trace]))) == drawn(pareto_figure([trace]))
    with pytest.raises(ParameterError, match="a study has none"):
        pareto_figure(study(trace if isinstance(trace, list) else [trace], resamples=0))
    assert len(traces_of(folder)) == 6


def test_traces_are_those_of_the_source(traces, folder):
    for source in (traces, Results.of(traces), folder):
        assert all(identical(one, other) for one, other in zip(traces, traces_of(source), strict=True))


def test_sources_that_have_nothing(traces, tmp_path):
    with pytest.raises(ParameterError, match="there are no results"):
        cd_figure([])
    with pytest.raises(DataError, match="there are no results at"):
        cd_figure(tmp_path / "nowhere")
    assert study_of([traces[0], traces[0]], resamples=0).runs.tolist() == [[8]]
    setting = traces[0].setting
    seeded = dataclasses.replace(setting, conditions=dataclasses.replace(setting.conditions, seed=1))
    other = dataclasses.replace(traces[0], setting=seeded)
    with pytest.raises(ParameterError, match="ran twice"):
        cd_figure([traces[0], other])


@pytest.mark.parametrize("wrong", [5, None, [5], {"a": 1}])
def test_sources_of_the_wrong_kind_are_refused(wrong):
    with pytest.raises(ParameterError, match="give results, traces or paths, got"):
        study_of(wrong)
