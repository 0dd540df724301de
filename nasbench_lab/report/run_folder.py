"""The result of a comparison on disk: traces, summary and figure in one folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nasbench_lab.analysis import Summary, summarize, to_csv
from nasbench_lab.report.figures.regret import overview_figure
from nasbench_lab.report.figures.save import FORMATS, save_figure
from nasbench_lab.simulation import save_traces
from nasbench_lab.simulation.trace import Trace

TRACES, SUMMARY, FIGURE = "traces.h5", "summary.csv", "regret"

FILES = frozenset({TRACES, SUMMARY, *(f"{FIGURE}.{kind}" for kind in FORMATS)})
"""Names of the files in a result folder."""


def write_result(traces: Sequence[Trace], folder: Path) -> list[Summary]:
    """Write the traces, their summary and the regret figure into a folder, and return the summary."""
    save_traces(traces, folder / TRACES)
    summaries = [summarize(trace) for trace in traces]
    (folder / SUMMARY).write_text(to_csv(summaries), encoding="utf-8")
    save_figure(overview_figure(traces), folder, FIGURE)
    return summaries
