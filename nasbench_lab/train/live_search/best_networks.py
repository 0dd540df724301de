"""The end of a live search: the best architectures are trained again from several seeds, and kept as files."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_lab.errors import OutputError
from nasbench_lab.files import atomic_path
from nasbench_lab.train.build.run import ExecutionOptions
from nasbench_lab.train.live_search.exported_networks import NO_EXPORT, export_network
from nasbench_lab.train.live_search.search_folder import StoredSearch
from nasbench_lab.train.live_search.search_steps import LiveStep
from nasbench_lab.train.pick_training import Trained, train_picks
from nasbench_lab.train.saved_weights import load

BEST, DETAILS, ROWS = "best", "best.json", "best.csv"
_SCORES = ("accuracy", "precision", "recall", "f1")


@dataclasses.dataclass(frozen=True)
class BestNetwork:
    """An architecture that was retrained.

    Attributes:
        rank: from 1.
        architecture: index.
        notation: of the architecture.
        observed: value in the search, in percent.
        seeds: of the trainings.
        valid_accuracy, test_accuracy: in percent, one per seed; None for a failed training.
        test_precision, test_recall, test_f1: macro averages over classes in percent, one per seed.
        confusion: test images of each class (row) taken for each (column), one per seed.
        parameters, flops: of the network.
        latency: median seconds for one image.
        weights: files of the weights, one per seed, relative to the folder of all searches.
        exported: file of the network with the best validation accuracy; empty if it was not exported.
        note: why it was not exported; empty if it was, or was not asked for.
    """

    rank: int
    architecture: int
    notation: str
    observed: float
    seeds: tuple[int, ...]
    valid_accuracy: tuple[float | None, ...]
    test_accuracy: tuple[float | None, ...]
    test_precision: tuple[float | None, ...]
    test_recall: tuple[float | None, ...]
    test_f1: tuple[float | None, ...]
    confusion: tuple[Any, ...]
    parameters: int
    flops: int
    latency: float
    weights: tuple[str, ...]
    exported: str
    note: str = ""


def retrain_best(
    search: StoredSearch, best: Sequence[LiveStep], image: tuple[int, int, int], how: ExecutionOptions
) -> list[BestNetwork]:
    """Train the best architectures from several seeds, keep their weights, and export the best of each.

    What was finished before is used.

    Args:
        search: the search.
        best: its best evaluations, the best first.
        image: channels, height and width.
        how: processes, device and so on.

    Raises:
        NasbenchLabError: see `nasbench_lab.train.pick_training.train_picks`.
    """
    plan = search.plan
    place = search.folder / BEST / plan.name
    work = place / f"{plan.seeds}-seeds"
    recipe = dataclasses.replace(plan.spec.recipe, epochs=plan.spec.fidelities[-1])
    spec = dataclasses.replace(plan.spec.as_build, recipe=recipe, budgets=(), seeds=tuple(range(plan.seeds)))
    trained = train_picks(spec, [step.architecture for step in best], work, how)
    space = plan.spec.made_space
    found = []
    for rank, step in enumerate(best, start=1):
        each = trained[step.architecture]
        exported, note = _exported(each, image, place / f"rank-{rank}", plan.export)
        found.append(
            BestNetwork(
                rank=rank,
                architecture=step.architecture,
                notation=space.format(step.architecture),
                observed=step.observed,
                seeds=spec.seeds,
                valid_accuracy=_plain(each.valid_accuracy),
                test_accuracy=_plain(each.test_accuracy),
                **_scores(each),
                confusion=tuple(each.confusion.tolist()),
                parameters=each.parameters,
                flops=each.flops,
                latency=each.costs.latency_1,
                weights=tuple(path.relative_to(search.folder).as_posix() for path in each.weights),
                exported="" if exported is None else exported.relative_to(search.folder).as_posix(),
                note=note,
            )
        )
    _write(found, place)
    return found


def _exported(trained: Trained, image: tuple[int, int, int], path: Path, name: str) -> tuple[Path | None, str]:
    if name in ("", NO_EXPORT) or not trained.weights or np.isnan(trained.valid_accuracy).all():
        return None, ""
    chosen = trained.weights[int(np.nanargmax(trained.valid_accuracy))]
    try:
        return export_network(load(chosen), image, path, name), ""
    except OutputError as error:
        return None, str(error)


def _scores(trained: Trained) -> dict[str, Any]:
    failed = np.isnan(trained.test_accuracy)
    return {
        f"test_{name}": tuple(
            None if bad else float(getattr(each, name)) for each, bad in zip(trained.scores, failed, strict=True)
        )
        for name in _SCORES[1:]
    }


def _plain(values: Any) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else float(value) for value in values)


def _write(found: Sequence[BestNetwork], place: Path) -> None:
    with atomic_path(place / DETAILS) as temporary:
        data = [dataclasses.asdict(each) for each in found]
        temporary.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    with atomic_path(place / ROWS) as temporary:
        temporary.write_text(_csv(list(map(_row, found))), encoding="utf-8")


def _row(best: BestNetwork) -> dict[str, Any]:
    """Return the means over seeds of one architecture."""
    row: dict[str, Any] = {"rank": best.rank, "index": best.architecture, "architecture": best.notation}
    row["observed"] = f"{best.observed:.6g}"
    row["seeds"] = len(best.seeds)
    for name in ("valid_accuracy", *(f"test_{score}" for score in _SCORES)):
        row[name] = shown_mean(getattr(best, name))
    return {**row, "parameters": best.parameters, "flops": best.flops, "latency": f"{best.latency:.4g}"}


def shown_mean(values: Sequence[float | None]) -> str:
    """Return the mean of the values that are known; empty without any.

    >>> shown_mean([90.0, 91.0, None]), shown_mean([None])
    ('90.5', '')
    """
    known = [value for value in values if value is not None]
    return f"{sum(known) / len(known):.4g}" if known else ""


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
