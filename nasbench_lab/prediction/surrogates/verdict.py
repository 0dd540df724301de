"""What is found when a surrogate is checked, and what follows from it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from nasbench_lab.displays import counted
from nasbench_lab.errors import DataError
from nasbench_lab.prediction.surrogates.ceiling import repeats_needed

GOOD_KENDALL, GOOD_COVERAGE, GOOD_WINNERS = 0.7, (0.9, 0.99), 0.8
"""A surrogate is called good if it ranks, spreads and compares at least so well."""

_MOST_SHOWN = 3


@dataclasses.dataclass(frozen=True)
class MetricCheck:
    """How well architectures are predicted that the models did not see.

    Attributes:
        metric: its name.
        epochs: the fidelity; None for a metric without fidelities.
        unit: of the metric.
        architectures: how many were predicted.
        kendall: Kendall's rank correlation of predictions and means over repeats.
        r2: the share of their variance that is explained.
        rmse: root mean squared error.
        spread: typical standard deviation of repeats in the surrogate; relative to the value where `is_relative`.
        is_relative: whether the spread is relative.
        spread_from: ``"repeats"``, ``"residuals"``, or ``"none"`` where repeats are equal.
        between_repeats: Kendall's rank correlation of two repeats; NaN without.
        ceiling: the rank correlation of a perfect model with the means over repeats, see `noise_ceiling`; NaN without.
    """

    metric: str
    epochs: int | None
    unit: str
    architectures: int
    kendall: float
    r2: float
    rmse: float
    spread: float
    is_relative: bool
    spread_from: str
    between_repeats: float
    ceiling: float = math.nan  # files of earlier releases have none

    @property
    def heading(self) -> str:
        """The metric, and after how many epochs."""
        return self.metric if self.epochs is None else f"{self.metric}, {counted(self.epochs, 'epoch')}"

    @property
    def in_words(self) -> str:
        """The figures, in one line."""
        unit = f" {self.unit}" if self.unit else ""
        most = "" if math.isnan(self.ceiling) else f" (a perfect model: {_number(self.ceiling)})"
        text = f"Kendall {_number(self.kendall)}{most}, R2 {_number(self.r2)}, error {self.rmse:.3g}{unit}"
        repeats = []
        if self.spread_from != "none":
            repeats.append(f"spread by {self.spread:.2%}" if self.is_relative else f"spread by {self.spread:.3g}{unit}")
        if not math.isnan(self.between_repeats):
            repeats.append(f"agree with {_number(self.between_repeats)}")
        return f"{text}; repeats {' and '.join(repeats)}" if repeats else text


@dataclasses.dataclass(frozen=True)
class NoiseCheck:
    """How well the noise is calibrated, on architectures that its models did not see.

    Attributes:
        metric: name of the metric.
        spread_from: what the spread was estimated from.
        deviations: how many standardised deviations were compared.
        inside_50: the share inside the central 50 percent of the noise.
        inside_80: the share inside the central 80 percent.
        inside_95: the share inside the central 95 percent.
        mean: mean of standardised deviations; 0 is right.
        deviation: their standard deviation; 1 is right.
        kurtosis: their excess kurtosis; 0 is normal.
    """

    metric: str
    spread_from: str
    deviations: int
    inside_50: float
    inside_80: float
    inside_95: float
    mean: float
    deviation: float
    kurtosis: float


@dataclasses.dataclass(frozen=True)
class LeftOutCheck:
    """How well the architectures that one strategy found are predicted from those of the others.

    Attributes:
        strategy: its name.
        learnt: how many architectures of others the models learnt from.
        architectures: how many were predicted.
        kendall: Kendall's rank correlation.
        r2: the share of variance that is explained.
    """

    strategy: str
    learnt: int
    architectures: int
    kendall: float
    r2: float


@dataclasses.dataclass(frozen=True)
class ReplayCheck:
    """How often the winner of a pair of strategies is the same on the surrogate and on the truth.

    Attributes:
        truth: the table that is the truth.
        strategies: names of the strategies.
        runs: searches of each.
        evaluations: after how many evaluations winners were compared.
        pairs: numbers of pairs and budgets.
        same: the share with the same winner.
        clear_pairs: those whose difference on the truth is significant (Welch's t test, 5 percent).
        clear_same: the share of these with the same winner; NaN without any.
        again: the share of pairs whose winner is the same in other runs on the truth: what can be reached.
        order: Kendall's rank correlation of the mean results of the strategies after the last budget.
    """

    truth: str
    strategies: tuple[str, ...]
    runs: int
    evaluations: tuple[int, ...]
    pairs: int
    same: float
    clear_pairs: int
    clear_same: float
    again: float
    order: float


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What was found when a surrogate was checked.

    Attributes:
        sample: name of the table that it was fitted to.
        architectures: how many it learnt from.
        networks: how many of these are different networks.
        space: how many architectures it answers for.
        models: its models.
        encoding: of architectures.
        folds: of the cross-validation.
        metrics: the quality of predictions.
        noise: the calibration.
        left_out: leaving out one strategy after the other; empty where it is not known who found what.
        replay: searches on surrogate and truth; None if it was not done.
    """

    sample: str
    architectures: int
    networks: int
    space: int
    models: tuple[str, ...]
    encoding: str
    folds: int
    metrics: tuple[MetricCheck, ...]
    noise: tuple[NoiseCheck, ...]
    left_out: tuple[LeftOutCheck, ...] = ()
    replay: ReplayCheck | None = None

    @property
    def judged(self) -> MetricCheck:
        """The check of the metric by which searches are judged."""
        return self.metrics[0]

    @property
    def weaknesses(self) -> tuple[str, ...]:
        """What is not good, one sentence each; empty for a good surrogate."""
        found = []
        if self.is_too_noisy:
            found.append(_too_noisy(self.judged))
        elif not self.judged.kendall >= GOOD_KENDALL:
            found.append(f"it ranks unseen architectures with {_number(self.judged.kendall)}, below {GOOD_KENDALL}")
        low, high = GOOD_COVERAGE
        for check in self.noise[:1]:
            if not low <= check.inside_95 <= high:
                found.append(f"{check.inside_95:.0%} of repeats are inside its 95 % intervals")
            if check.spread_from == "residuals":
                found.append("its noise is that of prediction errors, as the sample has too few repeats")
        if self.replay is not None and self.replay.clear_same < GOOD_WINNERS:
            found.append(f"{self.replay.clear_same:.0%} of clear pairs of strategies have the winner of the truth")
        return tuple(found)

    @property
    def is_too_noisy(self) -> bool:
        """Whether repeats differ so much that not even a perfect model could be called good, and this one is not."""
        return self.judged.ceiling < GOOD_KENDALL and not self.judged.kendall >= GOOD_KENDALL

    def to_plain(self) -> dict[str, Any]:
        """Return the verdict as JSON can hold it, with None for NaN."""
        plain: dict[str, Any] = _without_nan(dataclasses.asdict(self))
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Verdict:
        """Return the verdict that a file stores.

        Raises:
            DataError: it is none.
        """
        try:
            facts = dict(plain)
            for name, kind in (("metrics", MetricCheck), ("noise", NoiseCheck), ("left_out", LeftOutCheck)):
                facts[name] = tuple(_made(kind, each) for each in facts[name])
            facts["models"] = tuple(map(str, facts["models"]))
            facts["replay"] = None if facts["replay"] is None else _made(ReplayCheck, facts["replay"])
            made = cls(**facts)
            if not made.metrics:
                raise ValueError("it has no metrics")
            made.lines()
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise DataError("the surrogate stores no verdict that this release can read") from error
        return made

    def lines(self) -> dict[str, str]:
        """Return the verdict in words, by heading."""
        lines = {
            "learnt from": f"{self.architectures:,} of {self.space:,} architectures ({self.networks:,} networks) of "
            f"{self.sample}",
            "models": f"{' and '.join(self.models)} on {self.encoding}",
        }
        for check in self.metrics:
            lines[check.heading] = check.in_words
        for noise in self.noise[:1]:
            lines["noise"] = f"{noise.metric}, {_noise_line(noise)}"
        if self.left_out:
            worst = sorted(self.left_out, key=lambda check: check.kendall)[:_MOST_SHOWN]
            lines["left out"] = "Kendall " + ", ".join(
                f"{_number(check.kendall)} ({check.strategy}, {check.architectures:,})" for check in worst
            )
        if self.replay is not None:
            lines["replay"] = _replay_line(self.replay)
        weak = self.weaknesses
        word = "cannot be judged" if self.is_too_noisy else "doubtful"
        lines["verdict"] = f"{word}: {'; '.join(weak)}" if weak else "good: it ranks, spreads and compares well"
        return lines


def _too_noisy(check: MetricCheck) -> str:
    """Say that the sample is too noisy, and what would help."""
    needed = repeats_needed(check.between_repeats, GOOD_KENDALL)
    more = (
        f"it would reach {GOOD_KENDALL} with {needed:,} repeats of each architecture" if needed else "no repeats agree"
    )
    return (
        f"repeats differ so much that a perfect model would rank with {_number(check.ceiling)}, below {GOOD_KENDALL} "
        f"({more}); this one ranks with {_number(check.kendall)}"
    )


def _noise_line(check: NoiseCheck) -> str:
    inside = ", ".join(f"{share:.0%}" for share in (check.inside_50, check.inside_80, check.inside_95))
    return (
        f"from {check.spread_from}: {inside} of {check.deviations:,} inside the 50, 80 and 95 % intervals; "
        f"standardised deviations {check.deviation:.2f} (1 is right), kurtosis {check.kurtosis:.1f}"
    )


def _replay_line(check: ReplayCheck) -> str:
    clear = "" if math.isnan(check.clear_same) else f", of {check.clear_same:.0%} of {check.clear_pairs} clear ones"
    return (
        f"{len(check.strategies)} strategies on {check.truth}: the winner of {check.same:.0%} of {check.pairs} pairs "
        f"is that of the truth{clear}; other runs on the truth: {check.again:.0%}"
    )


def _number(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:.3f}"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _made(kind: Any, facts: Any) -> Any:
    """Return a check of JSON values, with NaN for None where a number must be."""
    values = {}
    for field in dataclasses.fields(kind):
        value = facts.get(field.name, field.default)
        if value is dataclasses.MISSING:
            raise KeyError(field.name)
        if field.type == "float":
            value = math.nan if value is None else float(value)
        elif isinstance(value, list):
            value = tuple(value)
        elif field.type == "str":
            value = str(value)
        values[field.name] = value
    return kind(**values)
