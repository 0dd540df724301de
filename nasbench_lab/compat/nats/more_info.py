"""The result of ``get_more_info`` from learning curves: one training at one epoch, or means of several trainings.

The functions are methods of `TrainingTable`. A search calls `of_one` at every step, so values go directly from mapped
memory into the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat as repeated
from typing import Any, NamedTuple, Protocol

from nasbench_lab.compat.nats.errors import MissingResultError
from nasbench_lab.compat.nats.trainings import TRAIN, Mean, SplitMetrics

Answer = dict[str, Any]

KEYS = {
    part: (f"{part}-loss", f"{part}-accuracy", f"{part}-per-time", f"{part}-all-time")
    for part in (TRAIN, "valid", "test", "valtest")
}
"""Official names of the measurements on a set of images: loss, accuracy, seconds per epoch and of all epochs."""


class PartViews(NamedTuple):
    """Flat memory views of the metrics on one set of images, and their names in the result.

    Attributes:
        part: names of the metrics.
        accuracies: accuracies by architecture, epoch and repeat.
        losses: losses by architecture, epoch and repeat.
        seconds: seconds per epoch by architecture and repeat; None unless they are equal at all epochs.
        loss, accuracy, per_time, all_time: names in the result.
    """

    part: SplitMetrics
    accuracies: Any
    losses: Any
    seconds: Any
    loss: str
    accuracy: str
    per_time: str
    all_time: str


class Views(NamedTuple):
    """Flat memory views of the metrics of a table: all by name, and those that `of_one` reads."""

    metrics: dict[str, Any]
    parts: tuple[PartViews, ...]


class _Curves(Protocol):
    """What the functions need of `TrainingTable`."""

    dataset: str
    epochs: int
    repeats: int

    def locate(self, index: int) -> tuple[Views, int]: ...
    def seconds(self, part: SplitMetrics, index: int, repeat: int, epoch: int) -> Sequence[float]: ...
    def missing(self, what: str, index: int) -> MissingResultError: ...


def of_one(trainings: _Curves, index: int, repeat: int, epoch: int, comment: Answer) -> Answer:
    """Return the result for one training; see `Trainings.info_of_one`."""
    views, at = trainings.locate(index)
    training = at * trainings.repeats + repeat
    total = epoch + 1
    here = (at * trainings.epochs + epoch) * trainings.repeats + repeat
    answer: Answer = {}
    for part, accuracies, losses, seconds, loss, right, per_time, all_time in views.parts:
        accuracy = accuracies[here]
        if accuracy != accuracy:
            _check_optional(trainings, part.name, index, epoch)
            continue
        if seconds is not None:
            each = seconds[training]
            every = sum(repeated(each, total)) if each == each else None
        else:
            times = trainings.seconds(part, index, repeat, epoch)
            every = sum(times) if times else None
        answer[loss] = losses[here]
        answer[right] = accuracy
        answer[per_time] = every / total if every is not None else None
        answer[all_time] = every
        if comment and part.name == TRAIN:
            answer.update(comment)
    return answer


def of_all(trainings: _Curves, index: int, repeats: Sequence[int], epoch: int, comment: Answer, mean: Mean) -> Answer:
    """Return the means over trainings; values that one of the trainings lacks are left out."""
    views, at = trainings.locate(index)
    here = [(at * trainings.epochs + epoch) * trainings.repeats + repeat for repeat in repeats]
    answer: Answer = {}
    for part, accuracies, losses, _, loss, right, per_time, all_time in views.parts:
        found = [accuracies[i] for i in here]
        if any(accuracy != accuracy for accuracy in found):
            _check_optional(trainings, part.name, index, epoch)
            continue
        times = [trainings.seconds(part, index, repeat, epoch) for repeat in repeats]
        every = mean([sum(one) for one in times]) if all(times) else None
        answer[loss], answer[right] = mean([losses[i] for i in here]), mean(found)
        answer[per_time], answer[all_time] = every / (epoch + 1) if every is not None else None, every
        if part.name == TRAIN:
            answer.update(comment)
    return answer


def mean_accuracy(trainings: _Curves, part: SplitMetrics, index: int, repeats: Sequence[int], mean: Mean) -> Any:
    """Return the mean accuracy of trainings after the last epoch; None if one of them has none."""
    views, at = trainings.locate(index)
    last = ((at + 1) * trainings.epochs - 1) * trainings.repeats
    accuracies = [views.metrics[part.accuracy][last + repeat] for repeat in repeats]
    return None if any(accuracy != accuracy for accuracy in accuracies) else mean(accuracies)


def _check_optional(trainings: _Curves, part: str, index: int, epoch: int) -> None:
    """Raise MissingResultError for a required value; other values are left out, as in the official APIs."""
    if part == TRAIN or (part == "valid" and trainings.dataset == "cifar10-valid"):
        raise trainings.missing(f"{part} accuracy at epoch {epoch} (from 0)", index)
