"""Searches that divide the official training images into halves: the repositories of DrNAS and of DARTS-PT."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nasbench_lab.train.one_shot.protocols.published_protocol import PublishedProtocol
from nasbench_lab.train.one_shot.protocols.published_rows import DARTS_PT, DRNAS
from nasbench_lab.train.supernet_recipes import supernet_recipe

_RECIPE = supernet_recipe("drnas-supernet")
_ADAM = MappingProxyType({"learning_rate": 3e-4, "weight_decay": 1e-3, "initial_scale": 1e-3})
_DIRICHLET = MappingProxyType(
    {
        "learning_rate": 3e-4,
        "regularizer": "l2",
        "regularization": 1e-3,
        "initial_scale": 1e-3,
        "none": True,
        "clip": 0.0,
    }
)
_AFFINE = "the published code trains scales and shifts of the normalisations outside the cells"
_TWO = "the repository does not say which of its two scripts gave the published row"
_DRNAS_FILES = "xiangning-chen/DrNAS, commit f2caa4d, 201-space"
_DARTS_PT_FILES = "ruocwang/darts-pt, commit 4ec3149, nasbench201/train_search.py, nasbench201/projection.py"


def _protocol(
    name: str,
    method: str,
    parameters: Mapping[str, Any],
    row: tuple[str, str],
    source: str,
    *,
    epochs: int = 100,
    notes: str = "",
) -> PublishedProtocol:
    return PublishedProtocol(
        name=name,
        method=method,
        parameters=parameters,
        recipe=dataclasses.replace(_RECIPE, name=name, epochs=epochs),
        benchmark="nats-bench-tss",
        network=MappingProxyType({"channels": 16, "cells": 5}),
        split="halves",
        source=source,
        notes="; ".join(filter(None, (_AFFINE, notes))),
        row=row,
    )


HALVES = (
    _protocol(
        "drnas/drnas",
        "drnas",
        {**_DIRICHLET, "partial_channels": 1, "kept": 1.0, "warmup": 0.0},
        (DRNAS, "DrNAS"),
        f"{_DRNAS_FILES}/train_search.py",
        notes=_TWO,
    ),
    _protocol(
        "drnas/drnas-progressive",
        "drnas",
        {**_DIRICHLET, "partial_channels": 4, "kept": 0.6, "warmup": 0.2},
        (DRNAS, "DrNAS"),
        f"{_DRNAS_FILES}/train_search_progressive.py",
        notes=_TWO,
    ),
    _protocol(
        "drnas/snas",
        "snas",
        {**_ADAM, "levels": 2, "first_temperature": 10.0, "last_temperature": 1.0},
        (DRNAS, "SNAS"),
        f"{_DRNAS_FILES}/train_search.py --method snas",
        notes="the temperature of the last epoch is 1.09 in the published code, 1 here",
    ),
    _protocol(
        "drnas/pc-darts",
        "pc-darts",
        {**_ADAM, "partial_channels": 4, "warmup": 0.0, "none": True, "clip": 0.0},
        (DRNAS, "PC-DARTS"),
        f"{_DRNAS_FILES}/train_search.py --method darts --k 4",
        notes="the published code has no normalisation of edges, the method here has; K = 4 is that of the paper of "
        "PC-DARTS, the repository does not say which K gave the published row",
    ),
    _protocol(
        "drnas/darts",
        "darts",
        {**_ADAM, "order": 1, "none": True, "clip": 0.0},
        (DRNAS, "DARTS"),
        f"{_DRNAS_FILES}/train_search.py --method darts",
        notes="the repository does not say how the published row was obtained",
    ),
    _protocol(
        "darts-pt/darts-pt",
        "darts-pt",
        {**_ADAM, "selection": 0.2, "criterion": "accuracy", "tuning_rate": 0.1, "clip": 0.0},
        (DARTS_PT, "DARTS+PT"),
        f"{_DARTS_PT_FILES}, exp_scripts/darts-proj-201.sh",
        epochs=125,
    ),
    _protocol(
        "darts-pt/darts-pt-fixed-alpha",
        "darts-pt",
        {**_ADAM, "selection": 0.2, "criterion": "accuracy", "tuning_rate": 0.1, "blank": True, "clip": 0.0},
        (DARTS_PT, "DARTS+PT (fix alpha)"),
        f"{_DARTS_PT_FILES}, exp_scripts/blank-proj-201.sh",
        epochs=125,
    ),
)
"""The protocols."""
