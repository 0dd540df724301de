"""Our numbers compared with published ones, as Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nasbench_lab.analysis.published import PublishedComparison
from nasbench_lab.report.paper.tables import markdown

_HEADINGS = ("table", "strategy", "split", "ours", "published", "difference", "in standard errors")
_SPLITS = {"valid": "validation", "test": "test"}


def published_table(rows: Sequence[PublishedComparison], title: str = "") -> str:
    """Return a Markdown page with our and the published mean ± standard deviation over runs, and the difference.

    The last column is the difference divided by its standard error. Protocols are never exactly the same: a large
    number shows that there is a difference, not whether it matters.

    >>> source = "Somebody 2020, table 1"
    >>> rows = [PublishedComparison("t", "random-search", "test", 100, 93.8, 0.3, 100, 93.7, 0.4, source)]
    >>> print(published_table(rows).splitlines()[-3])
    | t | random-search | test | 93.80 ± 0.30 | 93.70 ± 0.40 | +0.10 | +2.0 |
    """
    lines = [f"# {markdown(title or 'Beside published numbers')}", ""]
    lines += ["Mean ± standard deviation over runs, of the final incumbents' mean at the highest fidelity.", ""]
    lines += [_line(_HEADINGS), _line(["---"] * 3 + ["---:"] * 4)]
    lines += [_line(_cells(row)) for row in rows]
    sources = "; ".join(markdown(source) for source in dict.fromkeys(row.source for row in rows))
    return "\n".join([*lines, "", f"Published: {sources}."]) + "\n"


def _cells(row: PublishedComparison) -> list[str]:
    errors = row.difference / row.standard_error if row.standard_error > 0 else math.nan
    return [
        markdown(row.table),
        markdown(row.strategy),
        _SPLITS[row.split],
        f"{row.mean:.2f} ± {row.deviation:.2f}",
        f"{row.published_mean:.2f} ± {row.published_deviation:.2f}",
        f"{row.difference:+.2f}",
        "" if math.isnan(errors) else f"{errors:+.1f}",
    ]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
