"""The figures of rankings: what they draw is what was computed, and it fits."""

import dataclasses

import numpy as np
import pytest
from figure_checks import check_direct_labels, check_fonts, check_nothing_is_cut
from made_up_rankings import made_up_curves

from nasbench_lab.errors import MissingDataError, ParameterError, UnknownNameError
from nasbench_lab.report.figures.ranking_curves import ranking_curves_figure
from nasbench_lab.report.figures.score_scatter import score_figure

THREE = made_up_curves(3)


NAMES = [f"{name} (rate={n})" for n in range(8) for name in ("spos", "few-shot", "darts-second-order")]


@pytest.mark.parametrize(("methods", "style"), [(3, "slide"), (9, "double"), (24, "single")])
def test_curves_fit(methods, style):
    figure = ranking_curves_figure(made_up_curves(methods, runs=2, epochs=(10, 60), labels=NAMES), style=style)
    check_nothing_is_cut(figure, style)
    check_fonts(figure, style)
    check_direct_labels(figure, style)


def test_lines_are_means_and_both_panels_have_one_scale():
    figure = ranking_curves_figure(THREE)
    for panel, share in zip(figure.axes, (1.0, 0.2), strict=True):
        lines = {line.get_label(): line for line in panel.lines}
        for curve in THREE.curves:
            np.testing.assert_array_equal(lines[curve.label].get_xdata(), curve.epochs)
            means = curve.values("kendall", share).mean(axis=0)
            np.testing.assert_allclose(lines[curve.label].get_ydata(), means)
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert figure.axes[1].get_ylim()[0] < 0 < figure.axes[0].get_ylim()[1]
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["all 243 networks", "top fifth of them"]


def test_seconds_are_those_of_the_training():
    figure = ranking_curves_figure(THREE, "spearman", "seconds", truth="test", style="double")
    line = next(line for line in figure.axes[0].lines if line.get_label() == "method-2")
    np.testing.assert_allclose(line.get_xdata(), THREE.curves[2].seconds[0])
    np.testing.assert_allclose(line.get_ydata(), THREE.curves[2].values("spearman", 1.0, "test").mean(axis=0))
    check_nothing_is_cut(figure, "double")


def test_methods_of_different_lengths_have_a_legend():
    curves = made_up_curves(2)
    short = dataclasses.replace(curves.curves[1], snapshots=curves.curves[1].snapshots[:2])
    figure = ranking_curves_figure(dataclasses.replace(curves, curves=(curves.curves[0], short)))
    assert figure.legends


def test_one_run_has_no_spread():
    one = made_up_curves(1, runs=1)
    assert not ranking_curves_figure(one).axes[0].collections
    assert len(ranking_curves_figure(THREE).axes[0].collections) == 3
    assert not ranking_curves_figure(THREE, spread="none").axes[0].collections


def test_wrong_arguments_of_curves():
    for given in (
        {"measure": "tau"},
        {"axis": "steps"},
        {"x_scale": "cubic"},
        {"highlight": "mine"},
        {"style": "huge"},
    ):
        with pytest.raises(UnknownNameError):
            ranking_curves_figure(THREE, **given)
    with pytest.raises(MissingDataError, match="no train values"):
        ranking_curves_figure(THREE, truth="train")


@pytest.mark.parametrize("style", ["single", "slide"])
def test_scores_against_true_values(style):
    scored = THREE.last("method-0").scored
    figure = score_figure(scored, picks=5, style=style)
    check_nothing_is_cut(figure, style)
    check_fonts(figure, style)
    everything, top = figure.axes
    points, picked, best = everything.lines
    np.testing.assert_array_equal(np.sort(points.get_xdata()), np.sort(scored.scores))
    np.testing.assert_array_equal(np.sort(picked.get_xdata()), np.sort(scored.scores)[-5:])
    assert best.get_ydata().tolist() == [scored.truth["valid"].max()]
    assert len(top.lines[0].get_xdata()) == 49
    assert everything.get_title(loc="left") == f"all networks: Kendall {scored.valid.kendall[1.0]:.2f}"


def test_scores_that_failed_are_left_out():
    scored = THREE.last("method-0").scored
    partly = dataclasses.replace(scored, scores=np.where(np.arange(243) < 200, np.nan, scored.scores))
    assert len(score_figure(partly).axes[0].lines[0].get_xdata()) == 43
    constant = dataclasses.replace(scored, scores=np.ones(243))
    assert score_figure(constant).axes[0].get_title(loc="left") == "all networks"
    with pytest.raises(ParameterError, match="picks must be at least 1"):
        score_figure(scored, picks=0)
    with pytest.raises(MissingDataError):
        score_figure(scored, truth="train")
