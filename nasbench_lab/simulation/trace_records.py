"""The evaluations of a trace in long form."""

from __future__ import annotations

from typing import Any

import numpy as np

from nasbench_lab.records import Categories, Column, Records
from nasbench_lab.spaces import make_space

_Trace = Any  # a `Trace`, whose module imports this one


def trace_records(trace: _Trace, *, notation: bool) -> Records:
    """Return the evaluations of a trace, one row each; `Trace.records` describes the columns."""
    run, step = np.nonzero(trace.mask)
    architecture = trace.architecture[trace.mask]
    columns: dict[str, Column] = {
        "strategy": Categories.constant(trace.setting.label, len(run)),
        "table": Categories.constant(trace.setting.table, len(run)),
        "run": run + trace.setting.first_run,
        "step": step,
        "architecture": architecture,
    }
    if notation and trace.reference.space:
        different, position = np.unique(architecture, return_inverse=True)
        known = different >= 0
        texts = np.full(len(different), "", dtype=object)
        texts[known] = make_space(trace.reference.space).format(different[known])
        columns["notation"] = Categories(position, tuple(texts))
    columns["fidelity"] = trace.fidelity[trace.mask]
    columns["repeat"] = trace.repeat[trace.mask]
    columns["observed"] = trace.observed[trace.mask]
    columns["seconds"] = trace.time[trace.mask]
    columns["incumbent"] = trace.incumbent()[trace.mask]
    units = {"fidelity": "epochs", "observed": trace.setting.objective.unit, "seconds": "s"}
    for kind in trace.kinds:
        metric = trace.setting.objective if kind == "observed" else trace.reference.metrics[kind]
        columns[f"regret_{kind}"] = trace.regret(kind)[trace.mask]
        units[f"regret_{kind}"] = metric.unit
    for split in ("valid", "test"):
        if split in trace.reference.means and split not in trace.kinds:
            columns[f"value_{split}"] = trace.value(split)[trace.mask]
            units[f"value_{split}"] = trace.reference.metrics[split].unit
    return Records(columns, units)
