"""Collected runs: what a study needs of a simulation. Its evaluations are only needed block by block."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from functools import cached_property

from nasbench_lab.analysis.run_summary import RunEnds, Summary, join_ends, run_ends, summarize_ends
from nasbench_lab.analysis.trajectories import Trajectories, incumbent_trajectories, join_trajectories
from nasbench_lab.simulation.reference import Reference, joined_reference
from nasbench_lab.simulation.setting import Setting, joined_setting
from nasbench_lab.simulation.trace import Trace


@dataclasses.dataclass(frozen=True, eq=False)
class CollectedRuns:
    """The runs of one simulation without their evaluations.

    Attributes:
        setting: setting of the simulation.
        reference: the table's means of every architecture.
        trajectories: incumbents of the runs.
        ends: numbers at the end of every run.
        fidelities: lowest and highest fidelity of the evaluations; None without evaluations.
    """

    setting: Setting
    reference: Reference
    trajectories: Trajectories
    ends: RunEnds
    fidelities: tuple[int, int] | None

    @cached_property
    def summary(self) -> Summary:
        """The summary of the runs."""
        return summarize_ends(self.setting, self.reference, self.ends)


def collect_runs(blocks: Iterable[Trace]) -> CollectedRuns:
    """Collect the runs of one simulation from its blocks, in order. Only one block is in memory at a time.

    The result is the same, bit for bit, for all sizes of blocks, and for one block with all runs.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.analysis import summarize
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "random-search", runs=9, budget=nl.Budget(evaluations=20))
    >>> collect_runs(trace.blocks(evaluations=40)).summary == summarize(trace)
    True
    """
    return join_runs([_of_block(block) for given in blocks for block in given.blocks()])


def join_runs(blocks: Sequence[CollectedRuns]) -> CollectedRuns:
    """Join consecutive runs of one simulation, in order."""
    fidelities = [each for block in blocks for each in block.fidelities or ()]
    return CollectedRuns(
        joined_setting([block.setting for block in blocks]),
        joined_reference([block.reference for block in blocks]),
        join_trajectories([block.trajectories for block in blocks]),
        join_ends([block.ends for block in blocks]),
        (min(fidelities), max(fidelities)) if fidelities else None,
    )


def _of_block(trace: Trace) -> CollectedRuns:
    fidelity = trace.fidelity[trace.mask]
    fidelities = (int(fidelity.min()), int(fidelity.max())) if fidelity.size else None
    return CollectedRuns(trace.setting, trace.reference, incumbent_trajectories(trace), run_ends(trace), fidelities)
