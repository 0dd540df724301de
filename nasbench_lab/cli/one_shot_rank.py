"""``nasbench-lab one-shot rank``: how well the scores of supernets rank architectures, over the epochs of training."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.ranked_scores import TOP_NAMES, RankedScores
from nasbench_lab.analysis.ranking_curves import (
    CORRELATIONS,
    MEASURES,
    RankingCurve,
    RankingCurves,
    column_name,
    correlation_text,
    mean_over_runs,
)
from nasbench_lab.analysis.score_rankings import PICKS, Truth
from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.options import Device, check_ending, make_grid, needs_torch, print_grid
from nasbench_lab.cli.progress import shown_progress
from nasbench_lab.cli.verbosity import tell
from nasbench_lab.displays import short_number
from nasbench_lab.errors import ParameterError
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import unknown
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.figures.ranking_curves import RANKING_AXES, RankingAxis, ranking_curves_figure
from nasbench_lab.report.figures.save import PAPER_FORMATS, save_figure_as
from nasbench_lab.report.figures.score_scatter import score_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TRUTHS: dict[Truth, str] = {"valid": "validation", "test": "test"}
_STOPPED = "finished scores are kept beside the supernets; run the same command again to continue"


def rank(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER...", help="Folders with supernets, one per method; or a folder of such folders."
        ),
    ],
    sample: Annotated[
        int | None, typer.Option(min=1, help="Number of different networks to score, drawn at random. [default: 400]")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Score all different networks of the table.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the sample.")] = 0,
    split: Annotated[str, typer.Option(help="Images to score on: valid or test.")] = "valid",
    truth: Annotated[
        str, typer.Option(help="Values of the table to rank by: valid, which a search observes, or test.")
    ] = "valid",
    pick: Annotated[
        int, typer.Option(min=1, help="Number of networks with the best scores that are looked up in the table.")
    ] = 10,
    table: Annotated[str | None, typer.Option(help="Table with the true values. [default: that of the search]")] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Data set to score on, a name or an .npz file. [default: that of the training]")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw the rank correlations over the training (.pdf, .svg or .png).")
    ] = None,
    scatter: Annotated[
        Path | None,
        typer.Option(
            help="Draw scores against true values after the last epoch of the first run (.pdf, .svg or .png)."
        ),
    ] = None,
    axis: Annotated[str, typer.Option(help="Horizontal axis of the figure: epochs or seconds.")] = "epochs",
    highlight: Annotated[
        list[str] | None, typer.Option(help="Draw all methods in grey except this one. May be repeated.")
    ] = None,
    style: Annotated[
        str, typer.Option(help="Size of the figures: single or double column, or slide (16:9).")
    ] = "single",
    csv: Annotated[Path | None, typer.Option(help="Write all measures of every run and epoch to this file.")] = None,
    device: Device = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Check how well shared weights rank architectures. Scores are kept, so a second call is fast."""
    needs_torch()
    if every and sample is not None:
        raise ParameterError("--all and --sample exclude each other")
    chosen, by = paper_style(style), _truth(truth)
    against: RankingAxis = next((each for each in RANKING_AXES if each == axis), "epochs")
    if axis != against:
        raise unknown("axis", axis, RANKING_AXES)
    check_ending("--csv", csv, ".csv")
    for out in (figure, scatter):
        if out is not None and out.suffix[1:] not in PAPER_FORMATS:
            raise ParameterError(
                f"the file must end in {', '.join(f'.{form}' for form in PAPER_FORMATS)}, got {out.name!r}"
            )
    from nasbench_lab.train.one_shot.snapshot_ranking import SAMPLE, rank_snapshots

    with shown_progress(_STOPPED) as told:
        told("scores", 0, 0)
        found = rank_snapshots(
            folders,
            table=table,
            dataset=dataset,
            architectures=None if every else sample or SAMPLE,
            seed=seed,
            split=split,
            picks=sorted({*PICKS, pick}),
            device=device,
            threads=threads,
            progress=lambda done, total: told("scores", done, total),
        )
    if by not in found.truths:
        raise ParameterError(f"{found.table} has no test values; leave out --truth")
    if csv is not None:
        found.records().to_csv(csv)
    if figure is not None:
        _save(ranking_curves_figure(found, axis=against, truth=by, highlight=highlight, style=chosen), figure, chosen)
    if scatter is not None:
        _save(score_figure(_single(found), truth=by, picks=pick, style=chosen), scatter, chosen)
    written = [each for each in (csv, figure, scatter) if each is not None]
    if as_json:
        print_json({**_about(found), "rows": _rows(found), "files": written})
        return
    _print(found, by, pick)
    for path in written:
        tell(f"wrote {path}")


