"""Baselines of strategies that recommend, and of searches that train networks themselves."""

import dataclasses

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.simulation import Conditions, Trace
from nasbench_lab.strategies import Strategy
from nasbench_lab.testing import BaselineCheck, StrategyBaseline, audit_trace, check_file, synthetic_table
from nasbench_lab.testing.baselines.run_losses import losses, scale_of

TABLE = synthetic_table("chain")
RUNS = 32


class CheckFailedError(Exception):
    pass


def fail(message):
    raise CheckFailedError(message)


def fixture(folder, *, update=False):
    return StrategyBaseline(folder, update=update, how_to_update="pytest --update", fail=fail)


def trained(seed=0, worse=0, **options):
    """Runs that recommend ever better architectures."""
    random = np.random.default_rng(seed)
    order = np.argsort(-TABLE.mean_values("test_accuracy"))
    steps = np.arange(8)
    found = order[np.minimum(random.integers(0, 160 // (1 + steps), (RUNS, 8)) + worse, 242)]
    seconds = np.cumsum(random.uniform(5, 9, (RUNS, 8)), axis=1)
    options = {"conditions": Conditions(nl.Budget(seconds=70.0)), "training": {"clock_scale": 1.5}, **options}
    return Trace.from_recommendations(found, seconds, table=TABLE, strategy="spos", **options)


def test_a_baseline_of_a_trained_search_is_made_and_checked(tmp_path):
    made = fixture(tmp_path, update=True).check_trace(trained(), TABLE)
    assert made.verdict == "created"
    assert any("seconds and seeds are not audited" in note for note in made.notes)
    same = fixture(tmp_path).check_trace(trained(), TABLE)
    assert same.verdict == "identical"
    assert any("no run is simulated again" in note for note in same.notes)
    assert "not audited" in str(same.notes)
    other = fixture(tmp_path)
    with pytest.raises(CheckFailedError, match=r"worse"):
        other.check_trace(trained(worse=80), TABLE)
    assert any("runs differ" in note for note in other.outcomes[0].notes)
    with pytest.raises(nl.errors.ParameterError, match="or check a trace with the fixture strategy_baseline"):
        check_file(tmp_path / "spos--synthetic-chain.json")


def test_the_losses_are_those_of_what_is_recommended():
    trace = trained()
    found = losses(trace, TABLE, scale_of(trace))
    test = TABLE.mean_values("test_accuracy")
    assert set(found) == {"anytime", "final"}
    assert np.allclose(found["final"], test.max() - test[trace.final_incumbent()])


def test_an_impossible_trained_search_is_found():
    trace = trained()
    assert audit_trace(trace, TABLE) == []
    late = dataclasses.replace(trace, time=trace.time + 30)
    assert audit_trace(late, TABLE)[0].startswith("budget: run 0 goes on after 70 s")
    backwards = dataclasses.replace(trace, time=np.where(trace.mask, 60 - trace.time, np.nan))
    assert "clock: run 0 has seconds that decrease" in audit_trace(backwards, TABLE)[0]
    outside = dataclasses.replace(trace, recommended=np.where(trace.mask, 243, -1))
    assert "recommends what is not in 0..242" in audit_trace(outside, TABLE)[0]


@dataclasses.dataclass(frozen=True)
class Recommender(Strategy):
    """Random search that recommends the best, or the worst, of what it saw."""

    worst: bool = False

    def start(self, problem):
        return {"problem": problem, "best": np.full(problem.runs, -1), "value": np.full(problem.runs, -np.inf)}

    def ask(self, state):
        return state["problem"].space.sample(state["problem"].streams.uniform(1))

    def tell(self, state, evaluations):
        value = (-1 if self.worst else 1) * evaluations.value[:, 0]
        better = value > state["value"]
        state["best"] = np.where(better, evaluations.architecture[:, 0], state["best"])
        state["value"] = np.where(better, value, state["value"])

    def recommend(self, state):
        return state["best"]


def test_a_baseline_notices_that_only_the_recommendations_changed(tmp_path):
    options = {"table": TABLE, "conditions": Conditions(nl.Budget(evaluations=20)), "runs": RUNS}
    path = tmp_path / "recommender.json"
    good, bad = (BaselineCheck(Recommender(worst=worst), **options) for worst in (False, True))
    assert good.write(path).verdict == "created"
    assert good.against(path).verdict == "identical"
    assert bad.against(path).verdict == "worse"
