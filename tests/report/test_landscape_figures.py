"""The figures and tables of landscapes: they fit, show what was computed, and say what is missing."""

import dataclasses

import numpy as np
import pytest
from figure_checks import check_fonts, check_nothing_is_cut

import nasbench_lab as nl
from nasbench_lab.analysis import landscape, optima_network, study
from nasbench_lab.errors import MissingDataError, ParameterError, UnknownNameError
from nasbench_lab.report import (
    landscape_comparison_figure,
    landscape_figure,
    landscapes_table,
    optima_network_figure,
    write_paper_folder,
)
from nasbench_lab.report.local_tables import study_landscapes
from nasbench_lab.report.page import render_page
from nasbench_lab.report.paper import folder
from nasbench_lab.tables import Table
from nasbench_lab.testing import synthetic_table

FOUND = landscape(synthetic_table(noise=0.05))
NAMES = ("trans-nas-bench-101-macro/segmentsemantic", "digits/chain", "nats-bench-tss/ImageNet16-120")


@pytest.mark.parametrize("style", ["single", "double", "slide"])
def test_figures_fit(style):
    network = optima_network(synthetic_table(noise=0.05))
    for figure in (landscape_figure(FOUND, style=style), optima_network_figure(network, style=style)):
        check_nothing_is_cut(figure, style)
        check_fonts(figure, style)


@pytest.mark.parametrize(("tables", "style"), [(3, "slide"), (9, "single"), (14, "double")])
def test_comparisons_fit(tables, style):
    each = [dataclasses.replace(FOUND, table=NAMES[number % 3]) for number in range(tables)]
    figure = landscape_comparison_figure(each, style=style)
    check_nothing_is_cut(figure, style)
    check_fonts(figure, style)
    assert [len(line.get_ydata()) for line in figure.axes[0].lines][-1] == tables


def test_panels_show_what_was_computed():
    panels = landscape_figure(FOUND).axes
    np.testing.assert_array_equal(panels[0].lines[0].get_ydata(), FOUND.distance.quantiles[:, 2])
    np.testing.assert_allclose(panels[1].lines[0].get_ydata(), 100 * FOUND.climbing[0].basins)
    np.testing.assert_array_equal(panels[2].lines[1].get_ydata(), FOUND.walk.exact)
    assert "26 and 38 % at the best" in panels[1].get_title(loc="left")
    np.testing.assert_array_equal(panels[3].images[0].get_array(), FOUND.fidelities.spearman)


def test_what_is_missing_is_said():
    table = synthetic_table("tiny")
    description = dataclasses.replace(table.description, space={"name": "listed", "names": "a\nb"})
    listed = landscape(Table(description, {name: table.values(name) for name in table.metrics}))
    for found in (listed, landscape(table), landscape(synthetic_table(constant=True), "valid")):
        figure = landscape_figure(found)
        check_nothing_is_cut(figure, "double")
    check_nothing_is_cut(landscape_comparison_figure([listed, FOUND]), "double")
    texts = [text.get_text() for panel in landscape_figure(listed).axes for text in panel.texts]
    assert texts.count("no architecture has a neighbour") == 3
    with pytest.raises(MissingDataError, match="no table has a landscape"):
        landscape_comparison_figure([])


def test_large_networks_are_drawn_in_part():
    network = optima_network(nl.load("digits/topology"), runs=50, iterations=5)
    figure = optima_network_figure(network, most=10)
    assert sum(len(each.get_offsets()) for each in figure.axes[0].collections) == 10
    assert f"10 of {len(network.optima)} optima" in figure.legends[0].get_title().get_text()
    with pytest.raises(ParameterError, match="most must be at least 1"):
        optima_network_figure(network, most=0)
    with pytest.raises(UnknownNameError, match="huge"):
        optima_network_figure(network, style="huge")


def test_reports_have_the_landscapes_of_tables_that_are_here(tmp_path, monkeypatch):
    budget = nl.Budget(evaluations=5)
    tables = [nl.load("digits/chain"), synthetic_table()]
    made = study([nl.simulate(table, "random-search", runs=5, budget=budget) for table in tables], resamples=0)
    found = study_landscapes(made)
    assert [each.table for each in found.found] == ["digits/chain"]
    assert found.missing == ("synthetic/chain",)
    page = render_page(made, landscapes=found)
    assert 'id="landscapes"' in page
    assert "Not on the machine where this page was made: synthetic/chain" in page
    assert 'id="landscapes"' not in render_page(made)
    for others in ("_of_all_tasks", "_architectures", "_pareto", "_pages"):  # they take seconds
        monkeypatch.setattr(folder, others, lambda *_: ())
    monkeypatch.setattr(folder, "PAPER_STYLES", folder.PAPER_STYLES[:1])
    names = write_paper_folder(made, None, tmp_path / "paper", formats=("svg",), landscapes=found.found)
    assert {"landscapes.tex", "landscapes.md", "landscapes-single.svg"} <= set(names)
    text = (tmp_path / "paper/landscapes.md").read_text(encoding="utf-8")
    assert "| digits/chain | 4,536 |" in text
    assert "bold" not in text
    assert "bold" not in landscapes_table(found.found)._repr_html_()
    other = dataclasses.replace(made, tasks=(dataclasses.replace(made.tasks[0], checksum="another"),))
    assert study_landscapes(other).missing == ("digits/chain",)
