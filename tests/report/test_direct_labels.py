"""Names at the ends of lines: as near as possible, without overlap, and in a legend where they cannot fit."""

import numpy as np
import pytest
import scipy.optimize
from figure_checks import check_direct_labels, check_nothing_is_cut
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab.report.figures.axis_scales import label_axis
from nasbench_lab.report.figures.curves import CurveOptions, draw_losses
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.highlight import make_looks
from nasbench_lab.report.figures.names import Names
from nasbench_lab.report.figures.panels import panel_grid
from nasbench_lab.report.figures.paper_styles import STYLES
from nasbench_lab.report.layout.labels_apart import label_places

numbers = st.floats(-5, 15, allow_nan=False)


@given(st.lists(st.tuples(numbers, st.floats(0.1, 2)), min_size=1, max_size=8))
def test_labels_do_not_overlap_and_stay_inside(labels):
    wanted, heights = (np.array(each) for each in zip(*labels, strict=True))
    places = label_places(wanted, heights, 0.0, 10.0)
    if heights.sum() > 10 * (1 + 1e-12):
        assert places is None
        return
    order = np.lexsort((places, wanted))
    assert (np.diff(places[order]) >= -1e-9).all(), "in the order of the wanted places"
    ends = np.sort(places - heights / 2), np.sort(places + heights / 2)
    assert ends[0][0] >= -1e-9
    assert ends[1][-1] <= 10 + 1e-9
    by_place = np.argsort(places, kind="stable")
    gaps = np.diff(places[by_place]) - (heights[by_place][:-1] + heights[by_place][1:]) / 2
    assert (gaps >= -1e-9).all()


@given(st.lists(numbers, min_size=2, max_size=6))
@settings(max_examples=30, deadline=None)
def test_labels_are_as_near_as_possible(wanted):
    """A general optimiser finds nothing better."""
    wanted = np.sort(wanted)
    found = label_places(wanted, np.ones(len(wanted)), 0.0, 10.0)
    order = [{"type": "ineq", "fun": lambda x: np.diff(x) - 1}]
    start = np.linspace(0.5, 9.5, len(wanted))
    best = scipy.optimize.minimize(
        lambda x: ((x - wanted) ** 2).sum(), start, bounds=[(0.5, 9.5)] * len(wanted), constraints=order, method="SLSQP"
    )
    assert ((found - wanted) ** 2).sum() <= best.fun + 1e-4 * (1 + best.fun)


def test_labels_with_enough_room_stay_where_they_are():
    assert label_places([5.0, 1.0, 3.0], [1.0, 1.0, 1.0], 0.0, 10.0).tolist() == [5.0, 1.0, 3.0]
    assert label_places([], [], 0.0, 1.0).tolist() == []


def figure_of(lines, labels, *, style="single", highlight=None, y_scale="log"):
    """Draw lines of a shape (strategies, points) with their names."""
    chosen, looks = STYLES[style], make_looks(labels, labels, highlight)
    with drawing(chosen.rc, labels):
        names = Names.plan(looks, "line: made up", chosen, 1, 1, 2.0)
        figure, (panel,) = panel_grid(chosen, 1, 1, names.panel_height, names.above)
        how = CurveOptions(looks, "linear", y_scale, "none", chosen.width, chosen)
        draw_losses(panel, np.arange(1.0, lines.shape[1] + 1), np.stack([lines] * 3), how)
        label_axis(panel.yaxis)
        names.draw(figure, [panel])
    return figure, names


@given(st.data())
@settings(max_examples=12, deadline=None)
def test_names_of_random_curves_do_not_overlap(data):
    count = data.draw(st.integers(1, 20))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    labels = [f"{'strategy' * (1 + number % 3)}-{number}" for number in range(count)]
    ends = data.draw(st.sampled_from(["apart", "together", "zero"]))
    last = {"apart": random.lognormal(0, 2, count), "together": np.full(count, 0.5), "zero": np.zeros(count)}[ends]
    lines = last[:, None] + 10 * np.exp(-np.linspace(0, 8, 30)) * (ends != "zero")
    style, y_scale = data.draw(st.sampled_from([*STYLES])), data.draw(st.sampled_from(["log", "linear"]))
    highlight = data.draw(st.sampled_from([None, labels[0]]))
    figure, names = figure_of(lines, labels, style=style, highlight=highlight, y_scale=y_scale)
    if names.labels:
        named = count if all(names.labels.texts) else sum(names.labels.looks.shown)
        assert check_direct_labels(figure, style) == named
    check_nothing_is_cut(figure, style)


def test_names_that_do_not_fit_are_in_a_legend():
    labels = [f"a-very-long-name-of-a-strategy-(with_parameters={'9' * 90}, number={n})" for n in range(4)]
    figure, names = figure_of(np.random.default_rng(0).random((4, 9)) + 1, labels)
    assert names.labels is None
    assert len(figure.legends[0].get_texts()) == 4


def test_names_of_the_others_are_counted_where_they_do_not_fit():
    labels = ["mine", *(f"{'long-' * 9}{n}" for n in range(30))]
    figure, names = figure_of(np.random.default_rng(0).random((31, 9)) + 1, labels, highlight="mine")
    assert names.labels is not None
    assert figure.get_suptitle().replace("\n", " ") == "line: made up; grey: 30 others"
    assert check_direct_labels(figure, "single") == 1


def test_moved_names_have_leaders_to_the_ends_of_their_lines():
    figure, _ = figure_of(np.full((3, 9), 2.0), ["a", "b", "c"])
    labels = [text for text in figure.axes[0].texts if text.arrow_patch is not None]
    assert {label.xy for label in labels} == {(9.0, 2.0)}
    assert len({label.get_position()[1] for label in labels}) == 3
    assert [label.get_text() for label in labels] == ["a", "b", "c"]


@pytest.mark.parametrize("style", STYLES)
def test_each_name_is_at_the_height_of_its_line(style):
    lines = np.array([[9.0, 8.0], [9.0, 2.0], [9.0, 0.5]])
    figure, names = figure_of(lines, ["worst", "middle", "best"], style=style)
    assert names.labels
    heights = {t.get_text(): t.get_position()[1] for t in figure.axes[0].texts if t.arrow_patch is not None}
    assert heights["worst"] > heights["middle"] > heights["best"]
