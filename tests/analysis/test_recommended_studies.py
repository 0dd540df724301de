"""Studies of strategies that recommend, and of searches that train networks themselves."""

import dataclasses
import json

import numpy as np
import pytest
from command_line import nasbench_lab_here
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.analysis import anytime_curves, final_picks, study, summarize, to_csv
from nasbench_lab.analysis.collected_runs import collect_runs
from nasbench_lab.analysis.trajectories import incumbent_trajectories
from nasbench_lab.errors import MissingDataError
from nasbench_lab.report import pareto_figure, regret_figure
from nasbench_lab.report.figures.final_regret import final_figure
from nasbench_lab.report.figures.targets import ecdf_figure
from nasbench_lab.report.page.html import render_page
from nasbench_lab.report.paper.tables import leaderboard_table, results_table
from nasbench_lab.simulation import Conditions, Trace, save_traces
from nasbench_lab.testing import synthetic_table

TABLE = synthetic_table("chain")
BUDGET = nl.Budget(seconds=100.0)
RUNS = 6


def simulated(name="random-search", **options):
    return nl.simulate(TABLE, name, **{"runs": RUNS, "budget": BUDGET, **options})


def recommending(name="local-search", seed=0, **options):
    """A simulation whose strategy recommends something from the third evaluation on."""
    trace = simulated(name, **options)
    found = np.random.default_rng(seed).integers(0, 243, trace.architecture.shape).astype(np.int32)
    found[:, :2] = -1
    return dataclasses.replace(trace, recommended=np.where(trace.mask, found, -1).astype(np.int32))


def trained(label="darts", seed=1, scale=1.234, runs=RUNS, **options):
    random = np.random.default_rng(seed)
    seconds = np.cumsum(random.uniform(5, 15, (runs, 6)), axis=1)
    found = np.where(np.arange(6) < 1, -1, random.integers(0, 243, (runs, 6)))
    training = {"clock_scale": scale, "epochs": 9}
    conditions = Conditions(BUDGET)
    return Trace.from_recommendations(
        found, seconds, table=TABLE, strategy=label, conditions=conditions, training=training, **options
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), repeated=st.booleans(), failures=st.sampled_from([0.0, 0.5]))
def test_trajectories_have_the_regrets_of_the_trace(seed, repeated, failures):
    table = synthetic_table("chain", failures=failures)
    trace = nl.simulate(table, "random-search", runs=4, budget=nl.Budget(evaluations=9), seed=seed)
    random = np.random.default_rng(seed)
    found = random.integers(-1, 3 if repeated else 243, (4, 9)).astype(np.int32)
    trace = dataclasses.replace(trace, recommended=found)
    trajectories = incumbent_trajectories(trace)
    entries = trajectories.at("evaluations", np.arange(1.0, 10.0))
    for kind in trace.kinds:
        expected = trace.regret(kind).T
        # Before the first incumbent, and where the table does not know the mean of one, regret is infinite.
        assert np.array_equal(trajectories.regret_at(kind, entries), np.where(np.isnan(expected), np.inf, expected))


def test_what_a_trained_search_recommends_holds_until_the_budget_ends():
    trace = trained()
    found = incumbent_trajectories(trace)
    assert set(found.times) == {"seconds"}
    assert found.ends["seconds"].tolist() == [100.0] * RUNS
    entries = found.at("seconds", np.array([trace.time[0, 0], trace.time[0, 2], 100.0]))[:, 0]
    expected = np.append(trace.regret("test")[0, [0, 2]], trace.regret("test")[0, -1])
    assert np.array_equal(found.regret_at("test", entries), np.where(np.isnan(expected), np.inf, expected))
    limits = dataclasses.replace(trace.setting.conditions, budget=nl.Budget(seconds=100.0, evaluations=6))
    both = dataclasses.replace(trace, setting=dataclasses.replace(trace.setting, conditions=limits))
    assert incumbent_trajectories(both).ends["seconds"].tolist() == [100.0] * RUNS  # steps are no evaluations


def test_summaries():
    row = summarize(trained())
    assert np.isnan(row.evaluations)
    assert row.incumbents == "recommended"
    assert row.test_mean == pytest.approx(trained().final("test").mean())
    header, line = to_csv([row]).splitlines()
    cells = dict(zip(header.split(","), line.split(","), strict=True))
    assert (cells["evaluations"], cells["incumbents"]) == ("", "recommended")
    assert summarize(simulated()).incumbents == "observed"
    joined = collect_runs(trained().blocks(evaluations=12))
    assert to_csv([joined.summary]) == to_csv([row])


def test_a_study_of_both_kinds():
    found = study([trained(), recommending(), simulated()], resamples=50)
    task = found.tasks[0]
    assert len(found.tasks) == 1
    assert (task.kinds, task.axes, task.clock) == (("valid", "test"), ("evaluations", "seconds"), "seconds")
    assert found.recommending == (True, True, False)
    assert np.isnan(found.curves["test", "evaluations", 0].quartiles[:, 0]).all()
    assert np.isfinite(found.curves["test", "evaluations", 0].quartiles[1, 2]).any()
    assert found.curves["test", "seconds", 0].ends.tolist() == [100.0] * 3
    assert np.array_equal(found.final["test"][1, 0], recommending().reference.regret("test", recommending().final()))
    assert found.runs.tolist() == [[RUNS]] * 3
    for kind in ("valid", "test"):
        assert len(found.leaderboard[kind]) == 3
    recommend = "Results of darts, local-search are those of the architecture that they recommend; "
    recommend += "for the others, of the best observed one."
    trained_itself = "darts trained networks and evaluated nothing of the table: there is no observed regret on such "
    trained_itself += "tasks, and figures over evaluations leave these searches out."
    scaled = "Seconds of darts were measured and multiplied by 1.23 to match those of the table."
    assert {recommend, trained_itself, scaled} <= set(found.warnings)
    for caption in (leaderboard_table(found).caption, results_table(found).caption):
        assert recommend in caption
        assert scaled in caption
    page = render_page(found)
    assert "for darts, local-search the architecture that they recommend" in page
    assert "darts on synthetic/chain: clock scale 1.234, epochs 9" in page


