"""Layouts as plain data: the critical-difference diagram, labels that are broken, and zero on a logarithmic axis."""

import itertools
import re

import numpy as np
import pytest
from made_up_studies import made_up_study

from nasbench_lab.report.figures.curves import CurveOptions, draw_losses
from nasbench_lab.report.figures.highlight import make_looks
from nasbench_lab.report.figures.paper_styles import STYLES
from nasbench_lab.report.figures.text_fit import text_width
from nasbench_lab.report.layout.critical_difference import TICK, estimated_width, lay_out_ranks
from nasbench_lab.report.layout.log_axis import place_of_zero
from nasbench_lab.report.layout.wrapping import wrap_text
from nasbench_lab.report.page.charts import ChartView, Line, chart_data
from nasbench_lab.report.page.critical_difference import cd_diagram
from nasbench_lab.report.page.curve_charts import regret_chart

LINE = 1.3


def exact_width(text):
    return text_width(text, 7.0) / (7.0 / 72)


MEASURES = {"figure": (3.25 * 72 / 7, exact_width), "page": (80.0, estimated_width)}
CASES = list(itertools.product((1, 2, 3, 9, 24), (False, True), (1, 2, 12), MEASURES))


def diagram_of(strategies, long, tasks, measure):
    study = made_up_study(strategies, tasks, runs=4, long=long)
    width, text = MEASURES[measure]
    return study.labels, study.ranks["test"], lay_out_ranks(study.ranks["test"], study.labels, width, text)


def boxes_of(diagram, text):
    """Box of each text: left, right, top, bottom."""
    boxes = {}
    for label in diagram.labels:
        wide, high = max(map(text, label.lines)), LINE * len(label.lines)
        left = label.text_x - wide if label.side == "left" else label.text_x
        boxes["label", label.strategy] = (left, left + wide, label.y - high / 2, label.y + high / 2)
    for tick in diagram.ticks:
        half, end = text(str(tick.rank)) / 2, diagram.axis_y - TICK
        boxes["tick", tick.rank] = (tick.x - half, tick.x + half, end - LINE, end)
    if diagram.difference is not None:
        bar = diagram.difference
        wide = text(bar.text)
        boxes["difference", 0] = (bar.text_x, bar.text_x + wide, bar.text_y - LINE / 2, bar.text_y + LINE / 2)
    return boxes


@pytest.mark.parametrize(("strategies", "long", "tasks", "measure"), CASES)
def test_nothing_overlaps_or_is_cut(strategies, long, tasks, measure):
    _, _, diagram = diagram_of(strategies, long, tasks, measure)
    text = MEASURES[measure][1]
    boxes = boxes_of(diagram, text)
    for name, (left, right, top, bottom) in boxes.items():
        assert left >= 0, name
        assert right <= diagram.width, name
        assert top >= 0, name
        assert bottom <= diagram.height + 1e-9, name
    for (one, a), (other, b) in itertools.combinations(boxes.items(), 2):
        apart = a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] + 1e-9 or b[3] <= a[2] + 1e-9
        assert apart, (one, other)
    for label in diagram.labels:
        # The line goes down from the axis to the label, and meets it from the inside.
        assert label.x > label.edge if label.side == "left" else label.x < label.edge
        for name, (left, right, top, bottom) in boxes.items():
            crossed = left < label.x < right and top < label.y and bottom > diagram.axis_y
            assert not crossed, (label.strategy, name)
    for bar in diagram.bars:
        assert diagram.axis_y < bar.y
        assert bar.y < min(label.y - LINE * len(label.lines) / 2 for label in diagram.labels)
        assert 0 <= bar.start < bar.end <= diagram.width


