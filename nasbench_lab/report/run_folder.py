"""The result of a comparison on disk: traces, summary and figure in one folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nasbench_lab.analysis import Summary, to_csv
from nasbench_lab.analysis.collected_runs import CollectedRuns, collect_runs, join_runs
from nasbench_lab.analysis.studies.pipeline import CollectedResults
from nasbench_lab.errors import ParameterError
from nasbench_lab.files import atomic_path
from nasbench_lab.report.figures.regret import overview_figure
from nasbench_lab.report.figures.save import FORMATS, save_figure
from nasbench_lab.simulation.trace import Trace
from nasbench_lab.simulation.trace_files import traces_writer

TRACES = "traces.h5"
"""Name of the file of traces in the folder of ``nasbench-lab run``."""
SUMMARY, FIGURE = "summary.csv", "regret"

FILES = frozenset({TRACES, SUMMARY, *(f"{FIGURE}.{kind}" for kind in FORMATS)})
"""Names of the files in a result folder."""


def write_result(traces: Iterable[Trace], folder: Path) -> list[Summary]:
    """Write traces, their summary and the regret figure into a folder, and return the summary.

    The traces are written one by one, and need not be in memory together.

    Raises:
        ParameterError: there are no traces.
    """
    return write_overview(list(write_traces(([trace] for trace in traces), folder)), folder)


def write_traces(simulations: Iterable[Iterable[Trace]], folder: Path) -> Iterator[CollectedRuns]:
    """Write the traces file of a folder; yield what its summary and figure need of each simulation.

    Args:
        simulations: the blocks of consecutive runs of each simulation, in order.
        folder: the folder.
    """
    with atomic_path(folder / TRACES) as temporary, traces_writer(temporary) as writer:
        for simulation in simulations:
            collected: list[CollectedRuns] = []
            writer.add(_collecting(simulation, collected))
            yield join_runs(collected)


def _collecting(blocks: Iterable[Trace], collected: list[CollectedRuns]) -> Iterator[Trace]:
    """Yield blocks after collecting them."""
    for block in blocks:
        collected.append(collect_runs([block]))
        yield block


def write_overview(runs: Sequence[CollectedRuns], folder: Path) -> list[Summary]:
    """Write the summary and the regret figure of simulations into a folder, and return the summary.

    Raises:
        ParameterError: there are no simulations.
    """
    if not runs:
        raise ParameterError("there are no traces to save")
    summaries = [each.summary for each in runs]
    (folder / SUMMARY).write_text(to_csv(summaries), encoding="utf-8")
    save_figure(overview_figure(CollectedResults(runs)), folder, FIGURE)
    return summaries
