"""Figures that are not drawn from a study: tables, validations, fronts and architectures."""

import dataclasses
import warnings

import pytest
from figure_checks import check_fonts, check_nothing_is_cut

import nasbench_lab as nl
from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.retraining import Pick, Validation
from nasbench_lab.analysis.table_quality import quality
from nasbench_lab.report.figures.architecture import architecture_figure
from nasbench_lab.report.figures.paper_styles import STYLES
from nasbench_lab.report.figures.pareto import pareto_figure
from nasbench_lab.report.figures.retraining import validation_figure
from nasbench_lab.report.figures.table import table_figure
from nasbench_lab.spaces import SizeSpace, TopologySpace
from nasbench_lab.testing import synthetic_table


def test_the_axis_of_a_correlation_ends_at_one():
    table = nl.load("digits/topology")
    figure = table_figure(table, quality(table))
    correlation = figure.axes[2]
    assert correlation.get_title(loc="left") == "rank correlation with the end"
    assert correlation.get_ylim()[1] == 1
    assert not any(line.get_clip_on() for line in correlation.lines), "points at 1 are whole"
    check_nothing_is_cut(figure, "double")
    check_fonts(figure, "double")


@pytest.mark.parametrize(("strategies", "tables"), [(3, 1), (24, 4)])
def test_validations_of_many_strategies_fit(strategies, tables):
    names = [f"regularized-evolution (variant={number})" for number in range(strategies)]
    interval = Interval(90.25, 89.5, 91.0)
    picks = tuple(Pick("synthetic/table", name, 1, n, 5, 0.9, 90.0 + n / 7) for n, name in enumerate(names))
    found = Validation(
        "synthetic/table",
        picks,
        trained=dict.fromkeys(range(strategies), interval),
        strategies=dict.fromkeys(names, interval),
        lead=dict.fromkeys(names[1:], Interval(0.5, -0.1, 1.1)),
        correlation=Interval(0.5, 0.1, 0.9),
        verdict="still wins",
    )
    every = [dataclasses.replace(found, table=f"synthetic/table-{number}") for number in range(tables)]
    figure = validation_figure(every, "digits")
    check_nothing_is_cut(figure, "double")
    check_fonts(figure, "double")
    assert len(figure.legends[0].get_texts()) == strategies


def test_the_validation_of_a_single_pick():
    """There is no rank correlation, and no rival."""
    interval, none = Interval(90.25, 89.5, 91.0), Interval(float("nan"), float("nan"), float("nan"))
    pick = Pick("synthetic/table", "mine", 1, 0, 5, 0.9, 90.0)
    found = Validation(
        "synthetic/table",
        (pick,),
        trained={0: interval},
        strategies={"mine": interval},
        lead={},
        correlation=none,
        verdict="no rival",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = validation_figure([found], "digits")
    assert figure.axes[0].get_title(loc="left").endswith("rank correlation unknown")
    assert not figure.axes[1].axison


@pytest.mark.parametrize("style", STYLES)
def test_fronts_and_architectures_fit(style):
    options = {"runs": 3, "budget": nl.Budget(evaluations=15), "objectives": ["parameters"]}
    one = nl.simulate(synthetic_table("chain"), "nsga-ii", **options)
    nine = [
        dataclasses.replace(one, setting=dataclasses.replace(one.setting, label=f"nsga-ii (version {number})"))
        for number in range(9)
    ]
    for figure in (pareto_figure(nine, style=style), pareto_figure(nine[:3], style=style)):
        check_nothing_is_cut(figure, style)
        check_fonts(figure, style)
    for space in (TopologySpace(), SizeSpace(), nl.load("digits/cell101").space):
        figure = architecture_figure(space, space.size - 1, style)
        check_nothing_is_cut(figure, style)
        check_fonts(figure, style, least=5.9)  # graphs are scaled to the width
