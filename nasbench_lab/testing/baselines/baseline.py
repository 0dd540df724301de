"""A baseline: what a strategy did on a table when someone said that this is how it should be."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

import nasbench_lab
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation import Conditions, Trace
from nasbench_lab.tables import Table
from nasbench_lab.testing.baselines.loss_comparison import FEWEST_RUNS
from nasbench_lab.testing.baselines.run_losses import LOSSES, RegretScale, losses, scale_of
from nasbench_lab.testing.baselines.trace_fingerprints import Fingerprints, fingerprints

Tier = Literal["exact", "statistical"]
TIERS: tuple[Tier, ...] = ("exact", "statistical")

RUNS = 256
"""Runs of a check unless it says otherwise: with the default margin, an equal strategy is nearly always equivalent."""

LEVEL = 0.01
"""Chance of a false alarm over all baselines of a folder, unless a check says otherwise."""

_CLOCK_MARGIN = 0.02
_UNUSED_MARGIN = 0.5  # evaluations: one less is a difference
_MARGIN_PART = 0.5  # of the standard deviation over runs
_SMALLEST_PART = 0.01  # of the worst regret: where all runs found the same

_PLAIN_NAMES = {"checksum": "the content of the table"}


@dataclasses.dataclass(frozen=True)
class Protocol:
    """What is simulated and how it is judged. A check with another protocol is another check.

    Attributes:
        table: name of the table.
        checksum: digest of its content.
        runs: number of runs.
        conditions: of the search.
        tiers: in which ways a check can pass.
        level: chance of a false alarm over all baselines of a folder.
    """

    table: str
    checksum: str
    runs: int
    conditions: Conditions
    tiers: tuple[Tier, ...] = TIERS
    level: float = LEVEL

    def __post_init__(self) -> None:
        if not self.tiers or len(set(self.tiers)) != len(self.tiers) or not set(self.tiers) <= set(TIERS):
            raise ParameterError(f"tiers must be some of {', '.join(TIERS)}, got {self.tiers!r}")
        if isinstance(self.level, bool) or not isinstance(self.level, int | float) or not 0 < self.level < 0.5:
            raise ParameterError(f"level must be between 0 and 0.5, got {self.level!r}")
        if "statistical" in self.tiers and self.runs < FEWEST_RUNS:
            raise ParameterError(f"the statistical tier needs at least {FEWEST_RUNS} runs, got {self.runs}")

    def differences(self, other: Protocol) -> list[str]:
        """Return how another protocol differs from this one, one text a field."""
        old_values, new_values = self._values(), other._values()
        pairs = [(name, old, new_values[name]) for name, old in old_values.items()]
        return [f"{_PLAIN_NAMES.get(name, name)} was {old}, is {new}" for name, old, new in pairs if old != new]

    def _values(self) -> dict[str, Any]:
        """All fields by name, those of the conditions among them."""
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        conditions = own.pop("conditions")
        return own | {field.name: getattr(conditions, field.name) for field in dataclasses.fields(conditions)}


@dataclasses.dataclass(frozen=True)
class Subject:
    """Whose baseline it is.

    Attributes:
        name, label: of the strategy, see `Setting`.
        parameters: its parameters, as plain data.
        given: names of those that are not its defaults; they are given again when it is found again.
        version: of the strategy.
        source: where it is found again: its registered name, or ``module:Class``; empty where it has neither.
        table_source: where the table is found again: a name of the catalogue or a path; empty where it has neither.
    """

    name: str
    label: str
    parameters: Mapping[str, Any]
    given: tuple[str, ...] = ()
    source: str = ""
    table_source: str = ""
    version: int = 1


@dataclasses.dataclass(frozen=True, eq=False)
class Baseline:
    """What is kept of a strategy's runs.

    Attributes:
        subject: whose baseline it is.
        protocol: what was simulated.
        made_with: versions and platform, by name.
        fingerprints: for the exact tier; None where that is not used.
        scale: how the losses are measured.
        losses: every loss of every run (see `LOSSES`), each of shape (runs,).
        margins: per loss, the largest difference in its mean that does not matter.
        stopped: how many runs the strategy ended itself.
        distinct: how many of the runs are different from each other.
    """

    subject: Subject
    protocol: Protocol
    made_with: Mapping[str, str]
    fingerprints: Fingerprints | None
    scale: RegretScale
    losses: Mapping[str, FloatArray]
    margins: Mapping[str, float]
    stopped: int
    distinct: int

    def same_content(self, other: Baseline) -> bool:
        """Return whether another baseline says the same, wherever and with whatever it was made."""
        names = ("subject", "protocol", "fingerprints", "scale", "margins", "stopped", "distinct")
        same = all(getattr(self, name) == getattr(other, name) for name in names)
        return (
            same
            and self.losses.keys() == other.losses.keys()
            and all(np.array_equal(values, other.losses[name]) for name, values in self.losses.items())
        )


def protocol_of(trace: Trace, table: Table, tiers: Sequence[Tier] = TIERS, level: float = LEVEL) -> Protocol:
    """Return the protocol that a trace was made with."""
    setting = trace.setting
    return Protocol(
        table=setting.table,
        checksum=checksum_of(table),
        runs=trace.runs,
        conditions=setting.conditions,
        tiers=tuple(tiers),
        level=level,
    )


def baseline_of(
    trace: Trace,
    table: Table,
    subject: Subject,
    *,
    margin: float | Mapping[str, float] | None = None,
    tiers: Sequence[Tier] = TIERS,
    level: float = LEVEL,
) -> Baseline:
    """Make a baseline of a trace.

    Args:
        trace: the runs, from run 0 on.
        table: what they searched.
        subject: whose they are.
        margin: the largest difference that does not matter, in the unit of the regret for ``anytime`` and ``final``; or
            one a loss, by name. By default half of the standard deviation of every regret over the runs, which 256 runs
            tell from nothing; 2 % for the clock; half an evaluation for unused ones.
        tiers: in which ways a check can pass.
        level: chance of a false alarm over all baselines of a folder.

    Raises:
        ParameterError: a margin, tier or level makes no sense, or there are too few runs or evaluations.
    """
    if trace.setting.first_run != 0 or not trace.steps:
        raise ParameterError("a baseline needs runs from number 0 on, with at least one evaluation")
    protocol = protocol_of(trace, table, tiers, level)
    scale = scale_of(trace)
    measured = losses(trace, table, scale)
    # What the audit settles run by run needs no test: then the whole budget is asked for, and the table's own seconds.
    if not trace.stopped.any():
        measured.pop("unused", None)
    if (measured.get("clock", np.ones(1)) == 1).all():
        measured.pop("clock", None)
    return Baseline(
        subject=subject,
        protocol=protocol,
        made_with=made_with(),
        fingerprints=fingerprints(trace) if "exact" in protocol.tiers else None,
        scale=scale,
        losses=measured,
        margins=margins_of(trace, scale, measured, margin),
        stopped=int(trace.stopped.sum()),
        distinct=distinct_runs(trace),
    )


def margins_of(
    trace: Trace, scale: RegretScale, measured: Mapping[str, FloatArray], margin: float | Mapping[str, float] | None
) -> dict[str, float]:
    """Return the margin of every loss, as given or by default (see `baseline_of`)."""
    if isinstance(margin, Mapping):
        given = dict(margin)
    else:
        given = {} if margin is None else {"anytime": margin, "final": margin}
    for name, number in given.items():
        if name not in LOSSES:
            raise ParameterError(f"there is no loss {name!r} to give a margin for; there are {', '.join(LOSSES)}")
        if isinstance(number, bool) or not isinstance(number, int | float | np.number) or not 0 < number < np.inf:
            raise ParameterError(f"a margin must be a positive number, got {name}={number!r}")
    worst = float(np.nanmax(trace.reference.regret(scale.kind, trace.reference.mean(scale.kind))))
    margins = {"clock": _CLOCK_MARGIN, "unused": _UNUSED_MARGIN}
    for name in ("anytime", "final"):
        spread = float(measured[name].std(ddof=1)) if trace.runs > 1 else 0.0
        # Where hardly any run differs, the spread is no scale; the range of regrets is one.
        margins[name] = float(f"{max(_MARGIN_PART * spread, _SMALLEST_PART * worst) or 1.0:.2g}")
    return {name: float(given.get(name, margins[name])) for name in sorted(measured)}


def distinct_runs(trace: Trace) -> int:
    """Return how many of the runs evaluated different architectures."""
    return len({row.tobytes() for row in np.ascontiguousarray(trace.architecture)})


def checksum_of(table: Table) -> str:
    """Return the digest of a table's content; that of one made in memory is computed."""
    if table.checksum:
        return table.checksum
    digest = hashlib.sha256(table.description.to_json().encode())
    for name in sorted(table.metrics):
        # Single precision: on another platform, the last bits of made-up numbers may be others.
        digest.update(np.ascontiguousarray(table.values(name), dtype="<f4").tobytes())
    return f"memory:{digest.hexdigest()}"


def made_with() -> dict[str, str]:
    """Return the versions and the platform, for the reader of a baseline file."""
    return {
        "machine": platform.machine() or "unknown",
        "nasbench-lab": nasbench_lab.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "system": platform.system() or "unknown",
    }
