"""Accel-NASBench: 5,125 EfficientNet-like networks trained on ImageNet, with their speed on six accelerators.

The archive ``anb_dataset_jsons.tar.gz`` has a JSON file per result, ``result_0.json`` and so on: seven blocks, each
with expansion ``e``, kernel ``k``, layers ``l`` and squeeze-and-excitation ``se``; accuracies and seconds of the
training; latency or throughput on the accelerators, some of which are null. Of the 5,138 results, 13 belong to a
network with an earlier result; they are its second repeat. The whole space has 10**11 networks; the table's space lists
the networks with results.
"""

from __future__ import annotations

import io
import itertools
import json
import math
import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import is_plain, open_plain
from nasbench_lab.spaces.listed import ListedChoicesSpace
from nasbench_lab.spaces.named_choices import Choice
from nasbench_lab.tables import store
from nasbench_lab.tables.description import Description, Metric
from nasbench_lab.tables.reading import gzip_file

_MEMBER = re.compile(r"(?:\./)?(?:[\w-]{1,50}/)?result_([0-9]{1,6})\.json", re.ASCII)
_MOST_BYTES = 2**16  # of one result; the largest has 1,400
_MOST_UNPACKED = 2**26  # bytes of the unpacked archive; the published one has 11 million
_MOST_REPEATS = 100

PUBLISHED = {"anb_dataset_jsons.tar.gz": "3520992d42e368b7c08c99fc3f6612855b5b366bf98668a7f19d49f3131aa4ae"}
"""Name of the published file to its SHA-256, from commit 42603572d530 of its repository."""

_BLOCKS, _VALUES = range(7), {"e": (1, 4, 6), "k": (3, 5), "l": (1, 2, 3), "se": (False, True)}
_LAYERS_OF_BLOCK_5 = (1, 2, 3, 4)
_CHOICES = {
    f"block{block}_{part}": _LAYERS_OF_BLOCK_5 if (block, part) == (5, "l") else values
    for block, (part, values) in itertools.product(_BLOCKS, _VALUES.items())
}
_AXES = ("architecture", "repeat")
_TARGETS = {
    "a100": "NVIDIA A100",
    "3090": "NVIDIA RTX 3090",
    "tpuv2": "Google Cloud TPU v2",
    "tpuv3": "Google Cloud TPU v3",
    "zcu102": "Xilinx Zynq UltraScale+ ZCU102",
    "vck190": "Xilinx Versal AI Core VCK190",
}
_LATENCIES = ("zcu102", "vck190")

_FIELDS: dict[Metric, tuple[str, ...]] = {
    Metric("valid_top1", "valid", "percent", "maximize", "top-1 accuracy", _AXES): ("metrics", "val_top1"),
    Metric("valid_top5", "valid", "percent", "maximize", "top-5 accuracy", _AXES): ("metrics", "val_top5"),
    Metric("train_seconds", "none", "s", "minimize", "the whole training", _AXES): ("metrics", "train_time"),
    Metric("macs", "none", "millions", "minimize", "multiply-additions of one image", _AXES): ("model_info", "macs"),
    Metric("parameters", "none", "millions", "minimize", "trainable parameters", _AXES): ("model_info", "params"),
}
for _target in _LATENCIES:
    _what = f"one forward pass on {_TARGETS[_target]}"
    _metric = Metric(f"{_target}_latency", "none", "ms", "minimize", _what, _AXES)
    _FIELDS[_metric] = ("platform_perf", f"latency_{_target}", "latency_mean")
for _target, _name in _TARGETS.items():
    _metric = Metric(f"{_target}_throughput", "none", "images/s", "maximize", f"mean on {_name}", _AXES)
    _FIELDS[_metric] = ("platform_perf", f"throughput_{_target}", "throughput_mean")
    if _target not in _LATENCIES:  # published as null there
        _deviation = f"standard deviation of repeated measurements on {_name}"
        _metric = Metric(f"{_target}_throughput_deviation", "none", "images/s", "none", _deviation, _AXES)
        _FIELDS[_metric] = ("platform_perf", f"throughput_{_target}", "throughput_std")

_CITATION = """@inproceedings{ahmad2024accelnasbench,
  title     = {{Accel-NASBench}: Sustainable Benchmarking for Accelerator-Aware {NAS}},
  author    = {Ahmad, Afzal and Du, Linfeng and Xie, Zhiyao and Zhang, Wei},
  booktitle = {Proceedings of the 61st ACM/IEEE Design Automation Conference (DAC)},
  year      = {2024}
}"""


