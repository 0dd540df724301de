"""Stored runs: consecutive runs of one simulation that are read on demand, and operations that do not read them yet."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import DataError
from nasbench_lab.simulation.reference import Reference
from nasbench_lab.simulation.run_arrays import MISSING
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.trace import Trace
from nasbench_lab.simulation.trace_files import TraceHeader, TraceReader

_ROUNDING = 1e-12
"""Relative difference below which means over repeats count as equal: other machines may add in another order."""

_FLOATS = ("observed", "time")


class StoredRuns(NamedTuple):
    """Consecutive runs of one simulation, with functions that read them.

    Attributes:
        setting: of the runs.
        runs: their number.
        load: returns all runs.
        blocks: yields the runs in blocks of at most a number of evaluations, see `Trace.blocks`.
        digest: a digest of their content: runs of the same setting with the same digest are the same. Empty if unknown.
        code: SHA-256 of the file that defines the strategy; empty if unknown, and for strategies of this package.
    """

    setting: Setting
    runs: int
    load: Callable[[], Trace]
    blocks: Callable[[int | None], Iterator[Trace]]
    digest: str = ""
    code: str = ""

    @property
    def first(self) -> int:
        """The number of the first run."""
        return self.setting.first_run

    @property
    def end(self) -> int:
        """One more than the number of the last run."""
        return self.setting.first_run + self.runs

    def under(self, setting: Setting) -> StoredRuns:
        """Return the same runs with another setting, such as one with another label; its first run is ignored."""
        wanted = dataclasses.replace(setting, first_run=self.first)
        if wanted == self.setting:
            return self
        return StoredRuns(
            wanted,
            self.runs,
            functools.partial(_load_under, self, wanted),
            functools.partial(_blocks_under, self, wanted),
            self.digest,
            self.code,
        )

    def only(self, first: int, end: int) -> StoredRuns:
        """Return the runs from ``first`` to ``end`` (exclusive), which must be among these."""
        if (first, end) == (self.first, self.end):
            return self
        return StoredRuns(
            dataclasses.replace(self.setting, first_run=first),
            end - first,
            functools.partial(_load_only, self, first, end),
            functools.partial(_blocks_only, self, first, end),
            code=self.code,
        )


def in_memory(trace: Trace) -> StoredRuns:
    """Return the runs of a trace that is in memory."""
    return StoredRuns(trace.setting, trace.runs, functools.partial(_same, trace), trace.blocks)


def in_file(header: TraceHeader, reader: TraceReader, path: Path, number: int = 0) -> StoredRuns:
    """Return the runs of one trace of a file."""
    where = path, number
    load, blocks = functools.partial(reader.trace, *where), functools.partial(reader.blocks, *where)
    return StoredRuns(header.setting, header.runs, load, blocks, header.digest)


def first_difference(one: StoredRuns, other: StoredRuns) -> int | None:
    """Return the first run, among those that both have, in which they differ; None if they do not differ.

    The runs are read block by block. Settings are not compared. If the references differ, all runs do.

    Raises:
        DataError: a file is damaged.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> table, options = synthetic_table(), {"budget": nl.Budget(evaluations=3)}
    >>> first, later, other = (
    ...     in_memory(nl.simulate(table, "random-search", **numbers, **options))
    ...     for numbers in ({"runs": 6}, {"runs": 4, "first_run": 4}, {"runs": 6, "seed": 1})
    ... )
    >>> first_difference(first, later), first_difference(other, later)
    (None, 4)
    """
    start, end = max(one.first, other.first), min(one.end, other.end)
    if start >= end or (one.digest and (one.digest, one.first) == (other.digest, other.first)):
        return None
    blocks, others = one.only(start, end).blocks(None), other.only(start, end).blocks(None)
    block, another = _next(blocks, one), _next(others, other)
    if not same_reference(block.reference, another.reference):
        return start
    while True:
        together = min(block.runs, another.runs)
        differ = _differing(_rows(block, 0, together), _rows(another, 0, together))
        if differ is not None:
            return start + differ
        start += together
        if start == end:
            return None
        block = _rows(block, together, block.runs) if block.runs > together else _next(blocks, one)
        another = _rows(another, together, another.runs) if another.runs > together else _next(others, other)


def same_reference(one: Reference, other: Reference) -> bool:
    """Return whether two references have the same means of the architectures that both have, up to rounding."""
    return one is other or (
        set(one.means) == set(other.means)
        and one.metrics == other.metrics
        and one.kind == other.kind
        and (_agree(one, other) if one.members is not None and other.members is not None else _equal(one, other))
    )


def _equal(one: Reference, other: Reference) -> bool:
    means = all(_close(means, other.means[name]) for name, means in one.means.items())
    return (
        means and np.array_equal(_feasible(one), _feasible(other)) and (one.members is None) == (other.members is None)
    )


def _agree(one: Reference, other: Reference) -> bool:
    """Return whether references agree about the architectures that both have."""
    if one.kind == "live":  # the later one may know more repeats, and so other means
        return True
    assert one.members is not None  # noqa: S101 - the caller makes sure
    assert other.members is not None  # noqa: S101
    both = np.intersect1d(one.members, other.members)
    means = all(_close(one.at(name, both), other.at(name, both)) for name in one.means)
    return means and np.array_equal(one.keeps_limits(both), other.keeps_limits(both))


def check_same(trace: Trace, part: StoredRuns) -> None:
    """Raise DataError if a file was replaced by another while it was being read."""
    if trace.setting != dataclasses.replace(part.setting, first_run=trace.setting.first_run):
        raise _changed(part)


def _close(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.shape == other.shape and np.allclose(one, other, rtol=_ROUNDING, atol=0.0, equal_nan=True)


def _feasible(reference: Reference) -> NDArray[Any]:
    return np.empty(0, bool) if reference.feasible is None else reference.feasible


def _differing(one: Trace, other: Trace) -> int | None:
    """Return the first row in which traces of as many runs differ, whatever the number of missing steps at the end.

    Seconds of searches that trained networks were measured, and differ. So may the number of steps within the budget.
    """
    if one.setting.trains_networks and other.setting.trains_networks:
        return _recommending_differently(one, other)
    steps = max(one.steps, other.steps)
    differs = one.stopped != other.stopped
    for name in (one.arrays().keys() | other.arrays().keys()) & MISSING.keys():
        missing = MISSING[name]
        left, right = (_filled(trace, name, steps, missing) for trace in (one, other))
        unequal = left != right
        if name in _FLOATS:
            unequal &= ~(np.isnan(left) & np.isnan(right))
        differs = differs | unequal.any(axis=1)
    return int(np.argmax(differs)) if differs.any() else None


def _recommending_differently(one: Trace, other: Trace) -> int | None:
    """Return the first row in which what was recommended differs in a step that both traces have."""
    steps = min(one.steps, other.steps)
    both = one.mask[:, :steps] & other.mask[:, :steps]
    left, right = (trace.incumbent()[:, :steps] for trace in (one, other))
    differs = ((left != right) & both).any(axis=1)
    return int(np.argmax(differs)) if differs.any() else None


def _filled(trace: Trace, name: str, steps: int, missing: float) -> NDArray[Any]:
    """Return an array of a trace with the given number of steps."""
    array = trace.arrays().get(name)
    if array is None:
        return np.full((trace.runs, steps), missing)
    if array.shape[1] == steps:
        return array
    more = np.full((len(array), steps - array.shape[1]), missing, array.dtype)
    return np.concatenate([array, more], axis=1)


def _next(blocks: Iterator[Trace], part: StoredRuns) -> Trace:
    """Return the next block; raise DataError if a file has fewer runs than it said."""
    block = next(blocks, None)
    if block is None:
        raise _changed(part)
    return block


def _changed(part: StoredRuns) -> DataError:
    return DataError(f"results of {part.setting.label!r} on {part.setting.table!r} changed while being read")


def _rows(trace: Trace, first: int, end: int) -> Trace:
    """Return some rows of a trace."""
    setting = dataclasses.replace(trace.setting, first_run=trace.setting.first_run + first)
    return Trace(setting, trace.reference, **{name: array[first:end] for name, array in trace.arrays().items()})


def _load_under(part: StoredRuns, setting: Setting) -> Trace:
    trace = part.load()
    check_same(trace, part)
    return dataclasses.replace(trace, setting=setting)


def _blocks_under(part: StoredRuns, setting: Setting, evaluations: int | None) -> Iterator[Trace]:
    for block in part.blocks(evaluations):
        check_same(block, part)
        yield dataclasses.replace(block, setting=dataclasses.replace(setting, first_run=block.setting.first_run))


def _load_only(part: StoredRuns, first: int, end: int) -> Trace:
    trace = part.load()
    check_same(trace, part)
    return _rows(trace, first - part.first, end - part.first)


def _blocks_only(part: StoredRuns, first: int, end: int, evaluations: int | None) -> Iterator[Trace]:
    for block in part.blocks(evaluations):
        check_same(block, part)
        here = block.setting.first_run
        if here >= end:
            return
        if here + block.runs > first:
            yield _rows(block, max(first - here, 0), min(end - here, block.runs))


def _same(trace: Trace) -> Trace:
    return trace
