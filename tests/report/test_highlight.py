"""Highlighted strategies, bands and bars, and what captions say of them."""

import dataclasses
import itertools

import numpy as np
import pytest
from figure_checks import check_direct_labels
from made_up_studies import made_up_study
from matplotlib.collections import LineCollection
from study_figures import FIGURES
from typer.testing import CliRunner

import nasbench_lab as nl
from nasbench_lab.cli import plot
from nasbench_lab.cli.app import app
from nasbench_lab.errors import ParameterError, UnknownNameError
from nasbench_lab.report.figures.final_regret import final_figure
from nasbench_lab.report.figures.pareto import pareto_figure
from nasbench_lab.report.figures.progress import rank_figure
from nasbench_lab.report.figures.regret import regret_figure
from nasbench_lab.report.looks import GREY, line_look
from nasbench_lab.simulation import save_traces
from nasbench_lab.testing import synthetic_table

NINE = made_up_study(9, 2)


def named_lines(panel):
    return {line.get_label(): line for line in panel.lines if line.get_label() in NINE.labels}


def test_the_others_are_grey_and_thin():
    figure = regret_figure(NINE, highlight=["bananas", "tpe"], style="double")
    usual = regret_figure(NINE, style="double")
    for panel, plain in zip(figure.axes, usual.axes, strict=True):
        for number, (name, line) in enumerate(named_lines(panel).items()):
            before = named_lines(plain)[name]
            if name in ("bananas", "tpe"):
                assert line.get_color() == before.get_color() == line_look(number, 9)["color"]
                assert line.get_zorder() > before.get_zorder()
            else:
                assert line.get_color() == GREY
                assert line.get_linewidth() < before.get_linewidth()
                assert line.get_marker() == ""
        assert len([each for each in panel.collections if not isinstance(each, LineCollection)]) == 2, "bands"
    assert check_direct_labels(figure, "double")


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_highlights_and_names_what_is_unknown(name):
    FIGURES[name](NINE, highlight="bananas")
    with pytest.raises(UnknownNameError, match="unknown strategy to highlight 'banana'; did you mean 'bananas'"):
        FIGURES[name](NINE, highlight=["tpe", "banana"])


def test_names_without_parameters_highlight_all_versions():
    figure = rank_figure(NINE, highlight="random-search")
    colored = [name for name, line in named_lines(figure.axes[0]).items() if line.get_color() != GREY]
    assert colored == ["random-search", "random-search (variant=8)"]


def test_few_lines_have_bands_and_many_have_bars_at_different_places():
    few = regret_figure(made_up_study(5, 1)).axes[0]
    assert len(few.collections) == 5
    assert not any(isinstance(each, LineCollection) for each in few.collections)
    many = regret_figure(NINE, tasks=[0], style="double")
    bars = [each for each in many.axes[0].collections if isinstance(each, LineCollection)]
    assert len(bars) == len(many.axes[0].collections) == 9
    places = [{segment[0][0] for segment in each.get_segments()} for each in bars]
    assert all(places)
    assert not any(one & other for one, other in itertools.combinations(places, 2))
    caption = many.get_suptitle() or many.legends[0].get_title().get_text()
    assert caption == "lines: median of 25 runs; bars: interquartile range"


def test_bars_are_the_quartiles_at_their_places():
    curves = NINE.curves["test", "evaluations", 0]
    (panel,) = regret_figure(NINE, tasks=[0], y_scale="log", style="double").axes
    for number, bars in enumerate(panel.collections):
        for (x, low), (_, high) in bars.get_segments():
            entry = np.flatnonzero(curves.grid <= x)[-1]
            assert (low, high) == (curves.quartiles[0, number, entry], curves.quartiles[2, number, entry])


@pytest.mark.parametrize(("spread", "kinds"), [("bands", 9), ("bars", 9), ("none", 0)])
def test_the_spread_can_be_chosen(spread, kinds):
    (panel,) = regret_figure(NINE, tasks=[0], spread=spread).axes
    assert len(panel.collections) == kinds
    assert all(isinstance(each, LineCollection) == (spread == "bars") for each in panel.collections)
    with pytest.raises(UnknownNameError, match="unknown spread 'ribbons'"):
        regret_figure(NINE, spread="ribbons")


def test_axes_say_which_regret_and_captions_which_statistic():
    figure = regret_figure(made_up_study(3, 1), style="double")
    label = figure.axes[0].get_ylabel().replace("\n", " ")
    assert label == "test regret, mean over repeats (fraction)"
    assert figure.get_suptitle() == "lines: median of 25 runs; bands: interquartile range"
    valid = final_figure(made_up_study(3, 1), "valid")
    assert valid.axes[0].get_xlabel().replace("\n", " ") == "validation regret, mean over repeats (fraction)"


