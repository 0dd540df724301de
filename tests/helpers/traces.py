"""Traces made by hand."""

import dataclasses
import math

import numpy as np

import nasbench_lab as nl
from nasbench_lab.simulation import Reference, Trace
from nasbench_lab.testing import synthetic_table

NAN = math.nan


def with_setting(trace, **changes):
    """A trace with another setting; what belongs to its conditions is changed there."""
    conditions = {name: changes.pop(name) for name in list(changes) if hasattr(trace.setting.conditions, name)}
    changed = dataclasses.replace(trace.setting.conditions, **conditions)
    return dataclasses.replace(trace, setting=dataclasses.replace(trace.setting, conditions=changed, **changes))


def hand_made(architecture, observed, mask=None, *, valid, test, direction="maximize", time=None):
    """A trace with the given rows."""
    template = nl.simulate(
        synthetic_table("tiny", direction=direction), "random-search", runs=1, budget=nl.Budget(evaluations=1)
    )
    observed = np.array(observed, dtype=float)
    mask = np.ones(observed.shape, dtype=bool) if mask is None else np.array(mask)
    metrics = template.reference.metrics
    known = observed[~np.isnan(observed)]
    best = known.max(initial=-np.inf) if direction == "maximize" else known.min(initial=np.inf)
    return Trace(
        dataclasses.replace(template.setting, table="hand-made"),
        Reference(float(best), metrics, {"valid": np.array(valid, float), "test": np.array(test, float)}),
        architecture=np.array(architecture, dtype=np.int32),
        fidelity=np.where(mask, 12, 0).astype(np.int32),
        repeat=np.where(mask, 0, -1).astype(np.int8),
        observed=observed,
        time=np.full(observed.shape, NAN) if time is None else np.array(time, dtype=float),
        mask=mask,
        stopped=np.zeros(len(mask), dtype=bool),
    )


def by_hand(label, finals, table="a"):
    """Runs of three evaluations on five architectures with values 0 to 4: the last of each run is what it ends with."""
    rows = [[0, min(final, 1), final] if final >= 0 else [0, 0, 0] for final in finals]
    observed = [
        [0.0, float(row[1]), float(row[2])] if final >= 0 else [NAN] * 3
        for row, final in zip(rows, finals, strict=True)
    ]
    trace = hand_made(rows, observed, valid=range(5), test=range(5))
    trace = dataclasses.replace(trace, reference=dataclasses.replace(trace.reference, observable=4.0))
    return with_setting(trace, label=label, strategy=label, table=table, budget=nl.Budget(evaluations=3))
