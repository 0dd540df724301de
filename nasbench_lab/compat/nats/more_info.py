"""The result of ``get_more_info``: all measurements of one training at one epoch, or means of several trainings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nasbench_lab.compat.nats.training_table import TRAIN, SplitMetrics, TrainingTable, missing

Answer = dict[str, Any]

_KEYS = {
    part: (f"{part}-loss", f"{part}-accuracy", f"{part}-per-time", f"{part}-all-time")
    for part in (TRAIN, "valid", "test", "valtest")
}


def of_one(trainings: TrainingTable, index: int, repeat: int, epoch: int, comment: Answer) -> Answer:
    """Return the result for one training.

    A search calls this function at every step, so values go directly from mapped memory into the result.

    Args:
        trainings: table of the training.
        index: index of the architecture.
        repeat: repeat of the training.
        epoch: epoch, counted from 0.
        comment: entries to add after those of train.

    Raises:
        MissingResultError: the archive does not have a required value.
    """
    views, at = trainings.locate(index)
    training = at * trainings.repeats + repeat
    here = (at * trainings.epochs + epoch) * trainings.repeats + repeat
    answer: Answer = {}
    for part in trainings.parts:
        accuracy = views[part.accuracy][here]
        if accuracy != accuracy:
            _check_optional(trainings, part.name, index, epoch)
            continue
        if part.steady:
            each = views[part.seconds][training]
            every = sum((each,) * (epoch + 1)) if each == each else None
        else:
            times = trainings.seconds(part, index, repeat, epoch)
            every = sum(times) if times else None
        loss, right, per_time, all_time = _KEYS[part.name]
        answer[loss], answer[right] = views[part.loss][here], accuracy
        answer[per_time], answer[all_time] = every / (epoch + 1) if every is not None else None, every
        if part.name == TRAIN:
            answer.update(comment)
    return answer


def of_all(
    trainings: TrainingTable,
    index: int,
    repeats: Sequence[int],
    epoch: int,
    comment: Answer,
    mean: Callable[[Sequence[Any]], Any],
) -> Answer:
    """Return the means over trainings; values that one of the trainings lacks are left out.

    Args:
        trainings: table of the trainings.
        index: index of the architecture.
        repeats: repeats of the trainings.
        epoch: epoch, counted from 0.
        comment: entries to add after those of train.
        mean: function for the mean in the official API.

    Raises:
        MissingResultError: the archive does not have a required value.
    """
    views, at = trainings.locate(index)
    here = [(at * trainings.epochs + epoch) * trainings.repeats + repeat for repeat in repeats]
    answer: Answer = {}
    for part in trainings.parts:
        accuracies = [views[part.accuracy][i] for i in here]
        if any(accuracy != accuracy for accuracy in accuracies):
            _check_optional(trainings, part.name, index, epoch)
            continue
        times = [trainings.seconds(part, index, repeat, epoch) for repeat in repeats]
        every = mean([sum(one) for one in times]) if all(times) else None
        loss, right, per_time, all_time = _KEYS[part.name]
        answer[loss], answer[right] = mean([views[part.loss][i] for i in here]), mean(accuracies)
        answer[per_time], answer[all_time] = every / (epoch + 1) if every is not None else None, every
        if part.name == TRAIN:
            answer.update(comment)
    return answer


def mean_accuracy(
    trainings: TrainingTable,
    part: SplitMetrics,
    index: int,
    repeats: Sequence[int],
    mean: Callable[[Sequence[Any]], Any],
) -> Any:
    """Return the mean accuracy of trainings after the last epoch; None if one of them has none."""
    views, at = trainings.locate(index)
    last = ((at + 1) * trainings.epochs - 1) * trainings.repeats
    accuracies = [views[part.accuracy][last + repeat] for repeat in repeats]
    return None if any(accuracy != accuracy for accuracy in accuracies) else mean(accuracies)


def _check_optional(trainings: TrainingTable, part: str, index: int, epoch: int) -> None:
    """Raise MissingResultError for a required value; other values are left out, as in the official APIs."""
    if part == TRAIN or (part == "valid" and trainings.dataset == "cifar10-valid"):
        raise missing(f"{part} accuracy at epoch {epoch} (from 0)", index, trainings.dataset, trainings.hp)
