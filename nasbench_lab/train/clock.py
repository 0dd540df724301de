"""The clock that trainings are measured with."""

from __future__ import annotations

import time

import torch


def training_clock(device: torch.device) -> float:
    """Return seconds, of which only differences are meaningful.

    With one thread on a CPU they are processor time, so that other processes on the machine do not count; otherwise
    they are wall-clock time. The seconds of the tables that come with the package were measured with this clock.

    >>> start = training_clock(torch.device("cpu"))
    >>> training_clock(torch.device("cpu")) >= start
    True
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)  # or else work would be counted before it is done
    one_thread = device.type == "cpu" and torch.get_num_threads() == 1
    return time.process_time() if one_thread else time.perf_counter()
