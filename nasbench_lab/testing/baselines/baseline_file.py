"""Baseline files: JSON that people can read, with differences that they can review.

Keys are sorted, lists are wrapped at a fixed width, and numbers have nine significant digits, so the same baseline
always gives the same bytes.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_lab.errors import DataError, NasbenchLabError, ParameterError
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import is_folder, is_plain
from nasbench_lab.simulation import Budget, Conditions
from nasbench_lab.simulation.budget import KINDS
from nasbench_lab.testing.baselines.baseline import Baseline, Protocol, Subject
from nasbench_lab.testing.baselines.run_losses import LOSSES, RegretScale
from nasbench_lab.testing.baselines.strict_json import JsonObject, parse, render, require
from nasbench_lab.testing.baselines.trace_fingerprints import WORD, Fingerprints

FORMAT = "nasbench-lab baseline"
FORMAT_VERSION = 1
SUFFIX = ".json"

_LARGEST = 64 * 2**20  # bytes: enough for a hundred thousand runs; larger files are refused


def write_baseline(baseline: Baseline, path: str | os.PathLike[str]) -> None:
    """Write a baseline to a file, atomically.

    Raises:
        OutputError: the file cannot be written; an existing file is unchanged.
    """
    with atomic_path(Path(path)) as temporary:
        temporary.write_text(to_json(baseline), encoding="utf-8", newline="\n")


def read_baseline(path: str | os.PathLike[str]) -> Baseline:
    """Read a baseline file that `write_baseline` wrote.

    Raises:
        DataError: the file is missing, damaged, or has another or a newer format.
    """
    where = Path(path)
    if not is_plain(where):
        raise DataError(f"there is no baseline {where}")
    try:
        if where.stat().st_size > _LARGEST:
            raise DataError(f"it has more than {_LARGEST // 2**20} MiB")
        return from_json(where.read_text(encoding="utf-8"))
    except (NasbenchLabError, OSError, ValueError) as error:
        raise DataError(f"cannot read the baseline {where}: {first_line(error)}") from error


def baseline_files(place: Path) -> list[Path]:
    """Return the baseline files in a folder, sorted, or the file itself.

    Raises:
        DataError: the folder has no baseline files.
    """
    if not is_folder(place):
        return [place]
    found = sorted(place.glob(f"*{SUFFIX}"))
    if not found:
        raise DataError(f"there are no baselines (*{SUFFIX}) in {place}; to write one, name its file")
    return found


def to_json(baseline: Baseline) -> str:
    """Return the text of a baseline's file."""
    protocol = dataclasses.asdict(baseline.protocol)
    protocol |= {**baseline.protocol.conditions.to_data(), "objectives": list(baseline.protocol.conditions.objectives)}
    del protocol["conditions"]
    document = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "made_with": dict(baseline.made_with),
        "subject": dataclasses.asdict(baseline.subject),
        "protocol": protocol,
        "fingerprints": None if baseline.fingerprints is None else dataclasses.asdict(baseline.fingerprints),
        "scale": dataclasses.asdict(baseline.scale),
        "losses": {name: values.tolist() for name, values in baseline.losses.items()},
        "margins": dict(baseline.margins),
        "runs": {"distinct": baseline.distinct, "stopped": baseline.stopped},
    }
    return render(document) + "\n"


def from_json(text: str) -> Baseline:
    """Return the baseline in the text of a file.

    Raises:
        DataError: the text is not a baseline.
    """
    root = parse(text)
    if root.value("format", str) != FORMAT:
        raise DataError("it is not a baseline of nasbench-lab")
    version = root.value("format_version", int)
    if version != FORMAT_VERSION:
        raise DataError(f"it has format version {version}; this release reads {FORMAT_VERSION}")
    try:
        return _baseline(root)
    except ParameterError as error:  # a budget, level or tier that is not allowed
        raise DataError(str(error)) from error


