"""Joining the traces of consecutive runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.reference import joined_reference
from nasbench_lab.simulation.run_arrays import join_runs
from nasbench_lab.simulation.setting import joined_setting, same_but_runs
from nasbench_lab.simulation.trace import Trace


def concatenate(traces: Sequence[Trace]) -> Trace:
    """Join the traces of consecutive runs of one simulation, in order.

    Raises:
        ParameterError: the traces are not of the same simulation, or not consecutive.
    """
    if not traces:
        raise ParameterError("there are no traces to join")
    run = traces[0].setting.first_run
    for trace in traces:
        if same_but_runs(trace.setting) != same_but_runs(traces[0].setting) or trace.setting.first_run != run:
            raise ParameterError("only traces of consecutive runs of one simulation can be joined")
        run += trace.runs
    if len(traces) == 1:
        return traces[0]
    arrays = join_runs([trace.arrays() for trace in traces])
    setting = joined_setting([trace.setting for trace in traces])
    stopped = np.concatenate([trace.stopped for trace in traces])
    reference = joined_reference([trace.reference for trace in traces])
    return Trace(setting, reference, **arrays, stopped=stopped)