def test_the_axis_is_that_of_the_budget():
    table, budget = synthetic_table("chain"), nl.Budget(seconds=30_000)
    trace = nl.simulate(table, "random-search", runs=4, budget=budget)
    assert regret_figure(trace).axes[0].get_xlabel() == "simulated seconds"
    assert regret_figure(trace, axis="evaluations").axes[0].get_xlabel() == "evaluations"


def test_boxes_at_the_optimum_are_visible():
    (panel,) = final_figure(made_up_study(3, 1, zeros=1.0)).axes
    low, high = np.log(panel.get_xlim())
    for box in panel.patches:
        place = (np.log(box.get_x()) - low) / (high - low)
        assert 0.02 < place < 0.5, "not on the edge of the panel"
        assert box.get_edgecolor()[3] == 1
        assert box.get_linewidth() > 0


# Several objectives, and the command.


@pytest.fixture(scope="module")
def fronts():
    options = {"runs": 4, "budget": nl.Budget(evaluations=20), "objectives": ["parameters"]}
    return [nl.simulate(synthetic_table("chain"), name, **options) for name in ("random-search", "nsga-ii")]


def test_the_points_of_a_front_are_in_the_legend(fronts):
    figure = pareto_figure(fronts, highlight="nsga-ii")
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["nsga-ii", "1 other", "true front", "architectures"]
    marks = dict(zip(texts, figure.legends[0].get_lines(), strict=True))
    front = figure.axes[0].lines[-1]
    assert marks["true front"].get_color() == front.get_color() == "black"
    assert marks["true front"].get_marker() == front.get_marker() == "o"


def test_a_front_of_some_strategies_has_the_looks_of_all(fronts):
    figure = pareto_figure(fronts[1:], among=["random-search", "nsga-ii"])
    assert figure.legends[0].get_lines()[0].get_color() == line_look(1, 2)["color"]


def test_plot_takes_all_of_these(fronts, tmp_path):
    save_traces(fronts, tmp_path / "traces.h5")

    def plot(*arguments):
        command = ["plot", tmp_path / "traces.h5", *arguments, "--out", tmp_path / "figure.svg"]
        return CliRunner().invoke(app, [*map(str, command)])

    shared = ("--highlight", "nsga-ii", "--style", "slide", "--spread", "none")
    for arguments in (
        ("--figure", "regret", "--x-scale", "log", "--y-scale", "linear", *shared),
        ("--figure", "pareto", *shared),
    ):
        done = plot(*arguments)
        assert done.exit_code == 0, done.output
    for arguments, error, message in (
        (("regret", "--highlight", "nsga"), UnknownNameError, "unknown strategy to highlight 'nsga'"),
        (("regret", "--x-scale", "cubic"), UnknownNameError, "unknown x scale 'cubic'"),
        (("cd", "--x-scale", "log"), ParameterError, "the figure 'cd' has no option --x-scale"),
    ):
        assert isinstance(plot("--figure", *arguments).exception, error)
        assert message in str(plot("--figure", *arguments).exception)


def look_of(line):
    return line.get_color(), line.get_linestyle(), line._dash_pattern, line.get_marker()


@pytest.mark.parametrize("figure", ["regret", "rank", "ecdf", "profile"])
def test_some_of_the_strategies_look_as_in_the_whole_study(figure):
    whole = named_lines(FIGURES[figure](NINE).axes[0])
    part = dataclasses.replace(made_up_study(3, 2), labels=NINE.labels[6:], among=NINE.labels)
    drawn = named_lines(FIGURES[figure](part).axes[0])
    assert list(drawn) == list(NINE.labels[6:])
    assert [look_of(line) for line in drawn.values()] == [look_of(whole[name]) for name in drawn]


def test_the_command_draws_a_strategy_as_in_all_results(tmp_path, monkeypatch):
    table, names = synthetic_table("topology"), ["random-search", "regularized-evolution", "local-search"]
    budget = nl.Budget(evaluations=10)
    save_traces([nl.simulate(table, name, runs=3, budget=budget) for name in names], tmp_path / "traces.h5")
    drawn = []
    monkeypatch.setattr(plot, "save_figure_as", lambda made, path, **_: (drawn.append(made), path.write_bytes(b"")))
    command = ["plot", str(tmp_path / "traces.h5"), "--figure", "regret", "--out", str(tmp_path / "regret.pdf")]
    done = CliRunner().invoke(app, [*command, "--strategy", "local-search"])
    assert done.exit_code == 0, done.output
    (line,) = [line for line in drawn[0].axes[0].lines if line.get_label() == "local-search"]
    assert line.get_color() == line_look(2, 3)["color"]
