"""The result of a validation on disk: a table of architectures, a table of strategies, confusion matrices, a figure."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.retraining import Validation
from nasbench_lab.analysis.run_summary import csv_text
from nasbench_lab.report.figures.retraining import validation_figure
from nasbench_lab.report.figures.save import FORMATS, save_figure

PICKS, STRATEGIES, DETAILS, FIGURE = "picks.csv", "strategies.csv", "details.json", "validation"
WEIGHTS = "weights"

VALIDATION_FILES = frozenset({PICKS, STRATEGIES, DETAILS, WEIGHTS, *(f"{FIGURE}.{kind}" for kind in FORMATS)})
"""Names of the files and folders that a validation writes."""


def write_validation(
    validations: Sequence[Validation],
    folder: Path,
    *,
    dataset: str,
    notation: Mapping[tuple[str, int], str],
    details: Mapping[str, Any],
) -> None:
    """Write a validation into a folder.

    Args:
        validations: one per table.
        folder: must exist.
        dataset: name of the data set of the trainings.
        notation: official notation of each architecture, by table and index.
        details: all other measurements, as plain data.
    """
    _write_csv(folder / PICKS, [row for each in validations for row in _pick_rows(each, notation)])
    _write_csv(folder / STRATEGIES, [row for each in validations for row in _strategy_rows(each)])
    (folder / DETAILS).write_text(json.dumps(details, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    save_figure(validation_figure(validations, dataset), folder, FIGURE)


def _pick_rows(validation: Validation, notation: Mapping[tuple[str, int], str]) -> list[dict[str, Any]]:
    return [
        {
            "table": pick.table,
            "strategy": pick.strategy,
            "rank": pick.rank,
            "index": pick.architecture,
            "architecture": notation[pick.table, pick.architecture],
            "runs": pick.runs,
            "observed": "" if math.isnan(pick.observed) else f"{pick.observed:.6g}",
            "promised": f"{pick.promised:.6g}",
            **_cells("trained", validation.trained[pick.architecture]),
        }
        for pick in validation.picks
    ]


def _strategy_rows(validation: Validation) -> list[dict[str, Any]]:
    zero = Interval(0.0, 0.0, 0.0)
    return [
        {
            "table": validation.table,
            "strategy": strategy,
            **_cells("trained", trained),
            **_cells("lead_of_the_promised_winner", validation.lead.get(strategy, zero)),
            "promised_winner": validation.winner,
            "verdict": validation.verdict,
            **_cells("rank_correlation", validation.correlation),
        }
        for strategy, trained in validation.strategies.items()
    ]


def _cells(name: str, interval: Interval) -> dict[str, str]:
    return {
        name: f"{interval.estimate:.6g}",
        f"{name}_low": f"{interval.low:.6g}",
        f"{name}_high": f"{interval.high:.6g}",
    }


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: csv_text(cell) if isinstance(cell, str) else cell for name, cell in row.items()})
