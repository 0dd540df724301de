"""Multi-fidelity strategies that are left with one fidelity: one warning, one note, one line in a report."""

import dataclasses
import warnings

import numpy as np
import pytest
from command_line import nasbench_lab_here

import nasbench_lab as nl
from nasbench_lab.analysis import study
from nasbench_lab.simulation import Conditions
from nasbench_lab.strategies import Proposals, Strategy, list_strategies, resolve
from nasbench_lab.suites.requirements import lacking
from nasbench_lab.testing import synthetic_table

TABLE = synthetic_table("chain")  # 4 and 12 epochs
BUDGET = nl.Budget(evaluations=60)
STRATEGIES = [name for name in list_strategies() if resolve(name, {}).multi_fidelity]


def at_one_fidelity():
    """Return the table without its measurements of 4 epochs."""
    values = {metric.name: np.asarray(TABLE.values(metric.name)) for metric in TABLE.description.metrics}
    for metric in TABLE.description.metrics:
        if "fidelity" in metric.axes:
            values[metric.name] = values[metric.name][:, 1:]
    return nl.Table(dataclasses.replace(TABLE.description, fidelities=(12,)), values)


def warned(strategy, table=TABLE, **options):
    """Simulate; return the trace and the warnings that evaluations have one fidelity."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trace = nl.simulate(table, strategy, **{"runs": 5, "budget": BUDGET, **options})
    for warning in caught:
        assert warning.category is nl.OneFidelityWarning
        assert warning.filename == __file__
    return trace, [str(warning.message) for warning in caught]


WAYS = {
    "a fidelity": (TABLE, {"fidelity": 4}, "the table has none below 4 epochs"),
    "a table": (at_one_fidelity(), {}, "the table has none below 12 epochs"),
    "eta": (TABLE, {"parameters": {"eta": 4}}, "its parameters select only 12 epochs"),
    "lowest": (TABLE, {"parameters": {"lowest": 10}}, "its parameters select only 12 epochs"),
    "rungs": (TABLE, {"parameters": {"rungs": 1}}, "its parameters select only 12 epochs"),
    "a budget": (TABLE, {"budget": nl.Budget(evaluations=1)}, "the budget ends before it reaches another"),
}


CASES = [
    (strategy, way)
    for strategy in STRATEGIES
    for way, (_, options, _) in WAYS.items()
    if {*options.get("parameters", {})} <= {*resolve(strategy, {}).parameters}
]


@pytest.mark.parametrize(("strategy", "way"), CASES)
def test_every_way_to_a_single_fidelity_is_said_once(strategy, way):
    table, options, reason = WAYS[way]
    trace, said = warned(strategy, table, **options)
    (epochs,) = np.unique(trace.fidelity[trace.mask])
    label = trace.setting.label
    assert said == [
        f"all evaluations of {label} on {table.name} have {epochs} epochs: it needs several fidelities, and {reason}"
    ]
    (noted,) = [warning for warning in study([trace], resamples=0).warnings if "one fidelity" in warning]
    assert noted.startswith(f"All evaluations of {label} on {table.name} have {epochs} epochs: ")


@pytest.mark.parametrize("strategy", [*STRATEGIES, "random-search"])
def test_several_fidelities_or_no_need_of_them_give_no_warning(strategy):
    options = {} if strategy in STRATEGIES else {"fidelity": 4}
    trace, said = warned(strategy, **options)
    assert not said
    assert not [warning for warning in study([trace], resamples=0).warnings if "one fidelity" in warning]


def test_the_declared_fidelities_are_those_of_the_evaluations():
    for strategy in STRATEGIES:
        trace, _ = warned(strategy, budget=nl.Budget(evaluations=200))
        assert {*resolve(strategy, {}).evaluated_fidelities((4, 12))} == {*trace.fidelity[trace.mask].tolist()}
    assert resolve("random-search", {}).evaluated_fidelities((4, 12)) == (12,)


def test_strategies_of_users():
    class Both(Strategy):
        multi_fidelity = True

        def start(self, problem):
            return problem

        def ask(self, problem):
            some = np.tile(np.arange(len(problem.fidelities)), (problem.runs, 1))
            return Proposals(some, np.array(problem.fidelities)[some])

        def tell(self, problem, evaluations):
            pass

    assert not warned(Both())[1]
    (said,) = warned(Both(), fidelity=4)[1]
    assert said.startswith("all evaluations of Both on synthetic/chain have 4 epochs: ")


def test_a_report_names_all_of_them_in_one_line():
    traces = [warned(name, fidelity=4)[0] for name in ("hyperband", "asha", "random-search")]
    (noted,) = [warning for warning in study(traces, resamples=0).warnings if "one fidelity" in warning]
    assert noted.startswith("All evaluations of hyperband, asha on synthetic/chain have 4 epochs: ")


def test_the_command_line_notes_it_once(tmp_path):
    nl.tables.write(TABLE, tmp_path / "table.h5")
    arguments = ("--table", tmp_path / "table.h5", "--strategy", "hyperband", "--evaluations", "3", "--runs", "4100")
    done = nasbench_lab_here("run", *arguments, "--fidelity", "4")
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()  # one, though the runs are simulated in two parts
    assert line.startswith("note: all evaluations of hyperband on synthetic/chain have 4 epochs: ")
    assert line.endswith("the table has none below 4 epochs")


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"eta": 4}, "it needs several fidelities, and its parameters select only 12 epochs"),
        ({"lowest": 13}, "lowest must be at most the highest fidelity, 12, got 13"),
        ({"eta": 4, "rungs": 2}, ""),
        ({}, ""),
    ],
)
def test_suites_skip_parameters_that_leave_one_fidelity(parameters, reason):
    conditions = Conditions(BUDGET)
    measurements = conditions.on(TABLE).measurements
    assert lacking(resolve("hyperband", parameters), TABLE, conditions, measurements) == reason
