"""The architectures of a trial, and what a predictor may see of them."""

from __future__ import annotations

import dataclasses
from functools import cached_property

from nasbench_lab.analysis.table_encodings import encode, encoding_seconds, scores_in
from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.prediction.trainings import TableTrainings
from nasbench_lab.spaces import Space


class Bill:
    """The seconds that a predictor spends on architectures: partial trainings and scores.

    Args:
        sample: the architectures.
    """

    def __init__(self, sample: ArchitectureSample) -> None:
        self._sample = sample
        self._epochs = 0
        self._scores: set[str] = set()

    def partial_training(self, epochs: int) -> None:
        """Charge a training up to some epochs. One training shows all metrics, and continues from fewer epochs."""
        self._epochs = max(self._epochs, epochs)

    def encoding(self, encoding: str) -> None:
        """Charge the zero-cost scores in an encoding, each once."""
        self._scores.update(scores_in(self._sample.trainings.table, encoding))

    @property
    def seconds(self) -> float:
        """The sum over all architectures."""
        sample, trainings = self._sample, self._sample.trainings
        total = 0.0
        if self._epochs and not sample.is_trained:
            total += float(trainings.training_seconds(sample.architectures, sample.repeats, self._epochs).sum())
        for name in sorted(self._scores):
            total += float(encoding_seconds(trainings.table, sample.architectures, name).sum())
        return total


@dataclasses.dataclass(frozen=True, eq=False)
class ArchitectureSample:
    """Architectures of a trial, and what a predictor may see of them.

    Attributes:
        trainings: of the table.
        architectures: indices in the space, shape (n,).
        repeats: which training of each is seen; -1 for the mean, shape (n,).
        is_trained: whether the architectures were trained to the end. Their curves then cost nothing more, and they
            have `labels`.
        known: their labels, if they were trained.
        other: labelled architectures of another table, for transfer.
        whole: the sample of which this is the first part; None for a whole sample.
    """

    trainings: TableTrainings
    architectures: IntArray
    repeats: IntArray
    is_trained: bool
    known: FloatArray | None = None
    other: ArchitectureSample | None = None
    whole: ArchitectureSample | None = None
    bill: Bill = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "bill", Bill(self))

    def __len__(self) -> int:
        return len(self.architectures)

    @property
    def space(self) -> Space:
        """The space of the architectures."""
        return self.trainings.space

    @property
    def labels(self) -> FloatArray:
        """The values after full trainings, in the unit of the metric, shape (n,).

        Raises:
            ParameterError: these are architectures to be predicted, whose labels are hidden.
        """
        if self.known is None:
            raise ParameterError("labels of test architectures are hidden from predictors")
        return self.known

    def encode(self, encoding: str) -> FloatArray:
        """Return architectures as vectors, shape (n, length); NaN for a score that failed.

        Args:
            encoding: one of `nasbench_lab.analysis.table_encodings.encodings_of`, or several joined with ``+``, such
                as ``"path+synflow"``. Zero-cost scores cost the seconds that the table says.

        Raises:
            UnknownNameError: there is no such encoding.
        """
        vectors = (self.whole or self)._encoded(encoding)[: len(self)]
        self.bill.encoding(encoding)
        return vectors

    def _encoded(self, encoding: str) -> FloatArray:
        if encoding not in self._known_vectors:
            self._known_vectors[encoding] = encode(self.trainings.table, self.architectures, encoding)
        return self._known_vectors[encoding]

    @cached_property
    def _known_vectors(self) -> dict[str, FloatArray]:
        return {}

    def curves(self, epochs: int, metric: str | None = None) -> FloatArray:
        """Return learning curves up to some epochs, shape (n, points); the points are `points`.

        This trains test architectures for that many epochs, which costs seconds.

        Args:
            epochs: a fidelity of the table.
            metric: by default that of labels.
        """
        self.bill.partial_training(epochs)
        return self.trainings.curves(metric or self.trainings.objective.name, self.architectures, self.repeats, epochs)

    def points(self, epochs: int) -> tuple[int, ...]:
        """Return the epochs at the points of `curves`."""
        return self.trainings.points(epochs)

    def first(self, size: int) -> ArchitectureSample:
        """Return the first architectures, with a new bill."""
        known = None if self.known is None else self.known[:size]
        other = None if self.other is None else self.other.first(len(self.other))
        return ArchitectureSample(
            self.trainings,
            self.architectures[:size],
            self.repeats[:size],
            self.is_trained,
            known,
            other,
            self.whole or self,
        )
