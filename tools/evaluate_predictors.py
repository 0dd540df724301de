"""Evaluate predictors of performance on three tables, with four encodings: results/predictors.

Run it in the root of the repository: ``python tools/evaluate_predictors.py``. It needs the published files of
NATS-Bench. A trial takes about a minute of one core. Finished trials are kept in build/predictors, and it resumes there
when it was stopped: trials come in rounds of ten over all tables, so results of all predictors grow together. With
``--write``, it only writes what is finished.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

import nasbench_lab as nl
from nasbench_lab.files import atomic_path
from nasbench_lab.prediction import PredictorEvaluation, evaluate, load_evaluation
from nasbench_lab.records import Records
from nasbench_lab.report.figures.predictor_map import predictor_map_figure
from nasbench_lab.report.figures.predictor_quality import predictor_quality_figure
from nasbench_lab.report.figures.save import save_figure_as

ROOT = Path(__file__).resolve().parent.parent
MODELS = (
    "ridge",
    "bayesian-ridge",
    "knn",
    "svr",
    "decision-tree",
    "random-forest",
    "extra-trees",
    "gradient-boosting",
    "hist-gradient-boosting",
    "mlp",
    "gaussian-process",
    "network-ensemble",
    "pairwise-ranker",
)
ENCODINGS = ("one-hot", "adjacency", "path", "graph-features")
CURVES = ("last-value", "sum-of-losses", "sum-of-losses:last=1", "power-law", "log-power", "curve-model")
OTHERS: Mapping[str, Sequence[str]] = {
    "nats-bench-tss/cifar10": ("last-value", "curve-model", "zero-cost:score=synflow", "zero-cost:score=naswot"),
    "digits/topology": CURVES,
    "digits/cell101": ("last-value", "sum-of-losses", "sum-of-losses:last=1", "curve-model"),
}
"""The tables, and the predictors without encodings that they have data for."""
DRAWN = 9
"""Number of predictors in the figures of lines: each model with its best encoding, best first."""
KEPT = ("predictor", "labels", "trials", "kendall", "pearson", "mae", "precision_10", "regret_1", "seconds")
"""Beginnings of the names of columns of summary.csv."""
LABELS = (24, 205)
"""Numbers of labels in the table of the page."""


def main() -> None:
    """Evaluate in rounds, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "predictors")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "predictors")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="only write what is finished")
    given = parser.parse_args()
    if not given.write:
        for done in range(10, given.trials + 10, 10):
            for table in OTHERS:
                _evaluate(table, min(done, given.trials), given.work, given.processes)
    found = {table: load_evaluation(_folder(given.work, table)) for table in OTHERS}
    given.out.mkdir(parents=True, exist_ok=True)
    Records.stack([_with_table(each.summary(), table) for table, each in found.items()]).to_csv(
        given.out / "summary.csv"
    )
    for table, each in found.items():
        name = table.replace("/", "-")
        for path, figure in (
            (given.out / f"{name}-map.png", predictor_map_figure(each, style="double")),
            (given.out / f"{name}-labels.png", predictor_quality_figure(_best(each), style="double")),
            (given.out / f"{name}-seconds.png", predictor_quality_figure(_best(each), axis="seconds", style="double")),
        ):
            with atomic_path(path) as temporary:
                save_figure_as(figure, temporary)
    (given.out / "table.md").write_text(_page(found), encoding="utf-8")


def _folder(work: Path, table: str) -> Path:
    return work / table.replace("/", "-")


def _evaluate(table: str, trials: int, work: Path, processes: int) -> None:
    evaluate(
        nl.load(table),
        [*MODELS, *OTHERS[table]],
        encodings=ENCODINGS,
        trials=trials,
        processes=processes,
        out=_folder(work, table),
        progress=lambda done, total: print(f"{table}: {done} of {total} trials", flush=True),
    )


def _with_table(records: Records, table: str) -> Records:
    """Return the columns that are kept, in four decimals; the folders have all digits of all measures."""
    from nasbench_lab.records import Categories

    columns = {
        name: column if isinstance(column, Categories) or column.dtype.kind == "i" else np.round(column, 4)
        for name, column in records.columns.items()
        if any(name.startswith(kept) for kept in KEPT)
    }
    return Records({"table": Categories.constant(table, len(records)), **columns}, records.units)


def _best(found: PredictorEvaluation) -> PredictorEvaluation:
    """Return the predictors of a figure: each model with its best encoding."""
    names: dict[str, str] = {}
    for label, _ in found.ranked():
        names.setdefault(found.predictor(label).name, label)
    return found.only(list(names.values())[:DRAWN])


def _page(found: Mapping[str, PredictorEvaluation]) -> str:
    """Return Kendall's rank correlation of every predictor on every table, as Markdown."""
    labels = list(dict.fromkeys(label for each in found.values() for label in each.labels))
    columns = [(table, size) for table in found for size in LABELS]
    rows = {}
    for label in labels:
        rows[label] = [
            found[table].predictor(label).intervals().at(found[table].place(size))
            if label in found[table].labels
            else None
            for table, size in columns
        ]
    shared = [place for place, (_, size) in enumerate(columns) if size == LABELS[-1]]

    def key(label: str) -> float:
        known = [rows[label][place] for place in shared]
        return -float(np.mean([each.estimate for each in known if each is not None]))

    order = sorted(labels, key=key)
    header = ["predictor", *(f"{table}, {size} labels" for table, size in columns)]
    lines = [header, ["---"] * len(header)]
    lines += [[label, *map(_cell, rows[label])] for label in order]
    trials = {table: max(len(each.trials) for each in evaluation.predictors) for table, evaluation in found.items()}
    counts = ", ".join(f"{count} on {table}" for table, count in trials.items())
    return "\n".join([f"Trials: {counts}.", "", *("| " + " | ".join(line) + " |" for line in lines)]) + "\n"


def _cell(interval: object) -> str:
    from nasbench_lab.analysis.intervals import Interval

    if not isinstance(interval, Interval) or np.isnan(interval.estimate):
        return ""
    half = (interval.high - interval.low) / 2
    return f"{interval.estimate:.2f} ± {half:.2f}"


if __name__ == "__main__":
    main()
