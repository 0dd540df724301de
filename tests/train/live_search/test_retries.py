"""Failed trainings are tried again where the user asks, and the search is then what it would have been."""

import contextlib
import shutil
import sqlite3

import numpy as np
import pytest
from inline_trainings import InlineWorkers

import nasbench_lab as nl
from nasbench_lab import train
from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation import Conditions
from nasbench_lab.train.live_search import one_training, search_run
from nasbench_lab.train.live_search.failures import KINDS, RETRIED
from nasbench_lab.train.live_search.retries import retry_failed
from nasbench_lab.train.live_search.search_folder import LiveSearchPlan, new_search
from nasbench_lab.train.live_search.search_log import LiveSearchLog
from nasbench_lab.train.live_search.search_run import open_table, run_search
from nasbench_lab.train.live_search.settings import live_spec

CHEAP = 4535  # the network with the fewest layers
EVOLUTION = "regularized-evolution:population_size=3,sample_size=2"
SIX = nl.Budget(evaluations=6)


@pytest.fixture(scope="module")
def spec():
    return live_spec("digits/chain", epochs=1)[0]


@pytest.fixture
def search(spec, monkeypatch):
    """Opens a search in a folder, and returns what runs it and what tries again."""
    monkeypatch.setattr(search_run, "TrainingWorkers", InlineWorkers)

    @contextlib.contextmanager
    def opened(folder, budget=SIX, **options):
        found = new_search(folder, LiveSearchPlan(EVOLUTION, Conditions(budget, **options), spec)).stored()
        with found.locked(), open_table(found, ("cpu",)) as table:
            yield found, table

    return opened


def run(opened):
    return run_search(*opened, lambda _state: None)


def events(found):
    with LiveSearchLog(found.path) as log:
        return [(*event[:5], repr(event.value)) for event in log.events()]


@contextlib.contextmanager
def failing(error, *architectures):
    """Fail the trainings of some architectures inside the block; of all, if none is named."""
    prepared = one_training.Trainer._prepared

    def prepare(self, request, checkpoint):
        if not architectures or request.architecture in architectures:
            raise error
        return prepared(self, request, checkpoint)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(one_training.Trainer, "_prepared", prepare)
        yield


@pytest.fixture(scope="module")
def whole(spec, tmp_path_factory):
    """A search without a failure."""
    folder = tmp_path_factory.mktemp("whole")
    found = new_search(folder, LiveSearchPlan(EVOLUTION, Conditions(SIX), spec)).stored()
    with pytest.MonkeyPatch.context() as patch, found.locked(), open_table(found, ("cpu",)) as table:
        patch.setattr(search_run, "TrainingWorkers", InlineWorkers)
        return found, run((found, table))


@pytest.mark.parametrize("place", [0, 2, 5])
def test_a_search_with_a_retried_failure_equals_one_without_a_failure(search, whole, tmp_path, place):
    found, expected = whole
    # All other trainings are known, which makes this fast.
    shutil.copy(found.folder / "trainings.sqlite", tmp_path)
    with search(tmp_path) as opened:
        network = opened[1].trainings.names.of(expected.steps[place].architecture)
        with sqlite3.connect(tmp_path / "trainings.sqlite") as journal:
            journal.execute("DELETE FROM trainings WHERE network = ?", (network.key,))
        with failing(MemoryError(), network.architecture):
            first = run(opened)
        assert np.isnan(first.steps[place].observed)
        assert first.failed == {"memory": sum(np.isnan(step.observed) for step in first.steps)}
        retried = retry_failed(*opened)
        assert (retried.kept, retried.ended, retried.failed) == (place, 6, first.failed)
        again = run(opened)
        assert again.failed == {}
        assert events(opened[0]) == events(found)
        assert retry_failed(*opened).evaluations == 0
    # The clock is that of real time: it does not go back.
    assert again.steps[place].clock >= first.steps[-1].clock


def test_a_stop_while_failures_are_forgotten_loses_none(search, tmp_path, monkeypatch):
    """The journal has forgotten the failure, and the log of the search has not gone back yet."""
    with search(tmp_path / "with") as opened:
        with failing(MemoryError(), *range(0, 10_000, 2)):
            first = run(opened)
        assert 0 < first.failed["memory"] < 6
        with monkeypatch.context() as patch:
            patch.setattr(LiveSearchLog, "rewind", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                retry_failed(*opened)
        assert retry_failed(*opened).evaluations == first.failed["memory"]
        assert not np.isnan([step.observed for step in run(opened).steps]).any()


def test_a_loss_that_is_not_finite_is_a_result_unless_it_is_asked_for(search, tmp_path):
    with search(tmp_path) as opened:
        with failing(one_training._FailedError("the loss is not finite"), *range(0, 10_000, 2)):
            first = run(opened)
        before = events(opened[0])
        assert set(first.failed) == {"loss"}
        assert retry_failed(*opened).evaluations == 0
        assert events(opened[0]) == before
        assert retry_failed(*opened, kinds=["loss"]).evaluations == first.failed["loss"]


def test_another_try_needs_time(search, tmp_path):
    with search(tmp_path, nl.Budget(evaluations=2, seconds=1000.0)) as opened, failing(MemoryError()):
        assert run(opened).failed == {"memory": 2}
        before = events(opened[0])
        with LiveSearchLog(opened[0].path) as log:
            log.set_clock(1001.0)
        with pytest.raises(ParameterError, match="the 1,000 s of the search are used up"):
            retry_failed(*opened)
        assert events(opened[0]) == before
        assert [each.reason for each in opened[1].trainings.journal.items()] == ["out of memory"] * 2


def test_a_table_tries_again_only_what_it_is_asked_for(tmp_path):
    live = train.live("digits/chain", folder=tmp_path, epochs=2, longest=1e-6)
    assert np.isnan(live.lookup([CHEAP]))
    assert live.retry_failed(["memory", "process", "loss", "error"]) == {}
    assert list((tmp_path / "checkpoints").iterdir()), "the next try continues"
    patient = train.live("digits/chain", folder=tmp_path, epochs=2)
    assert np.isnan(patient.lookup([CHEAP]))
    assert patient.retry_failed() == {"time": 1}
    assert patient.lookup([CHEAP]) == train.live("digits/chain", epochs=2).lookup([CHEAP])
    assert not list((tmp_path / "checkpoints").iterdir())


def test_reasons_are_checked():
    live = train.live("digits/chain", epochs=2)
    for wrong in ("memory", [], ["memry"]):
        with pytest.raises(ParameterError, match="memory"):
            live.retry_failed(wrong)
    assert set(RETRIED) < set(KINDS)
