"""TransNAS-Bench-101: both spaces, all numbers of NASLib's archives, and the layout of the published file."""

import ast
import io
import itertools
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab import spaces
from nasbench_lab.errors import DataError, OutOfSpaceError
from nasbench_lab.tables import find_recipe
from nasbench_lab.tables.importers.trans_nas_bench import official
from nasbench_lab.tables.importers.trans_nas_bench.tasks import TASKS

ZIPS = {
    "micro": "automl/NASLib/naslib/data/zc_benchmarks/all_benchmarks_zen.zip",
    "macro": "automl/NASLib/run/results/benchmarks/tnb101_macro_zen.zip",
}
NAMES = {"micro": "64-41414-{}_{}{}_{}{}{}", "macro": "64-{}-basic"}


# Spaces


def test_skeletons_are_those_of_the_published_rules():
    words = {
        "".join(word)
        for length in (4, 5, 6)
        for word in itertools.product("1234", repeat=length)
        if 1 <= sum(k in "34" for k in word) <= 4 and 1 <= sum(k in "24" for k in word) <= 3
    }
    space = spaces.TransMacroSpace()
    assert space.size == len(words) == 3_256
    assert {name.split("-")[1] for name in space.format(np.arange(space.size))} == words


def edit_distance_is_one(one, other):
    """Whether changing, inserting or taking out one character makes the other word."""
    if len(one) == len(other):
        return sum(a != b for a, b in zip(one, other, strict=True)) == 1
    long, short = sorted((one, other), key=len, reverse=True)
    return len(long) == len(short) + 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


def test_neighbors_of_skeletons_are_one_edit_away():
    space = spaces.TransMacroSpace()
    words = [name.split("-")[1] for name in space.format(np.arange(space.size))]
    for index in (0, 17, 500, 3_255):
        expected = [other for other, word in enumerate(words) if edit_distance_is_one(words[index], word)]
        assert space.neighbors(index).tolist() == expected


def test_cells_are_in_the_order_of_the_published_file():
    space = spaces.TransMicroSpace()
    names = space.format(np.arange(space.size))
    assert names == sorted(names)
    # What others printed of the published file: some cells that follow each other.
    assert names[space.parse("64-41414-3_33_212") :][:5] == [
        f"64-41414-3_33_{last}" for last in ("212", "213", "220", "221", "222")
    ]


@pytest.mark.parametrize(
    ("space", "text", "reason"),
    [
        ("micro", "64-41414-1_02_334", "unknown operation 4 on edge 2->3"),
        ("micro", "64-41414-1_02_33", "malformed cell"),
        ("micro", "32-41414-1_02_333", "malformed cell"),
        ("micro", "64-1234-basic", "malformed cell"),
        ("macro", "64-123-basic", "no skeleton has the modules '123'"),
        ("macro", "64-1111-basic", "1 to 4 are 3 or 4"),
        ("macro", "64-2222-basic", "1 to 3 are 2 or 4"),
        ("macro", "64-1235-basic", "no skeleton"),
        ("macro", "64-" + "1" * 5_000 + "-basic", r"'111111\.\.\.'"),
        ("macro", "64-12\u0663\u0664-basic", "malformed skeleton"),
        ("macro", "64-41414-1_02_333", "malformed skeleton"),
    ],
)
def test_errors_name_the_offending_part(space, text, reason):
    with pytest.raises(OutOfSpaceError, match=reason):
        spaces.make_space({"name": f"trans-{space}"}).parse(text)


@pytest.mark.parametrize("codes", [[0, 0, 0, 0, 4, 4], [0, 1, 2, 3, 4, 0], [1, 1, 1, 1, 4, 4]])
def test_codes_of_no_skeleton_are_refused(codes):
    with pytest.raises(OutOfSpaceError, match="no skeleton has the modules"):
        spaces.TransMacroSpace().index(codes)


# NASLib's archives


@pytest.mark.mirror
@pytest.mark.parametrize(("space", "task"), list(itertools.product(ZIPS, TASKS)))
def test_every_number_is_at_its_architecture(mirror, space, task):
    table = nl.load(f"trans-nas-bench-101-{space}/{task}")
    valid = table.values(table.description.valid)
    count = 0
    with zipfile.ZipFile(mirror / ZIPS[space]) as archive:
        for name in archive.namelist():
            if f"_{space}--{task}--" in name:
                for row in json.loads(archive.read(name)):
                    digits = ast.literal_eval(row["arch"])
                    parts = digits if space == "micro" else ["".join(map(str, digits))]
                    index = table.space.parse(NAMES[space].format(*parts))
                    assert valid[index] == row["val_accuracy"]
                    assert table.values("zen_seconds")[index] == row["zen"]["time"]
                    zen = table.values("zen")[index]
                    assert zen == row["zen"]["score"] or (row["zen"]["score"] == -1e8 and np.isnan(zen))
                    count += 1
    assert count == table.space.size


