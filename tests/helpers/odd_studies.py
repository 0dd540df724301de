"""Small studies at the edges of what can happen, for tests of figures, tables and pages: drawn by hypothesis."""

import dataclasses

import numpy as np
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.errors import MissingDataError
from nasbench_lab.tables import Metric
from nasbench_lab.testing import synthetic_table

NAMES = ("random-search", "regularized-evolution", "hyperband", "local-search", "nsga-ii", "random-scalarisation")
LABELS = ("随机搜索", "$x$ & [a] *b*_c", "=1+1", "a" * 90)


class Traces(list):
    """A list of traces that pytest can print."""

    def __repr__(self):
        return f"<traces of {[(trace.setting.label, trace.setting.table, trace.setting.conditions) for trace in self]}>"


@st.composite
def odd_tables(draw):
    """Draw a table of which much may be missing."""
    table = synthetic_table(
        draw(st.sampled_from(["chain", "tiny"])),
        seed=draw(st.integers(0, 3)),
        failures=draw(st.sampled_from([0.0, 0.5, 0.98])),
        constant=draw(st.booleans()),
        direction=draw(st.sampled_from(["maximize", "minimize"])),
    )
    values = {name: np.array(table.values(name)) for name in table.metrics}
    missing = draw(st.sampled_from(["nothing", "times", "test", "valid", "test values", "few values"]))
    description = dataclasses.replace(table.description, name=draw(st.sampled_from(["画像/分類", "a/b", "$^_ [c]"])))
    if missing == "times":
        description = dataclasses.replace(description, cost=())
    if missing in ("test", "valid"):
        description = _without(description, missing)
    if missing == "test values":
        values["test_accuracy"][:] = np.nan
    if missing == "few values":
        for name in ("valid_accuracy", "test_accuracy"):
            values[name][1:] = np.nan
    if draw(st.booleans()):
        energy = Metric("energy", "none", "kWh", "minimize", "made up", ("architecture",))
        description = dataclasses.replace(description, metrics=(*description.metrics, energy))
        values["energy"] = np.linspace(0.1, 0.2, table.space.size)
    return nl.Table(description, {metric.name: values[metric.name] for metric in description.metrics})


def _without(description, split):
    name = getattr(description, split)
    metrics = tuple(metric for metric in description.metrics if metric.name != name)
    return dataclasses.replace(description, metrics=metrics, **{split: None})


budgets = st.one_of(
    st.builds(nl.Budget, evaluations=st.sampled_from([1, 2, 9, 40])),
    st.builds(nl.Budget, epochs=st.sampled_from([1, 4, 13, 100])),
    st.builds(nl.Budget, seconds=st.sampled_from([0.5, 6.0, 13.0, 200.0])),
    st.builds(nl.Budget, energy=st.sampled_from(["0.05 kWh", "0.15 kWh", "2 kWh"])),
    st.builds(nl.Budget, trainings=st.integers(1, 9)),
)


@st.composite
def odd_traces(draw):
    """Draw traces of one or two tables, searched by one to four strategies; some may have no evaluation at all."""
    tables = draw(st.lists(odd_tables(), min_size=1, max_size=2, unique_by=lambda table: table.name))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    labels = dict(zip(names, draw(st.permutations(LABELS)), strict=False)) if draw(st.booleans()) else {}
    runs = draw(st.sampled_from([1, 2, 7]))
    traces = []
    for table in tables:
        conditions = draw(_conditions(table))
        for name in names:
            if traces and draw(st.integers(0, 9)) == 0:
                continue  # this strategy did not run on this table
            try:
                trace = nl.simulate(table, name, runs=runs, **conditions)
            except MissingDataError:  # the table lacks what the budget or the limits need
                continue
            setting = dataclasses.replace(trace.setting, label=labels.get(name, trace.setting.label))
            traces.append(dataclasses.replace(trace, setting=setting))
    return Traces(traces)


@st.composite
def _conditions(draw, table):
    conditions = {"budget": draw(budgets), "seed": draw(st.integers(0, 9))}
    if draw(st.booleans()):
        conditions["objectives"] = ["parameters"]
    if draw(st.integers(0, 2)) == 0:
        parameters = np.sort(table.values("parameters"))
        conditions["limits"] = {"parameters": float(parameters[min(1, len(parameters) - 1)])}  # that hardly any keep
    if draw(st.booleans()):
        conditions["fidelity"] = draw(st.sampled_from(table.fidelities))
    if draw(st.booleans()):
        conditions["repeat"] = "mean"
    return conditions
