"""Saving and loading the weights of trained networks: a file that no code can hide in, and a JSON file beside it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nasbench_lab import __version__
from nasbench_lab.errors import DataError, NasbenchLabError, ParameterError
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import is_plain, read_plain
from nasbench_lab.train.described_networks import NetworkDescription

SUFFIX = ".pt"
"""Suffix of files of weights; their details have the suffix ``.json``."""

_FORMAT, _VERSION = "nasbench-lab weights", 1
_MOST_DETAILS = 2**24  # bytes


def save_weights(
    path: Path, weights: Mapping[str, Tensor], network: NetworkDescription | None, details: Mapping[str, Any]
) -> None:
    """Write weights with `torch.save`, and their details as JSON beside them; each replaces an older file atomically.

    The details are written last: weights without details are those of a process that was killed.

    Args:
        path: file of the weights, whose name ends in ``.pt``.
        weights: the state of the network, on the CPU.
        network: what the network is built from; None for a network that only its owner can build.
        details: what else is kept, as JSON can hold it, e.g. the recipe and the metrics.

    Raises:
        ParameterError: the name of the file does not end in ``.pt``.
        OutputError: a file cannot be written.
    """
    if path.suffix != SUFFIX:
        raise ParameterError(f"the name of a file of weights must end in {SUFFIX}, got {path}")
    with atomic_path(path) as temporary:
        torch.save(dict(weights), temporary)
        digest = hashlib.sha256(temporary.read_bytes()).hexdigest()
    content = {
        "format": _FORMAT,
        "format_version": _VERSION,
        "sha256": digest,
        "network": network and dataclasses.asdict(network),
        **details,
        "versions": {"nasbench-lab": __version__, "torch": torch.__version__},
    }
    with atomic_path(details_path(path)) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def details_path(path: Path) -> Path:
    """Return the path of the details of weights.

    >>> details_path(Path("a/topology-7-seed-0.pt")).name
    'topology-7-seed-0.json'
    """
    return path.with_suffix(".json")


def are_saved(path: Path) -> bool:
    """Return whether weights and their details are there; their content is checked when they are loaded."""
    return is_plain(path) and is_plain(details_path(path))


def read_details(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the details of saved weights: network, recipe, data set, seed, metrics and so on.

    Args:
        path: file of the weights.

    Raises:
        DataError: the file of the details is missing or damaged.
    """
    where = details_path(Path(path))
    try:
        found = json.loads(read_plain(where, most=_MOST_DETAILS))
    except OSError as error:
        raise DataError(f"cannot read the details of the weights, {where}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is not a JSON file: {first_line(error)}") from error
    if not isinstance(found, dict) or found.get("format") != _FORMAT:
        raise DataError(f"{where} does not have the details of saved weights")
    if found.get("format_version") != _VERSION:
        raise DataError(f"{where} has format version {found.get('format_version')!r}; this version reads {_VERSION}")
    return found


def load(path: str | os.PathLike[str], network: nn.Module | None = None) -> nn.Module:
    """Load a network with saved weights, on the CPU, ready to predict (in ``eval`` mode).

    Nothing in the file is executed. The images must be normalised as for the training: mean 0 and deviation 1 per
    channel of the training images (`nasbench_lab.train.datasets.Dataset.statistics`).

    Args:
        path: file of the weights (``.pt``), with its details (``.json``) beside it.
        network: a network of the same form, which gets the weights; needed only for weights of a network of your own.

    Raises:
        DataError: a file is missing or damaged, or the weights do not fit the network.
        ParameterError: the weights are those of a network of your own, and none is given.

    >>> import tempfile
    >>> from nasbench_lab import train
    >>> result = train.train(("digits/chain", 7), "digits", epochs=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = result.save(f"{folder}/chain-7.pt")
    ...     network = train.load(path)
    >>> network(torch.zeros(5, 1, 8, 8)).shape
    torch.Size([5, 10])
    """
    where, details = Path(path), read_details(path)
    weights = _read_weights(where, details)
    if network is None:
        if details.get("network") is None:
            raise ParameterError(f"{where} has the weights of a network of your own: load(path, network) with that one")
        try:
            network = NetworkDescription.from_json(details["network"]).build()
        except (NasbenchLabError, TypeError, AttributeError) as error:  # a mapping holds something else than it should
            raise DataError(f"{details_path(where)}: the network cannot be built: {first_line(error)}") from error
    try:
        network.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise DataError(f"the weights of {where} do not fit the network: {' '.join(str(error).split())}") from error
    return network.eval()


def _read_weights(where: Path, details: Mapping[str, Any]) -> dict[str, Tensor]:
    try:
        if hashlib.sha256(read_plain(where)).hexdigest() != details.get("sha256"):
            raise DataError(f"{where} is damaged, or not the file that {details_path(where).name} describes")
        return dict(torch.load(where, map_location="cpu", weights_only=True))
    except OSError as error:
        raise DataError(f"cannot read {where}: {error.strerror}") from error
    except DataError:
        raise
    except Exception as error:  # torch.load fails in many ways
        raise DataError(f"{where} is not a file of weights: {first_line(error)}") from error
