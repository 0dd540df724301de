"""Figures for papers: they draw the numbers of the study, nothing overlaps or is cut, and bytes are the same."""

import dataclasses
import itertools
import re
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_studies import around, made_up_study
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from study_figures import FIGURES
from typer.testing import CliRunner

import nasbench_lab as nl
from nasbench_lab.analysis import friedman_test
from nasbench_lab.analysis.pareto import pareto_fronts
from nasbench_lab.analysis.studies.pipeline import study
from nasbench_lab.cli.app import app
from nasbench_lab.errors import MissingDataError, OutputError, ParameterError, UnknownNameError
from nasbench_lab.report.figures.architecture import architecture_figure
from nasbench_lab.report.figures.critical_difference import cd_figure
from nasbench_lab.report.figures.curves import marker_places
from nasbench_lab.report.figures.final_regret import final_figure
from nasbench_lab.report.figures.leaderboard import leaderboard_figure
from nasbench_lab.report.figures.pairwise import a12_figure
from nasbench_lab.report.figures.paper_styles import STYLES, paper_style
from nasbench_lab.report.figures.pareto import attainment, pareto_figure
from nasbench_lab.report.figures.progress import normalised_figure, rank_figure
from nasbench_lab.report.figures.regret import regret_figure
from nasbench_lab.report.figures.save import PAPER_FORMATS, save_figure_as
from nasbench_lab.report.figures.targets import ecdf_figure, profile_figure
from nasbench_lab.report.figures.text_fit import text_width, wrap_label
from nasbench_lab.report.looks import line_look, point_look
from nasbench_lab.report.paper.folder import best_found, bibliography, write_paper_folder
from nasbench_lab.simulation.results import Results
from nasbench_lab.spaces import SizeSpace, TopologySpace
from nasbench_lab.testing import synthetic_table

CASES = {
    "few": {"strategies": 3, "tasks": 1},
    "many": {"strategies": 40, "tasks": 1, "runs": 5},
    "long": {"strategies": 7, "tasks": 2, "long": True, "zeros": 0.7},
}


@pytest.fixture(scope="module")
def small():
    return made_up_study(4, 3)


def lines_of(panel, points=3):
    """Lines of a panel that are curves."""
    return [line for line in panel.lines if len(line.get_xdata()) >= points]


def caption_of(figure):
    """What stands above the panels: the title of the legend, or that of a figure with names at the ends of lines."""
    return (figure.legends[0].get_title().get_text() if figure.legends else figure.get_suptitle()).replace("\n", " ")


# Nothing overlaps, and nothing is cut.


def check_texts(figure, style):
    """All texts lie on the page; labels of an axis, and those of a legend, do not overlap."""
    with rc_context(STYLES[style].rc):
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw_without_rendering()
        page = figure.bbox
        groups = [legend.get_texts() for legend in figure.legends]
        groups += [shown(axis) for panel in figure.axes for axis in (panel.xaxis, panel.yaxis)]
        groups += [panel.texts for panel in figure.axes if figure.axes == [panel]]  # of diagrams
        titles = [text for panel in figure.axes for text in (panel.title, panel._left_title)]
        labels = [axis.label for panel in figure.axes for axis in (panel.xaxis, panel.yaxis)]
        for text in [*itertools.chain(*groups), *titles, *labels, *figure.texts]:
            if text.get_text().strip() and text.get_visible():
                box = text.get_window_extent(renderer)
                assert box.x0 >= page.x0 - 1, text
                assert box.x1 <= page.x1 + 1, text
                assert box.y0 >= page.y0 - 1, text
                assert box.y1 <= page.y1 + 1, text
        if figure.legends and figure.get_supylabel():
            top = figure._supylabel.get_window_extent(renderer).y1
            assert top <= figure.legends[0].get_window_extent(renderer).y0 + 1
        for group in groups:
            boxes = [(text, text.get_window_extent(renderer)) for text in group if text.get_text().strip()]
            for (one, a), (other, b) in itertools.combinations(boxes, 2):
                width, height = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
                assert width < 1 or height < 1, (one, other)


