"""The verdict of a surrogate on the terminal."""

from __future__ import annotations

import typer

from nasbench_lab.prediction.surrogates.verdict import Verdict


def print_verdict(verdict: Verdict) -> None:
    """Print what was found when a surrogate was checked."""
    lines = verdict.lines()
    width = max(map(len, lines)) + 2
    for key, value in lines.items():
        typer.echo(f"{key:<{width}}{value}")
