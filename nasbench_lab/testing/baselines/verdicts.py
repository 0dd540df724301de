"""Comparing runs with a baseline (audit, exact tier, statistical tier), and writing a baseline of runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.simulation import Setting, Trace
from nasbench_lab.tables import Table
from nasbench_lab.testing.baselines.baseline import (
    LEVEL,
    TIERS,
    Baseline,
    Protocol,
    Subject,
    Tier,
    baseline_of,
    distinct_runs,
    protocol_of,
)
from nasbench_lab.testing.baselines.baseline_file import baseline_files, read_baseline, write_baseline
from nasbench_lab.testing.baselines.check_outcome import CheckOutcome, Verdict
from nasbench_lab.testing.baselines.file_references import plain
from nasbench_lab.testing.baselines.loss_comparison import (
    POWER,
    LossComparison,
    compare,
    equivalence_chances,
    error_per_test,
)
from nasbench_lab.testing.baselines.run_losses import losses
from nasbench_lab.testing.baselines.trace_audit import audit_trace
from nasbench_lab.testing.baselines.trace_fingerprints import difference


@dataclasses.dataclass(frozen=True, eq=False)
class SimulatedRuns:
    """Simulated runs that a baseline is compared with or written of.

    Attributes:
        trace: the runs, starting with number 0.
        table: the table that was searched.
        pays_for_scores: whether the strategy uses scores, which cost seconds.
        findings: errors that were found before.
    """

    trace: Trace
    table: Table
    pays_for_scores: bool = False
    findings: tuple[str, ...] = ()

    def audit(self, *, may_stop: bool, pays: bool) -> list[str]:
        """Return all errors that do not depend on the regrets of a baseline, one line each.

        Args:
            may_stop: whether runs may end themselves.
            pays: whether a strategy that uses scores may spend seconds on them.
        """
        pays = pays and self.pays_for_scores
        return [*self.findings, *audit_trace(self.trace, self.table, pays_for_scores=pays, may_stop=may_stop)]


def compare_with_baseline(
    baseline: Baseline,
    simulated: SimulatedRuns,
    path: Path,
    tiers: Sequence[Tier] = TIERS,
    level: float = LEVEL,
    margin: float | Mapping[str, float] | None = None,
) -> CheckOutcome:
    """Compare runs with a baseline; see `BaselineCheck`.

    Raises:
        ParameterError: the runs have another protocol, or the margins are not those of the baseline.
    """
    trace, table = simulated.trace, simulated.table
    _check_protocol(baseline, protocol_of(trace, table, tiers, level), path, margin)
    outcome = CheckOutcome(str(path), trace.setting.label, table.name, "broken", runs=trace.runs)
    findings = simulated.audit(may_stop=baseline.stopped > 0, pays="clock" in baseline.losses)
    if baseline.distinct > 1 and distinct_runs(trace) == 1 and trace.runs > 1:
        findings.append("seeds: all runs are the same, but the runs of the baseline are not")
    notes = [*_subject_notes(baseline.subject, trace.setting), *_audit_notes(trace.setting)]
    part = difference(baseline.fingerprints, trace) if baseline.fingerprints else None
    if part is not None:
        notes.append(str(part))
    if findings:
        return dataclasses.replace(outcome, findings=tuple(findings), notes=tuple(notes))
    if baseline.fingerprints and part is None:
        return dataclasses.replace(outcome, verdict="identical", notes=tuple(notes))
    if "statistical" not in tiers:
        return dataclasses.replace(outcome, verdict="different", notes=tuple(notes))
    comparisons = _comparisons(baseline, simulated, len(baseline_files(path.parent)))
    return dataclasses.replace(
        outcome, verdict=_overall(comparisons), notes=tuple(notes), comparisons=tuple(comparisons)
    )


def write_baseline_of(
    simulated: SimulatedRuns,
    subject: Subject,
    path: Path,
    tiers: Sequence[Tier] = TIERS,
    level: float = LEVEL,
    margin: float | Mapping[str, float] | None = None,
) -> CheckOutcome:
    """Write a baseline of runs; see `BaselineCheck.write`.

    Raises:
        NasbenchLabError: the file cannot be written, or a margin, a tier or the level is not allowed.
    """
    trace = simulated.trace
    outcome = CheckOutcome(str(path), subject.label, simulated.table.name, "broken", runs=trace.runs)
    findings = simulated.audit(may_stop=True, pays=True)
    if findings:
        return dataclasses.replace(outcome, findings=tuple(findings), notes=("nothing was written",))
    existed, old = path.exists(), _readable(path)
    if margin is None and old is not None:
        margin = old.margins  # margins stay until new ones are given
    baseline = baseline_of(trace, simulated.table, subject, margin=margin, tiers=tiers, level=level)
    if old is not None and old.same_content(baseline):
        return dataclasses.replace(outcome, verdict="unchanged")
    write_baseline(baseline, path)
    notes = [*_changes(old, baseline), *_weakness(baseline, len(baseline_files(path.parent)))]
    notes += _audit_notes(trace.setting)
    return dataclasses.replace(outcome, verdict="updated" if existed else "created", notes=tuple(notes))


def _comparisons(baseline: Baseline, simulated: SimulatedRuns, family: int) -> list[LossComparison]:
    """Compare all losses, each with its share of the level."""
    now = losses(simulated.trace, simulated.table, baseline.scale)
    error = error_per_test(baseline.protocol.level, family, len(baseline.losses))
    return [
        compare(name, before, now[name], baseline.margins[name], error)
        for name, before in sorted(baseline.losses.items())
        if name in now
    ]


def _overall(comparisons: Sequence[LossComparison]) -> Verdict:
    """Return the worst verdict of the comparisons; "better" if one is better, and none is worse or inconclusive."""
    found = {comparison.verdict for comparison in comparisons}
    verdicts: tuple[Verdict, ...] = ("worse", "likely worse", "inconclusive", "better", "likely better")
    return next((verdict for verdict in verdicts if verdict in found), "equivalent")


def _check_protocol(
    baseline: Baseline, protocol: Protocol, path: Path, margin: float | Mapping[str, float] | None
) -> None:
    """Raise a ParameterError if a check has another protocol or other margins than the baseline."""
    found = baseline.protocol.differences(protocol)
    given = margin if isinstance(margin, Mapping) else {"anytime": margin, "final": margin}
    for name, number in given.items():
        if number is not None and name in baseline.margins and baseline.margins[name] != number:
            found.append(f"margin of {name} was {baseline.margins[name]:g}, is {number:g}")
    if found:
        raise mismatch(path, found)


def mismatch(path: Path, differences: Sequence[str]) -> ParameterError:
    """Return the error for a baseline of another check."""
    return ParameterError(
        f"the baseline {path} is for another check: {'; '.join(differences)}; if this is intended, update it"
    )


def _subject_notes(subject: Subject, setting: Setting) -> list[str]:
    """Return how the strategy and its parameters differ from those of the baseline; this fails no check."""
    if subject.name != setting.strategy:
        return [f"the strategy was {subject.label}, is {setting.label}"]
    now = plain(setting.parameters)
    names = sorted({*subject.parameters, *now})
    changed = [name for name in names if subject.parameters.get(name) != now.get(name)]
    notes = [f"parameter {name} was {subject.parameters.get(name)!r}, is {now.get(name)!r}" for name in changed]
    if subject.version != setting.version:
        notes.insert(0, f"the strategy was version {subject.version}, is version {setting.version}")
    return notes


def _audit_notes(setting: Setting) -> list[str]:
    """Return what could not be audited."""
    if not setting.trains_networks:
        return []
    return ["the search trained networks itself: its seconds and seeds are not audited, as no run is simulated again"]


def _readable(path: Path) -> Baseline | None:
    try:
        return read_baseline(path)
    except DataError:
        return None


def _changes(old: Baseline | None, new: Baseline) -> list[str]:
    """Return what differs between a new baseline and the old one."""
    if old is None:
        return [f"{name} {values.mean():.4g}, margin {new.margins[name]:g}" for name, values in new.losses.items()]
    lines = old.protocol.differences(new.protocol)
    for name, values in new.losses.items():
        before = f"{old.losses[name].mean():.4g}" if name in old.losses else "not measured"
        lines.append(f"{name} was {before}, is {values.mean():.4g}, margin {new.margins[name]:g}")
    return lines


def _weakness(baseline: Baseline, family: int) -> list[str]:
    """Return warnings that checks against this baseline will often be inconclusive."""
    if "statistical" not in baseline.protocol.tiers:
        return []
    error = error_per_test(baseline.protocol.level, family, len(baseline.losses))
    chances = equivalence_chances(baseline.losses, baseline.margins, error)
    return [
        f"an equal strategy is found equivalent in {name} with a probability of only {chance:.2f}; "
        "use more runs or a wider margin"
        for name, chance in chances.items()
        if chance < POWER
    ]
