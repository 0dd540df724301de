"""How long a suite takes: estimates from what finished shards took."""

import json

import pytest
from command_line import nasbench_lab_here as nasbench_lab
from small_suites import digests, small_shards, small_suite

from nasbench_lab.suites import SuiteFolder, estimate_suite, make_plan, open_results, run_suite
from nasbench_lab.suites.forecast import Forecast, Measured, trial_shards


@pytest.fixture
def suite(tmp_path, monkeypatch):
    """A suite of three strategies and two tables: six simulations of three shards each."""
    small_shards(monkeypatch)
    return small_suite(tmp_path)


@pytest.fixture
def plan(suite):
    return make_plan(suite)


def test_without_a_finished_shard_the_estimate_is_the_plan(plan):
    estimate = Forecast(plan).estimate()
    assert estimate.seconds == pytest.approx(sum(shard.seconds for shard in plan.shards))
    assert (estimate.done, estimate.size) == (0, 0)
    assert estimate.unmeasured == plan.labels


def test_a_strategy_that_is_slower_than_planned_is_slower_in_what_is_left(plan):
    forecast = Forecast(plan)
    first = plan.shards[0]
    forecast.learn(first, Measured(10 * first.seconds, 1000))
    forecast.learn(first, Measured(99 * first.seconds, 9000))  # the same shard counts once
    estimate = forecast.estimate()
    label = plan.simulations[first.simulation].label
    of = [shard for shard in plan.shards if plan.simulations[shard.simulation].label == label]
    assert estimate.left[label] == pytest.approx(10 * sum(shard.seconds for shard in of[1:]))
    assert estimate.done == pytest.approx(10 * first.seconds)
    assert label not in estimate.unmeasured
    assert len(estimate.unmeasured) == len(plan.labels) - 1
    others = [name for name in plan.labels if name != label]
    planned = {
        name: sum(s.seconds for s in plan.shards if plan.simulations[s.simulation].label == name) for name in others
    }
    assert {name: estimate.left[name] for name in others} == {
        name: pytest.approx(10 * seconds) for name, seconds in planned.items()
    }
    assert estimate.size == pytest.approx(1000 / first.runs * plan.runs * len(plan.simulations))


def test_when_all_is_finished_nothing_is_left(plan):
    measured = {shard.name: Measured(2.0, 50) for shard in plan.shards}
    estimate = Forecast(plan, measured).estimate()
    assert estimate.seconds == pytest.approx(0, abs=1e-9)
    assert estimate.done == 2 * len(plan.shards)
    assert estimate.size == 50 * len(plan.shards)


def test_one_shard_per_strategy_is_tried_unless_one_is_finished(plan):
    chosen = trial_shards(plan)
    assert [plan.simulations[shard.simulation].label for shard in chosen] == list(plan.labels)
    rest = trial_shards(plan, {chosen[1].name})
    assert rest == [chosen[0], *chosen[2:]]


def test_what_was_tried_is_kept(suite, tmp_path):
    estimate = estimate_suite(suite, tmp_path / "out")
    folder = SuiteFolder.open(tmp_path / "out")
    assert sum(map(folder.is_finished, folder.plan.shards)) == 3
    assert not estimate.unmeasured
    assert estimate.seconds > 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "shards").iterdir()}
    run_suite(suite, tmp_path / "out")
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    run_suite(suite, tmp_path / "at once")
    assert digests(tmp_path / "out") == digests(tmp_path / "at once")


def test_the_progress_says_when_it_is_measured(suite, tmp_path):
    seen = []
    run_suite(suite, tmp_path / "out", progress=seen.append)
    measured = [progress.is_measured for progress in seen]
    assert measured.index(True) == 3  # after a shard of each of the three strategies
    assert all(measured[3:])
    assert all(progress.seconds <= progress.total for progress in seen)
    assert seen[-1].seconds == pytest.approx(seen[-1].total)
    size = sum(path.stat().st_size for path in (tmp_path / "out" / "shards").glob("*.h5"))
    assert seen[-1].size == pytest.approx(size)


def test_the_command_prints_the_estimate(tmp_path):
    (tmp_path / "s.toml").write_text(
        'strategies = ["random-search", "umda"]\ntables = ["digits/chain"]\nruns = 50\nbudget = { evaluations = 20 }\n'
    )
    command = ["suite", "run", str(tmp_path / "s.toml"), "--out", str(tmp_path / "out"), "--processes", "1"]
    found = json.loads(nasbench_lab(*command, "--estimate", "--json").stdout)
    assert {row["strategy"] for row in found["strategies"]} == {"random-search", "umda"}
    assert found["seconds"] == pytest.approx(sum(row["seconds"] for row in found["strategies"]))
    assert found["bytes"] > 0
    text = nasbench_lab(*command, "--estimate").stdout
    assert "in all:" in text
    assert len(open_results(tmp_path / "out")) == 2  # both simulations are one shard, so nothing is left
