"""The trials of an evaluation: which architectures are labelled and which are predicted, each trial on its own.

Training sets are nested: the labels of a smaller one are the first of a larger one. No two architectures of a trial are
the same network.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.displays import counted
from nasbench_lab.errors import ParameterError
from nasbench_lab.prediction.samples import ArchitectureSample
from nasbench_lab.prediction.settings import Settings
from nasbench_lab.prediction.trainings import TableTrainings
from nasbench_lab.streams import run_words

POOL, PARENTS, STEPS = 200, 5, 3
"""Test sets of good architectures: random ones, how many of them are parents, and the most mutations of a parent."""

# Purposes of streams; 0 to 2 are those of simulations.
_SPLIT, _REPEATS, _MODELS, _SOURCE = 16, 17, 18, 19
_MOST_TRIES = 200  # per test architecture


@dataclasses.dataclass(frozen=True, eq=False)
class Trial:
    """One trial.

    Attributes:
        number: of the trial.
        train: the labelled architectures, of which smaller training sets are the first ones.
        label_seconds: of each of them, shape (largest size,).
        test: the architectures to be predicted.
        truth: their true values, shape (test,).
        source_seconds: of all labels of the other table.
        word: from which seeds of models are made.
    """

    number: int
    train: ArchitectureSample
    label_seconds: FloatArray
    test: ArchitectureSample
    truth: FloatArray
    source_seconds: float
    word: int

    def random_state(self, size: int) -> int:
        """Return the seed of models that are fitted to so many labels."""
        return int(np.random.SeedSequence((self.word, size)).generate_state(1)[0] >> 1)


def make_trial(
    number: int, settings: Settings, trainings: TableTrainings, source: TableTrainings | None = None
) -> Trial:
    """Draw a trial. It depends on its number, the table and the settings alone, not on other trials.

    Raises:
        ParameterError: the table has too few different networks.
    """
    split = _generator(settings.seed, number, _SPLIT)
    shuffled = _first_of_each_network(trainings, _shuffled(trainings.labelled, split))
    largest = settings.sizes[-1]
    if settings.test_from == "uniform":
        test, rest = shuffled[: settings.test], shuffled[settings.test :]
    else:
        test = _near_good_ones(trainings, shuffled, settings.test, split)
        shared = trainings.space.representatives
        rest = shuffled[~np.isin(shared[shuffled], shared[test])]
    if len(test) < settings.test or len(rest) < largest:
        raise ParameterError(
            f"{settings.table!r} has {len(shuffled):,} different networks with values, too few for {settings.test} "
            f"test architectures ({settings.test_from}) and {counted(largest, 'label')}"
        )
    train = rest[:largest]
    repeats = _generator(settings.seed, number, _REPEATS)
    tested = trainings.label(test, repeats.random(len(test)))
    trained = trainings.label(train, repeats.random(len(train)))
    other, other_seconds = _source_sample(number, settings, source, test)
    return Trial(
        number,
        ArchitectureSample(trainings, train, trained.repeats, is_trained=True, known=trained.values, other=other),
        trained.seconds,
        ArchitectureSample(trainings, test, tested.repeats, is_trained=False),
        trainings.truth[test],
        other_seconds,
        int(_generator(settings.seed, number, _MODELS).integers(2**31)),
    )


def _generator(seed: int, trial: int, purpose: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=run_words(seed, trial, 1, purpose)[0, 2:]))


def _shuffled(architectures: IntArray, random: np.random.Generator) -> IntArray:
    return architectures[np.argsort(random.random(len(architectures)), kind="stable")]


def _first_of_each_network(trainings: TableTrainings, architectures: IntArray) -> IntArray:
    """Return the architectures without those that are the same network as an earlier one."""
    _, first = np.unique(trainings.space.representatives[architectures], return_index=True)
    return architectures[np.sort(first)]


def _near_good_ones(trainings: TableTrainings, shuffled: IntArray, count: int, random: np.random.Generator) -> IntArray:
    """Return test architectures near good ones: the best of a random pool, and mutations of them.

    As White et al. (2021) do: the `PARENTS` best of `POOL` random architectures, then architectures that are 1 to
    `STEPS` mutations away from one of them.
    """
    space, shared = trainings.space, trainings.space.representatives
    sign = -1.0 if trainings.direction == "minimize" else 1.0
    pool = shuffled[:POOL]
    parents = pool[np.argsort(-sign * trainings.truth[pool], kind="stable")[:PARENTS]][:count]
    found, taken = parents.tolist(), set(shared[parents].tolist())
    allowed = np.zeros(space.size, dtype=bool)
    allowed[trainings.labelled] = True
    for _ in range(_MOST_TRIES):
        if len(found) >= count:
            break
        parent = parents[random.integers(len(parents), size=count)]
        steps = random.integers(1, STEPS + 1, size=count)
        child = parent
        for step in range(STEPS):
            child = np.where(step < steps, space.mutate(child, random.random(count)), child)
        for each in child.tolist():
            if allowed[each] and shared[each] not in taken and len(found) < count:
                taken.add(int(shared[each]))
                found.append(each)
    return np.array(found, dtype=np.int64)


def _source_sample(
    number: int, settings: Settings, source: TableTrainings | None, test: IntArray
) -> tuple[ArchitectureSample | None, float]:
    """Return labelled architectures of the other table, none of which is the network of a test architecture."""
    if source is None or settings.source is None:
        return None, 0.0
    random, shared = _generator(settings.seed, number, _SOURCE), source.space.representatives
    shuffled = _first_of_each_network(source, _shuffled(source.labelled, random))
    chosen = shuffled[~np.isin(shared[shuffled], shared[test])][: settings.source.labels]
    if len(chosen) < settings.source.labels:
        raise ParameterError(
            f"{settings.source.table!r} has {len(chosen):,} different networks that are not tested, too few for "
            f"{settings.source.labels} labels"
        )
    labels = source.label(chosen, random.random(len(chosen)))
    return ArchitectureSample(source, chosen, labels.repeats, is_trained=True, known=labels.values), float(
        labels.seconds.sum()
    )
