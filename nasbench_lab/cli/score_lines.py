"""Rank correlations of scores on the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping

import typer

from nasbench_lab.analysis.score_bias import CONVOLUTIONS, ScoreAgreement
from nasbench_lab.cli.options import make_grid, print_grid
from nasbench_lab.cli.verbosity import tell

_NOTHING = "-"


def print_agreements(
    found: Mapping[str, ScoreAgreement], metric: str, *, seconds: Mapping[str, str] | None = None
) -> None:
    """Print a row per score: its rank correlation over all architectures, among the best, and within groups.

    Args:
        found: by name of the score.
        metric: name of the true values.
        seconds: of every score, as text; nothing if there are none.
    """
    if not found:
        return
    groups = next(iter(found.values())).groups
    grid = make_grid("score")
    headings = ["all", "top fifth", *(["within groups"] if groups else []), "without a score"]
    for heading in [*headings, *(["seconds"] if seconds else [])]:
        grid.add_column(heading, justify="right", no_wrap=True)
    for name, each in found.items():
        numbers = [each.spearman, each.top_fifth, *([each.within] if groups else [])]
        missing = f"{each.without_score:,}" if each.without_score else ""
        grid.add_row(name, *map(_number, numbers), missing, *([seconds[name]] if seconds else []))
    typer.echo(f"\nscores: Spearman's rank correlation with {metric}")
    print_grid(grid)
    if groups:
        tell(f"groups: architectures with {groups}" if groups == CONVOLUTIONS else f"groups: {groups}")


def _number(value: float) -> str:
    return _NOTHING if math.isnan(value) else f"{value:.3f}"
