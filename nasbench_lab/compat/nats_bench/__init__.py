"""A drop-in replacement of ``nats_bench`` 1.8 (Dong et al., "NATS-Bench", TPAMI 2021) over our tables.

With the import ``from nasbench_lab.compat.nats_bench import create``, a script gets the same numbers of the same types
from the same calls. It is faster: nothing is loaded in advance, and each number is read from mapped memory when it is
needed. ``docs/design/compat.md`` explains all differences. In short:

- Trainings are drawn from a generator of the object, never from the global one of ``random``. `create` takes a ``seed``
  to make a script reproducible.
- Calls print nothing. With ``verbose=True``, the official API prints one line per call; here the opened path is logged.
- An error is one line that says what was requested and what is available. Its type is one that the official API raises.
- Pickles are never loaded in a way that could run code, so there are no ``pickle_load`` and ``pickle_save``.
- ``evaluated_indexes`` are always all architectures in the archive. In the fast mode of the official API, they are only
  those that have been requested.
"""

from __future__ import annotations

import os
from typing import Any

from nasbench_lab.compat.nats.arch_results import ArchResults
from nasbench_lab.compat.nats.errors import ArgumentError, ArgumentTypeError, MissingResultError
from nasbench_lab.compat.nats.results_count import ResultsCount
from nasbench_lab.compat.nats_bench import api_size, api_topology, api_utils, genotype_utils
from nasbench_lab.compat.nats_bench.api_size import NATSsize
from nasbench_lab.compat.nats_bench.api_topology import NATStopology
from nasbench_lab.spaces.size import CHANNELS, LAYERS
from nasbench_lab.spaces.topology import OPERATIONS

__all__ = [
    "ArchResults",
    "ArgumentError",
    "ArgumentTypeError",
    "MissingResultError",
    "NATSsize",
    "NATStopology",
    "ResultsCount",
    "api_size",
    "api_topology",
    "api_utils",
    "create",
    "genotype_utils",
    "search_space_info",
    "version",
]

NATS_BENCH_API_VERSIONs = [f"v1.{minor}" for minor in range(9)]
NATS_BENCH_SSS_NAMEs = ("sss", "size")
NATS_BENCH_TSS_NAMEs = ("tss", "topology")


def create(
    file_path_or_dict: str | os.PathLike[str] | None,
    search_space: str,
    fast_mode: bool = False,
    verbose: bool = True,
    *,
    seed: int | None = None,
) -> NATStopology | NATSsize:
    """Open NATS-Bench.

    Args:
        file_path_or_dict: a folder of our tables, or an official folder (with ``fast_mode=True``) or file (without).
            An official archive is converted into the cache at its first use. None uses the official name in
            ``$TORCH_HOME`` or ``~/.torch``.
        search_space: ``"tss"`` or ``"topology"``, ``"sss"`` or ``"size"``.
        fast_mode: True for an official folder, False for an official file; for our tables it does not matter.
        verbose: whether the opened path is logged.
        seed: seed of the generator that draws trainings and architectures; by default unpredictable.

    Raises:
        ArgumentError: no such search space, file or folder.
        DataError: the archive is damaged or hostile.
    """
    if search_space in NATS_BENCH_TSS_NAMEs:
        return NATStopology(file_path_or_dict, fast_mode, verbose, seed=seed)
    if search_space in NATS_BENCH_SSS_NAMEs:
        return NATSsize(file_path_or_dict, fast_mode, verbose, seed=seed)
    raise ArgumentError(f"invalid search space : {search_space}; allowed: tss, topology, sss, size")


def search_space_info(main_tag: str, aux_tag: str | None) -> dict[str, Any]:
    """Return the choices of a search space.

    Args:
        main_tag: ``"nats-bench"`` or ``"nas-bench-201"``.
        aux_tag: search space of NATS-Bench; None for NAS-Bench-201.

    >>> search_space_info("nats-bench", "size")
    {'candidates': [8, 16, 24, 32, 40, 48, 56, 64], 'num_layers': 5}
    """
    topology = {"op_names": list(OPERATIONS), "num_nodes": 4}
    if main_tag == "nas-bench-201" and aux_tag is None:
        return topology
    if main_tag == "nats-bench" and aux_tag in NATS_BENCH_TSS_NAMEs:
        return topology
    if main_tag == "nats-bench" and aux_tag in NATS_BENCH_SSS_NAMEs:
        return {"candidates": list(CHANNELS), "num_layers": LAYERS}
    raise ArgumentError(f"unknown search space {main_tag!r} with {aux_tag!r}")


def version() -> str:
    """Return the version of the official API that this module follows."""
    return NATS_BENCH_API_VERSIONs[-1]
