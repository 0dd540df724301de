"""``nasbench-lab predictors show``: the results of an evaluation of predictors on the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.options import check_ending, make_grid, print_grid
from nasbench_lab.cli.verbosity import note, tell
from nasbench_lab.messages import as_command
from nasbench_lab.prediction import MEASURES, PredictorEvaluation, load_evaluation
from nasbench_lab.prediction.evaluation_results import TOTAL, measure_of
from nasbench_lab.prediction.trial_runs import SECONDS

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of `predictors run --out`.")]
Only = Annotated[
    list[str] | None,
    typer.Option(help="Use only this predictor, by label or by name for all encodings; may be repeated."),
]


def show(
    folder: Folder,
    measure: Annotated[
        str, typer.Option(help="Measure to print, e.g. kendall, mae, precision_10, regret_1.")
    ] = "kendall",
    predictor: Only = None,
    csv: Annotated[Path | None, typer.Option(help="Write all measures of every trial to this file.")] = None,
    summary: Annotated[
        Path | None, typer.Option(help="Write means over trials, with their intervals, to this file (.csv).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show stored results again: a row per predictor, a column per number of labels."""
    check_ending("--csv", csv, ".csv")
    check_ending("--summary", summary, ".csv")
    found = load_evaluation(folder)
    if predictor:
        found = found.only(predictor)
    measure_of(measure)
    if csv is not None:
        found.records().to_csv(csv)
    if summary is not None:
        found.summary().to_csv(summary)
    print_evaluation(found, measure, folder, as_json=as_json)
    if not as_json:
        for path in (csv, summary):
            if path is not None:
                tell(f"wrote {path}")


def print_evaluation(found: PredictorEvaluation, measure: str, folder: Path | None, *, as_json: bool) -> None:
    """Print an evaluation: as JSON all means, otherwise one measure."""
    words, settings = measure_of(measure), found.settings
    for each in found.predictors:
        if missing := float(each.of("missing").mean()) / settings.test:
            note(f"{each.label} has no prediction for {missing:.1%} of test architectures; they count as the worst")
    if as_json:
        print_json(
            {
                "table": settings.table,
                "test": settings.test,
                "test_from": settings.test_from,
                "networks": found.networks,
                "unit": found.unit,
                "folder": folder,
                "predictors": [
                    {"predictor": each.label, "model": each.name, "encoding": each.encoding, "trials": len(each.trials)}
                    for each in found.predictors
                ],
                "rows": _rows(found),
            }
        )
        return
    unit = f" ({found.unit})" if words.has_unit and found.unit else ""
    near = " near good ones" if settings.test_from == "good" else ""
    typer.echo(
        f"{settings.table}: {words.words}{unit} on {settings.test} unseen architectures{near}, by number of labels\n"
    )
    grid = make_grid("predictor")
    for heading in ("trials", *map(str, found.sizes)):
        grid.add_column(heading, justify="right", no_wrap=True)
    rows = found.rows(measure)
    for row in rows:
        grid.add_row(*row)
    print_grid(grid)
    if not all(map(all, rows)):
        tell("\nan empty cell: no value in any trial, since predictions are all equal, or missing")
    if any(len(each.trials) > 1 for each in found.predictors):
        tell("\nmeans over trials, with 95 % intervals of the mean")
    if folder is not None:
        tell(f"\ndraw it      {as_command('predictors', 'plot', folder, '--out', 'quality.pdf')}")


def _rows(found: PredictorEvaluation) -> list[dict[str, Any]]:
    """Return for JSON a row per predictor and number of labels, with means over trials and their intervals."""
    rows = []
    for each in found.predictors:
        measures = {name: each.intervals(name) for name in MEASURES}
        seconds = {name: each.intervals(name).estimate for name in (*SECONDS, TOTAL)}
        for place, size in enumerate(found.sizes):
            row = {"predictor": each.label, "labels": size, "trials": len(each.trials)}
            row |= {name: values.at(place) for name, values in measures.items()}
            rows.append(row | {name: float(values[place]) for name, values in seconds.items()})
    return rows