@pytest.mark.parametrize(("strategies", "long", "tasks", "measure"), CASES)
def test_the_diagram_says_what_the_ranks_say(strategies, long, tasks, measure):
    names, ranks, diagram = diagram_of(strategies, long, tasks, measure)
    assert sorted(label.strategy for label in diagram.labels) == list(range(strategies))
    shown = [label.rank for label in diagram.labels]
    assert shown == sorted(ranks.ranks.tolist())
    for label in diagram.labels:
        text = re.sub(r"\s", "", "".join(label.lines))
        assert text == re.sub(r"\s", "", f"{names[label.strategy]}{label.rank:.2f}"), "no letter is left out"
        share = (label.rank - np.floor(min(shown))) / max(np.ceil(max(shown)) - np.floor(min(shown)), 1)
        assert label.x == pytest.approx(diagram.left + share * (diagram.right - diagram.left))
    sides = [label.side for label in diagram.labels]
    assert sides == sorted(sides)
    assert abs(sides.count("left") - sides.count("right")) <= 1
    x = {label.strategy: label.x for label in diagram.labels}
    assert [bar.strategies for bar in diagram.bars] == [tuple(clique) for clique in ranks.cliques]
    for bar in diagram.bars:
        assert {s for s in x if bar.start <= x[s] <= bar.end} >= set(bar.strategies)
        assert bar.start < min(x[s] for s in bar.strategies)
        assert bar.end > max(x[s] for s in bar.strategies)
    for one, other in itertools.combinations(diagram.bars, 2):
        assert one.y != other.y or one.end < other.start or other.end < one.start
    assert (diagram.difference is None) == bool(np.isnan(ranks.critical_difference))
    if diagram.difference is not None and diagram.difference.end is not None:
        per_rank = (diagram.right - diagram.left) / max(np.ceil(max(shown)) - np.floor(min(shown)), 1)
        length = diagram.difference.end - diagram.difference.start
        assert length == pytest.approx(ranks.critical_difference * per_rank)


def test_ticks_are_round_and_do_not_touch():
    ranks = made_up_study(24, 12, runs=3).ranks["test"]
    narrow = lay_out_ranks(ranks, [f"s{number}" for number in range(24)], 20.0)
    step = narrow.ticks[1].rank - narrow.ticks[0].rank
    assert step in (2, 5, 10, 20)
    assert all(tick.rank % step == 0 for tick in narrow.ticks)


@pytest.mark.parametrize("strategies", [3, 9, 24])
def test_the_page_has_whole_labels(strategies):
    study = made_up_study(strategies, 6, long=True, runs=4)
    text = str(cd_diagram(study.ranks["test"], study.labels))
    assert "…" not in text
    flat = re.sub(r"\s", "", re.sub(r"<[^>]*>", "", text.split("</title>")[1]))
    for label, rank in zip(study.labels, study.ranks["test"].ranks, strict=True):
        assert re.sub(r"\s", "", f"{label}{rank:.2f}") in flat
    assert text.count('class="clique"') == len(study.ranks["test"].cliques)


def test_broken_texts_fit():
    lines = wrap_text("regularized-evolution (population_size=20, sample_size=5)", 12, len)
    assert max(map(len, lines)) <= 12
    assert "".join(lines).replace(" ", "") == "regularized-evolution(population_size=20,sample_size=5)"
    assert wrap_text("short", 12, len) == ["short"]


def drawn_losses(grid, lines):
    """A panel with the losses of one strategy on a log axis."""
    from matplotlib.figure import Figure

    panel = Figure().subplots()
    style = STYLES["single"]
    looks = make_looks(["mine"], ["mine"], None)
    draw_losses(panel, grid, lines, CurveOptions(looks, "linear", "log", "bands", style.width, style))
    return panel


def test_zero_has_one_place_in_figures_and_on_the_page():
    grid = np.arange(1.0, 5.0)
    low, middle, high = np.array([[0.2, 0.06, 0, 0], [0.5, 0.1, 0.1, 0], [1, 0.2, 0.1, 0.1]])
    panel = drawn_losses(grid, np.stack([low, middle, high])[:, None])
    view = ChartView(grid, (Line(0, middle, low, high),), "x", "y", "middle", zero="optimum")
    assert panel.lines[0].get_ydata()[-1] == view.zero_at == place_of_zero([0.06]) == 0.02
    assert panel.get_ylim()[0] <= 0.02
    assert place_of_zero([0.0, np.nan, np.inf]) == 1e-12


def test_the_page_is_told_where_zero_is():
    study = made_up_study(3, 1, zeros=1.0)
    chart = regret_chart(study)
    data = chart_data(chart, 50)
    for key, view in chart.views.items():
        assert data["views"][key]["zeroAt"] == pytest.approx(view.zero_at, rel=1e-3)


def test_a_panel_of_nothing_but_zeros_has_no_numbers():
    panel = drawn_losses(np.arange(1.0, 5.0), np.zeros((3, 1, 4)))
    assert panel.texts[0].get_text() == "optimum"
    assert len(panel.get_yticks()) == 0