def shown(axis):
    """Labels of the ticks that are inside the limits of an axis."""
    low, high = sorted(axis.get_view_interval())
    every = [(tick, tick.get_loc()) for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]]
    labels = [label for tick, loc in every if low <= loc <= high for label in (tick.label1, tick.label2)]
    return [label for label in labels if label.get_visible()]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", FIGURES)
def test_texts_fit(name, case):
    style = "single" if case != "few" else "double"
    check_texts(FIGURES[name](made_up_study(**CASES[case]), style=style), style)


def test_twenty_tasks_fit():
    figure = regret_figure(made_up_study(3, 20), style="double")
    assert len(figure.axes) == 20
    check_texts(figure, "double")
    check_texts(regret_figure(made_up_study(40, 3, runs=3)), "single")


def test_widths_are_those_of_the_style(small):
    for name, figure in FIGURES.items():
        for style in STYLES.values():
            assert figure(small, style=style.name).get_size_inches()[0] == pytest.approx(style.width), name


@given(st.text(st.characters(codec="ascii", min_codepoint=32), max_size=50), st.floats(0.2, 3))
@settings(max_examples=25)
def test_wrapped_labels_fit_and_keep_their_letters(text, room):
    wrapped = wrap_label(text, room, 7)
    assert re.sub(r"\s", "", wrapped) == re.sub(r"\s", "", text)
    for line in wrapped.split("\n"):
        assert text_width(line, 7) <= room or len(line) == 1


# What is drawn.


def test_regret_lines_are_the_quartiles(small):
    figure = regret_figure(small, "valid", "seconds", tasks=["synthetic/table-2", 0])
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["synthetic/table-2", "synthetic/table-0"]
    for panel, task in zip(figure.axes, (2, 0), strict=True):
        curves = small.curves["valid", "seconds", task]
        for line, median in zip(lines_of(panel), curves.quartiles[1], strict=True):
            known = np.isfinite(median)
            assert 0 < known.sum() < len(known), "too few runs have a value at first"
            assert np.array_equal(line.get_ydata(), median[known])
            assert np.array_equal(line.get_xdata(), curves.grid[known])
            assert line.get_drawstyle() == "steps-post"
        band = panel.collections[0].get_paths()[0].vertices[:, 1]
        finite = np.isfinite(curves.quartiles[2, 0])
        assert band.min() == curves.quartiles[0, 0, finite].min()
        assert band.max() == curves.quartiles[2, 0, finite].max()
    assert caption_of(figure) == "lines: median of 25 runs; bands: interquartile range"
    legend = regret_figure(small).legends[0]
    assert [text.get_text().replace("\n", "") for text in legend.get_texts()] == list(small.labels)


@pytest.mark.parametrize(("statistic", "name"), [("mean", "mean"), ("iqm", "interquartile mean")])
def test_regret_lines_with_bootstrap_intervals(small, statistic, name):
    figure = regret_figure(small, statistic=statistic, tasks=[1])
    intervals = getattr(small.curves["test", "evaluations", 1], statistic)
    assert np.array_equal(lines_of(figure.axes[0])[2].get_ydata(), intervals.estimate[2])
    assert caption_of(figure) == f"lines: {name} of 25 runs; bands: its 95 % bootstrap interval"


def test_regrets_of_zero_are_on_the_line_of_the_optimum():
    solved = made_up_study(3, 1, zeros=1.0)
    (panel,) = regret_figure(solved).axes
    median = solved.curves["test", "evaluations", 0].quartiles[1, 0]
    assert (median == 0).any()
    (note,) = [text for text in panel.texts if text.get_text() == "optimum"]
    floor = note.xy[1]
    assert panel.get_ylim()[0] < floor, "the line of the optimum is inside the panel"
    assert (lines_of(panel)[0].get_ydata() == np.maximum(median, floor)).all()
    (panel,) = final_figure(solved).axes
    assert "optimum" in panel.texts[0].get_text()


