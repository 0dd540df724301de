"""Why trainings fail, by kind, and which kinds are worth another try."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nasbench_lab.checks import one_of
from nasbench_lab.errors import ParameterError

OUT_OF_MEMORY = "out of memory"
NOT_FINITE = "the loss is not finite"
_TOO_LONG = "the training took longer than the limit of"
_DIED = "its process died"

KINDS: Mapping[str, str] = {
    "memory": "out of memory",
    "time": "over the time limit",
    "process": "whose process died",
    "loss": "with a loss that is not finite",
    "error": "with another error",
}
"""The kinds of failures, each with the words that follow a number of trainings."""

RETRIED = ("memory", "time", "process")
"""The kinds that depend on the machine and its settings, so that another try can work. A loss that is not finite is a
result: the same training gives it again."""


def too_long(seconds: float) -> str:
    """Return the reason of a training that was stopped at the time limit.

    >>> too_long(60.0)
    'the training took longer than the limit of 60 s'
    """
    return f"{_TOO_LONG} {seconds:g} s"


def process_died(how: str) -> str:
    """Return the reason of a training whose process died.

    >>> process_died("signal 9")
    'its process died (signal 9)'
    """
    return f"{_DIED} ({how})"


def kind_of(reason: str) -> str:
    """Return the kind of a failure.

    >>> kind_of(too_long(60.0)), kind_of("RuntimeError: a kernel is too large")
    ('time', 'error')
    """
    if reason == OUT_OF_MEMORY:
        return "memory"
    if reason == NOT_FINITE:
        return "loss"
    if reason.startswith(_TOO_LONG):
        return "time"
    return "process" if reason.startswith(_DIED) else "error"


def check_kinds(kinds: Sequence[str]) -> tuple[str, ...]:
    """Return kinds of failures, checked.

    Raises:
        ParameterError: there is no such kind, or none is given.
    """
    if isinstance(kinds, str) or not kinds:
        raise ParameterError(f"reasons must be a list of {', '.join(KINDS)}, got {kinds!r}")
    return tuple(dict.fromkeys(one_of("a reason", each, tuple(KINDS)) for each in kinds))


def counts_of(reasons: Iterable[str]) -> dict[str, int]:
    """Return the number of failures of each kind, in the order of `KINDS`.

    >>> counts_of(["the loss is not finite", "out of memory", "out of memory"])
    {'memory': 2, 'loss': 1}
    """
    found = [kind_of(reason) for reason in reasons]
    return {kind: found.count(kind) for kind in KINDS if kind in found}


def in_words(counts: Mapping[str, int]) -> str:
    """Return how many trainings failed and why, in words.

    >>> in_words({"memory": 2, "loss": 1})
    '2 out of memory, 1 with a loss that is not finite'
    """
    return ", ".join(f"{count:,} {KINDS[kind]}" for kind, count in counts.items())