def _baseline(root: JsonObject) -> Baseline:
    protocol = _protocol(root.part("protocol"))
    losses = {name: np.array(root.part("losses").numbers(name)) for name in root.part("losses").names()}
    margins = {name: root.part("margins").number(name) for name in root.part("margins").names()}
    require({"anytime", "final"} <= set(losses) <= set(LOSSES), f"losses must be {', '.join(LOSSES)}")
    require(set(margins) == set(losses), "margins must be given for exactly the losses")
    require(all(margin > 0 for margin in margins.values()), "a margin is not positive")
    require(all(len(values) == protocol.runs for values in losses.values()), "a loss must have one value per run")
    subject = root.part("subject")
    counts = root.part("runs")
    baseline = Baseline(
        subject=Subject(
            name=subject.value("name", str),
            label=subject.value("label", str),
            parameters=subject.value("parameters", dict),
            given=tuple(subject.texts("given")),
            source=subject.value("source", str),
            table_source=subject.value("table_source", str),
            version=subject.value("version", int) if "version" in subject.names() else 1,
        ),
        protocol=protocol,
        made_with={name: root.part("made_with").value(name, str) for name in root.part("made_with").names()},
        fingerprints=_fingerprints(root, protocol.runs) if root.value("fingerprints", dict | None) else None,
        scale=_scale(root.part("scale")),
        losses=losses,
        margins=margins,
        stopped=counts.value("stopped", int),
        distinct=counts.value("distinct", int),
    )
    require(set(baseline.subject.given) <= set(baseline.subject.parameters), "subject.given names unknown parameters")
    require(
        (baseline.fingerprints is not None) == ("exact" in protocol.tiers),
        "fingerprints must be given if and only if tiers has exact",
    )
    return baseline


def _protocol(part: JsonObject) -> Protocol:
    budget = part.part("budget")
    repeat = part.value("repeat", int | str)
    require(isinstance(repeat, int) or repeat in ("sample", "mean"), f"protocol.repeat is {repeat!r}")
    protocol = Protocol(
        table=part.value("table", str),
        checksum=part.value("checksum", str),
        runs=part.value("runs", int),
        conditions=Conditions(
            budget=Budget(**{name: _limit(budget, name) for name in budget.names()}),
            fidelity=part.value("fidelity", int),
            repeat=repeat,
            workers=part.value("workers", int),
            objectives=tuple(part.texts("objectives")),
            limits={name: part.part("limits").number(name) for name in part.part("limits").names()},
            seed=part.value("seed", int),
        ),
        tiers=tuple(part.texts("tiers")),  # type: ignore[arg-type] # checked by Protocol
        level=part.number("level"),
    )
    require(protocol.runs >= 1, "protocol has no runs")
    return protocol


def _limit(budget: JsonObject, name: str) -> Any:
    """Return a limit of a budget, or None if it is not set."""
    kinds = {kind.name: kind.type for kind in KINDS}
    require(name in kinds, f"protocol.budget has an unknown kind {name!r}; known: {', '.join(kinds)}")
    if kinds[name] is not float:
        return budget.value(name, kinds[name] | None)
    return None if budget.value(name, int | float | None) is None else budget.number(name)


def _scale(part: JsonObject) -> RegretScale:
    kind, axis = part.value("kind", str), part.value("axis", str)
    checkpoints = part.numbers("checkpoints")
    require(kind in ("valid", "test") and axis in ("evaluations", "seconds"), f"scale is {kind!r} by {axis!r}")
    ascending = all(early < late for early, late in zip([0.0, *checkpoints], checkpoints, strict=False))
    require(bool(checkpoints) and ascending and checkpoints[-1] < 2**62, "scale.checkpoints do not ascend")
    return RegretScale(kind, axis, tuple(checkpoints))


def _fingerprints(root: JsonObject, runs: int) -> Fingerprints:
    part = root.part("fingerprints")
    digest, prefixes = part.value("digest", str), part.texts("prefixes")
    require(len(digest) == 64 and _is_hexadecimal(digest), "fingerprints.digest is not a SHA-256 digest")
    require(len(prefixes) == runs, "fingerprints.prefixes must have one text per run")
    good = all(text and len(text) % WORD == 0 and _is_hexadecimal(text) for text in prefixes)
    require(good, "fingerprints.prefixes must be hexadecimal hashes")
    return Fingerprints(digest, tuple(prefixes))


def _is_hexadecimal(text: str) -> bool:
    return set(text) <= set("0123456789abcdef")
