"""Compute the landscapes of all tables at hand, and write them into results/landscape as one table and one figure.

Tables that would need a download of hundreds of megabytes are left out unless they were fetched. It takes about two
minutes on one thread.

    python tools/compare_landscapes.py
"""

from __future__ import annotations

import csv
import math
import time
from pathlib import Path

import nasbench_lab as nl
from nasbench_lab.analysis import Landscape, OptimaNetwork, landscape, optima_network
from nasbench_lab.errors import SourceError
from nasbench_lab.files import atomic_path
from nasbench_lab.report import landscape_comparison_figure, landscapes_table, save_figure_as
from nasbench_lab.report.figures.paper_styles import paper_style

RESULTS = Path(__file__).resolve().parent.parent / "results" / "landscape"
STYLE = "double"


def main() -> None:
    """Write the results."""
    found: list[tuple[Landscape, OptimaNetwork]] = []
    for name in nl.list_tables():
        try:
            table = nl.load(name)
        except SourceError:
            print(f"{name}: not on this machine")
            continue
        started = time.process_time()
        found.append((landscape(table), optima_network(table)))
        print(f"{name}: {time.process_time() - started:.1f} s")
    landscapes = [each for each, _ in found]
    _write_csv(found)
    figure, style = landscape_comparison_figure(landscapes, style=STYLE), paper_style(STYLE)
    for kind in ("pdf", "png"):
        with atomic_path(RESULTS / f"landscapes.{kind}") as temporary:
            save_figure_as(figure, temporary, style=style)
    with atomic_path(RESULTS / "landscapes.md") as temporary:
        temporary.write_text(landscapes_table(landscapes).to_markdown(), encoding="utf-8")


def _write_csv(found: list[tuple[Landscape, OptimaNetwork]]) -> None:
    """Write one row per table with all statistics, and those of the local optima network."""
    rows = []
    for each, network in found:
        row = {"table": each.table, "metric": each.metric.name, "fidelity": str(each.fidelity)}
        row |= {name: _text(value.estimate) for name, value in each.statistics().items()}
        row |= {"network_runs": str(network.runs or "complete")}
        row |= {f"network_{name}": _text(value) for name, value in network.statistics().items()}
        rows.append(row)
    names = dict.fromkeys(name for row in rows for name in row)
    with (
        atomic_path(RESULTS / "landscapes.csv") as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, list(names), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _text(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


if __name__ == "__main__":
    main()
