"""Scores of the architectures of a table or space: `score_architectures`."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import AtLeast, Below, whole
from nasbench_lab.displays import counted
from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.messages import first_line, shortened
from nasbench_lab.spaces import Space, list_spaces, make_space
from nasbench_lab.tables import Table
from nasbench_lab.tables import load as load_table
from nasbench_lab.train.build.stated_training import stated_training
from nasbench_lab.train.chosen_datasets import AnyDataset, dataset_of, load_dataset
from nasbench_lab.train.datasets import Dataset
from nasbench_lab.train.default_settings import default_recipe
from nasbench_lab.train.devices import check_device
from nasbench_lab.train.equivalent_networks import representatives
from nasbench_lab.train.image_batches import Batch, ImageBatches
from nasbench_lab.train.network_builders import check_network, check_options, network_builder
from nasbench_lab.train.network_copies import Build, initialised
from nasbench_lab.train.networks import networks_of
from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.measuring import Measurement, measure
from nasbench_lab.train.proxies.proxy_scores import ProxyScores
from nasbench_lab.train.proxies.saved_measurements import Saved, key_of, read_measurements, write_measurements
from nasbench_lab.train.proxies.score_assembly import assembled
from nasbench_lab.train.proxies.scoring import ProxyLike, made_proxies

Architectures = int | Sequence[int | str] | IntArray | None
"""The number of architectures to sample, the architectures themselves (indices or notations), or None for all."""

Progress = Callable[[int, int], None]
"""Called with the number of networks that are scored, and the number of all networks."""

BATCH = 64
"""Images per batch, as in NAS-Bench-Suite-Zero."""

_SAVE_EVERY = 30.0  # seconds
_MAX_SEED = 2**63


def score_architectures(
    table_or_space: Table | Space | str,
    proxies: ProxyLike | Sequence[ProxyLike],
    *,
    dataset: AnyDataset | None = None,
    architectures: Architectures = None,
    seeds: Sequence[int] = (0,),
    batch: int = BATCH,
    device: str = "cpu",
    options: Mapping[str, int] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> ProxyScores:
    """Return the scores of architectures; higher is better.

    Networks are built and scored one at a time. Architectures that are the same network are scored once, except by
    proxies that count unused layers. Proxies that do not depend on the seed are computed once for all seeds.

    Args:
        table_or_space: a table, its name or file; or a space or its name.
        proxies: one or several, see `nasbench_lab.train.proxies.score`.
        dataset: gives the images; by default the data set that the name of the table contains, otherwise CIFAR-10.
        architectures: a number of different networks to sample, or architectures (indices or notations); by default
            all.
        seeds: of the initial weights, and of the choice of images. With one seed, all networks see the same images.
        batch: images per batch. They are drawn without replacement from the training images, and not augmented.
        device: name of a torch device.
        options: of the networks, e.g. ``channels`` and ``cells``; by default those with which the table was trained, if
            it says so, otherwise those of the data set.
        checkpoint: file in which measurements are kept (``.h5``, otherwise one of `numpy.savez`). If it exists, they
            are not repeated: a killed scoring continues, also with other proxies, architectures or seeds.
        progress: called after every network.

    Returns:
        The scores, with the seconds of every score: processor time with one torch thread on a CPU, otherwise wall-clock
        time. Failed scores are NaN, and listed with their reasons.

    Raises:
        UnknownNameError: no proxy has that name.
        OutOfSpaceError: there is no such architecture.
        ParameterError: the space has no networks, or an argument is not allowed.
        DataError: the data set or the checkpoint is damaged, or belongs to another scoring.

    >>> scores = score_architectures("digits/topology", ["params", "synflow"], architectures=[11, 284], seeds=[0, 1])
    >>> scores.values["synflow"].shape, scores.values["params"][:, 0].tolist()
    ((2, 2), [128466.0, 22962.0])
    """
    made, given_seeds = made_proxies(proxies), _checked_seeds(seeds)
    space, table = _space_of(table_or_space)
    images = load_dataset(dataset_of(table) if dataset is None else dataset)
    scoring = _Scoring(
        space,
        images,
        made,
        given_seeds,
        _checked_batch(batch, images, made),
        check_device(device),
        {**network_of(table), **(options or {})},
    )
    chosen = _chosen(space, architectures)
    scoring.check(int(chosen[0]))
    saved = read_measurements(Path(checkpoint), scoring.belongs_to()) if checkpoint is not None else {}
    stand_ins = {each.label: chosen if each.counts_unused_layers else representatives(space)[chosen] for each in made}
    scoring.run(saved, stand_ins, None if checkpoint is None else Path(checkpoint), progress)
    return assembled(made, chosen, given_seeds, scoring.by_label(saved), stand_ins)


@dataclasses.dataclass(frozen=True, eq=False)
class _Scoring:
    """Networks of a space, images, and the proxies that score them."""

    space: Space
    dataset: Dataset
    proxies: Sequence[Proxy]
    seeds: Sequence[int]
    batch: int
    device: str
    given_options: Mapping[str, int]

    def network_options(self) -> dict[str, Any]:
        """Return the options of the networks."""
        family = networks_of(self.space)
        return check_options(self.space, {**family.default_options(self.dataset.name), **self.given_options})

    def check(self, index: int) -> None:
        """Raise a ParameterError if there is no such network for these images, or with these options."""
        check_network(self._builder(index), self.dataset.image)

    def belongs_to(self) -> dict[str, Any]:
        """Return what determines the scores besides proxy, architecture and seed, as JSON can hold it."""
        return {
            "space": (self.space.parent or self.space).spec(),
            "data set": self.dataset.digest(),
            "options of networks": self.network_options(),
            "batch": self.batch,
        }

    def run(
        self,
        saved: Saved,
        stand_ins: Mapping[str, NDArray[np.int64]],
        checkpoint: Path | None,
        progress: Progress | None,
    ) -> None:
        """Measure what is missing, and add it to what is saved; save it regularly, and at the end or an error."""
        tasks = self._tasks(saved, stand_ins)
        batches: dict[int, list[Batch]] = {}
        last = time.monotonic()
        try:
            for done, ((index, seed), missing) in enumerate(tasks.items(), start=1):
                if seed not in batches:
                    batches = {seed: self._batches(seed)}
                network = self._network(index, seed)
                if done == 1:  # what torch prepares at first use is not part of the seconds
                    self._measure(index, network, batches[seed], missing, seed)
                found = self._measure(index, network, batches[seed], missing, seed)
                for proxy, each in zip(missing, found, strict=True):
                    saved.setdefault(key_of(proxy), {})[index, seed] = each
                if checkpoint is not None and time.monotonic() - last > _SAVE_EVERY:
                    write_measurements(checkpoint, self.belongs_to(), saved)
                    last = time.monotonic()
                if progress is not None:
                    progress(done, len(tasks))
        finally:
            if checkpoint is not None and tasks:
                write_measurements(checkpoint, self.belongs_to(), saved)

    def by_label(self, saved: Saved) -> Saved:
        """Return measurements by the labels of the proxies; those that do not depend on the seed for every seed."""
        found = {}
        for proxy in self.proxies:
            known = saved.get(key_of(proxy), {})
            if not proxy.depends_on_seed:
                known = {
                    (index, seed): each for (index, first), each in known.items() if not first for seed in self.seeds
                }
            found[proxy.label] = known
        return found

    def _tasks(self, saved: Saved, stand_ins: Mapping[str, NDArray[np.int64]]) -> dict[tuple[int, int], list[Proxy]]:
        """Return the proxies to compute by architecture and seed, seed by seed."""
        tasks: dict[tuple[int, int], list[Proxy]] = {}
        for proxy in self.proxies:
            known = saved.get(key_of(proxy), {})
            for seed in self.seeds if proxy.depends_on_seed else (0,):
                for index in np.unique(stand_ins[proxy.label]).tolist():
                    if (index, seed) not in known:
                        tasks.setdefault((index, seed), []).append(proxy)
        return dict(sorted(tasks.items(), key=lambda task: task[0][::-1]))

    def _network(self, index: int, seed: int) -> nn.Module:
        """Return the network of an architecture with the initial weights of a seed."""
        return initialised(self._builder(index), [seed]).to(self.device)

    def _builder(self, index: int) -> Build:
        image, classes = self.dataset.image, self.dataset.classes
        return network_builder(self.space, index, image=image, classes=classes, options=self.network_options())

    def _measure(
        self, index: int, network: nn.Module, batches: Sequence[Batch], proxies: Sequence[Proxy], seed: int
    ) -> list[Measurement]:
        try:
            return measure(network, batches, proxies, seed=seed)
        except ParameterError as error:
            raise ParameterError(f"architecture {index}: {first_line(error)}") from error

    def _batches(self, seed: int) -> list[Batch]:
        """Return batches of different training images; the first ones do not depend on the number of batches."""
        recipe = dataclasses.replace(default_recipe(self.dataset.name), padding=0, flip=False)
        drawn = ImageBatches(self.dataset, recipe, [seed], torch.device(self.device))
        random = np.random.Generator(np.random.Philox(seed))
        order = random.permutation(len(self.dataset.train))
        count = max(proxy.batches for proxy in self.proxies)
        parts = [order[self.batch * place : self.batch * (place + 1)] for place in range(count)]
        pairs = [drawn.draw(self.dataset.train, part, random) for part in parts]
        return [Batch(images.contiguous(), labels) for images, labels in pairs]


def network_of(table: Table | None) -> Mapping[str, int]:
    """Return the options of the networks with which a table was trained; nothing if it does not say."""
    stated = None if table is None else stated_training(table)
    return {} if stated is None else stated.network


def _space_of(table_or_space: Table | Space | str) -> tuple[Space, Table | None]:
    if isinstance(table_or_space, Space):
        return table_or_space, None
    if isinstance(table_or_space, str) and table_or_space in list_spaces():
        return make_space({"name": table_or_space}), None
    table = table_or_space if isinstance(table_or_space, Table) else load_table(table_or_space)
    return table.space, table


def _chosen(space: Space, architectures: Architectures) -> NDArray[np.int64]:
    """Return the architectures to score: those given in their order, or distinct networks, ascending."""
    if architectures is None:
        space.require_listed("scoring a whole space")
        return np.arange(space.size)
    if not isinstance(architectures, int | np.integer):
        chosen = np.array([space.resolve(each) for each in architectures], dtype=np.int64)
        if not len(chosen) or len(np.unique(chosen)) != len(chosen):
            raise ParameterError("give one or more different architectures")
        return chosen
    distinct = np.unique(representatives(space))
    count = whole("the number of architectures", architectures, AtLeast(1))
    if count >= len(distinct):
        return distinct
    return np.sort(np.random.Generator(np.random.Philox(0)).choice(distinct, count, replace=False))


def _checked_seeds(seeds: Any) -> list[int]:
    if not isinstance(seeds, Sequence | np.ndarray) or isinstance(seeds, str):
        raise ParameterError(f"seeds must be a list of seeds, got {shortened(seeds)}")
    found = [whole("seed", seed, AtLeast(0), Below(_MAX_SEED)) for seed in seeds]
    if not found or len(set(found)) != len(found):
        raise ParameterError(f"give one or more different seeds, got {list(seeds)}")
    return found


def _checked_batch(batch: int, dataset: Dataset, proxies: Sequence[Proxy]) -> int:
    size, count = whole("batch", batch, AtLeast(2)), max(proxy.batches for proxy in proxies)
    if size * count > len(dataset.train):
        needed = counted(count, "batch", "batches")
        raise DataError(f"{dataset.name!r} has {len(dataset.train)} training images, fewer than {needed} of {size}")
    return size