def test_what_ends_early_ends_in_the_figure(small):
    key = "test", "evaluations", 0
    curves = small.curves[key]
    quartiles = curves.quartiles.copy()
    quartiles[:, 1, 20:] = np.nan  # its first run ended
    quartiles[:, 2] = np.nan  # it did not run here
    changed = dataclasses.replace(curves, quartiles=quartiles)
    cut = dataclasses.replace(small, curves={**small.curves, key: changed})
    (panel,) = regret_figure(cut, tasks=[0]).axes
    assert [len(line.get_xdata()) for line in panel.lines][:4] == [60, 20, 60]


def test_rank_lines_are_the_ranks(small):
    (panel,) = rank_figure(small).axes
    for line, ranks in zip(panel.lines, small.progress["test"].run_rank, strict=True):
        assert np.array_equal(line.get_ydata(), ranks)
    caption = caption_of(rank_figure(small))
    assert caption == "average run rank by test regret (mean over repeats) over 3 tasks (1 is the best)"


def test_normalised_lines_and_what_cannot_be_normalised(small):
    (panel,) = normalised_figure(small, statistic="mean").axes
    assert np.array_equal(panel.lines[1].get_ydata(), small.progress["test"].mean.estimate[1])
    with pytest.raises(MissingDataError, match="no values that can be normalised"):
        normalised_figure(small, "observed")
    with pytest.raises(UnknownNameError, match="unknown statistic 'mode'"):
        normalised_figure(small, statistic="mode")


def test_critical_difference_diagram(small):
    ranks = small.ranks["test"]
    panel = cd_figure(small, style="double").axes[0]
    texts = [text.get_text() for text in panel.texts]
    order = np.argsort(ranks.ranks, kind="stable")
    labels = [f"{small.labels[s]} {ranks.ranks[s]:.2f}" for s in order]
    assert [text for text in texts if text in labels] == labels
    assert f"CD = {ranks.critical_difference:.2f}" in "".join(texts)
    note = (
        "average task ranks by test regret (mean over repeats) over 3 tasks; "
        "Friedman p = 0.002 (exact), Iman-Davenport p = 0.001; bars: "
    )
    assert texts[0].replace("\n", " ") == f"{note}Nemenyi at 0.05"
    stems = [line for line in panel.lines if len(line.get_xdata()) == 3]
    x = np.array([line.get_xdata()[0] for line in stems])
    assert np.allclose(np.diff(x) / np.diff(ranks.ranks[order]), (x[-1] - x[0]) / np.ptp(ranks.ranks)), "to scale"
    bars = [line for line in panel.lines if line.get_gid() == "group"]
    assert len(bars) == len(ranks.cliques)
    for bar, clique in zip(bars, ranks.cliques, strict=True):
        inside = (x >= min(bar.get_xdata()) - 1e-9) & (x <= max(bar.get_xdata()) + 1e-9)
        assert {int(s) for s in order[inside]} == set(clique)


def test_bars_in_one_row_do_not_touch():
    panel = cd_figure(made_up_study(40, 15), style="double").axes[0]
    bars = [line for line in panel.lines if line.get_gid() == "group"]
    assert len(bars) > 3
    for one, other in itertools.combinations(bars, 2):
        if one.get_ydata()[0] == other.get_ydata()[0]:
            ends = sorted([(min(bar.get_xdata()), max(bar.get_xdata())) for bar in (one, other)])
            assert ends[0][1] < ends[1][0]


def test_a_diagram_without_a_test_says_so():
    for study_ in (made_up_study(3, 1), made_up_study(1, 4)):
        panel = cd_figure(study_).axes[0]
        assert "a test needs two strategies and two tasks" in panel.texts[0].get_text().replace("\n", " ")
        assert not [line for line in panel.lines if line.get_gid() == "group"]


def test_a_diagram_says_whether_any_difference_is_proven(small):
    """Bars that leave out strategies prove nothing where Friedman's test does not reject."""
    ranks = small.ranks["test"]
    assert "proven" not in cd_figure(small).axes[0].texts[0].get_text()
    for changed in ({"p": 0.2}, {"p": 0.002, "exact": False, "iman_davenport_p": 0.2}):
        weak = dataclasses.replace(small, ranks={"test": dataclasses.replace(ranks, **changed)})
        note = cd_figure(weak).axes[0].texts[0].get_text().replace("\n", " ")
        assert ": no difference is proven; bars: Nemenyi at 0.05" in note


