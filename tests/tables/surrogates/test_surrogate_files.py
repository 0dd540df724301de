"""Files of surrogates: they say the same after reading, and a damaged or forged one is one line."""

import json

import numpy as np
import pytest
from forged_surrogates import forge, small_surrogate

import nasbench_lab as nl
from nasbench_lab.errors import DataError
from nasbench_lab.tables.surrogates import Surrogate, is_surrogate_file, read_surrogate, write_surrogate


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    surrogate = small_surrogate("random-forest:n_estimators=5", folds=2)
    path = tmp_path_factory.mktemp("surrogates") / "mine.h5"
    write_surrogate(surrogate, path)
    return surrogate, path


def test_a_file_answers_as_the_surrogate_did(written):
    surrogate, path = written
    opened = nl.load(path)
    assert isinstance(opened, Surrogate)
    assert is_surrogate_file(path)
    assert opened.description == surrogate.description
    assert opened.verdict == surrogate.verdict
    every = np.arange(surrogate.space.size)
    for metric in surrogate.metrics:
        for repeat in ("mean", 0, 31):
            theirs = surrogate.lookup(every, repeat=repeat, metric=metric)
            assert (opened.lookup(every, repeat=repeat, metric=metric) == theirs).all()
    assert opened.known_optimum("test") == opened.lookup(every, metric="test_accuracy").max()


def test_the_checksum_is_of_the_content_and_written_twice_the_same(written, tmp_path):
    _, path = written
    opened = read_surrogate(path)
    assert len(opened.checksum) == 64
    write_surrogate(opened, tmp_path / "again.h5")
    assert read_surrogate(tmp_path / "again.h5").checksum == opened.checksum


def test_other_files_are_not_surrogates(tmp_path):
    from nasbench_lab.tables import write
    from nasbench_lab.testing import synthetic_table

    write(synthetic_table("tiny"), tmp_path / "table.h5")
    assert not is_surrogate_file(tmp_path / "table.h5")
    assert not is_surrogate_file(tmp_path / "missing.h5")
    with pytest.raises(DataError, match="not a surrogate"):
        read_surrogate(tmp_path / "table.h5")
    with pytest.raises(DataError, match="there is no file"):
        read_surrogate(tmp_path / "missing.h5")


def _column(**facts):
    return lambda content, _arrays: content["columns"][0].update(facts)


def _content(**facts):
    return lambda content, _arrays: content.update(facts)


def _array(name, change):
    def apply(_content, arrays):
        arrays[name] = change(arrays[name])

    return apply


def _circle(array):
    changed = array.copy()
    changed[np.flatnonzero(changed > 0)[0]] = 0
    return changed


FORGERIES = {
    "no columns": _content(columns=[]),
    "many columns": _content(columns=[{}] * 20_000),
    "unknown encoding": _content(encoding="python"),
    "encoding of no text": _content(encoding=5),
    "scores that are missing": _content(scores=["synflow"]),
    "scores of no texts": _content(scores=[1]),
    "seed": _content(seed=-1),
    "optima": _content(optima={"train": 1.0}),
    "verdict": _content(verdict=[]),
    "metric that is missing": _column(metric="accuracy"),
    "epochs": _column(epochs=7),
    "epochs of no number": _column(epochs="12"),
    "bounds": _column(low=3.0, high=2.0),
    "bounds of no numbers": _column(low="x"),
    "model of the wrong length": _column(
        model={"kind": "constant", "settings": {"inputs": 3, "value": 1.0}, "parts": []}
    ),
    "no model": _column(model=None),
    "more keys": _column(code="print()"),
    "circle": _array("column0.model.left", _circle),
    "float nodes": _array("column0.model.left", lambda array: array.astype(float)),
    "endless numbers": _array("column0.model.value", lambda array: array * np.inf),
    "noise out of order": _array("noise.quantiles", lambda array: array[:, ::-1]),
    "noise of another shape": _array("noise.factor", lambda array: array[:1]),
    "noise that grows": _array("noise.factor", lambda array: array * 5),
    "noise that is missing": lambda _content, arrays: arrays.pop("noise.knots"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_content_is_one_line(written, tmp_path, name):
    path = forge(written[1], tmp_path / "forged.h5", FORGERIES[name])
    with pytest.raises(DataError) as caught:
        nl.load(path)
    assert "\n" not in str(caught.value)
    assert "forged.h5" in str(caught.value)


def test_an_unchanged_forgery_is_read(written, tmp_path):
    opened = nl.load(forge(written[1], tmp_path / "same.h5", lambda _content, _arrays: None))
    assert (opened.lookup(range(20)) == written[0].lookup(range(20))).all()


def test_a_verdict_that_is_none_is_one_line(written, tmp_path):
    from nasbench_lab.prediction.surrogates import Verdict

    opened = nl.load(forge(written[1], tmp_path / "verdict.h5", _content(verdict={"metrics": [{}]})))
    with pytest.raises(DataError, match="no verdict"):
        Verdict.from_plain(opened.verdict)
    assert Verdict.from_plain(json.loads(json.dumps(written[0].verdict))).judged.metric == "test_accuracy"