@pytest.mark.mirror
def test_cells_that_pass_nothing_on_show_what_the_digits_mean():
    """A cell whose output is zero cannot tell inputs apart: this fails with another order of edges or operations."""
    table = nl.load("trans-nas-bench-101-micro/jigsaw")
    codes = table.space.codes(np.arange(table.space.size))
    alive = {1: codes[:, 0] > 0}
    alive[2] = (codes[:, 1] > 0) | ((codes[:, 2] > 0) & alive[1])
    dead = ~((codes[:, 3] > 0) | ((codes[:, 4] > 0) & alive[1]) | ((codes[:, 5] > 0) & alive[2]))
    assert dead.sum() == 169
    assert np.array_equal(np.isnan(table.values("zen")), dead)
    assert len(set(np.asarray(table.values("valid_top1"))[dead])) == 1
    assert np.asarray(table.values("valid_top1"))[dead].max() < 0.1


def naslib_zip(rows, space="macro", task="jigsaw"):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        content = rows if isinstance(rows, str | bytes) else json.dumps(rows)
        archive.writestr(f"zen/benchmark--transbench101_{space}--{task}--0.json", content)
    return file.getvalue()


def all_rows():
    names = spaces.TransMacroSpace().format(np.arange(3_256))
    return [
        {"arch": str(tuple(map(int, name.split("-")[1]))), "val_accuracy": 1.0, "zen": {"score": 2.0, "time": 3.0}}
        for name in names
    ]


def read(data):
    made = find_recipe("trans-nas-bench-101-macro/jigsaw")
    return made.importer(made.description, [data])


def test_our_own_archive_is_read():
    values, _ = read(naslib_zip(all_rows()))
    assert {name: float(column.sum()) for name, column in values.items()} == {
        "valid_top1": 3_256,
        "zen": 6_512,
        "zen_seconds": 9_768,
    }


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda rows: rows[:-1], "lacks 1 of 3256"),
        (lambda rows: [*rows, rows[0]], "twice"),
        (lambda rows: [*rows[:-1], {**rows[0], "arch": "(1, 1, 1, 1)"}], "outside the space"),
        (lambda rows: [*rows[:-1], {**rows[0], "arch": "__import__('os')"}], "not written as digits"),
        (lambda rows: [*rows[:-1], {**rows[0], "arch": [1]}], "not written as digits"),
        (lambda rows: [*rows[:-1], {**rows[0], "val_accuracy": "1"}], "not a finite number"),
        (lambda rows: [*rows[:-1], {**rows[0], "val_accuracy": float("nan")}], "not a finite number"),
        (lambda rows: [*rows[:-1], {"arch": "(4, 4, 4, 4)"}], "lacks a field"),
        (lambda rows: [*rows[:-1], 7], "lacks a field"),
        (lambda _rows: {}, "not a list"),
        (lambda _rows: "[" * 100_000, "damaged"),
        (lambda _rows: " " * 3_000_000, "more than 1048576 bytes"),
        (lambda _rows: b"\xff", "damaged"),
    ],
)
def test_hostile_archives_are_refused(damage, reason):
    with pytest.raises(DataError, match=reason) as caught:
        read(naslib_zip(damage(all_rows())))
    assert "\n" not in str(caught.value)


def test_an_archive_of_too_many_members_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(1_001):
            archive.writestr(str(number), "")
    with pytest.raises(DataError, match="1001 members"):
        read(file.getvalue())


@given(data=st.data())
@settings(max_examples=25)
def test_damaged_archives_are_refused_in_one_line(data):
    content = bytearray(naslib_zip(all_rows()))
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        read(bytes(content))
    except DataError as error:
        assert "\n" not in str(error)


# The published file

METRICS = {
    "jigsaw": ["train_top1", "train_loss", "valid_top1", "valid_loss", "test_top1", "test_loss", "time_elapsed"],
    "room_layout": ["train_loss", "train_neg_loss", "valid_loss", "valid_neg_loss", "test_neg_loss", "time_elapsed"],
}
INFO = ["inference_time", "encoder_params", "model_params", "model_FLOPs", "encoder_FLOPs"]
ARCHITECTURES = {
    "macro": ["64-4111-basic", "64-2311-basic", "64-43243-basic"],
    "micro": ["64-41414-0_00_000", "64-41414-3_33_212"],
}


def published(*, clock=False):
    """A dictionary laid out like the published file, with numbers of its own."""
    random = np.random.default_rng(0)

    def result(task):
        epochs = TASKS[task].epochs
        curves = {name: random.random(epochs).tolist() for name in METRICS[task]}
        seconds = [17 * epoch for epoch in range(1, epochs + 1)]
        curves["time_elapsed"] = [
            f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" if clock else float(s) for s in seconds
        ]
        return {
            "total_epochs": epochs,
            "metrics": curves,
            "model_info": {name: float(random.random()) for name in INFO},
        }

    return {
        "metrics_dict": METRICS,
        "info_names": INFO,
        "task_list": list(METRICS),
        "data": {
            space: {name: {task: result(task) for task in METRICS} for name in names}
            for space, names in ARCHITECTURES.items()
        },
    }