def test_two_strategies_are_compared_by_the_sign_test():
    two = made_up_study(2, 6)
    found = friedman_test([[0.1, 0.2]] * 6)
    changes = {name: getattr(found, name) for name in ("task_ranks", "ranks", "statistic", "p", "nemenyi", "exact")}
    ranks = dataclasses.replace(two.ranks["test"], **changes, cliques=found.cliques)
    panel = cd_figure(dataclasses.replace(two, ranks={"test": ranks})).axes[0]
    assert "sign test p = 0.031" in panel.texts[0].get_text()
    assert not any("CD" in text.get_text() or "Friedman" in text.get_text() for text in panel.texts)


def test_ecdf_lines_go_on_faintly_where_they_are_bounds(small):
    (panel,) = ecdf_figure(small, axis="seconds").axes
    times = small.times["test", "seconds"]
    bound, sure = (line for line in panel.lines if line.get_label() == small.labels[0])
    assert np.array_equal(sure.get_ydata(), times.ecdf[0, : len(sure.get_xdata())])
    assert sure.get_xdata()[-1] == times.complete_until[0] == bound.get_xdata()[0]
    assert bound.get_alpha() < 1
    assert caption_of(ecdf_figure(small)) == "targets: normalised test regret, mean over repeats: 0.5, 0.1, 0.01"


def test_profiles_are_drawn(small):
    scores, costs = profile_figure(small).axes
    profiles = small.profiles["test"]
    assert np.array_equal(scores.lines[3].get_ydata(), profiles.scores.estimate[3])
    assert np.array_equal(costs.lines[3].get_ydata(), profiles.costs[3])
    assert costs.get_ylabel() == "share of 9 problems"


def test_boxes_have_the_quantiles_of_the_runs(small):
    runs = small.runs.copy()
    runs[1, 0], runs[2, 0] = 10, 0
    final = {kind: regrets.copy() for kind, regrets in small.final.items()}
    final["test"][0, 0, :3] = np.nan  # three runs without a value are infinitely bad
    changed = dataclasses.replace(small, runs=runs, final=final)
    (panel,) = final_figure(changed, tasks=[0]).axes
    boxes = [patch for patch in panel.patches if patch.get_width() > 0]
    assert len(boxes) == 3, "one strategy did not run"
    expected = np.sort(np.where(np.isnan(final["test"][0, 0]), np.inf, final["test"][0, 0]))
    assert boxes[0].get_x() == expected[6]  # 0.25 * 25, rounded up
    assert boxes[0].get_x() + boxes[0].get_width() == pytest.approx(expected[18])
    assert boxes[1].get_x() == np.sort(final["test"][1, 0, :10])[2]
    whisker = panel.collections[0].get_segments()[0]
    assert whisker[1][0] > panel.get_xlim()[1], "what is infinite reaches to the edge"


def test_the_map_has_the_probabilities_in_the_order_of_ranks(small):
    panel = a12_figure(small, task=1).axes[0]
    order = [small.labels.index(row.strategy) for row in small.leaderboard["test"]]
    values = small.pairwise["test"].a12[:, :, 1][np.ix_(order, order)]
    np.fill_diagonal(values, np.nan)
    assert np.array_equal(panel.images[0].get_array().filled(np.nan), values, equal_nan=True)
    labels = [label.get_text().replace("\n", "") for label in panel.get_yticklabels()]
    assert labels == [f"{place}  {small.labels[s]}" for place, s in enumerate(order, start=1)]
    numbers = [text.get_text() for text in panel.texts]
    assert numbers == [f"{values[i, j]:.2f}" for i in range(4) for j in range(4) if i != j]
    significant = small.pairwise["test"].adjusted[:, :, 1][np.ix_(order, order)] < 0.05
    np.fill_diagonal(significant, False)
    dots = {(int(x), int(y)) for line in panel.lines for x, y in line.get_xydata()}
    assert dots == {(column, row) for row, column in np.argwhere(significant).tolist()}
    assert dots
    panel = a12_figure(small).axes[0]
    mean = panel.images[0].get_array()
    away = ~np.eye(4, dtype=bool)
    assert np.allclose(mean[away], small.pairwise["test"].a12.mean(axis=2)[np.ix_(order, order)][away])
    # The dots belong to the mean that is drawn, not to another test over tasks.
    significant = (small.pairwise["test"].mean_a12_adjusted < 0.05)[np.ix_(order, order)] & away
    dots = {(round(x), round(y)) for line in panel.lines for x, y in line.get_xydata()}
    assert dots == {(column, row) for row, column in np.argwhere(significant).tolist()}
    assert dots


