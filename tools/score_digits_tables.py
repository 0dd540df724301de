"""Score every network of the three digits tables with zero-cost proxies, and pack the scores as columns.

The work takes one to two hours on one thread. It can be stopped at any time: the same command continues. The seconds of
scores are processor time. The speed of a machine changes, e.g. with what else it computes, so some networks are scored
again and again, and all seconds are divided by theirs.

    python tools/score_digits_tables.py score WORKING_FOLDER      # scores all networks
    python tools/score_digits_tables.py status WORKING_FOLDER     # prints how many are scored
    python tools/score_digits_tables.py quality WORKING_FOLDER    # writes results/proxies/digits.csv
    python tools/score_digits_tables.py columns WORKING_FOLDER    # writes the scores into the packed tables
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

import nasbench_lab as nl
from nasbench_lab.analysis.score_bias import architecture_groups, score_agreement
from nasbench_lab.files import atomic_path
from nasbench_lab.tables import Table, packed_tables
from nasbench_lab.train.equivalent_networks import representatives
from nasbench_lab.train.one_shot import calibrate
from nasbench_lab.train.proxies import ProxyScores, list_proxies, score_architectures, with_scores

ROOT = Path(__file__).resolve().parent.parent
PACKED = ROOT / "data" / "tables"
QUALITY = ROOT / "results" / "proxies" / "digits.csv"

CHEAP = ("synflow", "logsynflow", "l2_norm", "naswot", "swap", "jacov", "epe_nas")
"""Proxies without a gradient of a loss, which are scored with all seeds also where networks are large."""
COSTLY = "costly"
"""Name of the parts of the work that score only the costly proxies of a study."""

REFERENCES = 3  # networks that are scored before every chunk, to measure the speed of the machine


@dataclasses.dataclass(frozen=True)
class Study:
    """What is scored in a table.

    Attributes:
        table: name of the table.
        seeds: of the initial weights and the images, one per repeat of the table.
        costly: proxies that are scored with the first seeds only.
        costly_seeds: the number of these seeds.
        parameters: of proxies that need other ones than their defaults.
        networks: what is scored; all distinct networks by default.
        chunk: number of networks between two measurements of the speed.
        options: of the networks; those of the table by default.
        batch: images per batch.
    """

    table: str
    seeds: tuple[int, ...]
    costly: tuple[str, ...] = ()
    costly_seeds: int = 1
    parameters: Mapping[str, str] = dataclasses.field(default_factory=dict)
    networks: Sequence[int] = ()
    chunk: int = 250
    options: Mapping[str, int] | None = None
    batch: int = 64

    def distinct_networks(self) -> NDArray[np.int64]:
        """Return the networks that are scored."""
        return np.asarray(self.networks) if self.networks else np.unique(representatives(nl.load(self.table).space))

    def proxies(self, seed: int, part: str = "") -> list[str]:
        """Return the proxies that a part of the work scores, with their parameters; those of the first seed are all."""
        first = seed == self.seeds[0]
        names = [name for name in list_proxies() if first or (name in self.costly) == (part == COSTLY)]
        return [f"{name}:{self.parameters[name]}" if name in self.parameters else name for name in names]

    def changed_labels(self) -> list[str]:
        """Return the labels of proxies with other parameters than their defaults."""
        return [f"{name}:{given}" for name, given in self.parameters.items()]

    @property
    def stem(self) -> str:
        """Beginning of the names of its files."""
        return self.table.replace("/", "-")


def _costly() -> tuple[str, ...]:
    return tuple(name for name in list_proxies() if name not in CHEAP)


STUDIES = (
    # The networks of the chain space take no images of 64x64 pixels.
    Study("digits/chain", (0, 1, 2), parameters={"meco": "pixels=0"}),
    Study("digits/cell101", (0, 1), costly=_costly(), costly_seeds=2),
    Study("digits/topology", (0, 1, 2), costly=_costly(), costly_seeds=2),
)


class Chunk(NamedTuple):
    """A piece of the work.

    Attributes:
        study: what it belongs to.
        seed: of the weights and images.
        part: `COSTLY`, or empty for all other proxies; with the first seed for all proxies.
        networks: what is scored.
    """

    study: Study
    seed: int
    part: str
    networks: NDArray[np.int64]

    @property
    def name(self) -> str:
        """Name in the file of speeds."""
        return " ".join(filter(None, [str(self.seed), f"{self.networks[0]}-{self.networks[-1]}", self.part]))


def chunks(studies: Sequence[Study]) -> Iterator[Chunk]:
    """Return all work in the order in which it is done: the first seeds of all tables first, costly proxies last."""
    for part in ("", COSTLY):
        for place in range(max(len(study.seeds) for study in studies)):
            for study in studies:
                number = min(study.costly_seeds, len(study.seeds)) if part and study.costly else len(study.seeds)
                if place >= number or (part and (place == 0 or not study.costly)):
                    continue
                networks = study.distinct_networks()
                for start in range(0, len(networks), study.chunk):
                    yield Chunk(study, study.seeds[place], part, networks[start : start + study.chunk])


def score_all(studies: Sequence[Study], folder: Path) -> None:
    """Score what is not scored yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for study in studies:
        scale_of(study, folder)
    for chunk in chunks(studies):
        speeds = read_speeds(chunk.study, folder)
        if chunk.name in speeds:
            continue
        speed, start = reference_seconds(chunk.study), time.process_time()
        scored(chunk.study, chunk.seed, chunk.part, chunk.networks, folder)
        write_speeds(chunk.study, folder, {**speeds, chunk.name: speed})
        taken = time.process_time() - start
        print(f"{chunk.study.table} seed {chunk.name}: {taken / len(chunk.networks):.3f} s per network", flush=True)


