"""What a notebook shows of a trace: its setting and the regrets at the end."""

from __future__ import annotations

from typing import Any

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.displays import counted, html_card

_Trace = Any  # a `Trace`, whose module imports this one


def trace_size(trace: _Trace) -> str:
    """Return the longest run of a trace in words."""
    noun = "recommendation" if trace.setting.trains_networks else "evaluation"
    return f"up to {counted(trace.steps, noun)} each"


def trace_card(trace: _Trace) -> str:
    """Return a trace as HTML."""
    setting, reference = trace.setting, trace.reference
    facts = {
        "runs": f"{trace.runs:,}, {trace_size(trace)}",
        "budget": str(setting.budget),
        "table": "" if reference.kind == "measured" else reference.kind,
        "objective": f"{setting.objective.name} ({setting.objective.unit})",
        "incumbents": "recommended by the strategy" if trace.incumbent_kind == "recommended" else "",
        "optimum found": "",
        "imported from": str(setting.origin.get("format", "")),
    }
    for split in ("valid", "test"):
        if split in reference.means and not reference.knows_optimum(split):
            values, unit = trace.final(split), reference.metrics[split].unit
            known = values[~np.isnan(values)]
            if len(known):
                facts[f"{split} value at the end, median of runs"] = f"{np.median(known):.4g} ({unit})"
        elif split in reference.means:
            regret, unit = reference.regret(split, trace.final(split)), reference.metrics[split].unit
            facts[f"{split} regret at the end, median of runs"] = f"{_median(regret):.4g} ({unit})"
            facts["optimum found"] = f"by {np.mean(regret == 0):.1%} of runs ({split})"
    return html_card(f"{setting.label} on {setting.table}", facts)


def _median(regret: FloatArray) -> float:
    """Return the median over runs; a run without a value counts as infinitely bad."""
    return float(np.median(np.where(np.isnan(regret), np.inf, regret))) if len(regret) else float("nan")