def test_leaderboard_points_and_intervals(small):
    panels = leaderboard_figure(small, measures=["iqm", "improvement"], style="double").axes
    rows = small.leaderboard["test"]
    points = [line.get_xdata()[0] for line in panels[0].lines]
    assert points == [row.iqm.estimate for row in rows]
    segments = [collection.get_segments()[0][:, 0].tolist() for collection in panels[0].collections]
    assert segments == [[row.iqm.low, row.iqm.high] for row in rows]
    assert [label.get_text() for label in panels[0].get_yticklabels()] == [row.strategy for row in rows]
    assert panels[1].get_xlabel().replace("\n", "").endswith("over random-search")
    with pytest.raises(UnknownNameError, match="unknown measure"):
        leaderboard_figure(small, measures=["beauty"])


def test_intervals_that_are_not_finite_are_words(small):
    nothing = dataclasses.replace(small.leaderboard["test"][0].iqm, estimate=np.nan, low=np.nan, high=np.nan)
    endless = dataclasses.replace(nothing, estimate=np.inf, low=0.1, high=np.inf)
    rows = list(small.leaderboard["test"])
    rows[0], rows[1] = dataclasses.replace(rows[0], iqm=nothing), dataclasses.replace(rows[1], iqm=endless)
    changed = dataclasses.replace(small, leaderboard={"test": tuple(rows)})
    (panel,) = leaderboard_figure(changed).axes
    assert [text.get_text() for text in panel.texts] == ["none", "infinite"]


# Several objectives.


@pytest.fixture(scope="module")
def fronts():
    options = {"runs": 5, "budget": nl.Budget(evaluations=30), "objectives": ["parameters"]}
    return [nl.simulate(synthetic_table("chain"), name, **options) for name in ("random-search", "nsga-ii")]


def test_attainment_is_the_best_within_a_limit(fronts):
    trace = fronts[0]
    grid, best = attainment(trace, "test", "parameters")
    assert (np.diff(grid) > 0).all()
    on_front = pareto_fronts(trace).at(trace.steps - 1)
    cost, value = trace.reference.means["parameters"], trace.reference.means["test"]
    for run in range(trace.runs):
        members = trace.architecture[run, on_front[run]]
        for place, limit in enumerate(grid):
            within = [value[m] for m in members if cost[m] <= limit]
            assert -best[run, place] == max(within) if within else np.isnan(best[run, place])


def test_fronts_are_drawn(fronts):
    figure = pareto_figure(fronts)
    trade_off, share = figure.axes
    assert (trade_off.get_xlabel(), trade_off.get_ylabel()) == ("parameters (millions)", "test accuracy (fraction)")
    assert share.get_ylabel() == "share of the hypervolume"
    check_texts(figure, "single")
    median = np.sort(attainment(fronts[1], "test", "parameters")[1], axis=0)[2]
    drawn = [line for line in trade_off.lines if line.get_drawstyle() == "steps-post"][1]
    assert np.array_equal(drawn.get_ydata(), -median[np.isfinite(median)])
    for line in share.lines:
        assert (np.diff(line.get_ydata()) >= -0.2).all()
        assert 0 <= line.get_ydata().min() <= line.get_ydata().max() <= 1 + 1e-9


