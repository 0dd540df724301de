"""The searches of NAS-Bench-201 and NATS-Bench, from the repository AutoDL-Projects of their authors."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nasbench_lab.train.one_shot.protocols.published_protocol import PublishedProtocol
from nasbench_lab.train.one_shot.protocols.published_rows import BENCH
from nasbench_lab.train.supernet_recipes import SupernetRecipe, supernet_recipe

_REPOSITORY = "D-X-Y/AutoDL-Projects, commit f46486e"
_TOPOLOGY: Mapping[str, int] = MappingProxyType({"channels": 16, "cells": 5})
_AFFINE = (
    "the published code trains scales and shifts of the normalisations outside the cells, and clips a gradient that "
    "contains that of the architecture"
)
_BATCHES = "candidates are compared on one batch of 512 validation images in the published code, on all of them here"

_OLD = supernet_recipe("nas-bench-201-supernet")
_NEW = supernet_recipe("nats-bench-supernet")
_OLD_ENAS = dataclasses.replace(_OLD, batch=128, learning_rate=0.05, lowest_rate=0.0005, period=10, weight_decay=2.5e-4)

_ADAM = MappingProxyType({"learning_rate": 3e-4, "weight_decay": 1e-3, "initial_scale": 1e-3})
_DARTS = MappingProxyType({**_ADAM, "none": True, "clip": 0.0})
_GDAS = MappingProxyType({**_ADAM, "bare": True, "first_temperature": 10.0, "last_temperature": 0.1})
_SETN = MappingProxyType({**_ADAM, "selected": 100, "candidates": "most-probable"})
_MASKS = MappingProxyType({**_ADAM, "warmup": 0.3})
_RELAXED = MappingProxyType({**_MASKS, "first_temperature": 10.0, "last_temperature": 0.1})
_RANDOM = MappingProxyType({"samples": 100, "batches": 8, "finalists": 1})
_ENAS = MappingProxyType(
    {
        "updates": 50,
        "aggregate": 20,
        "samples": 100,
        "learning_rate": 1e-3,
        "epsilon": 1e-3,
        "clip": 5.0,
        "baseline_decay": 0.99,
        "entropy_weight": 1e-4,
    }
)


def _older(
    name: str, method: str, row: str, parameters: Mapping[str, Any], recipe: SupernetRecipe, *, notes: str = _AFFINE
) -> PublishedProtocol:
    """Return a search of NAS-Bench-201."""
    files = f"scripts-search/NAS-Bench-201-algos/{name.upper()}.sh, exps/NAS-Bench-201-algos/{name.upper()}.py"
    if name == "random-search-ws":
        files = files.replace(name.upper(), "RANDOM-NAS")
    return PublishedProtocol(
        name=f"nas-bench-201/{name}",
        method=method,
        parameters=parameters,
        recipe=dataclasses.replace(recipe, name=f"nas-bench-201/{name}", source=BENCH),
        benchmark="nats-bench-tss",
        network=_TOPOLOGY,
        split="nats-bench",
        source=f"{_REPOSITORY}, {files}, configs/nas-benchmark/algos",
        notes=notes,
        row=(BENCH, row),
    )


def _newer(
    name: str, method: str, parameters: Mapping[str, Any], *, notes: str = "", size: bool = False
) -> PublishedProtocol:
    """Return a search of NATS-Bench."""
    group, script = ("nats-bench-size", "search-size.py") if size else ("nats-bench", "search-cell.py")
    return PublishedProtocol(
        name=f"{group}/{name}",
        method=method,
        parameters=parameters,
        recipe=dataclasses.replace(_NEW, name=f"{group}/{name}"),
        benchmark="nats-bench-sss" if size else "nats-bench-tss",
        network=MappingProxyType({}) if size else _TOPOLOGY,
        split="nats-bench",
        source=f"{_REPOSITORY}, exps/NATS-algos/{script}, configs/nas-benchmark/algos/weight-sharing.config",
        notes="; ".join(
            filter(
                None,
                (
                    "masks are on the outputs of cells in the published code, on all layers here; the share of "
                    "warm-up is that of the example in scripts-search/NATS/search-size.sh"
                    if size
                    else "the configuration has 100 epochs; the script run-all.sh asks for 200",
                    "the published code trains scales and shifts of the normalisations outside the cells",
                    notes,
                ),
            )
        ),
    )


AUTODL = (
    _older("darts-v1", "darts", "DARTS-V1", {**_DARTS, "order": 1}, dataclasses.replace(_OLD, epochs=50)),
    _older("darts-v2", "darts", "DARTS-V2", {**_DARTS, "order": 2}, dataclasses.replace(_OLD, epochs=50)),
    _older("gdas", "gdas", "GDAS", _GDAS, _OLD),
    _older("setn", "setn", "SETN", _SETN, dataclasses.replace(_OLD, clip=0.0), notes=f"{_AFFINE}; {_BATCHES}"),
    _older(
        "enas",
        "enas",
        "ENAS",
        {**_ENAS, "per_steps": 196},
        _OLD_ENAS,
        notes=f"{_AFFINE}; {_BATCHES}; the updates of the controller per step are those of an epoch of CIFAR-10 there",
    ),
    _older("random-search-ws", "random-search-ws", "RSPS", _RANDOM, _OLD),
    _newer("darts-v1", "darts", {**_DARTS, "order": 1}),
    _newer("darts-v2", "darts", {**_DARTS, "order": 2}),
    _newer("gdas", "gdas", _GDAS),
    _newer("setn", "setn", _SETN, notes=_BATCHES),
    _newer(
        "enas",
        "enas",
        {**_ENAS, "per_steps": 391},
        notes=f"{_BATCHES}; Adam has the betas 0.5 and 0.999 there, 0 and 0.999 here; the updates of the controller "
        "per step are those of an epoch of CIFAR-10 there",
    ),
    _newer("random-search-ws", "random-search-ws", _RANDOM),
    _newer("tas", "tas", {**_RELAXED, "cost_weight": 0.0}, size=True),
    _newer("fbnetv2", "fbnetv2", _RELAXED, size=True),
    _newer(
        "tunas",
        "tunas",
        {**_MASKS, "weight_decay": 0.0, "first_moment": 0.5, "momentum": 0.95, "cost_weight": 0.0},
        size=True,
    ),
)
"""The protocols."""