def scored(study: Study, seed: int, part: str, networks: NDArray[np.int64], folder: Path) -> Any:
    """Return the scores of networks; those in the working folder are not computed again."""
    return score_architectures(
        nl.load(study.table),
        study.proxies(seed, part),
        dataset="digits",
        architectures=networks,
        seeds=[seed],
        batch=study.batch,
        options=study.options,
        checkpoint=folder / f"{study.stem}.npz",
    )


def reference_seconds(study: Study) -> float:
    """Return the seconds of scoring a few networks now."""
    networks = study.distinct_networks()
    some = networks[np.linspace(0, len(networks) - 1, REFERENCES + 2).astype(int)[1:-1]]
    found = score_architectures(
        nl.load(study.table),
        ["synflow", "naswot", "grad_norm"],
        dataset="digits",
        architectures=np.unique(some),
        batch=study.batch,
        options=study.options,
    )
    return float(sum(seconds.sum() for seconds in found.seconds.values()))


def read_speeds(study: Study, folder: Path) -> dict[str, float]:
    """Return the seconds of the reference networks before every finished chunk."""
    path = folder / f"{study.stem}-speeds.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write_speeds(study: Study, folder: Path, speeds: Mapping[str, float]) -> None:
    """Write the seconds of the reference networks."""
    with atomic_path(folder / f"{study.stem}-speeds.json") as temporary:
        temporary.write_text(json.dumps(speeds, indent=1) + "\n", encoding="utf-8")


def scale_of(study: Study, folder: Path) -> float:
    """Return the seconds of the table per second that the reference networks take."""
    path = folder / f"{study.stem}-scale.json"
    if not path.exists():
        table: Table = nl.load(study.table)
        reference_seconds(study)  # the first scoring of a process takes longer
        before = reference_seconds(study)
        calibration = calibrate(table, folder=folder / study.stem)
        reference = (before + reference_seconds(study)) / 2
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps({"scale": calibration.scale, "reference": reference}), encoding="utf-8")
        print(f"{study.table}: {calibration}", flush=True)
    known = json.loads(path.read_text(encoding="utf-8"))
    return float(known["scale"]) * float(known["reference"])


NOTE = (
    "zero-cost proxies score untrained networks with the images and the options of this table; equal networks "
    "have the score of the first of them, also from proxies that count layers whose output is not used "
    "(docs/proxies.md)."
)


