"""Final results of runs, compared with those that a publication reports for the same search."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from nasbench_lab.analysis.run_summary import Summary, summarize_blocks
from nasbench_lab.simulation.published import Published
from nasbench_lab.simulation.results import Results
from nasbench_lab.simulation.setting import Setting
from nasbench_lab.simulation.trace import Trace


@dataclass(frozen=True)
class PublishedComparison:
    """One of our numbers and the published one, in the metric's unit.

    Attributes:
        table: name of the table.
        strategy: label of the strategy.
        split: ``"valid"`` or ``"test"``.
        runs, mean, deviation: our number of runs with a value, and mean and standard deviation over them.
        published_runs, published_mean, published_deviation: the published ones; ``published_runs`` is None where the
            publication does not state it.
        source: the publication.
    """

    table: str
    strategy: str
    split: str
    runs: int
    mean: float
    deviation: float
    published_runs: int | None
    published_mean: float
    published_deviation: float
    source: str

    @property
    def difference(self) -> float:
        """Our mean minus the published one."""
        return self.mean - self.published_mean

    @property
    def standard_error(self) -> float:
        """The standard error of the difference; NaN where the publication does not state its number of runs.

        >>> PublishedComparison("t", "s", "test", 100, 93.8, 0.3, 100, 93.7, 0.4, "somewhere").standard_error
        0.05
        """
        if self.published_runs is None:
            return float("nan")
        return math.sqrt(self.deviation**2 / self.runs + self.published_deviation**2 / self.published_runs)


def compare_with_published(
    traces: Results | Iterable[Trace], published: Sequence[Published]
) -> list[PublishedComparison]:
    """Return a comparison for each published number about one of the traces, in the order of the traces.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "random-search", runs=9, budget=nl.Budget(evaluations=20))
    >>> row = Published("random-search", trace.setting.table, "nowhere, table 1", test=(90.0, 1.0))
    >>> [(found.split, found.published_mean) for found in compare_with_published([trace], [row])]
    [('test', 90.0)]
    """
    found = []
    for setting, blocks in _simulations(traces):
        rows = [row for row in published if (row.strategy, row.table) == (setting.strategy, setting.table)]
        if rows:
            ours = summarize_blocks(blocks)
            found += [comparison for row in rows for comparison in _of_row(ours, row)]
    return found


def _simulations(traces: Results | Iterable[Trace]) -> Iterator[tuple[Setting, Iterator[Trace]]]:
    """Yield the setting and the blocks of each simulation; only blocks that are asked for are read."""
    if isinstance(traces, Results):
        yield from ((setting, traces.blocks(number)) for number, setting in enumerate(traces.settings))
    else:
        yield from ((trace.setting, trace.blocks()) for trace in traces)


def _of_row(ours: Summary, row: Published) -> Iterable[PublishedComparison]:
    for split, theirs in (("valid", row.valid), ("test", row.test)):
        if theirs is not None:
            yield PublishedComparison(
                table=ours.table,
                strategy=ours.strategy,
                split=split,
                runs=getattr(ours, f"{split}_runs"),
                mean=getattr(ours, f"{split}_mean"),
                deviation=getattr(ours, f"{split}_std"),
                published_runs=row.runs,
                published_mean=theirs[0],
                published_deviation=theirs[1],
                source=row.source,
            )