def test_fronts_that_cannot_be_drawn(fronts):
    other = nl.simulate(synthetic_table("chain"), "random-search", runs=2, budget=nl.Budget(evaluations=3))
    with pytest.raises(MissingDataError, match="no further objectives"):
        pareto_figure([other])
    with pytest.raises(ParameterError, match="one table and one set of objectives"):
        pareto_figure([*fronts, other])
    with pytest.raises(ParameterError, match="no results"):
        pareto_figure([])


# Architectures.


def test_an_architecture_is_drawn_with_its_texts():
    figure = architecture_figure(TopologySpace(), 6111)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == [*("nor_conv_3x3",) * 3, "skip_connect", "nor_conv_3x3", "nor_conv_1x1", "0", "1", "2", "3"]
    check_texts(figure, "single")
    assert len(architecture_figure(SizeSpace(), 0).axes[0].patches) == 7 + 6
    assert architecture_figure(SizeSpace(), 0).get_size_inches()[0] <= 3.25


# Edge cases.


@pytest.mark.parametrize("name", FIGURES)
def test_a_single_strategy_on_one_task(name, tmp_path):
    alone = made_up_study(1, 1, runs=1)
    if name == "a12":
        with pytest.raises(MissingDataError, match="nothing to draw: no two strategies ran on the same task"):
            a12_figure(alone)
        return
    save_figure_as(FIGURES[name](alone), tmp_path / "figure.png", style=STYLES["single"])


def test_without_test_measurements(small):
    valid = made_up_study(3, 2, kinds=("observed", "valid"))
    assert regret_figure(valid).axes[0].get_title(loc="left") == "synthetic/table-0"
    assert "validation regret" in caption_of(rank_figure(valid))
    for figure in FIGURES.values():
        with pytest.raises(MissingDataError, match="no table has test measurements"):
            figure(valid, "test")
    with pytest.raises(UnknownNameError, match="unknown regret 'best'"):
        regret_figure(small, "best")


def test_a_task_without_test_measurements_says_so_in_its_panel(small):
    task = dataclasses.replace(small.tasks[1], kinds=("observed", "valid"))
    curves = {key: value for key, value in small.curves.items() if key[0] != "test" or key[2] != 1}
    mixed = dataclasses.replace(small, tasks=(small.tasks[0], task, small.tasks[2]), curves=curves)
    for figure in (regret_figure(mixed), final_figure(mixed)):
        assert figure.axes[1].texts[0].get_text() == "no test measurements"


def test_without_times():
    untimed = made_up_study(3, 1, timed=False)
    with pytest.raises(MissingDataError, match="there is nothing to draw: no training times"):
        regret_figure(untimed, axis="seconds")
    with pytest.raises(MissingDataError, match="no times to targets of test against seconds regret"):
        ecdf_figure(untimed, axis="seconds")


def test_before_half_of_the_runs_have_a_value(small):
    curves = small.curves["test", "evaluations", 0]
    empty = dataclasses.replace(curves, quartiles=np.full_like(curves.quartiles, np.inf))
    changed = dataclasses.replace(small, curves={("test", "evaluations", 0): empty})
    with pytest.raises(MissingDataError, match="there is nothing to draw: too few runs have a value"):
        regret_figure(changed, tasks=[0])
    half = dataclasses.replace(small, curves={**small.curves, **changed.curves})
    assert regret_figure(half).axes[0].texts[0].get_text() == "too few runs have a value"


def test_figures_without_anything_to_draw():
    """A figure that would be empty is an error, which says why."""
    short = nl.Budget(seconds=1e-3)
    nothing = [nl.simulate(synthetic_table("chain"), name, runs=2, budget=short) for name in ("asha", "random-search")]
    for figure in (regret_figure, ecdf_figure, final_figure):
        with pytest.raises(MissingDataError, match="nothing to draw"):
            figure(nothing)
    with pytest.raises(MissingDataError, match="no values that can be normalised"):
        normalised_figure(nothing)
    objective = nl.simulate(synthetic_table("chain"), "nsga-ii", runs=2, budget=short, objectives=["parameters"])
    with pytest.raises(MissingDataError, match="nothing to draw: no run on 'synthetic/chain' has a value"):
        pareto_figure(objective)