def with_columns(study: Study, folder: Path) -> Table:
    """Return the table of a study with all scores.

    Raises:
        SystemExit: the scores are not finished.
    """
    speeds, work = read_speeds(study, folder), list(chunks([study]))
    if missing := sum(chunk.name not in speeds for chunk in work):
        raise SystemExit(f"{study.table}: {missing} of {len(work)} chunks are not scored; run score first")
    table, networks, scale = nl.load(study.table), study.distinct_networks(), scale_of(study, folder)
    for part in (COSTLY, "") if study.costly else ("",):
        seeds = study.seeds[: study.costly_seeds] if part else study.seeds
        found = [scored(study, seed, part, networks, folder) for seed in seeds]
        labels = [
            label for label, proxy in found[0].proxies.items() if (proxy.name in study.costly) == (part == COSTLY)
        ]
        factors = np.stack([scale / _speeds_of(study, seed, part, speeds) for seed in seeds], axis=1)
        joined = ProxyScores(
            {label: found[0].proxies[label] for label in labels},
            networks,
            np.array(seeds),
            {label: np.concatenate([each.values[label] for each in found], axis=1) for label in labels},
            {label: factors * np.concatenate([each.seconds[label] for each in found], axis=1) for label in labels},
            {},
            [],
        )
        names = {label: joined.proxies[label].name for label in labels if label in study.changed_labels()}
        table = with_scores(table, joined, names=names, notes=[NOTE])
    return table


def _speeds_of(study: Study, seed: int, part: str, speeds: Mapping[str, float]) -> NDArray[np.float64]:
    """Return the seconds of the reference networks when each network was scored, shape (networks,)."""
    part = "" if seed == study.seeds[0] else part
    own = [chunk for chunk in chunks([study]) if chunk.seed == seed and chunk.part == part]
    return np.concatenate([np.full(len(chunk.networks), speeds[chunk.name]) for chunk in own])


def write_columns(studies: Sequence[Study], folder: Path) -> None:
    """Write the packed tables with all scores, and print their sizes."""
    for table, study in [(with_columns(study, folder), study) for study in studies]:
        path = PACKED / f"{study.stem}.h5"
        packed_tables.pack(table, path)
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


def quality_rows(study: Study, folder: Path) -> Iterator[dict[str, str]]:
    """Yield how well every proxy ranks the distinct networks, for all seeds that are scored."""
    speeds, table, networks = read_speeds(study, folder), nl.load(study.table), study.distinct_networks()
    truth, groups = table.mean_values("test_accuracy")[networks], architecture_groups(table, networks)
    for seed in study.seeds:
        own = [chunk for chunk in chunks([study]) if chunk.seed == seed]
        if not all(chunk.name in speeds for chunk in own):
            continue
        parts = dict.fromkeys(chunk.part for chunk in own)
        found = [scored(study, seed, part, networks, folder).values for part in parts]
        for label, values in sorted(item for each in found for item in each.items()):
            agreement = score_agreement(values, truth, groups)
            yield {
                "table": study.table,
                "proxy": label,
                "seed": str(seed),
                "networks": str(len(networks)),
                "without a score": str(agreement.without_score),
                "Spearman, all": f"{agreement.spearman:.4f}",
                "Spearman, best fifth": f"{agreement.top_fifth:.4f}",
                "Spearman, within equal numbers of convolutions": f"{agreement.within:.4f}",
            }


def write_quality(studies: Sequence[Study], folder: Path) -> None:
    """Write how well the proxies rank, for tables and seeds of which all networks are scored."""
    rows = [row for study in studies for row in quality_rows(study, folder)]
    if not rows:
        raise SystemExit("no table is scored with one seed yet; run score first")
    with atomic_path(QUALITY) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def print_status(studies: Sequence[Study], folder: Path) -> None:
    """Print how much is scored."""
    for study in studies:
        speeds, work = read_speeds(study, folder), list(chunks([study]))
        for seed, part in dict.fromkeys((chunk.seed, chunk.part) for chunk in work):
            own = [chunk for chunk in work if (chunk.seed, chunk.part) == (seed, part)]
            done = sum(len(chunk.networks) for chunk in own if chunk.name in speeds)
            proxies = f", {len(study.proxies(seed, part))} proxies"
            print(f"{study.table} seed {seed}{proxies}: {done:,} of {sum(len(c.networks) for c in own):,} networks")


def main() -> None:
    """Score, or write the columns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["score", "status", "quality", "columns"])
    parser.add_argument("folder", type=Path, help="working folder")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.what == "score":
        score_all(STUDIES, given.folder)
    elif given.what == "status":
        print_status(STUDIES, given.folder)
    elif given.what == "quality":
        write_quality(STUDIES, given.folder)
    else:
        write_columns(STUDIES, given.folder)


if __name__ == "__main__":
    main()