def _truth(text: str) -> Truth:
    for name in _TRUTHS:
        if text == name:
            return name
    raise unknown("kind of true values", text, _TRUTHS)


def _save(drawn: Figure, path: Path, style: PaperStyle) -> None:
    with atomic_path(path) as temporary:
        save_figure_as(drawn, temporary, style=style)


def _single(found: RankingCurves) -> RankedScores:
    """Return the scores after the last epoch of the first run, if there is one method."""
    if len(found.curves) > 1:
        names = ", ".join(found.labels)
        raise ParameterError(f"--scatter shows one supernet; give the folder of one method, not of {names}")
    return found.last(found.labels[0]).scored


def _about(found: RankingCurves) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("table", "split", "architectures", "networks")}


def _rows(found: RankingCurves) -> list[dict[str, Any]]:
    """Return for JSON a row per method and epoch, with means over runs and their intervals."""
    rows = []
    for curve in found.curves:
        measures = {
            column_name(measure, at, truth): curve.intervals(measure, at, truth)
            for truth in found.truths
            for measure in MEASURES
            for at in (TOP_NAMES if measure in CORRELATIONS else found.picks)
        }
        seconds = mean_over_runs(curve.seconds).estimate
        for place, epoch in enumerate(curve.epochs.tolist()):
            row = {"method": curve.label, "epoch": epoch, "runs": len(curve.runs), "seconds": float(seconds[place])}
            rows.append(row | {name: values.at(place) for name, values in measures.items()})
    return rows


def _print(found: RankingCurves, truth: Truth, pick: int) -> None:
    """Print a row per epoch of a single method, or the last epochs of several."""
    grid = make_grid("method")
    for heading in (
        *("epochs", "runs", "Kendall", *list(TOP_NAMES.values())[1:]),
        *(f"precision@{pick}", *(f"regret@{k}" for k in dict.fromkeys((1, pick))), "seconds"),
    ):
        grid.add_column(heading, justify="right", no_wrap=True)
    several = len(found.curves) > 1
    for curve in found.curves:
        for place in range(len(curve.epochs))[-1:] if several else range(len(curve.epochs)):
            grid.add_row(*_cells(curve, place, truth, pick))
    images = f"the {_TRUTHS[_truth(found.split)]} images"
    typer.echo(
        f"{found.table}: {found.architectures:,} of {found.networks:,} networks, scored on {images}, "
        f"ranked by {_TRUTHS[truth]} values\n"
    )
    print_grid(grid)
    if any(len(curve.runs) > 1 for curve in found.curves):
        tell("\nmeans over runs, with 95 % intervals of the mean")
    chosen = "the best" if truth == "valid" else "the one with the best validation value"
    tell(f"regret@k: {found.unit(truth)} between the best network and {chosen} of the k with the highest scores")


def _cells(curve: RankingCurve, place: int, truth: Truth, pick: int) -> list[str]:
    correlations = [curve.intervals("kendall", share, truth).at(place) for share in TOP_NAMES]
    precision = float(curve.intervals("precision", pick, truth).estimate[place])
    regrets = [float(curve.intervals("regret", k, truth).estimate[place]) for k in dict.fromkeys((1, pick))]
    seconds = float(mean_over_runs(curve.seconds).estimate[place])
    return [
        *(curve.label, str(curve.epochs[place]), str(len(curve.runs))),
        # Intervals of all four would make the table too wide.
        *(
            correlation_text(each if share in (1.0, 0.2) else Interval(each.estimate, math.nan, math.nan))
            for share, each in zip(TOP_NAMES, correlations, strict=True)
        ),
        *("" if precision != precision else f"{precision:.2f}", *map(short_number, regrets), short_number(seconds)),
    ]