def test_a_study_of_observed_incumbents_says_nothing_of_recommendations():
    found = study([simulated(), simulated("local-search")], resamples=0)
    assert not any("recommend" in warning for warning in found.warnings)
    assert found.tasks[0].kinds == ("observed", "valid", "test")
    assert "recommend" not in regret_figure(found).axes[0].get_ylabel()


def test_parts_with_several_scales_say_their_range():
    parts = [trained(scale=1.2), trained(scale=1.25, first_run=RUNS)]
    warnings = study(parts, resamples=0).warnings
    assert "Seconds of darts were measured and multiplied by 1.2 to 1.25 to match those of the table." in warnings


def test_figures_say_whose_regret_it_is():
    mixed, alone = study([trained(), simulated()], resamples=0), study([trained()], resamples=0)
    for draw in (regret_figure, final_figure):
        assert "* regret of the recommended architecture" in _texts(draw(mixed))
        assert "darts *" in _texts(draw(mixed))
        assert "test regret of the recommended architecture, mean over repeats" in _texts(draw(alone))
        assert "*" not in _texts(draw(alone))
    over_evaluations = _texts(regret_figure(mixed, axis="evaluations"))
    assert "without evaluations, so left out: darts" in over_evaluations
    assert "*" not in over_evaluations
    assert regret_figure(mixed, highlight="darts") is not None


def _names(figure):
    """Return all names in legends and at the ends of lines."""
    legends = [*figure.legends, *(panel.get_legend() for panel in figure.axes if panel.get_legend())]
    texts = [text for legend in legends for text in legend.get_texts()]
    return [text.get_text() for text in [*texts, *(text for panel in figure.axes for text in panel.texts)]]


@pytest.mark.parametrize("draw", [regret_figure, ecdf_figure])
@pytest.mark.parametrize("highlight", [None, "random-search"])
def test_searches_that_are_left_out_have_no_name(draw, highlight):
    mixed = study([simulated(), trained(), simulated("local-search")], resamples=0)
    over_evaluations, over_seconds = (
        " ".join(_names(draw(mixed, axis=axis, highlight=highlight))) for axis in ("evaluations", "seconds")
    )
    assert "random-search" in over_evaluations
    assert "darts" not in over_evaluations
    assert "2 other" not in over_evaluations
    assert "darts" in over_seconds or highlight
    colors = [
        {line.get_color() for line in draw(mixed, axis=axis).axes[0].lines if np.isfinite(line.get_ydata()).any()}
        for axis in ("evaluations", "seconds")
    ]
    assert colors[0] < colors[1], "a strategy has the same colour with and without the others"


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda traces: regret_figure(traces, axis="evaluations"), "nothing to draw: no evaluations"),
        (lambda traces: regret_figure(traces, "observed"), "no table has observed values of all searches"),
        (lambda traces: ecdf_figure(traces, axis="evaluations"), "no times to targets"),
        (anytime_curves, "trains networks itself has no evaluations; its axis is seconds"),
        (pareto_figure, "these searches trained networks themselves"),
    ],
)
def test_without_anything_to_draw_there_is_one_line(draw, message):
    with pytest.raises(MissingDataError, match=message) as caught:
        draw([trained()])
    assert "\n" not in str(caught.value)


def test_picks_of_recommended_architectures_are_ranked_by_runs():
    trace = trained(runs=3)
    recommended = np.array([[4, 4], [9, 9], [4, 4]], dtype=np.int32)
    columns = {"architecture": recommended, "recommended": recommended, "mask": np.ones((3, 2), bool)}
    cut = {name: array[:, :2] for name, array in trace.arrays().items() if array.ndim == 2}
    picks = final_picks(dataclasses.replace(trace, **{**cut, **columns}), 2)
    assert [(pick.architecture, pick.runs) for pick in picks] == [(4, 2), (9, 1)]
    assert all(np.isnan(pick.observed) for pick in picks)


def test_the_command_line(tmp_path):
    save_traces([trained(), simulated()], tmp_path / "traces.h5")
    assert "training of networks" in nasbench_lab_here("results", "info", tmp_path).stdout
    info = json.loads(nasbench_lab_here("results", "info", tmp_path, "--json").stdout)
    assert info["simulations"][0]["training"]["clock_scale"] == 1.234
    save_traces([trained()], tmp_path / "traces.h5")
    plot = ("plot", tmp_path, "--figure", "regret", "--axis", "evaluations", "--out", tmp_path / "a.png")
    refused = nasbench_lab_here(*plot)
    assert refused.returncode != 0
    assert refused.stderr.splitlines()[-1] == "nasbench-lab: there is nothing to draw: no evaluations"
    assert "note: Seconds of darts were measured and multiplied by 1.23" in refused.stderr


def _texts(figure):
    from matplotlib.text import Text

    return " ".join(" ".join(text.get_text().split()) for text in figure.findobj(Text))
