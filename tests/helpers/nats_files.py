"""Writers of archives as NATS-Bench and NAS-Bench-201 publish them, with made-up numbers and few architectures."""

import bz2
import io
import pickle
import random
import struct
import zipfile
from collections import OrderedDict

import numpy as np

from nasbench_lab.tables.importers.nats_archives.benchmarks import DATASETS, SIZE, TOPOLOGY
from nasbench_lab.tables.reading.torch_file import MAGIC, STREAM_VERSION

BENCHMARKS = {"tss": TOPOLOGY, "sss": SIZE}
EPOCHS = {"01": 1, "12": 12, "90": 90, "200": 200}


def training(dataset, seed, epochs, chance, *, top5=True, last_only=(), varying=False):
    """The dictionary of one training; evaluations in ``last_only`` have accuracies at the last epoch only."""

    def curve():
        return {epoch: chance.uniform(0, 100) for epoch in range(epochs)}

    seconds = chance.uniform(1, 50)
    names = list(DATASETS[dataset].values())
    times = {name: chance.uniform(0.1, 2) for name in names}
    evaluated = [f"{n}@{e}" for n in names for e in range(epochs) if n not in last_only or e == epochs - 1]
    return {
        "name": dataset,
        "train_acc1es": curve(),
        "train_acc5es": curve() if top5 else None,
        "train_losses": curve(),
        "train_times": OrderedDict((e, chance.uniform(1, 50) if varying else seconds) for e in range(epochs)),
        "arch_config": {"channel": 16, "num_cells": 5, "class_num": 10},
        "params": np.float64(len(dataset) / 7),
        "flop": len(dataset) * 1.3,
        "seed": f"{seed:04d}",
        "epochs": epochs,
        "latency": [np.float64(chance.uniform(0.01, 0.02))],
        "eval_names": names,
        "eval_acc1es": {key: chance.uniform(0, 100) for key in evaluated},
        "eval_times": {f"{n}@{e}": times[n] for n in names for e in range(epochs)},
        "eval_losses": {key: chance.uniform(0, 5) for key in evaluated},
        "net_state_dict": None,
    }


def infos(space, index, plan, **options):
    """Everything of one architecture.

    Args:
        space: "tss" or "sss".
        index: the architecture.
        plan: hyper-parameter set to data set to seeds.
        options: of the trainings.
    """
    chance = random.Random(index)
    return {
        hp: {
            "arch_index": index,
            "arch_str": BENCHMARKS[space].space.format(index),
            "all_results": {
                (dataset, seed): training(dataset, seed, EPOCHS[hp], chance, **options)
                for dataset, seeds in datasets.items()
                for seed in seeds
            },
            "dataset_seed": {dataset: list(seeds) for dataset, seeds in datasets.items()},
            "clear_net_done": True,
        }
        for hp, datasets in plan.items()
    }


def names(space):
    """The official list of all architectures."""
    every = BENCHMARKS[space].space
    return every.format(np.arange(every.size))


def compress(content):
    return bz2.compress(pickle.dumps(content, protocol=4))


def write_folder(path, space, results):
    """Write a folder with a file per architecture; ``results`` is index to everything of it."""
    path.mkdir()
    meta = {
        "meta_archs": names(space),
        "total_archs": len(names(space)),
        "arch2infos": None,
        "evaluated_indexes": set(),
    }
    (path / "meta.pickle.pbz2").write_bytes(compress(meta))
    for index, each in results.items():
        (path / f"{index:06d}.pickle.pbz2").write_bytes(compress(each))
    return path


def everything(space, results):
    return {
        "meta_archs": names(space),
        "total_archs": len(names(space)),
        "arch2infos": results,
        "evaluated_indexes": set(results),
    }


def write_one_file(path, space, results):
    """Write the compressed pickle of everything."""
    path.write_bytes(compress(everything(space, results)))
    return path


def as_nas_bench_201(results):
    """The same results as NAS-Bench-201 calls them."""
    old = {"12": "less", "200": "full"}
    return {index: {old[hp]: state for hp, state in each.items()} for index, each in results.items()}


def torch_zip(content):
    """Bytes of a torch file of the zip form, of an object without tensors."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(content, protocol=2))
        archive.writestr("archive/version", "3\n")
    return buffer.getvalue()


def torch_stream(content, storages=()):
    """Bytes of a torch file of the stream form; ``storages`` are (key, array) of its tensors, or none."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    parts = [pickle.dumps(part, protocol=2) for part in (MAGIC, STREAM_VERSION, system)]
    parts.append(content if isinstance(content, bytes) else pickle.dumps(content, protocol=2))
    parts.append(pickle.dumps([key for key, _ in storages], protocol=2))
    parts += [struct.pack("<q", array.size) + array.tobytes() for _, array in storages]
    return b"".join(parts)
