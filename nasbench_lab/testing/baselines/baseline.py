"""A baseline: the recorded results of a strategy on a table, which later versions are compared with."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

import nasbench_lab
from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import Above, Below, number, require
from nasbench_lab.simulation import Conditions, Trace
from nasbench_lab.tables import Table
from nasbench_lab.testing.baselines.loss_comparison import FEWEST_RUNS
from nasbench_lab.testing.baselines.run_losses import LOSSES, RegretScale, losses, scale_of
from nasbench_lab.testing.baselines.trace_fingerprints import Fingerprints, fingerprints

Tier = Literal["exact", "statistical"]
TIERS: tuple[Tier, ...] = ("exact", "statistical")

RUNS = 256
"""Default number of runs of a check: with the default margin, an equal strategy is nearly always equivalent."""

LEVEL = 0.01
"""Default probability of a false alarm over all baselines of a folder."""

_CLOCK_MARGIN = 0.02
_UNUSED_MARGIN = 0.5  # evaluations: a whole evaluation counts as a difference
_MARGIN_PART = 0.5  # fraction of the standard deviation over runs
_SMALLEST_PART = 0.01  # fraction of the worst regret, for runs that all found the same

_PLAIN_NAMES = {"checksum": "the content of the table"}


@dataclasses.dataclass(frozen=True)
class Protocol:
    """What is simulated and how it is judged. Results are comparable only under the same protocol.

    Attributes:
        table: name of the table.
        checksum: digest of the table's content.
        runs: number of runs.
        conditions: conditions of the search.
        tiers: ways in which a check can pass.
        level: probability of a false alarm over all baselines of a folder.

    Raises:
        ParameterError: the tiers, the level or the number of runs are not allowed.
    """

    table: str
    checksum: str
    runs: int
    conditions: Conditions
    tiers: tuple[Tier, ...] = TIERS
    level: float = LEVEL

    def __post_init__(self) -> None:
        possible = bool(self.tiers) and len(set(self.tiers)) == len(self.tiers) and set(self.tiers) <= set(TIERS)
        require(possible, f"tiers must be some of {', '.join(TIERS)}, got {self.tiers!r}")
        number("level", self.level, Above(0), Below(0.5))
        enough = "statistical" not in self.tiers or self.runs >= FEWEST_RUNS
        require(enough, f"the statistical tier needs at least {FEWEST_RUNS} runs, got {self.runs}")

    def differences(self, other: Protocol) -> list[str]:
        """Return how another protocol differs from this one, one text per field."""
        old_values, new_values = self._values(), other._values()
        pairs = [(name, old, new_values[name]) for name, old in old_values.items()]
        return [f"{_PLAIN_NAMES.get(name, name)} was {old}, is {new}" for name, old, new in pairs if old != new]

    def _values(self) -> dict[str, Any]:
        """Return all fields by name, including those of the conditions."""
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        conditions = own.pop("conditions")
        return own | {field.name: getattr(conditions, field.name) for field in dataclasses.fields(conditions)}


@dataclasses.dataclass(frozen=True)
class Subject:
    """The strategy of a baseline.

    Attributes:
        name, label: name and label of the strategy, see `Setting`.
        parameters: parameters of the strategy, as plain data.
        given: names of the parameters that differ from the defaults; a later check passes them again.
        version: version of the strategy.
        source: registered name of the strategy, or ``module:Class``; empty if it has neither.
        table_source: name of the table in the catalogue, or its path; empty if it has neither.
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
    """The recorded results of a strategy's runs.

    Attributes:
        subject: the strategy.
        protocol: what was simulated.
        made_with: versions and platform, by name.
        fingerprints: fingerprints of the runs for the exact tier; None if that is not used.
        scale: how regrets are measured.
        losses: losses of the runs by name (see `LOSSES`), each of shape (runs,).
        margins: for every loss, the largest difference of means that does not matter.
        stopped: number of runs that the strategy ended itself.
        distinct: number of different runs.
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
        """Return whether another baseline has the same content; the versions and the platform may differ."""
        names = ("subject", "protocol", "fingerprints", "scale", "margins", "stopped", "distinct")
        same = all(getattr(self, name) == getattr(other, name) for name in names)
        return (
            same
            and self.losses.keys() == other.losses.keys()
            and all(np.array_equal(values, other.losses[name]) for name, values in self.losses.items())
        )


def protocol_of(trace: Trace, table: Table, tiers: Sequence[Tier] = TIERS, level: float = LEVEL) -> Protocol:
    """Return the protocol of a trace."""
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
    """Make a baseline from a trace.

    Args:
        trace: the runs, starting with run 0.
        table: the table that was searched.
        subject: the strategy.
        margin: largest difference that does not matter: a number in the unit of the regret, for ``anytime`` and
            ``final``, or one number per loss by name. By default half of the standard deviation of a regret over the
            runs, which 256 runs can detect; 2 % for the clock; half an evaluation for unused evaluations.
        tiers: ways in which a check can pass.
        level: probability of a false alarm over all baselines of a folder.

    Raises:
        ParameterError: a margin, a tier or the level is not allowed, or there are too few runs or evaluations.
    """
    complete = trace.setting.first_run == 0 and trace.steps > 0
    require(complete, "a baseline needs runs that start with number 0, with at least one evaluation")
    protocol = protocol_of(trace, table, tiers, level)
    scale = scale_of(trace)
    measured = losses(trace, table, scale)
    # Where no run stopped early and every time is that of the table, the audit checks each run, so no test is needed.
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
    """Return the margin of every loss (see `baseline_of`)."""
    if isinstance(margin, Mapping):
        given = dict(margin)
    else:
        given = {} if margin is None else {"anytime": margin, "final": margin}
    for name, value in given.items():
        require(name in LOSSES, f"unknown loss {name!r} in margin; known: {', '.join(LOSSES)}")
        number(f"the margin of {name}", value, Above(0))
    worst = float(np.nanmax(trace.reference.regret(scale.kind, trace.reference.mean(scale.kind))))
    margins = {"clock": _CLOCK_MARGIN, "unused": _UNUSED_MARGIN}
    for name in ("anytime", "final"):
        spread = float(measured[name].std(ddof=1)) if trace.runs > 1 else 0.0
        # If hardly any run differs, the spread is too small for a margin; the range of regrets is not.
        margins[name] = float(f"{max(_MARGIN_PART * spread, _SMALLEST_PART * worst) or 1.0:.2g}")
    return {name: float(given.get(name, margins[name])) for name in sorted(measured)}


def distinct_runs(trace: Trace) -> int:
    """Return the number of runs with different sequences of architectures."""
    return len({row.tobytes() for row in np.ascontiguousarray(trace.architecture)})


def checksum_of(table: Table) -> str:
    """Return the digest of a table's content; it is computed for tables made in memory."""
    if table.checksum:
        return table.checksum
    digest = hashlib.sha256(table.description.to_json().encode())
    for name in sorted(table.metrics):
        # Single precision: the last bits of synthetic numbers can differ between platforms.
        digest.update(np.ascontiguousarray(table.values(name), dtype="<f4").tobytes())
    return f"memory:{digest.hexdigest()}"


def made_with() -> dict[str, str]:
    """Return the versions and the platform, for readers of a baseline file."""
    return {
        "machine": platform.machine() or "unknown",
        "nasbench-lab": nasbench_lab.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "system": platform.system() or "unknown",
    }
