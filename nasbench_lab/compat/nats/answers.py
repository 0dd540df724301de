"""The answer of ``get_more_info``: everything about one training at one epoch, or the mean of several trainings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nasbench_lab.compat.nats.trainings import TRAIN, SplitMetrics, TrainingTable, missing

Answer = dict[str, Any]

_KEYS = {
    part: (f"{part}-loss", f"{part}-accuracy", f"{part}-per-time", f"{part}-all-time")
    for part in (TRAIN, "valid", "test", "valtest")
}


def of_one(trainings: TrainingTable, index: int, repeat: int, epoch: int, comment: Answer) -> Answer:
    """Return the answer for one training.

    This is what a search asks for at every step, so numbers go from mapped memory into the answer directly.

    Args:
        trainings: where the training is.
        index: of the architecture.
        repeat: which training of it.
        epoch: counted from 0.
        comment: what else the answer says, after what is known of training.

    Raises:
        MissingResultError: the archive lacks what every answer must have.
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
    """Return the answer for the mean of trainings; what any of them lacks is missing.

    Args:
        trainings: where the trainings are.
        index: of the architecture.
        repeats: which trainings of it.
        epoch: counted from 0.
        comment: what else the answer says, after what is known of training.
        mean: how the original takes means.

    Raises:
        MissingResultError: the archive lacks what every answer must have.
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
    """Return the mean accuracy of trainings at their end; None where any of them has none."""
    views, at = trainings.locate(index)
    last = ((at + 1) * trainings.epochs - 1) * trainings.repeats
    accuracies = [views[part.accuracy][last + repeat] for repeat in repeats]
    return None if any(accuracy != accuracy for accuracy in accuracies) else mean(accuracies)


def _check_optional(trainings: TrainingTable, part: str, index: int, epoch: int) -> None:
    """Raise MissingResultError for what every answer must have; the rest is left out, as in the originals."""
    if part == TRAIN or (part == "valid" and trainings.dataset == "cifar10-valid"):
        raise missing(f"{part} accuracy at epoch {epoch} (from 0)", index, trainings.dataset, trainings.hp)
