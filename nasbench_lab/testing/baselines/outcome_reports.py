"""Outcomes of checks as text for a terminal and as Markdown for a pull request."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from pathlib import Path

from nasbench_lab.files import atomic_path
from nasbench_lab.testing.baselines.check_outcome import CheckOutcome
from nasbench_lab.testing.baselines.loss_comparison import POWER, LossComparison

_HEADINGS = (
    "measure",
    "baseline",
    "now",
    "difference",
    "interval",
    "margin",
    "p (worse)",
    "power",
    "detectable",
    "verdict",
)

_MEANING = {
    "identical": "all evaluations are identical",
    "equivalent": "not worse and not better by more than the margin",
    "better": "better by more than the margin; update the baseline to keep the gain",
    "likely better": "better, but not surely by more than the margin",
    "worse": "worse by more than the margin",
    "likely worse": "worse, but not surely by more than the margin",
    "inconclusive": "the runs do not show whether the difference is within the margin",
    "different": "not identical, and the statistical tier is not used",
    "broken": "wrong, whatever the regrets are",
    "created": "the baseline was written",
    "updated": "the baseline was replaced",
    "unchanged": "the baseline has the same content already",
    "error": "it could not be checked",
}

_UNCLEAR = ("inconclusive", "likely worse", "likely better")

_ORDER = tuple(reversed(_MEANING))


def headline(outcome: CheckOutcome) -> str:
    """Return one line with the verdict, the strategy, the table and the meaning of the verdict."""
    return f"{outcome.verdict}: {_subject(outcome)} ({_MEANING[outcome.verdict]})"


def _subject(outcome: CheckOutcome) -> str:
    return f"{outcome.strategy} on {outcome.table}" if outcome.strategy else outcome.path


def to_text(outcome: CheckOutcome) -> str:
    """Return the whole outcome of a check as several lines, with the headline first."""
    lines = [headline(outcome), f"  baseline {outcome.path}"] if outcome.strategy else [headline(outcome)]
    lines += [f"  {finding}" for finding in outcome.findings]
    lines += [f"  {note}" for note in outcome.notes]
    lines += [f"  {line}" for line in _comparison_lines(outcome)]
    return "\n".join(lines)


def to_lines(outcomes: Sequence[CheckOutcome]) -> list[str]:
    """Return a short summary for a terminal: one line per check, and the notes on written baselines.

    Checks of the same strategy on the same table are told apart by the paths of their baselines.

    >>> to_lines([CheckOutcome("a.json", "mine", "digits/chain", "identical", runs=256)])
    ['identical: mine on digits/chain (all evaluations are identical)']
    """
    lines = []
    subjects = collections.Counter(map(_subject, outcomes))
    for outcome in outcomes:
        written = outcome.verdict in ("created", "updated", "unchanged")
        named = written or subjects[_subject(outcome)] > 1
        lines.append(f"{headline(outcome)}: {outcome.path}" if named else headline(outcome))
        lines += [f"  {note}" for note in outcome.notes if written or outcome.passed]
    paths = [outcome.path for outcome in outcomes if outcome.verdict in ("created", "updated")]
    folded = [path.casefold() for path in paths]  # some file systems do not distinguish A from a
    twice = sorted({path for path in paths if folded.count(path.casefold()) > 1})
    lines += [f"{path} was written more than once; give each check its own name" for path in twice]
    return lines


def to_markdown(outcomes: Sequence[CheckOutcome]) -> str:
    """Return a summary for a pull request: a table of all checks, and details where there are any.

    >>> print(to_markdown([CheckOutcome("a.json", "mine", "digits/chain", "identical", runs=256)]).splitlines()[0])
    ### Strategy baselines: 1 identical
    """
    lines = [f"### Strategy baselines: {_counts(outcomes)}", ""]
    if not outcomes:
        return "\n".join([*lines, "No baseline was checked."]) + "\n"
    lines += ["| verdict | strategy | table | runs | baseline |", "|---|---|---|---:|---|"]
    for outcome in outcomes:
        cells = (f"**{outcome.verdict}**", outcome.strategy or "-", outcome.table or "-", str(outcome.runs or "-"))
        lines.append("| " + " | ".join(map(_cell, (*cells, f"`{outcome.path}`"))) + " |")
    for outcome in outcomes:
        if outcome.findings or outcome.notes or outcome.comparisons:
            lines += ["", *_details(outcome)]
    return "\n".join(lines) + "\n"


def _details(outcome: CheckOutcome) -> list[str]:
    # Details of failed checks are open, the others are folded.
    opened = " open" if not outcome.passed else ""
    title = _cell(_subject(outcome))
    lines = [f"<details{opened}><summary>{outcome.verdict}: {title}</summary>", ""]
    lines += [f"{_cell(_MEANING[outcome.verdict]).capitalize()}. Baseline `{_cell(outcome.path)}`.", ""]
    lines += [f"- **{_cell(finding)}**" for finding in outcome.findings]
    lines += [f"- {_cell(note)}" for note in outcome.notes]
    if outcome.comparisons:
        lines += ["", "| " + " | ".join(_HEADINGS) + " |", "|---" + "|---:" * (len(_HEADINGS) - 2) + "|---|"]
        lines += ["| " + " | ".join(_cells(comparison)) + " |" for comparison in outcome.comparisons]
        lines += ["", _how(outcome)]
    return [*lines, "", "</details>"]


def _counts(outcomes: Sequence[CheckOutcome]) -> str:
    verdicts = [outcome.verdict for outcome in outcomes]
    counted = [f"{verdicts.count(verdict)} {verdict}" for verdict in _ORDER if verdict in verdicts]
    return ", ".join(counted) or "none"


def _comparison_lines(outcome: CheckOutcome) -> list[str]:
    """Return the comparisons as a table, and a line on how losses were compared."""
    if not outcome.comparisons:
        return []
    rows = [_HEADINGS, *(_cells(comparison) for comparison in outcome.comparisons)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [*lines, _how(outcome)]


def _cells(comparison: LossComparison) -> tuple[str, ...]:
    return (
        comparison.name,
        f"{comparison.before:.4g}",
        f"{comparison.after:.4g}",
        f"{comparison.difference:+.3g}",
        f"[{comparison.low:+.3g}, {comparison.high:+.3g}]",
        f"{comparison.margin:g}",
        f"{comparison.p_worse:.2g}",
        f"{comparison.power:.3f}",
        f"{comparison.detectable:.2g}",
        comparison.verdict,
    )


def _how(outcome: CheckOutcome) -> str:
    comparison = outcome.comparisons[0]
    text = (
        f"means of {outcome.runs} runs, paired by seed; positive differences are worse; each verdict is wrong with a "
        f"probability of at most {comparison.error:.2g}, as is each end of an interval; power: the probability that an "
        "equal strategy is found equivalent; detectable: the worsening that is found with a probability of 0.8"
    )
    needed = max((each.needed for each in outcome.comparisons if each.verdict in _UNCLEAR), default=0)
    if needed > outcome.runs:
        return f"{text}; {needed} runs would give a power of {POWER}"
    return f"{text}; the difference is close to the margin, so a verdict needs many more runs" if needed else text


def _cell(text: str) -> str:
    """Return text that neither ends a cell of a table nor begins an HTML element."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def write_markdown(outcomes: Sequence[CheckOutcome], path: Path) -> None:
    """Write a summary for a pull request to a file.

    Raises:
        OutputError: it cannot be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(to_markdown(outcomes), encoding="utf-8")
