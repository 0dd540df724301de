"""Verification of tables: checksums, ranges, known answers, and a repeated conversion of the published files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.errors import DataError
from nasbench_lab.tables import catalogue, store
from nasbench_lab.tables.description import Metric
from nasbench_lab.tables.known_answers import VerificationResult, check_known_answers
from nasbench_lab.tables.progress_callbacks import Report, silent
from nasbench_lab.tables.table import Table
from nasbench_lab.tables.tables_in_code import refuse_code

_MOST = float(np.finfo(np.float64).max)
_POSITIVE_UNITS = ("s", "ms", "millions", "mJ")
_ROWS = 2**16  # architectures per block, as tables may be larger than memory


def verify(name: str | os.PathLike[str], *, sources: bool = False, report: Report = silent) -> list[VerificationResult]:
    """Verify a table.

    The checks are:

    - every array matches its checksum,
    - every metric has values, all in the range of its unit,
    - the table reproduces the published numbers, if any are known for a table of its name.

    Args:
        name: name of a table in the catalogue, which is made if necessary, or path of a table file.
        sources: whether to convert the published files of a table of the catalogue again, and compare.
        report: see `nasbench_lab.tables.fetch`.

    Returns:
        The results of all checks; the table is valid if ``all(check.ok for check in verify(name))``.

    Raises:
        UnknownNameError, SourceError: the table is not available.
        DataError: the file is not a table.
        ParameterError: the table is code.

    >>> from nasbench_lab.tables import verify
    >>> all(check.ok for check in verify("digits/chain"))
    True
    """
    refuse_code(os.fspath(name), "it has no stored numbers to verify, unlike tables of the catalogue and table files")
    text = catalogue.full_name(os.fspath(name))
    named = catalogue.is_named(text)
    if named:
        catalogue.fetch(text, report=report)
    table = catalogue.load(text)
    checks = [VerificationResult("structure", True, repr(table).strip("<>")), *_check_metrics(table, report)]
    if all(check.ok for check in checks):  # a damaged file would fail the other checks, too
        checks += check_known_answers(table)
        if sources and named:
            checks.append(_check_sources(text, table, report))
    return checks


def _check_metrics(table: Table, report: Report) -> Iterator[VerificationResult]:
    """Check the checksum and the values of every metric."""
    for metric in table.description.metrics:
        report(f"checking {metric.name}", 0, 0)
        try:
            arrays = [table.values(metric.name), table.published_means(metric.name)]
        except DataError as error:
            yield VerificationResult(metric.name, False, str(error))
        else:
            yield _check_values(metric, [array for array in arrays if array is not None])


def _check_values(metric: Metric, arrays: Sequence[NDArray[Any]]) -> VerificationResult:
    """Check that a metric has values, all in the range of its unit; report the share of missing values."""
    known = total = 0
    least, most = np.inf, -np.inf
    for part in (array[first : first + _ROWS] for array in arrays for first in range(0, len(array), _ROWS)):
        present = part[~np.isnan(part)]
        known, total = known + present.size, total + part.size
        least, most = min(least, float(present.min(initial=np.inf))), max(most, float(present.max(initial=-np.inf)))
    if not known:
        return VerificationResult(metric.name, False, "all values are missing")
    found = f"{least:.6g} to {most:.6g} {metric.unit}".strip() + f", {1 - known / total:.1%} missing"
    finite = (0.0, _MOST) if metric.unit in _POSITIVE_UNITS else (-np.inf, np.inf)  # scores may be infinite
    low, high = metric.bounds or finite
    right = low <= least and most <= high
    return VerificationResult(metric.name, bool(right), found if right else f"{found}; allowed: {low:g} to {high:.6g}")


def _check_sources(name: str, table: Table, report: Report) -> VerificationResult:
    """Convert the published files again and compare the content."""
    with tempfile.TemporaryDirectory(prefix="nasbench-lab-") as folder:
        again = Path(folder) / "again.h5"
        catalogue.convert(name, again, report=report)
        same = store.open_table(again).checksum == table.checksum
    found = "the same table" if same else "another table; delete the file to make it again"
    return VerificationResult("published files, converted again", same, found)
