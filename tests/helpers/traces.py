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
    best = np.nanmax(observed) if direction == "maximize" else np.nanmin(observed)
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
