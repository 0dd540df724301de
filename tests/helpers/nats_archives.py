"""Archives as the official code writes them, with made-up numbers, for tests of the faces."""

import bz2
import pickle
from collections import OrderedDict

import numpy as np

from nasbench_lab.spaces import SizeSpace, TopologySpace

SETS = {
    "cifar10-valid": ["x-valid", "ori-test"],
    "cifar10": ["ori-test"],
    "cifar100": ["ori-test", "x-valid", "x-test"],
    "ImageNet16-120": ["ori-test", "x-valid", "x-test"],
}
SPACES = {"tss": TopologySpace(), "sss": SizeSpace()}
EPOCHS = {"01": 1, "12": 12, "90": 90, "200": 200}
_CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"


def training(random, space, index, dataset, seed, hp, *, last_only=()):
    """One training; of the sets in ``last_only``, only the last epoch was evaluated."""
    epochs, text = EPOCHS[hp], SPACES[space].format(index)
    config = {"arch_str": text, "class_num": {"cifar100": 100, "ImageNet16-120": 120}.get(dataset, 10)}
    config |= {"channel": 16, "num_cells": 5} if space == "tss" else {}
    config |= {"name": "infer.shape.tiny", "channels": text, "genotype": _CELL} if space == "sss" else {}
    seconds, per_set = random.random() * 30, {name: random.random() for name in SETS[dataset]}
    numbers = np.random.default_rng(index)
    keys = [
        f"{name}@{epoch}"
        for name in SETS[dataset]
        for epoch in range(epochs)
        if name not in last_only or epoch == epochs - 1
    ]
    return {
        "name": dataset,
        "train_acc1es": {epoch: random.random() * 100 for epoch in range(epochs)},
        "train_acc5es": {epoch: random.random() * 100 for epoch in range(epochs)} if hp == "12" else None,
        "train_losses": {epoch: random.random() for epoch in range(epochs)},
        "train_times": OrderedDict.fromkeys(range(epochs), seconds),
        "arch_config": config,
        "params": np.float64(numbers.integers(1, 10**6) / 1e6),
        "flop": int(numbers.integers(1, 10**8)) / 1e6,
        "seed": f"{seed:04d}",
        "epochs": epochs,
        "latency": [np.float64(random.random() / 100)],
        "eval_names": list(SETS[dataset]),
        "eval_acc1es": {key: random.random() * 100 for key in keys},
        "eval_times": {f"{name}@{epoch}": t for name, t in per_set.items() for epoch in range(epochs)},
        "eval_losses": {key: random.random() for key in keys},
        "net_state_dict": None,
    }


def results(random, space, index, hp, seeds, **options):
    """All trainings of one architecture with one set of hyper-parameters: ``seeds`` by data set."""
    made = {(d, s): training(random, space, index, d, s, hp, **options) for d, of in seeds.items() for s in of}
    return {
        "arch_index": index,
        "arch_str": SPACES[space].format(index),
        "all_results": made,
        "dataset_seed": {dataset: list(of) for dataset, of in seeds.items()},
        "clear_net_done": True,
    }


def write_folder(folder, space, infos):
    """Write the "simple" archive: index to {hyper-parameters: results}."""
    folder.mkdir()
    names = SPACES[space].format(np.arange(SPACES[space].size))
    meta = {"meta_archs": names, "total_archs": len(names), "arch2infos": None, "evaluated_indexes": set()}
    _write(folder / "meta.pickle.pbz2", meta)
    for index, info in infos.items():
        _write(folder / f"{index:06d}.pickle.pbz2", info)


def write_file(path, space, infos):
    """Write the same as one file."""
    names = SPACES[space].format(np.arange(SPACES[space].size))
    content = {"meta_archs": names, "total_archs": len(names), "arch2infos": infos, "evaluated_indexes": set(infos)}
    _write(path, content)


def _write(path, content):
    path.write_bytes(bz2.compress(pickle.dumps(content, protocol=4)))


def assert_same(theirs, ours, where=()):
    """Equal to the last bit, and of the same types."""
    assert type(theirs) is type(ours), (where, theirs, ours)
    if isinstance(theirs, dict):
        assert theirs.keys() == ours.keys(), where
        for key, value in theirs.items():
            assert_same(value, ours[key], (*where, key))
    elif isinstance(theirs, list | tuple):
        assert len(theirs) == len(ours), where
        for position, (their, our) in enumerate(zip(theirs, ours, strict=True)):
            assert_same(their, our, (*where, position))
    else:
        assert theirs == ours or (theirs != theirs and ours != ours), (where, theirs, ours)


def outcome(function, *arguments, **options):
    """What a call returns, or its error."""
    try:
        return function(*arguments, **options)
    except Exception as error:
        return error


def assert_same_outcome(theirs, ours, *arguments, **options):
    """The same value, or an error of the same kind, in one line."""
    compare(outcome(theirs, *arguments, **options), outcome(ours, *arguments, **options))


def compare(expected, found):
    """Compare two outcomes."""
    if isinstance(expected, Exception):
        assert isinstance(found, type(expected)), (expected, found)
        assert len(str(found).splitlines()) == 1
    else:
        assert_same(expected, found)
