"""The figures of predictors: what they draw is what was computed, and it fits."""

import numpy as np
import pytest
from figure_checks import check_direct_labels, check_fonts, check_nothing_is_cut
from made_up_predictors import made_up_evaluation

from nasbench_lab.errors import MissingDataError, UnknownNameError
from nasbench_lab.report import predictor_map_figure, predictor_quality_figure

THREE = made_up_evaluation(3)
NAMES = [f"{name}:rate={n}" for n in range(4) for name in ("forest", "gaussian-process", "network-ensemble")]


@pytest.mark.parametrize(
    ("predictors", "style", "axis"),
    [(3, "slide", "labels"), (9, "double", "seconds"), (24, "single", "labels"), (24, "double", "seconds")],
)
def test_lines_fit(predictors, style, axis):
    figure = predictor_quality_figure(made_up_evaluation(predictors, names=NAMES), axis=axis, style=style)
    check_nothing_is_cut(figure, style)
    check_fonts(figure, style)
    check_direct_labels(figure, style)


@pytest.mark.parametrize(("predictors", "style"), [(3, "single"), (24, "slide")])
def test_maps_fit(predictors, style):
    encodings = ("one-hot", "path-without-skips", "graph-features")
    figure = predictor_map_figure(made_up_evaluation(predictors, encodings=encodings, names=NAMES), style=style)
    check_nothing_is_cut(figure, style)
    check_fonts(figure, style)


def test_lines_are_means():
    (panel,) = predictor_quality_figure(THREE).axes
    lines = {line.get_label(): line for line in panel.lines}
    for each in THREE.predictors:
        np.testing.assert_allclose(lines[each.label].get_ydata(), each.of("kendall").mean(axis=0))
        np.testing.assert_array_equal(lines[each.label].get_xdata(), THREE.sizes)
    (panel,) = predictor_quality_figure(THREE, "regret_1", "seconds").axes
    assert " ".join(panel.get_ylabel().split()) == "regret of the best predicted (percent)"
    line = next(line for line in panel.lines if line.get_label() == THREE.labels[0])
    np.testing.assert_allclose(line.get_xdata(), 10.0 * np.array(THREE.sizes) + 2)


def test_a_map_has_the_best_first():
    (panel,) = predictor_map_figure(THREE, size=14).axes
    means = {each.label: each.of("kendall")[:, 1].mean() for each in THREE.predictors}
    shown = [label.get_text() for label in panel.get_yticklabels()]
    assert set(shown) == {"model-0", "curve-2"}
    assert shown[0] == ("curve-2" if means["curve-2"] > means["model-0 (one-hot)"] else "model-0")
    assert sorted(text.get_text() for text in panel.texts) == sorted(f"{mean:.2f}" for mean in means.values())


@pytest.mark.parametrize(
    "change", [{"measure": "kendal"}, {"axis": "epochs"}, {"highlight": "spos"}, {"style": "wide"}]
)
def test_unknown_names_are_refused(change):
    with pytest.raises(UnknownNameError):
        predictor_quality_figure(THREE, **change)


def test_what_cannot_be_drawn_is_said():
    empty = made_up_evaluation(2)
    for each in empty.predictors:
        each.values[:] = np.nan
    with pytest.raises(MissingDataError, match="no seconds"):
        predictor_quality_figure(empty, axis="seconds")
    for draw in (predictor_quality_figure, predictor_map_figure):
        with pytest.raises(MissingDataError, match="nothing to draw"):
            draw(empty)
    with pytest.raises(UnknownNameError, match="5, 14, 42"):
        predictor_map_figure(THREE, size=6)
