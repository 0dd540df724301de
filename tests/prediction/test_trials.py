"""Trials: no shared networks, nested training sets, and each trial on its own."""

import dataclasses

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.errors import ParameterError
from nasbench_lab.prediction.settings import Settings
from nasbench_lab.prediction.trainings import TableTrainings
from nasbench_lab.prediction.trials import PARENTS, STEPS, make_trial
from nasbench_lab.testing import synthetic_table

CHAIN = nl.load("digits/chain")
SETTINGS = Settings(CHAIN.name, CHAIN.checksum, (10, 300), 200, "uniform", "sample", 3)


@pytest.mark.parametrize("test_from", ["uniform", "good"])
def test_no_two_architectures_are_the_same_network(test_from):
    shared = CHAIN.space.representatives
    assert len(np.unique(shared)) < CHAIN.space.size  # so that there is something to leave out
    for number in range(3):
        trial = make_trial(number, dataclasses.replace(SETTINGS, test_from=test_from), TableTrainings(CHAIN))
        networks = shared[np.concatenate([trial.test.architectures, trial.train.architectures])]
        assert len(networks) == 500 == len(np.unique(networks))


def test_training_sets_are_nested_and_trials_differ():
    one, other = (make_trial(number, SETTINGS, TableTrainings(CHAIN)) for number in (0, 1))
    assert one.train.first(10).architectures.tolist() == one.train.architectures[:10].tolist()
    assert one.train.first(10).labels.tolist() == one.train.labels[:10].tolist()
    assert len(np.intersect1d(one.test.architectures, other.test.architectures)) < 50
    assert one.random_state(10) != one.random_state(300) != other.random_state(300)
    fewer = make_trial(0, dataclasses.replace(SETTINGS, sizes=(10, 20)), TableTrainings(CHAIN))
    assert fewer.train.labels.tolist() == one.train.labels[:20].tolist()
    assert fewer.random_state(10) == one.random_state(10)


def test_labels_are_single_trainings_and_truths_are_means():
    trial = make_trial(0, SETTINGS, TableTrainings(CHAIN))
    values = CHAIN.repeat_values("valid_accuracy")[trial.train.architectures]
    assert trial.train.labels.tolist() == values[np.arange(300), trial.train.repeats].tolist()
    assert len(np.unique(trial.train.repeats)) == 3
    seconds = CHAIN.cost()[trial.train.architectures, trial.train.repeats]
    np.testing.assert_array_equal(trial.label_seconds, seconds)
    assert trial.truth.tolist() == CHAIN.mean_values("valid_accuracy")[trial.test.architectures].tolist()
    mean = make_trial(0, dataclasses.replace(SETTINGS, repeat="mean"), TableTrainings(CHAIN, repeat="mean"))
    assert mean.train.labels.tolist() == CHAIN.mean_values("valid_accuracy")[mean.train.architectures].tolist()


def test_good_architectures_are_near_good_ones():
    uniform = make_trial(0, SETTINGS, TableTrainings(CHAIN))
    good = make_trial(0, dataclasses.replace(SETTINGS, test_from="good"), TableTrainings(CHAIN))
    assert good.truth.mean() > uniform.truth.mean() + 3
    codes = CHAIN.space.codes(good.test.architectures)
    steps = (codes[:, None] != codes[None, :PARENTS]).sum(axis=-1).min(axis=1)
    assert steps.max() <= STEPS


def test_labels_of_test_architectures_are_hidden():
    trial = make_trial(0, SETTINGS, TableTrainings(CHAIN))
    with pytest.raises(ParameterError, match="hidden"):
        _ = trial.test.labels


def test_a_table_with_too_few_networks():
    table = synthetic_table()
    settings = Settings(table.name, "", (5, 100), 200, "uniform", "sample", 0)
    with pytest.raises(ParameterError, match="243 different networks with values, too few for 200"):
        make_trial(0, settings, TableTrainings(table))


def test_failed_trainings_are_not_drawn():
    table = synthetic_table()
    values = {name: table.values(name).copy() for name in table.metrics}
    values["valid_accuracy"][::2] = np.nan
    broken = nl.tables.Table(table.description, values)
    settings = Settings(table.name, "", (40,), 60, "uniform", "sample", 0)
    trial = make_trial(0, settings, TableTrainings(broken))
    assert (trial.test.architectures % 2 == 1).all()
    assert np.isfinite(trial.train.labels).all()