def convert(source: Path, target: Path, *, progress: Callable[[int, int], None] | None = None) -> Path:
    """Write the table of the results in an archive.

    Args:
        source: ``anb_dataset_jsons.tar.gz``.
        target: the table file to write.
        progress: called with the number of finished results; the total is unknown, given as 0.

    Returns:
        ``target``.

    Raises:
        DataError: the archive is damaged, hostile, or not that of Accel-NASBench. No table is written.
        OutputError: the table cannot be written.
    """
    results: dict[int, tuple[tuple[int, ...], FloatArray]] = {}
    for number, content in _members(Path(source)):
        if number in results:
            raise DataError(f"{source} has result {number} twice")
        results[number] = _parse(content, number)
        if progress is not None:
            progress(len(results), 0)
    if not results:
        raise DataError(f"{source} has no results (files like anb_dataset_jsons/result_0.json)")
    _write([results[number] for number in sorted(results)], Path(target), Path(source).name)
    return Path(target)


def _write(results: list[tuple[tuple[int, ...], FloatArray]], target: Path, source: str) -> None:
    choices: list[Choice] = [(name, [str(value) for value in values]) for name, values in _CHOICES.items()]
    space = ListedChoicesSpace.of(choices, [codes for codes, _ in results])
    index = space.index(np.array([codes for codes, _ in results]))
    repeats = int(np.bincount(index).max())
    if repeats > _MOST_REPEATS:
        raise DataError(f"{source} has {repeats} results of one network; at most {_MOST_REPEATS} are expected")
    with store.writing(_describe(space, repeats, source), target) as draft:
        seen = np.zeros(space.size, dtype=np.int64)
        for place, (_, numbers) in zip(index.tolist(), results, strict=True):
            for metric, number in zip(_FIELDS, numbers, strict=True):
                draft.values[metric.name][place, seen[place]] = number
            seen[place] += 1


def _members(source: Path) -> Iterator[tuple[int, Any]]:
    """Yield number and content of every result. Nothing is extracted to disk."""
    try:
        with open_plain(source) as file:
            content = gzip_file.expand(file, _MOST_UNPACKED)
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for member in archive:
                match = _MEMBER.fullmatch(member.name)
                if match and member.isreg():
                    yield int(match[1]), _content(archive, member)
            # At a damaged header, or without the zeros at the end, tarfile stops without an error.
            rest = content[archive.offset :]
            if len(rest) < tarfile.BLOCKSIZE or rest.strip(b"\0"):
                raise DataError("it is truncated, or damaged after its last readable member")
    except DataError as error:
        raise DataError(f"{source.name}: {error}") from error
    except Exception as error:  # a damaged archive or text can raise almost any exception
        if isinstance(error, OSError) and not is_plain(source):
            raise DataError(f"cannot read {source}: {error.strerror or first_line(error)}") from error
        raise DataError(f"{source.name} is damaged: {type(error).__name__}: {first_line(error)}") from error


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Any:
    if member.size > _MOST_BYTES:
        raise DataError(f"{member.name} has more than {_MOST_BYTES} bytes")
    file = archive.extractfile(member)
    return json.load(file) if file else None


def _parse(content: Any, number: int) -> tuple[tuple[int, ...], FloatArray]:
    """Return the codes of a result's network, and its numbers; NaN for null."""
    try:
        network = content["architecture"]
        codes = tuple(_code(network[name], values) for name, values in _CHOICES.items())
        found = [_at(content, path) for path in _FIELDS.values()]
    except (KeyError, TypeError, IndexError) as error:
        raise DataError(f"result {number} lacks a field: {error!r}") from error
    except ValueError as error:
        raise DataError(f"result {number} has a block outside the space") from error
    return codes, np.array([math.nan if value is None else _number(value, number) for value in found])


def _number(value: Any, number: int) -> float:
    try:
        if type(value) in (int, float) and math.isfinite(value):
            return float(value)
    except OverflowError:
        pass
    raise DataError(f"result {number} has a value that is not a finite number")


def _code(value: Any, values: tuple[Any, ...]) -> int:
    """Return the position of a value among the allowed values; True does not equal 1 here."""
    return [(type(known), known) for known in values].index((type(value), value))


def _at(content: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        content = content[key]
    return content


def _describe(space: ListedChoicesSpace, repeats: int, source: str) -> Description:
    return Description(
        name="accel-nasbench/imagenet",
        title="Accel-NASBench: EfficientNet-like networks on ImageNet, and their speed on accelerators",
        space=space.spec(),
        fidelities=(1,),
        repeats=tuple(f"result {repeat + 1}" for repeat in range(repeats)),
        metrics=tuple(_FIELDS),
        valid="valid_top1",
        test=None,
        cost=("train_seconds",),
        licence="Apache-2.0",
        citation=_CITATION,
        source=source,
        notes=(
            "No two networks differ in only one choice, so networks have no neighbours, and mutation changes nothing.",
            "The proxy training schedule counts as one epoch, as the files do not state its length.",
            "Some speeds were not measured and are missing.",
        ),
    )