@pytest.fixture
def saved(tmp_path):
    torch = pytest.importorskip("torch")

    def save(content, *, new=True):
        path = tmp_path / "transnas-bench_v10141024.pth"
        torch.save(content, path, _use_new_zipfile_serialization=new)
        return path

    return save


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("clock", [True, False])
def test_every_number_of_the_published_layout_is_in_its_table(saved, tmp_path, new, clock):
    content, steps = published(clock=clock), []
    paths = official.convert(
        saved(content, new=new), tmp_path / "tables", progress=lambda done, total: steps.append((done, total))
    )
    assert sorted(path.name for path in paths) == sorted(f"{s}-{t}.h5" for s in ARCHITECTURES for t in METRICS)
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for space, task in itertools.product(ARCHITECTURES, METRICS):
        table = nl.load(tmp_path / "tables" / f"{space}-{task}.h5")
        assert table.name == f"trans-nas-bench-101-{space}/{task}"
        assert table.fidelities == tuple(range(1, TASKS[task].epochs + 1))
        assert set(table.metrics) == {*METRICS[task], *INFO}
        assert table.description.cost == ("time_elapsed",)
        for name, network in content["data"][space].items():
            index = table.space.parse(name)
            for metric in INFO:
                assert table.values(metric)[index] == network[task]["model_info"][metric]
            for epoch in table.fidelities:
                answer = table.query(name, epochs=epoch)
                for metric in set(METRICS[task]) - {"time_elapsed"}:
                    assert answer[metric] == network[task]["metrics"][metric][epoch - 1]
                assert answer["time_elapsed"] == 17 * epoch
        missing = np.isnan(table.values(table.description.valid)).all(axis=1)
        assert missing.sum() == table.space.size - len(ARCHITECTURES[space])


def test_times_that_are_not_since_the_beginning_are_not_charged(saved, tmp_path):
    content = published()
    content["data"]["micro"]["64-41414-0_00_000"]["jigsaw"]["metrics"]["time_elapsed"][3] = 1.0
    official.convert(saved(content), tmp_path / "tables")
    table = nl.load(tmp_path / "tables" / "micro-jigsaw.h5")
    assert not table.has_times
    assert any("not ascending" in note for note in table.description.notes)


def change(path, value):
    def damage(content):
        *way, last = path
        for key in way:
            content = content[key]
        content[last] = value

    return damage


NETWORK = ("data", "micro", "64-41414-3_33_212", "jigsaw")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (change(("data",), []), "needs metrics_dict, info_names and data"),
        (change(("info_names",), ["secret"]), "does not have"),
        (change(("metrics_dict",), {}), "no networks"),
        (change(("metrics_dict", "jigsaw"), ["valid_loss"]), "does not name the metrics of jigsaw"),
        (change(("metrics_dict", "jigsaw"), ["valid_top1", "train_secret"]), "lacks a field"),
        (change(("data", "nano"), {}), "does not have"),
        (change(("data", "micro", "64-1234-basic"), {}), "outside the space"),
        (change(NETWORK, {}), "64-41414-3_33_212 on jigsaw lacks a field"),
        (change((*NETWORK, "total_epochs"), 9), "do not have as many epochs as the training"),
        (change((*NETWORK, "metrics", "valid_top1"), [1.0] * 9), "do not have as many epochs as the training"),
        (change((*NETWORK, "metrics", "valid_top1"), [1.0] * 9 + ["x"]), "str in place of a number"),
        (change((*NETWORK, "metrics", "valid_top1"), [1.0] * 9 + [10**400]), "too large"),
        (change((*NETWORK, "metrics", "valid_top1"), [1.0] * 9 + [[1.0]]), "list in place of a number"),
        (change((*NETWORK, "metrics", "valid_top1"), [1.0] * 1_001), "not a list of 1 to 1000 numbers"),
        (change((*NETWORK, "metrics", "time_elapsed"), ["0:1"] * 10), "str in place of a number"),
        (change((*NETWORK, "model_info", "model_params"), None), "NoneType in place of a number"),
    ],
)
def test_other_content_is_refused_and_leaves_nothing(saved, tmp_path, damage, reason):
    content = published()
    content["metrics_dict"] = dict(METRICS)
    damage(content)
    with pytest.raises(DataError, match=reason) as caught:
        official.convert(saved(content), tmp_path / "tables")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "tables").exists()


def test_a_metric_that_nobody_knows_is_refused(saved, tmp_path):
    content = published()
    content["metrics_dict"] = {"jigsaw": [*METRICS["jigsaw"], "valid_secret"]}
    for network in [n for found in content["data"].values() for n in found.values()]:
        network["jigsaw"]["metrics"]["valid_secret"] = [1.0] * 10
    with pytest.raises(DataError, match="has a metric 'valid_secret' of jigsaw"):
        official.convert(saved(content), tmp_path / "tables")


def test_damaged_published_files_are_refused_in_one_line(saved, tmp_path):
    path = saved(published())
    good = path.read_bytes()

    @given(data=st.data())
    @settings(max_examples=25)
    def check(data):
        content = bytearray(good)
        if data.draw(st.booleans()):
            content = content[: data.draw(st.integers(0, len(content) - 1))]
        else:
            content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(content)
        try:
            official.convert(path, tmp_path / "tables")
        except DataError as error:
            assert "\n" not in str(error)
            assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]

    check()
