"""Names of axes and columns: evaluations, or seconds that are simulated or measured."""

from __future__ import annotations

from collections.abc import Sequence

from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.analysis.trajectories import TimeAxis

AXES: tuple[TimeAxis, ...] = ("evaluations", "seconds")


def axis_words(study: Study, axis: TimeAxis, places: Sequence[int] | None = None) -> str:
    """Return the name of an axis; the seconds of searches that train networks while they run are measured.

    Args:
        study: the study.
        axis: of the figure.
        places: positions of the tasks on the axis; None for all.

    >>> from types import SimpleNamespace
    >>> study = SimpleNamespace(tasks=[SimpleNamespace(table_kind=kind) for kind in ("measured", "live")])
    >>> axis_words(study, "evaluations"), axis_words(study, "seconds")
    ('evaluations', 'simulated or measured seconds')
    >>> axis_words(study, "seconds", [0]), axis_words(study, "seconds", [1])
    ('simulated seconds', 'measured seconds')
    """
    if axis == "evaluations":
        return axis
    tasks = study.tasks if places is None else [study.tasks[place] for place in places]
    live = {task.table_kind == "live" for task in tasks}
    if len(live) > 1:
        return "simulated or measured seconds"
    return "measured seconds" if True in live else "simulated seconds"
