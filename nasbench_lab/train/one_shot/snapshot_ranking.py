"""How well shared weights rank architectures over the epochs of their training, from the snapshots in folders."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from nasbench_lab.analysis.ranked_scores import rank_scores
from nasbench_lab.analysis.ranking_curves import RankedSnapshot, RankingCurve, RankingCurves
from nasbench_lab.analysis.score_rankings import PICKS
from nasbench_lab.checks import AtLeast, one_of, whole
from nasbench_lab.errors import DataError, ParameterError, UnknownNameError
from nasbench_lab.plain_files import is_folder
from nasbench_lab.spaces import make_space
from nasbench_lab.tables import Table
from nasbench_lab.tables import load as load_table
from nasbench_lab.train.chosen_datasets import AnyDataset, dataset_of, load_dataset
from nasbench_lab.train.dataset_records import DatasetRecord
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.devices import check_device, torch_threads
from nasbench_lab.train.one_shot.snapshot_scores import ScoredSnapshot
from nasbench_lab.train.one_shot.snapshots import FOLDER, Snapshot, find_snapshots
from nasbench_lab.train.one_shot.supernet_ranking import SPLITS, Architectures, chosen_networks, places_in

SAMPLE = 400
"""Default number of networks that are scored per snapshot."""

Progress = Callable[[int, int], None]
"""Called with the number of finished scores, and their number in all."""

AnyPath = str | os.PathLike[str]


def rank_snapshots(
    folders: AnyPath | Sequence[AnyPath],
    *,
    table: Table | AnyPath | None = None,
    dataset: AnyDataset | None = None,
    architectures: Architectures = SAMPLE,
    seed: int = 0,
    split: str = "valid",
    picks: Sequence[int] = PICKS,
    device: str = "cpu",
    threads: int = 1,
    progress: Progress | None = None,
) -> RankingCurves:
    """Score the same architectures with every snapshot, and compare the scores with the values of a table.

    Scores are kept beside the snapshots, so that a second call is instant, and a killed one continues.

    Args:
        folders: one or several folders with snapshots (see `find_snapshots`), one per method. A folder without
            snapshots stands for all folders inside that have some.
        table: knows the true values; by default the table of the search.
        dataset: gives the images that are scored; by default that of the training.
        architectures: a number of different networks to sample, or architectures (indices or notations), or None for
            all different networks.
        seed: of the sample.
        split: images to score on, ``"valid"`` or ``"test"``.
        picks: numbers of architectures that are picked by score.
        device: name of a torch device.
        threads: of torch.
        progress: called after every part of the work.

    Raises:
        DataError: a folder has no snapshots, or a snapshot or the data set is missing or damaged.
        ParameterError: the folders are of several tables, or an argument is not allowed.
        UnknownNameError: there is no such table.
    """
    one_of("split", split, SPLITS)
    given = [folders] if isinstance(folders, str | os.PathLike) else list(folders)
    methods = _methods([Path(each) for each in given], split)
    known = _table(methods, table)
    chosen = chosen_networks(known, architectures, seed)
    work = _Work(known, dataset, sum(len(each.snapshots) for each in methods) * len(chosen), progress)
    where, number = check_device(device), whole("threads", threads, AtLeast(1))
    curves = []
    for method in methods:
        ranked = []
        for snapshot, opened in zip(method.snapshots, method.opened, strict=True):
            load, digest = work.dataset_of(opened)
            places = places_in(make_space(opened.space), known, chosen)
            with torch_threads(number):
                scores = opened.scores(places, load, digest, device=where, progress=work.done)
            scored = rank_scores(known, chosen, scores, picks=picks, label=method.label)
            ranked.append(RankedSnapshot(snapshot.run, snapshot.epoch, opened.details.seconds, scored))
        curves.append(RankingCurve(method.label, tuple(ranked)))
    return RankingCurves(known.name, split, len(chosen), len(chosen_networks(known)), tuple(curves))


@dataclasses.dataclass(frozen=True, eq=False)
class _Method:
    """A folder with its snapshots."""

    folder: Path
    label: str
    snapshots: tuple[Snapshot, ...]
    opened: tuple[ScoredSnapshot, ...]


class _Work:
    """The data sets of all snapshots, each loaded once, and how much is done.

    Args:
        table: whose data set is the default.
        dataset: to use for all snapshots; None for that of each.
        total: number of scores.
        progress: is told the progress.
    """

    def __init__(self, table: Table, dataset: AnyDataset | None, total: int, progress: Progress | None) -> None:
        self._table, self._total, self._progress = table, total, progress
        self._given = None if dataset is None else load_dataset(dataset)
        self._loaded: dict[str, Dataset] = {}
        self._finished = 0

    def done(self, number: int) -> None:
        """Count finished scores."""
        self._finished += number
        if self._progress is not None:
            self._progress(self._finished, self._total)

    def dataset_of(self, snapshot: ScoredSnapshot) -> tuple[Callable[[], Dataset], str]:
        """Return what loads the data set of a snapshot, and its digest."""
        if self._given is not None:
            given = self._given
            return (lambda: given), DatasetRecord.of(given).sha256
        record = snapshot.details.dataset or self._default
        return (lambda: self._load(record)), record.sha256

    def _load(self, record: DatasetRecord) -> Dataset:
        if record.sha256 not in self._loaded:
            self._loaded[record.sha256] = record.load()
        return self._loaded[record.sha256]

    @functools.cached_property
    def _default(self) -> DatasetRecord:
        try:
            return DatasetRecord.of(dataset_of(self._table))
        except ParameterError as error:
            what = "the supernets do not say on which data set they were trained"
            raise ParameterError(f"{what}: give it (--dataset)") from error


def _methods(folders: Sequence[Path], split: str) -> list[_Method]:
    """Open the snapshots of all folders, and give every folder a label of its own."""
    found = list(dict.fromkeys(inner for folder in folders for inner in snapshot_folders(folder)))
    snapshots = {folder: tuple(find_snapshots(folder)) for folder in found}
    opened = {folder: tuple(ScoredSnapshot.open(each.path, split) for each in snapshots[folder]) for folder in found}
    names = {folder: _name(folder, opened[folder]) for folder in found}
    often = Counter(names.values())
    labels = {folder: f"{name} ({folder.name})" if often[name] > 1 else name for folder, name in names.items()}
    if len(set(labels.values())) < len(labels):  # folders of the same name in different places
        labels = {folder: f"{name} ({folder})" if often[name] > 1 else name for folder, name in names.items()}
    return [_Method(folder, labels[folder], snapshots[folder], opened[folder]) for folder in found]


def snapshot_folders(folder: Path) -> list[Path]:
    """Return the folder if it has snapshots, and otherwise all folders inside that have some, sorted.

    Raises:
        DataError: there are none.
    """
    try:
        find_snapshots(folder)
    except DataError:
        inner = sorted(each.parent for each in folder.rglob(FOLDER) if is_folder(each)) if is_folder(folder) else []
        if not inner:
            raise
        return inner
    return [folder]


def _name(folder: Path, snapshots: Sequence[ScoredSnapshot]) -> str:
    names = sorted({each.details.method for each in snapshots})
    if len(names) > 1:
        raise DataError(f"{folder} has supernets of several methods: {', '.join(names)}; keep them in a folder each")
    return names[0] or folder.resolve().name


def _table(methods: Sequence[_Method], given: Table | AnyPath | None) -> Table:
    """Return the table of all methods.

    Raises:
        ParameterError: they have different ones, or none.
        UnknownNameError: there is no such table.
    """
    if given is not None:
        return given if isinstance(given, Table) else load_table(given)
    names = sorted({snapshot.details.table for method in methods for snapshot in method.opened})
    if len(names) > 1:
        raise ParameterError(f"the supernets are of several tables: {', '.join(map(repr, names))}; rank them apart")
    if not names[0]:
        raise ParameterError("the supernets do not say of which table they are; give it (--table)")
    try:
        return load_table(names[0])
    except UnknownNameError as error:
        raise UnknownNameError(f"{error}; the supernets are of that table: give its file (--table)") from error
