"""Scores of a table: which repeat a run uses, and what it pays."""

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.simulation.zero_cost_scores import TableScores, score_names
from nasbench_lab.streams import SCORE, Streams
from nasbench_lab.tables import Metric, open_table, with_columns, write
from nasbench_lab.testing import synthetic_table

PLAIN = synthetic_table("topology")
SIZE, REPEATS = PLAIN.space.size, PLAIN.repeats
AXES = ("architecture", "repeat")
TRAINING = np.array([100.0, 200.0, 300.0])


def supernet_table(direction="maximize"):
    """Repeat r of architecture a has the score a + 1000000 r, which takes 1 + r seconds after 100 (1 + r) once."""
    architecture = np.arange(SIZE)[:, None]
    values = {
        "supernet": architecture + 1e6 * np.arange(REPEATS),
        "supernet_seconds": 0.0 * architecture + [1.0, 2.0, 3.0],
        "supernet_training_seconds": 0.0 * architecture + TRAINING,
    }
    metrics = [Metric("supernet", "none", "percent", direction, "made up", AXES)]
    metrics += [Metric(name, "none", "s", "minimize", "made up", AXES) for name in list(values)[1:]]
    return with_columns(PLAIN, metrics, values, notes=["made up"])


TABLE = supernet_table()


def scores(runs=300, first=0, repeat="sample", table=TABLE):
    return TableScores(table, Streams(7, first, runs, SCORE), repeat)


def test_the_seconds_of_a_score_are_no_scores():
    assert score_names(TABLE.description) == ("synflow", "supernet")


def test_a_run_uses_the_scores_of_one_supernet():
    asked = np.random.default_rng(0).integers(SIZE, size=(300, 8))
    all_runs = scores()
    found = all_runs.score("supernet", asked) - asked
    assert (found == found[:, :1]).all()
    used, counts = np.unique(found[:, 0], return_counts=True)
    assert used.tolist() == [0.0, 1e6, 2e6]
    assert counts.min() > 70
    assert np.array_equal(all_runs.score("supernet", asked) - asked, found), "also when it asks again"
    alone = scores(runs=1, first=41).score("supernet", asked[41:42])
    assert np.array_equal(alone - asked[41], found[41:42]), "whatever other runs there are"


@pytest.mark.parametrize(("repeat", "expected"), [("mean", 1e6), (0, 0.0), (2, 2e6)])
def test_a_given_repeat_is_that_of_the_scores(repeat, expected):
    given = scores(runs=2, repeat=repeat)
    assert given.score("supernet", np.array([[3], [4]])).tolist() == [[expected + 3], [expected + 4]]
    number = 1 if repeat == "mean" else repeat
    assert given.due().tolist() == [TRAINING[number] + 1 + number] * 2


def test_the_training_is_paid_once_per_run_before_its_first_score():
    runs = scores(runs=3, repeat=0)
    runs.score("synflow", np.array([[1], [1], [1]]))
    cheap = runs.due()
    assert (cheap < 10).all()
    runs.score("supernet", np.array([[-1, -1], [5, 6], [7, -1]]))
    assert runs.due().tolist() == [0, 102, 101]
    runs.score("supernet", np.array([[5, 6], [-1, 6], [-1, -1]]))
    assert runs.due().tolist() == [102, 1, 0]


def test_lower_is_better_where_the_column_says_so():
    found = scores(runs=1, repeat=0, table=supernet_table("minimize")).score("supernet", np.array([[3, 5]]))
    assert found.tolist() == [[-3, -5]]


@pytest.mark.parametrize(("name", "more"), [("zero-cost-filter", {}), ("zero-cost-warm-start", {"warm": 3})])
def test_a_search_starts_after_the_training(name, more):
    strategy = {"score": "supernet", "inner": "random-search", "candidates": 4, **more}
    budget = nl.Budget(evaluations=6)
    trace = nl.simulate(TABLE, name, runs=40, budget=budget, seed=3, **strategy)
    repeats = (Streams(3, 0, 40, SCORE).uniform(1)[:, 0] * REPEATS).astype(int)
    cost = np.array([PLAIN.cost()[a].mean() for a in trace.architecture[:, 0]])
    assert np.allclose(trace.time[:, 0] - cost, TRAINING[repeats] + 4 * (1 + repeats))
    part = nl.simulate(TABLE, name, runs=4, first_run=8, budget=budget, seed=3, **strategy)
    assert np.array_equal(part.time, trace.time[8:12])
    several = nl.simulate(TABLE, name, runs=8, budget=budget, seed=3, workers=2, **strategy)
    assert (several.time.min(axis=1) > TRAINING[repeats[:8]]).all()


def test_columns_can_be_added_replaced_and_stored(tmp_path):
    with pytest.raises(ParameterError, match="valid_accuracy of 'synthetic/topology' cannot be replaced"):
        with_columns(PLAIN, [PLAIN.objective], {"valid_accuracy": PLAIN.values("valid_accuracy")})
    metric = Metric("synflow", "none", "", "minimize", "another one", ("architecture",))
    with pytest.raises(ParameterError, match="the metrics are synflow, but there are values of naswot"):
        with_columns(PLAIN, [metric], {"naswot": np.zeros(SIZE)})
    with pytest.raises(DataError, match=r"have shape \(3,\)"):
        with_columns(PLAIN, [metric], {"synflow": np.zeros(3)})
    changed = with_columns(TABLE, [metric], {"synflow": np.arange(SIZE)}, notes=["made up", "twice"])
    assert changed.description.notes == (*PLAIN.description.notes, "made up", "twice")
    assert changed.description.metric("synflow").direction == "minimize"
    write(changed, tmp_path / "mine.h5")
    stored = open_table(tmp_path / "mine.h5")
    assert stored.lookup([9], metric="synflow").tolist() == [9]
    assert np.array_equal(stored.values("supernet"), TABLE.values("supernet"))
    assert set(stored.metrics) == {*PLAIN.metrics, *TABLE.metrics}