def test_names_that_are_wrong(small):
    for wrong in ({"axis": "epochs"}, {"statistic": "mode"}, {"tasks": ["cora"]}, {"style": "triple"}):
        with pytest.raises(UnknownNameError):
            regret_figure(small, **wrong)


def test_forty_strategies_look_different():
    looks = [line_look(number, 40) for number in range(40)]
    assert len({(look["color"], look["linestyle"], look["marker"]) for look in looks}) == 40
    assert len({tuple(point_look(number).values()) for number in range(40)}) == 40
    few = [line_look(number, 6) for number in range(6)]
    assert len({look["color"] for look in few}) == 6
    assert {look["marker"] for look in few} == {""}


def test_markers_of_different_lines_stand_elsewhere():
    grid = np.linspace(1, 10, 200)
    places = [marker_places(grid, number, log=True) for number in range(3)]
    assert all(4 <= len(found) <= 6 for found in places)
    assert not set(places[0]) & set(places[1])
    assert marker_places(np.zeros(0), 0, log=True) == []


def test_intervals_are_a_band():
    intervals = around([1.0, 2.0])
    assert intervals.low.tolist() == [0.9, 1.8]
    assert paper_style(STYLES["double"]) is STYLES["double"]


# Files.


@pytest.mark.parametrize("name", ["ecdf", "cd", "a12"])
def test_the_same_study_gives_the_same_bytes(name, small, tmp_path):
    for form in PAPER_FORMATS:
        paths = [tmp_path / f"{run}.{form}" for run in ("one", "two", "three")]
        save_figure_as(FIGURES[name](small), paths[0], style=STYLES["single"])
        save_figure_as(FIGURES[name](small), *paths[1:], style=STYLES["single"])
        one, two, three = (path.read_bytes() for path in paths)
        assert one == two == three, form
        assert not re.search(rb"20\d\d-\d\d-\d\dT|D:20\d\d", one), "no dates"


def test_fonts_are_embedded(small, tmp_path):
    save_figure_as(rank_figure(small), tmp_path / "figure.pdf", tmp_path / "figure.svg", style=STYLES["single"])
    pdf = (tmp_path / "figure.pdf").read_bytes()
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.S)
    assert any(b"Tf" in zlib.decompress(stream) for stream in streams if stream[:1] == b"x"), "text stays text"
    assert "<text" not in (tmp_path / "figure.svg").read_text(), "letters are outlines"


def test_files_of_unknown_kinds_are_refused(small, tmp_path):
    with pytest.raises(ParameterError, match=r"ends in \.pdf, \.svg, \.png, not to 'figure\.eps'"):
        save_figure_as(rank_figure(small), tmp_path / "figure.eps")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def results():
    options = {"runs": 6, "budget": nl.Budget(evaluations=15)}
    tables = [nl.load("digits/chain"), synthetic_table("chain")]
    names = ("random-search", "local-search", "regularized-evolution")
    return Results.of([nl.simulate(table, name, **options) for table in tables for name in names])


@pytest.fixture(scope="module")
def real(results):
    return study(results, resamples=50)


@pytest.mark.parametrize("name", ["regret", "ecdf", "profile", "final"])
def test_figures_of_a_real_study(name, real):
    check_texts(FIGURES[name](real), "single")


def test_the_paper_folder(real, results, tmp_path):
    target = tmp_path / "paper"
    steps = []
    names = write_paper_folder(real, results, target, formats=("svg",), report=lambda *step: steps.append(step))
    drawn = {name.removesuffix(".svg") for name in names if name.endswith(".svg")}
    missing = re.findall(r"^- `([a-z.-]+)`: ", (target / "missing.md").read_text(), re.MULTILINE)
    assert missing == ["pareto"]
    assert steps == [("drawing figures", number, len(drawn) + 2) for number in range(len(drawn) + 2)]
    assert names == sorted(path.name for path in target.iterdir())
    for figure in ("regret-evaluations", "regret-seconds", "rank", "cd", "ecdf-evaluations", "profile", "final", "a12"):
        assert {f"{figure}-single.svg", f"{figure}-double.svg"} <= set(names)
    assert {"leaderboard-test.tex", "leaderboard-test.md", "checklist.md", "references.bib"} <= set(names)
    assert "architecture-synthetic-chain-single.svg" in names
    assert not [name for name in names if name.startswith("pareto")]
    assert (target / "references.bib").read_text().startswith("@")


