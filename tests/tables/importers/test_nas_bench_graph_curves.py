"""The full version of NAS-Bench-Graph, from files laid out as its repository documents them."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.errors import DataError
from nasbench_lab.spaces.gnn import PROTEINS_OPERATIONS, GnnSpace
from nasbench_lab.tables.importers.nas_bench_graph.curves import convert
from nasbench_lab.tables.importers.nas_bench_graph.light_version import architecture_keys
from nasbench_lab.tables.reading import pickle_items

KEYS = architecture_keys(GnnSpace(PROTEINS_OPERATIONS)).tolist()
COLUMNS = (
    "train_roc_auc",
    "valid_roc_auc",
    "test_roc_auc",
    "train_loss",
    "valid_loss",
    "test_loss",
    "best_performance",
)


def content(seed, *, count=300, epochs=5, kind=float, single=True):
    """What a file holds: a row of seven numbers per epoch and architecture."""
    random = np.random.default_rng(seed)
    made = {}
    for key in KEYS[:count]:
        rows = [[kind(number) for number in row] for row in random.random((epochs, 7))]
        best = rows[-1][6]
        rows[-1][6] = rows[0][6] = best  # the same object, as the best of all epochs is
        made[key] = {"dur": rows}
        if single:
            made[key] |= {"valid_perf": rows[0][1], "perf": best, "latency": 0.25, "para": np.float64(0.5)}
    return made


def write(folder, seed, made, protocol=3):
    path = folder / f"proteins{seed}.bench"
    path.write_bytes(pickle.dumps(made, protocol=protocol))
    return path


def check(table, made, seed):
    for metric, column in zip(COLUMNS, range(7), strict=True):
        values = np.asarray(table.values(metric))[..., seed]
        for key, index in [(key, KEYS.index(key)) for key in list(made)[::97]]:
            expected = np.array([row[column] for row in made[key]["dur"]], dtype=np.float32)
            assert np.array_equal(values[index, : len(expected)], expected)
            assert np.isnan(values[index, len(expected) :]).all()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", [float, np.float64])
def test_every_number_of_three_seeds_is_in_the_table(tmp_path, protocol, kind):
    made = [content(seed, kind=kind) for seed in range(3)]
    for seed in range(3):
        write(tmp_path, seed, made[seed], protocol)
    steps = []
    path = convert(tmp_path, tmp_path / "curves.h5", progress=lambda done, total: steps.append((done, total)))
    table = nl.load(path)
    assert table.name == "nas-bench-graph-curves/proteins"
    assert (table.fidelities, table.repeats, table.description.resumable) == ((1, 2, 3, 4, 5), 3, True)
    for seed in range(3):
        check(table, made[seed], seed)
    answer = table.query(7, epochs=2, repeat=1)
    row = made[1][KEYS[7]]
    assert answer["valid_roc_auc"] == np.float32(row["dur"][1][1])
    assert answer["chosen_test_roc_auc"] == np.float32(row["perf"])
    assert (answer["latency"], answer["parameters"]) == (0.25, 0.5)
    assert np.isnan(table.values("valid_roc_auc")[300:]).all()
    assert steps[-1][0] == steps[-1][1] == sum((tmp_path / f"proteins{s}.bench").stat().st_size for s in range(3))


def test_one_seed_alone_leaves_the_others_missing(tmp_path):
    made = content(2, count=20)
    table = nl.load(convert(write(tmp_path, 2, made), tmp_path / "curves.h5"))
    check(table, made, 2)
    assert np.isnan(np.asarray(table.values("valid_loss"))[..., :2]).all()


def test_trainings_of_different_lengths_are_padded_with_nothing(tmp_path):
    made = content(0, count=20) | {KEYS[30]: content(0, count=31, epochs=9)[KEYS[30]]}
    table = nl.load(convert(write(tmp_path, 0, made), tmp_path / "curves.h5"))
    assert table.fidelities[-1] == 9
    check(table, made, 0)


def test_only_the_rows_are_needed(tmp_path):
    table = nl.load(convert(write(tmp_path, 0, content(0, count=20, single=False)), tmp_path / "curves.h5"))
    assert set(table.metrics) == set(COLUMNS)


@pytest.mark.parametrize("key", [str, int, np.int64])
def test_keys_are_numbers_or_digits(tmp_path, key):
    made = {key(k): value for k, value in content(0, count=20).items()}
    table = nl.load(convert(write(tmp_path, 0, made), tmp_path / "curves.h5"))
    assert not np.isnan(table.lookup(np.arange(20), repeat=0)).any()


def replaced(value):
    made = content(0, count=3)
    made[KEYS[1]] = value
    return made


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({}, "no architecture"),
        ([], "not a dictionary"),
        ({99_999: content(0, count=1)[KEYS[0]]}, "99999, which is not one of the 2021"),
        ({"../etc": 1}, "not one of the 2021"),
        ({KEYS[0]: content(0, count=1)[KEYS[0]], str(KEYS[0]): content(0, count=1)[KEYS[0]]}, "twice"),
        (replaced(None), "no list"),
        (replaced({"dur": []}), "no list"),
        (replaced({"dur": "x" * 7}), "no list"),
        (replaced({"dur": [[1.0] * 6]}), "an epoch that is not 7 numbers"),
        (replaced({"dur": [[1.0] * 6 + ["x"]]}), "an epoch that is not 7 numbers"),
        (replaced({"dur": [[1.0] * 6 + [10**400]]}), "too large"),
        (replaced({"dur": [[1.0] * 7] * 10_001}), "1 to 10000 epochs"),
        (replaced({"dur": [[1.0] * 7], "perf": "x"}), "a value that is not a number"),
    ],
)
def test_other_content_is_refused_and_leaves_nothing(tmp_path, made, reason):
    with pytest.raises(DataError, match=reason) as caught:
        convert(write(tmp_path, 0, made), tmp_path / "curves.h5")
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["proteins0.bench"]


class Hostile:
    def __reduce__(self):
        return eval, ("open('hacked', 'w')",)


def test_no_code_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"eval, which is not allowed"):
        convert(write(tmp_path, 0, replaced(Hostile())), tmp_path / "curves.h5")
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize("value", [{"x": "y" * 3_000_000}, {"dur": [[0.5] * 7] * 10, "x": [*range(10**6)]}])
def test_items_of_megabytes_are_refused(tmp_path, value):
    with pytest.raises(DataError, match=r"bytes in one item|bytes, more than"):
        convert(write(tmp_path, 0, replaced(value)), tmp_path / "curves.h5")


def test_a_diverged_loss_is_infinite(tmp_path):
    made = content(0, count=1)
    made[KEYS[0]]["dur"][3][4] = 1e200
    table = nl.load(convert(write(tmp_path, 0, made), tmp_path / "curves.h5"))
    assert table.query(0, epochs=4, repeat=0)["valid_loss"] == np.inf


@pytest.mark.parametrize("names", [[], ["cora0.bench", "arxiv0.bench"], ["cora3.bench"], ["cora0.bench.txt"]])
def test_folders_that_do_not_have_one_data_set_are_refused(tmp_path, names):
    for name in names:
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataError, match="it must have the files of one data set"):
        convert(tmp_path, tmp_path / "curves.h5")


@given(data=st.data())
@settings(max_examples=20)
def test_damaged_files_give_numbers_or_one_line(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    damaged = bytearray(pickle.dumps(content(0, count=3, epochs=2), protocol=data.draw(st.sampled_from([2, 3, 4]))))
    if data.draw(st.booleans()):
        damaged = damaged[: data.draw(st.integers(0, len(damaged) - 1))]
    else:
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    (folder / "proteins0.bench").write_bytes(damaged)
    try:
        convert(folder, folder / "curves.h5")  # a bit of a number may have changed
    except DataError as error:
        assert "\n" not in str(error)
        assert [path.name for path in folder.iterdir()] == ["proteins0.bench"]


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_in_one_line(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "proteins0.bench"
    path.write_bytes(content)
    try:
        assert not list(pickle_items.items(path))  # an empty dictionary
    except DataError as error:
        assert "\n" not in str(error)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        list(pickle_items.items(tmp_path / "proteins0.bench"))
