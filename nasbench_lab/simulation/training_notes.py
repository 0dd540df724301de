"""What a reader should know about searches that trained networks themselves, one sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nasbench_lab.displays import counted
from nasbench_lab.simulation.setting import Setting

CUT_RUNS, FAILED_RUNS, CALIBRATION = "cut_runs", "failed_runs", "calibration"
"""Keys of `Setting.training`: the runs that took longer than the budget, those with weights that were not finite, and
how their seconds were brought to the clock of the table."""


def training_notes(setting: Setting) -> list[str]:
    """Return notes on the runs of a setting; none for simulations.

    >>> from nasbench_lab.simulation import Budget, Conditions
    >>> from nasbench_lab.tables.description import Metric
    >>> metric, conditions = Metric("accuracy", "valid", "%", "maximize", ""), Conditions(Budget(seconds=60), 12)
    >>> facts = {"cut_runs": [0, 2], "failed_runs": []}
    >>> training_notes(Setting("digits/topology", "", "darts", "darts", {}, conditions, 0, metric, training=facts))
    ['2 runs of darts on digits/topology took longer than 60 s; what they recommended later does not count']
    """
    what, notes = f"of {setting.label} on {setting.table}", []
    cut, failed = (setting.training.get(key) or [] for key in (CUT_RUNS, FAILED_RUNS))
    if cut:
        notes.append(
            f"{counted(len(cut), 'run')} {what} took longer than {setting.budget}; what they recommended later does "
            "not count"
        )
    if failed:
        notes.append(
            f"{counted(len(failed), 'run')} {what} ended early, as weights were not finite; the last recommendation "
            "before holds"
        )
    return notes + [f"{setting.label}: {text}" for text in _clock_notes(setting.training.get(CALIBRATION))]


def _clock_notes(calibrations: Any) -> list[str]:
    """Return why scales were not measured, each reason once."""
    several = calibrations if isinstance(calibrations, list) else [calibrations]
    return list(dict.fromkeys(each["note"] for each in several if isinstance(each, Mapping) and each.get("note")))