def test_a_paper_folder_is_replaced_only_if_it_is_one(tmp_path):
    target = tmp_path / "paper"
    target.mkdir()
    (target / "old-single.pdf").write_text("of an older one")
    tiny = made_up_study(1, 1, runs=2)
    with pytest.raises(OutputError, match=r"already has old-single\.pdf"):
        write_paper_folder(tiny, None, target, formats=())
    (target / "thesis.docx").write_text("do not delete me")
    with pytest.raises(OutputError, match=r"thesis\.docx"):
        write_paper_folder(tiny, None, target, overwrite=True, formats=())
    (target / "thesis.docx").unlink()
    names = write_paper_folder(tiny, None, target, overwrite=True, formats=())
    assert sorted(path.name for path in target.iterdir()) == names
    assert "old-single.pdf" not in names


def test_the_best_strategy_of_a_task_found_the_architecture(real, small):
    ranks = real.ranks["test"].task_ranks[0]
    found = best_found(real, 0)
    assert ranks[found.strategy] == ranks.min()
    assert best_found(real, 0, strategy=2).strategy == 2
    assert best_found(dataclasses.replace(small, found=()), 0) is None
    assert bibliography(small).count("@inproceedings{made2020up,") == 1, "once, as all tables have it"
    assert bibliography(dataclasses.replace(small, provenance={})) == ""


# The command.


@pytest.fixture(scope="module")
def stored(tmp_path_factory, results):
    from nasbench_lab.simulation import save_traces

    path = tmp_path_factory.mktemp("stored") / "traces.h5"
    save_traces(list(results)[:3], path)
    return path


def plot(*arguments):
    return CliRunner().invoke(app, ["plot", *map(str, arguments)])


@pytest.mark.parametrize("figure", ["final", "architecture"])
def test_plot_writes_a_figure(stored, tmp_path, figure):
    done = plot(stored, "--figure", figure, "--style", "double", "--out", tmp_path / "figure.svg")
    assert done.exit_code == 0, done.output
    assert done.output == f"wrote {tmp_path / 'figure.svg'}\n"
    assert (tmp_path / "figure.svg").read_text().startswith("<?xml")


def test_plot_of_some_strategies_is_a_study_of_them(stored, tmp_path):
    out = tmp_path / "figure.pdf"
    options = ("--figure", "leaderboard", "--out", out)
    done = plot(stored, *options, "--strategy", "local-search", "--reference", "local-search")
    assert done.exit_code == 0, done.output
    assert out.stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["--figure", "pie"], UnknownNameError, "unknown figure 'pie'"),
        (["--figure", "cd", "--axis", "seconds"], ParameterError, "the figure 'cd' has no option --axis"),
        (["--figure", "cd", "--table", "cora"], UnknownNameError, "unknown table of these results 'cora'"),
        (["--figure", "cd", "--strategy", "luck"], UnknownNameError, "unknown strategy of these results 'luck'"),
        (["--figure", "cd", "--style", "triple"], UnknownNameError, "unknown style 'triple'"),
        (["--figure", "regret", "--kind", "train"], UnknownNameError, "unknown regret 'train'"),
        (["--figure", "pareto"], MissingDataError, "no further objectives"),
        (["--figure", "a12", "--strategy", "random-search"], MissingDataError, "there is nothing to draw"),
    ],
)
def test_plot_says_what_is_wrong(stored, tmp_path, arguments, error, message):
    done = plot(stored, *arguments, "--out", tmp_path / "figure.png")
    assert isinstance(done.exception, error)
    assert message in str(done.exception)
    assert not list(tmp_path.iterdir())


def test_plot_checks_the_file_first(tmp_path):
    done = plot("nowhere", "--figure", "cd", "--out", tmp_path / "figure.eps")
    assert str(done.exception) == "the file must end in .pdf, .svg, .png, got 'figure.eps'"
