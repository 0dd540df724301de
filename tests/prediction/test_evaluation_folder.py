"""Stored evaluations: stopped and continued, extended, damaged, and refused."""

import json
import signal
import sys
import time
from multiprocessing import get_context

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from nasbench_lab.errors import DataError, OutputError
from nasbench_lab.prediction import evaluate, load_evaluation
from nasbench_lab.prediction.evaluation_folder import EVALUATION, TRIALS, EvaluationFolder
from nasbench_lab.prediction.trial_runs import COLUMNS, MEASURED
from nasbench_lab.suites.sealed_json import sealed, unsealed
from nasbench_lab.testing import synthetic_table

TABLE = synthetic_table()
SMALL = {"sizes": [8, 20], "test": 30}
SAME = [place for place, name in enumerate(COLUMNS) if name not in MEASURED]


def assert_same(one, other):
    assert one.labels == other.labels
    for label in one.labels:
        mine, theirs = one.predictor(label), other.predictor(label)
        assert mine.trials.tolist() == theirs.trials.tolist()
        np.testing.assert_array_equal(mine.values[SAME], theirs.values[SAME])


class StoppedError(Exception):
    pass


def test_a_stopped_evaluation_continues(tmp_path):
    whole = evaluate(TABLE, ["ridge", "last-value"], trials=15, **SMALL)

    def stop(done, total):
        assert total == 30
        if done >= 10:
            raise StoppedError

    with pytest.raises(StoppedError):
        evaluate(TABLE, ["ridge", "last-value"], trials=15, **SMALL, out=tmp_path, progress=stop)
    assert sum(len(each.trials) for each in load_evaluation(tmp_path).predictors) == 10
    seen = []
    again = evaluate(
        TABLE, ["ridge", "last-value"], trials=15, **SMALL, out=tmp_path, progress=lambda done, _: seen.append(done)
    )
    assert seen[0] == 10
    assert_same(whole, again)
    assert_same(whole, load_evaluation(tmp_path))


def test_predictors_and_trials_can_be_added(tmp_path):
    evaluate(TABLE, "ridge", trials=3, **SMALL, out=tmp_path)
    files = {path: path.read_bytes() for path in tmp_path.rglob("0*.json")}
    found = evaluate(TABLE, ["ridge", "linear"], trials=12, **SMALL, out=tmp_path)
    assert_same(found, evaluate(TABLE, ["ridge", "linear"], trials=12, **SMALL))
    assert all(path.read_bytes() == content for path, content in files.items())
    later = evaluate(TABLE, "last-value", trials=2, **SMALL, out=tmp_path)
    assert later.labels == ("ridge (one-hot)", "linear (one-hot)", "last-value")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "another seed \\(0, not 1\\)"),
        ({"sizes": [8]}, "another sizes"),
        ({"test_from": "good"}, "another test_from"),
        ({"repeat": "mean"}, "another repeat"),
        ({"source": TABLE}, "another source"),
    ],
)
def test_other_settings_are_refused(tmp_path, change, message):
    evaluate(TABLE, "ridge", trials=1, **SMALL, out=tmp_path)
    with pytest.raises(OutputError, match=message):
        evaluate(TABLE, "ridge", trials=1, **{**SMALL, **change}, out=tmp_path)


def test_another_predictor_with_the_same_name_is_refused(tmp_path):
    evaluate(TABLE, {"mine": Ridge(alpha=1)}, trials=1, **SMALL, out=tmp_path)
    with pytest.raises(OutputError, match="another predictor 'mine"):
        evaluate(TABLE, {"mine": Ridge(alpha=2)}, trials=1, **SMALL, out=tmp_path)


def test_folders_with_other_files_are_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(OutputError, match="not empty"):
        evaluate(TABLE, "ridge", trials=1, **SMALL, out=tmp_path)
    with pytest.raises(DataError, match="no evaluation of predictors"):
        load_evaluation(tmp_path)


def test_damaged_trials_are_evaluated_again(tmp_path):
    found = evaluate(TABLE, "ridge", trials=12, **SMALL, out=tmp_path)
    first, second = sorted((tmp_path / TRIALS).rglob("0*.json"))
    content = first.read_bytes()
    first.write_bytes(content[: len(content) // 2])
    assert load_evaluation(tmp_path).predictors[0].trials.tolist() == [10, 11]
    changed = json.loads(second.read_bytes())
    changed["columns"]["kendall"][0][0] = 1.0
    second.write_text(json.dumps(changed))
    with pytest.raises(DataError, match="no finished trials"):
        load_evaluation(tmp_path)
    assert_same(found, evaluate(TABLE, "ridge", trials=12, **SMALL, out=tmp_path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: {**data, "format_version": 99}, "99"),
        (lambda data: {**data, "format": "nasbench-lab suite"}, "not an evaluation"),
        (lambda data: {**data, "settings": {}}, "damaged"),
        (lambda data: {**data, "predictors": [{"label": 3}]}, "damaged"),
    ],
)
def test_other_files_are_refused(tmp_path, change, message):
    evaluate(TABLE, "ridge", trials=1, **SMALL, out=tmp_path)
    file = tmp_path / EVALUATION
    data = unsealed(file.read_bytes())
    file.write_bytes(sealed(change(data)))
    with pytest.raises(DataError, match=message):
        load_evaluation(tmp_path)
    file.write_bytes(sealed(data)[:-30])
    with pytest.raises(DataError, match="cannot be read"):
        load_evaluation(tmp_path)


def test_two_processes_do_not_write_into_one_folder(tmp_path):
    evaluate(TABLE, "ridge", trials=1, **SMALL, out=tmp_path)
    with EvaluationFolder.open(tmp_path).locked(), pytest.raises(OutputError, match="another process"):
        evaluate(TABLE, "ridge", trials=2, **SMALL, out=tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="forks, which takes no time to start Python")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_killed_evaluation_loses_at_most_the_trials_in_flight(tmp_path):
    given = {**SMALL, "trials": 3000, "out": tmp_path}
    process = get_context("fork").Process(target=evaluate, args=(TABLE, "last-value"), kwargs=given)
    process.start()
    try:
        for _ in range(6000):
            if len(list(tmp_path.rglob("0*.json"))) >= 2:
                break
            time.sleep(0.01)
    finally:
        process.kill()
        process.join()
    assert process.exitcode == -signal.SIGKILL
    stored = load_evaluation(tmp_path).predictors[0].trials.tolist()
    assert len(stored) >= 10
    assert stored == list(range(len(stored)))
    found = evaluate(TABLE, "last-value", first_trial=len(stored) - 2, trials=5, **SMALL, out=tmp_path).predictors[0]
    assert found.trials.tolist() == list(range(len(stored) + 3))
    alone = evaluate(TABLE, "last-value", first_trial=len(stored) - 2, trials=5, **SMALL).predictors[0]
    np.testing.assert_array_equal(found.values[SAME][:, -5:], alone.values[SAME])
