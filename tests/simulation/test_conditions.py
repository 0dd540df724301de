"""Conditions: checked once, the same as arguments, as plain data, in a TOML file and on the command line."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.simulation import Conditions, simulate_under
from nasbench_lab.simulation.budget import KINDS
from nasbench_lab.strategies.lookup import find_strategy
from nasbench_lab.suites.toml_files import suite_of
from nasbench_lab.tables import Metric
from nasbench_lab.testing import synthetic_table

TABLE = synthetic_table("chain")


def with_energy(unit="kWh", *, missing=(), free=(), resumable=False):
    """A table whose trainings cost energy: more for later architectures, repeats and epochs."""
    shape = (TABLE.space.size, len(TABLE.fidelities), TABLE.repeats)
    architecture, fidelity, repeat = np.indices(shape)
    energy = (1.0 + architecture / 100 + repeat / 10) * np.array(TABLE.fidelities)[fidelity] / 12
    energy[list(missing)] = np.nan
    energy[list(free)] = 0.0
    metric = Metric("energy", "none", unit, "minimize", "electricity of the training")
    description = dataclasses.replace(
        TABLE.description, metrics=(*TABLE.description.metrics, metric), resumable=resumable
    )
    return nl.Table(description, {**{name: TABLE.values(name) for name in TABLE.metrics}, "energy": energy})


conditions = st.builds(
    Conditions,
    st.builds(
        nl.Budget,
        evaluations=st.none() | st.integers(1, 10**6),
        epochs=st.none() | st.integers(1, 10**6),
        seconds=st.none() | st.floats(1e-3, 1e9),
        energy=st.none() | st.sampled_from(["0.5 kWh", "900 kJ", "1e3 J", "2 MJ", "7Wh"]),
        trainings=st.integers(1, 10**6),
    ),
    fidelity=st.none() | st.integers(1, 1000),
    repeat=st.sampled_from(["sample", "mean"]) | st.integers(0, 9),
    workers=st.integers(1, 1024),
    objectives=st.lists(st.sampled_from(["parameters", "flops", "latency"]), unique=True).map(tuple),
    limits=st.dictionaries(st.sampled_from(["parameters", "flops"]), st.floats(-1e9, 1e9)),
    seed=st.integers(0, 2**128 - 1),
)


@given(conditions)
def test_conditions_survive_as_plain_data(made):
    assert Conditions.of_data(made.to_data()) == made
    record = {**made.to_data(), "table": "a"}
    assert Conditions.split_data(record) == (made, {"table": "a"})


def test_every_budget_is_a_key_of_a_suite_an_argument_and_an_option():
    from nasbench_lab.cli.condition_options import _OPTIONS

    names = [field.name for field in dataclasses.fields(nl.Budget)]
    assert [kind.name for kind in KINDS] == names
    assert set(names) <= set(_OPTIONS)
    for kind in KINDS:
        value = "2 kWh" if kind.type is str else 2
        suite = suite_of({"strategies": ["random-search"], "tables": ["digits/chain"], "budget": {kind.name: value}})
        assert suite.conditions.budget == nl.Budget(**{kind.name: value})
        assert str(value) in str(nl.Budget(**{kind.name: value}))


def test_simulate_and_its_conditions_give_the_same_traces():
    options = {"budget": nl.Budget(epochs=300), "fidelity": 12, "repeat": "mean", "workers": 2, "seed": 7}
    one = nl.simulate(TABLE, "local-search", runs=4, **options)
    other = simulate_under(Conditions(**options), TABLE, find_strategy("local-search"), runs=4)
    assert one.setting == other.setting
    assert np.array_equal(one.architecture, other.architecture)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"budget": 300}, "budget must be a Budget, such as"),
        ({"fidelity": 0}, "fidelity must be at least 1, got 0"),
        ({"fidelity": True}, "fidelity must be a whole number, got True"),
        ({"repeat": -1}, 'repeat must be "sample", "mean" or a number from 0, got -1'),
        ({"workers": 1.0}, "workers must be a whole number, got 1.0"),
        ({"objectives": "parameters"}, "objectives must be a list of metrics, got 'parameters'"),
        ({"objectives": ["a", "a"]}, "an objective is listed twice"),
        ({"limits": ["parameters"]}, "limits must map metrics to numbers"),
        ({"limits": {"parameters": float("inf")}}, "a limit must be a number, got parameters=inf"),
        ({"seed": -1}, "seed must be an integer"),
        ({"seed": "1"}, "seed must be a whole number"),
    ],
)
def test_conditions_that_make_no_sense(wrong, message):
    with pytest.raises(ParameterError) as caught:
        Conditions(**{"budget": nl.Budget(evaluations=1), **wrong})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_search_needs_a_budget():
    with pytest.raises(ParameterError, match="budget is missing"):
        simulate_under(Conditions(), TABLE, find_strategy("random-search"), runs=1)


# Trainings.


def test_a_budget_in_trainings_is_for_every_search_and_every_strategy():
    trace = nl.simulate(TABLE, "random-search", runs=2, budget=nl.Budget(trainings=5))
    assert trace.evaluations.tolist() == [5, 5]
    assert trace.setting.budget == nl.Budget(epochs=5 * TABLE.fidelities[-1])
    several = nl.simulate(TABLE, "hyperband", runs=2, budget=nl.Budget(trainings=5))
    assert (np.where(several.mask, several.fidelity, 0).sum(axis=1) <= 5 * TABLE.fidelities[-1]).all()


# Energy.


@pytest.mark.parametrize("unit", ["kWh", "J"])
@given(limit=st.floats(0.5, 40.0))
@settings(max_examples=20)
def test_a_run_ends_where_its_energy_would_be_passed(unit, limit):
    table = with_energy(unit)
    ended = nl.simulate(table, "random-search", runs=6, budget=nl.Budget(energy=f"{limit:.15g} {unit}"))
    whole = nl.simulate(table, "random-search", runs=6, budget=nl.Budget(evaluations=60))
    energy = table.repeat_values("energy")[whole.architecture, whole.repeat]
    limit = float(f"{limit:.15g}")
    for run in range(6):
        spent, count = 0.0, 0
        for cost in energy[run]:
            spent += cost
            if spent > limit:
                break
            count += 1
        assert ended.evaluations[run] == count
        assert np.array_equal(ended.architecture[run, :count], whole.architecture[run, :count])


def test_units_of_energy_are_converted_to_that_of_the_table():
    table = with_energy("kWh")
    traces = [
        nl.simulate(table, "local-search", runs=3, budget=nl.Budget(energy=energy))
        for energy in ("10 kWh", "36 MJ", "36000 kJ", "10000 Wh")
    ]
    for trace in traces:
        assert np.array_equal(trace.architecture, traces[0].architecture)


@pytest.mark.parametrize("resumable", [False, True])
def test_energy_of_several_fidelities(resumable):
    """Where trainings can be resumed, only the further epochs cost energy."""
    table = with_energy(resumable=resumable)
    trace = nl.simulate(table, "successive-halving", runs=5, budget=nl.Budget(energy="20 kWh"))
    energy = {epochs: table.repeat_values("energy", epochs) for epochs in table.fidelities}
    for run in range(trace.runs):
        spent, trained = 0.0, {}
        for step in range(int(trace.evaluations[run])):
            architecture, epochs, repeat = (
                int(array[run, step]) for array in (trace.architecture, trace.fidelity, trace.repeat)
            )
            before = trained.get(architecture)
            cost = energy[epochs][architecture, repeat]
            if resumable and before is not None:
                cost -= energy[before][architecture, repeat]
            trained[architecture] = epochs
            spent += cost
        assert spent <= 20 * (1 + 1e-12)
        assert trace.stopped[run] or spent + 2 * energy[table.fidelities[-1]].max() > 20


@pytest.mark.parametrize("repeat", ["mean", 0])
def test_energy_where_the_mean_or_one_repeat_is_observed(repeat):
    table = with_energy()
    budget = nl.Budget(energy="20 kWh")
    trace = nl.simulate(table, "exhaustive", runs=1, budget=budget, repeat=repeat)
    energy = table.repeat_values("energy")
    costs = energy.mean(axis=1) if repeat == "mean" else energy[:, 0]
    spent = costs[trace.architecture[0]].cumsum()
    assert spent[-1] <= 20 < spent[-1] + costs.max()
    assert spent[-1] + costs[trace.architecture[0, -1] + 1] > 20


def test_energy_is_summed_over_workers():
    table = with_energy()
    trace = nl.simulate(table, "random-search", runs=3, budget=nl.Budget(energy="30 kWh"), workers=3)
    spent = np.where(trace.mask, table.repeat_values("energy")[trace.architecture, trace.repeat], 0.0).sum(axis=1)
    assert (spent <= 30).all()
    assert (spent > 30 - 2 * np.nanmax(table.repeat_values("energy"))).all()


def test_tables_without_energies_are_refused():
    with pytest.raises(MissingDataError, match="has no energies, so a budget in energy is impossible"):
        nl.simulate(TABLE, "random-search", runs=1, budget=nl.Budget(energy="1 kWh"))
    with pytest.raises(MissingDataError, match="lacks the energies of some evaluations"):
        nl.simulate(with_energy(missing=[5]), "random-search", runs=1, budget=nl.Budget(energy="1 kWh"))


def test_costs_of_zero_or_less_are_not_called_missing():
    with pytest.raises(MissingDataError, match="has energies that are not positive, such as 0, so a budget in energy"):
        nl.simulate(with_energy(free=[5]), "random-search", runs=1, budget=nl.Budget(energy="1 kWh"))
    for seconds, budget, workers in ((0.0, nl.Budget(seconds=9), 1), (-3.5, nl.Budget(evaluations=9), 2)):
        values = {name: TABLE.values(name).copy() for name in TABLE.metrics}
        values["train_seconds"][7], values["valid_seconds"][7] = seconds, 0.0
        table = nl.Table(TABLE.description, values)
        with pytest.raises(MissingDataError, match=rf"has times that are not positive, such as {seconds:g}, so "):
            nl.simulate(table, "random-search", runs=1, budget=budget, workers=workers)
    values["train_seconds"][7] = np.nan
    with pytest.raises(MissingDataError, match="lacks the times of some evaluations"):
        nl.simulate(nl.Table(TABLE.description, values), "random-search", runs=1, budget=nl.Budget(seconds=9))


@pytest.mark.parametrize("wrong", [0.5, "0.5", "kWh", "0.5 kwh", "-1 J", "0 J", "1.2.3 J", "nan J", "inf kWh", "1 J 2"])
def test_energies_that_make_no_sense(wrong):
    with pytest.raises(ParameterError) as caught:
        nl.Budget(energy=wrong)
    assert "energy" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.mirror
def test_energy_of_a_published_table():
    """EC-NAS publishes energies in kWh; a budget of them is searched by evolution."""
    table = nl.load("ec-nas/5v9e")
    assert table.energy_unit == "kWh"
    trace = nl.simulate(table, "regularized-evolution", runs=20, budget=nl.Budget(energy="0.5 kWh"))
    spent = np.where(trace.mask, table.energy_cost()[trace.architecture, np.maximum(trace.repeat, 0)], 0.0).sum(axis=1)
    assert (spent <= 0.5).all()
    assert (spent + np.nanmax(table.energy_cost()) > 0.5).all()
