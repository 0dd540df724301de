"""Strategies that choose fidelities and go on with trainings, against a plain reading of the table."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.errors import StrategyError
from nasbench_lab.strategies import Proposals, Strategy
from nasbench_lab.tables import Table
from nasbench_lab.testing import identical, synthetic_table
from nasbench_lab.testing.conformance import row

pytestmark = pytest.mark.filterwarnings("ignore::nasbench_lab.OneFidelityWarning")

CHAIN = synthetic_table("chain")
RESUMABLE = Table(
    dataclasses.replace(CHAIN.description, resumable=True), {name: CHAIN.values(name) for name in CHAIN.metrics}
)


class Scripted(Strategy):
    """Proposes what a list says: (architecture, fidelity, resume), the same in every run."""

    name, multi_fidelity = "scripted", True

    def __init__(self, *batches):
        self.batches = batches

    def start(self, task):
        return {"runs": task.runs, "next": 0, "told": []}

    def ask(self, state):
        batch = self.batches[state["next"]] if state["next"] < len(self.batches) else [(-1, 12, -1)]
        state["next"] += 1
        columns = (np.array(column, dtype=np.int64) for column in zip(*batch, strict=True))
        return Proposals(*(np.broadcast_to(column, (state["runs"], len(column))) for column in columns))

    def tell(self, state, evaluations):
        state["told"].append(evaluations)


def run(table, *batches, **options):
    options = {"runs": 3, "budget": nl.Budget(evaluations=50), **options}
    return nl.simulate(table, Scripted(*batches), **options)


def test_every_evaluation_has_its_fidelity():
    trace = run(CHAIN, [(5, 4, -1), (6, 12, -1)], [(5, 12, -1)], repeat=0)
    assert trace.fidelity[0].tolist() == [4, 12, 12]
    assert trace.observed[0].tolist() == [CHAIN.query(a, e, 0)["valid_accuracy"] for a, e in ((5, 4), (6, 12), (5, 12))]
    costs = [CHAIN.cost(epochs)[architecture, 0] for architecture, epochs in ((5, 4), (6, 12), (5, 12))]
    np.testing.assert_allclose(trace.time[0], np.cumsum(costs))
    assert trace.stopped.all()


@pytest.mark.parametrize("repeat", ["sample", "mean", 0])
def test_going_on_costs_the_difference_and_shows_the_same_repeat(repeat):
    trace = run(RESUMABLE, [(5, 4, -1), (9, 4, -1)], [(9, 12, 1), (5, 12, 0)], repeat=repeat, runs=50)
    assert np.array_equal(trace.repeat[:, 2], trace.repeat[:, 1])
    assert np.array_equal(trace.repeat[:, 3], trace.repeat[:, 0])
    for which, architecture in ((2, 9), (3, 5)):
        label = trace.repeat[:, which]
        shown = RESUMABLE.repeat_values("valid_accuracy", 12)[architecture]
        expected = np.where(label == -1, RESUMABLE.mean_values("valid_accuracy", 12)[architecture], shown[label])
        assert np.array_equal(trace.observed[:, which], expected)
        took = RESUMABLE.cost(12)[architecture, 0] - RESUMABLE.training_cost(4)[architecture, 0]
        np.testing.assert_allclose(np.diff(trace.time, axis=1)[:, which - 1], took)
    if repeat == "sample":
        assert len(set(trace.repeat[:, 0].tolist())) == 3


def test_where_trainings_cannot_be_resumed_going_on_is_a_new_training():
    trace = run(CHAIN, [(5, 4, -1)], [(5, 12, 0)], runs=200)
    np.testing.assert_allclose(np.diff(trace.time, axis=1)[:, 0], CHAIN.cost(12)[5, 0])
    assert (trace.repeat[:, 0] != trace.repeat[:, 1]).any()


def test_epochs_are_what_was_trained():
    batches = [[(5, 4, -1)], [(5, 12, 0)], [(7, 12, -1)]]
    for table, used in ((RESUMABLE, [4, 12, 24]), (CHAIN, [4, 16, 28])):
        for epochs in range(30):
            if epochs:
                trace = run(table, *batches, budget=nl.Budget(epochs=epochs))
                assert trace.evaluations.tolist() == [sum(u <= epochs for u in used)] * 3


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ([(5, 7, -1)], "asked for 7 epochs; available: 4, 12"),
        ([(5, 4, 0)], "resumes an evaluation that does not exist yet"),
        ([(5, 4, -1), (5, 12, 0)], "resumes an evaluation that does not exist yet"),
    ],
)
def test_impossible_proposals_are_named(batch, message):
    with pytest.raises(StrategyError, match=message):
        run(CHAIN, batch)


@pytest.mark.parametrize("second", [(6, 12, 0), (5, 4, 0)])
def test_only_the_same_architecture_is_trained_on_and_only_further(second):
    with pytest.raises(StrategyError, match="same architecture from a lower fidelity"):
        run(CHAIN, [(5, 4, -1)], [second])


def test_a_strategy_must_say_that_it_proposes_fidelities():
    class Liar(Scripted):
        multi_fidelity = False

    with pytest.raises(StrategyError, match="not multi_fidelity"):
        nl.simulate(CHAIN, Liar([(5, 4, -1)]), runs=2, budget=nl.Budget(evaluations=2))


def test_the_incumbent_is_the_best_at_the_highest_fidelity_seen():
    values = {name: CHAIN.values(name).copy() for name in CHAIN.metrics}
    values["valid_accuracy"][:, :, :] = 50.0
    values["valid_accuracy"][[1, 2, 3], 0] = [[90.0], [95.0], [80.0]]
    values["valid_accuracy"][[1, 2, 3], 1] = [[60.0], [np.nan], [70.0]]
    table = Table(CHAIN.description, values)
    batches = [[(1, 4, -1), (2, 4, -1), (3, 4, -1), (2, 12, -1), (1, 12, -1), (2, 4, -1), (3, 12, -1)]]
    trace = run(table, *batches)
    assert trace.incumbent()[0].tolist() == [1, 2, 2, 2, 1, 1, 3]


@given(seconds=st.floats(20, 300), workers=st.sampled_from([1, 3]), seed=st.integers(0, 2**32))
@settings(max_examples=20)
def test_a_run_is_the_same_alone(seconds, workers, seed):
    batches = [[(5, 4, -1), (9, 4, -1), (200, 12, -1)], [(9, 12, 1)], [(7, 4, -1), (5, 12, 0)]] * 2
    options = {"budget": nl.Budget(seconds=seconds), "workers": workers, "seed": seed}
    together = run(RESUMABLE, *batches[:3], runs=4, **options)
    for number in range(4):
        alone = run(RESUMABLE, *batches[:3], runs=1, first_run=number, **options)
        assert identical(row(together, number), row(alone, 0))
