"""The commands on the page draw its figures: each of them is run as a shell would run it."""

import functools
import html
import itertools
import shlex

import pytest
import typer.testing
from made_up_studies import made_up_study

import nasbench_lab as nl
from nasbench_lab.analysis import study
from nasbench_lab.cli import plot
from nasbench_lab.cli.app import app
from nasbench_lab.report.page.charts import chart_data
from nasbench_lab.report.page.curve_charts import study_charts
from nasbench_lab.report.page.figure_commands import commands, option, plot_command, results_in_shell, table_option
from nasbench_lab.report.page.html import render_page
from nasbench_lab.report.page.pairwise import compare_all_pairs
from nasbench_lab.simulation import save_traces
from nasbench_lab.suites import open_results
from nasbench_lab.testing import synthetic_table

SOURCE = "my results/it's $HOME; #1.h5"


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A folder with results whose path a shell must not read as anything else."""
    folder = tmp_path_factory.mktemp("shell")
    (folder / SOURCE).parent.mkdir()
    strategies = ("random-search", "regularized-evolution:population_size=5,sample_size=2")
    tables = (synthetic_table("topology"), synthetic_table("chain"))
    budget = nl.Budget(evaluations=12)
    save_traces([nl.simulate(t, s, runs=6, budget=budget) for t in tables for s in strategies], folder / SOURCE)
    return folder


def write_a_mark(_, path, **__):
    path.write_bytes(b"%PDF")


def of_choices(source, options, choices, number):
    """The command that the page's script makes from the options with a number, or the last ones, of all choices."""
    given = [choice["arguments"] for choice in choices if choice["arguments"]]
    return plot_command(source) + options + "".join(each[min(number, len(each) - 1)] for each in given)


def of_scales(data, scale):
    """What the page's script adds to a command for a scale of all axes that its figure lets choose."""
    return "".join(f" --{axis}-scale {scale}" for axis in data["scaled"])


def shown_commands(found, source):
    """The commands next to the figures, for the first and the last options of all choices."""
    text = render_page(found, source=source)
    typed = results_in_shell([source], found)
    first = [part.split("</code>")[0] for part in text.split('<p class="command"><code>')[1:]]
    made = list(map(html.unescape, first))
    for chart, number in itertools.product(study_charts(found), (0, 9)):
        data = chart_data(chart, 25)
        scale = "linear" if number else "log"
        made.append(of_choices(typed, data["figure"], data["choices"], number) + of_scales(data, scale))
    matrix = compare_all_pairs(found, found.kind, tuple(range(len(found.labels)))).data()
    made += [of_choices(typed, matrix["figure"], matrix["choices"], number) for number in (0, 9)]
    return list(dict.fromkeys(made))


def test_every_command_next_to_a_figure_draws_it(stored, monkeypatch):
    monkeypatch.chdir(stored)
    monkeypatch.setattr(plot, "study_of", functools.partial(study, resamples=10))  # 1,000 take longer
    found = study(open_results(SOURCE), resamples=10)
    given = shown_commands(found, SOURCE)
    names = {shlex.split(command)[4] for command in given}
    assert names == {"leaderboard", "regret", "rank", "normalised", "cd", "a12", "ecdf", "profile", "architecture"}
    runner, drawn = typer.testing.CliRunner(), set()
    for command in given:
        program, *words = shlex.split(command)
        assert program == "nasbench-lab"
        out = stored / words[words.index("--out") + 1]
        with monkeypatch.context() as patched:
            if out in drawn:  # the same figure with other choices; to save it as PDF takes most of the time
                patched.setattr(plot, "save_figure_as", write_a_mark)
            done = runner.invoke(app, words)
        assert done.exit_code == 0, (command, done.output, done.exception)
        assert out.read_bytes().startswith(b"%PDF"), command
        drawn.add(out)


def test_the_listed_commands_are_those_of_the_figures(stored, monkeypatch):
    monkeypatch.chdir(stored)
    found = study(open_results(SOURCE), resamples=20)
    listed = [shlex.split(command) for _, command in commands(results_in_shell([SOURCE], found), found)]
    assert all(words[2] == SOURCE for words in listed)
    runner = typer.testing.CliRunner()
    final = next(words for words in listed if "final" in words)
    assert runner.invoke(app, final[1:]).exit_code == 0


def test_options_are_quoted_for_a_shell():
    hostile = "a b; rm -rf ~ '$(x)' \"`y`\" \n"
    assert shlex.split(option("table", hostile)) == ["--table", hostile]
    assert shlex.split(option("table", "-x")) == ["--table=-x"]
    assert shlex.split(plot_command(shlex.quote(hostile), "cd")) == [
        "nasbench-lab",
        "plot",
        hostile,
        "--figure",
        "cd",
        "--out",
        "cd.pdf",
    ]


def test_a_table_is_chosen_only_among_several():
    assert table_option(made_up_study(2, 1), 0) == ""
    assert table_option(made_up_study(2, 2), 1) == " --table synthetic/table-1"


def test_a_command_draws_the_scales_that_the_page_shows():
    found = made_up_study(3, 2)
    charts = {chart.name: chart for chart in study_charts(found)}
    for name in ("regret", "progress"):
        assert charts[name].command("results").endswith(" --x-scale linear --y-scale log")
    assert charts["rank"].command("results").endswith(" --x-scale linear")
    assert "scale" not in charts["targets"].command("results")


def test_one_table_searched_in_two_ways(tmp_path):
    """No task has both strategies: figures say why they cannot be drawn, and the page has no commands for them."""
    table, out = synthetic_table("topology"), str(tmp_path / "figure.pdf")
    ran = {"random-search": 12, "local-search": 6}
    traces = [nl.simulate(table, name, runs=3, budget=nl.Budget(evaluations=number)) for name, number in ran.items()]
    save_traces(traces, tmp_path / "traces.h5")
    found = study(traces, resamples=10)
    assert {shlex.split(command)[4] for _, command in commands("results", found) if " plot " in command} == {
        "regret",
        "final",
    }
    for figure, said in (("architecture", "searches of synthetic/topology"), ("ecdf", "on which all strategies ran")):
        words = ["plot", str(tmp_path / "traces.h5"), "--figure", figure, "--out", out]
        done = typer.testing.CliRunner().invoke(app, words)
        assert done.exit_code != 0
        assert said in str(done.exception or done.output)
