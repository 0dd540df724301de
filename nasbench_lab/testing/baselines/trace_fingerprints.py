"""The exact tier of a baseline: hashes of the evaluations of runs, which show where two traces begin to differ.

Only integers are hashed (architectures, fidelities, repeats, and recommendations if there are any), so fingerprints are
the same on every platform. Every run has short hashes of its first 1, 2, 4, 8, ... evaluations; one long hash covers
all runs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.simulation.trace import Trace

_BYTES = 2  # of a prefix hash: different prefixes have equal hashes once in 65,536 times; the digest still differs
WORD = 2 * _BYTES
"""Number of hexadecimal digits of a prefix hash."""

_COLUMNS = ("architecture", "fidelity", "repeat")


@dataclass(frozen=True)
class Fingerprints:
    """Hashes of the evaluations of several runs.

    Attributes:
        digest: SHA-256 over all runs, 64 hexadecimal digits.
        prefixes: for every run, the hashes of its first 1, 2, 4, ... evaluations, concatenated, `WORD` digits each.
    """

    digest: str
    prefixes: tuple[str, ...]


@dataclass(frozen=True)
class TraceDifference:
    """Where a trace begins to differ from another one, according to its fingerprints.

    Attributes:
        run: number of the first run that differs; None if only the digests differ.
        after: number of first evaluations of this run that are the same.
        until: number of first evaluations of this run of which at least one differs; None if only later ones differ.
        runs: number of runs that differ.
        of: number of runs.
    """

    run: int | None
    after: int
    until: int | None
    runs: int
    of: int

    def __str__(self) -> str:
        if self.run is None:
            return "the trace differs from that of the baseline, at a place that the short hashes do not show"
        if self.until is None:
            where = f"after evaluation {self.after}"
        elif self.after + 1 == self.until:
            where = f"in evaluation {self.until}"
        else:
            where = f"in one of the evaluations {self.after + 1} to {self.until}"
        return f"{self.runs} of {self.of} runs differ; the first is run {self.run}, which first differs {where}"


def fingerprints(trace: Trace) -> Fingerprints:
    """Return the fingerprints of a trace.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> trace = nl.simulate(synthetic_table(), "random-search", runs=2, budget=nl.Budget(evaluations=5))
    >>> [len(run) // WORD for run in fingerprints(trace).prefixes]  # the first 1, 2, 4 and 5 evaluations
    [4, 4]
    """
    numbers = _rows(trace)
    rows = [row.tobytes() for row in numbers]
    lengths = trace.evaluations.tolist()
    size = numbers.shape[2] * numbers.itemsize
    digest = hashlib.sha256(np.asarray(lengths, dtype="<i8").tobytes())
    prefixes = []
    for row, length in zip(rows, lengths, strict=True):
        digest.update(row[: length * size])
        prefixes.append(_prefixes(row, length, trace.steps, size))
    return Fingerprints(digest.hexdigest(), tuple(prefixes))


def difference(known: Fingerprints, trace: Trace) -> TraceDifference | None:
    """Return where a trace begins to differ from one with known fingerprints, or None if it is the same."""
    found = fingerprints(trace)
    if found.digest == known.digest:
        return None
    differing = [run for run, pair in enumerate(zip(known.prefixes, found.prefixes, strict=True)) if pair[0] != pair[1]]
    if not differing:
        return TraceDifference(None, 0, None, 0, trace.runs)
    run = differing[0]
    old, new = _words(known.prefixes[run]), _words(found.prefixes[run])
    same = next((n for n, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), None)
    after = _length(same - 1) if same else 0
    if same is None:
        after = _length(min(len(old), len(new)) - 1)
    until = None if same is None else _length(same)
    return TraceDifference(trace.setting.first_run + run, after, until, len(differing), trace.runs)


def _rows(trace: Trace) -> NDArray[np.int32]:
    """Return the integers of all evaluations, shape (runs, steps, columns)."""
    columns = [getattr(trace, name) for name in _COLUMNS]
    if trace.recommended is not None:
        columns.append(trace.recommended)
    stacked = np.stack(columns, axis=-1)
    return np.ascontiguousarray(stacked, dtype="<i4")


def _prefixes(row: bytes, length: int, steps: int, size: int) -> str:
    """Return the hashes of a run's first 1, 2, 4, ... evaluations, up to the first number that covers all steps."""
    words, hashed, position = [], hashlib.blake2b(digest_size=_BYTES), 0
    number = 0
    while True:
        end = min(_length(number), length) * size
        hashed.update(row[position:end])
        position = end
        words.append(hashed.hexdigest())
        if _length(number) >= steps:
            return "".join(words)
        number += 1


def _length(number: int) -> int:
    """Return the number of evaluations in the prefix with this number."""
    return int(2**number)


def _words(text: str) -> list[str]:
    return [text[start : start + WORD] for start in range(0, len(text), WORD)]
