"""Accel-NASBench: every number of the archive, and hostile archives."""

import gzip
import io
import json
import tarfile

import numpy as np
import pytest
from command_line import nasbench_lab_here
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.errors import DataError, PublishedFileWarning
from nasbench_lab.tables.importers.accel_nasbench import convert
from nasbench_lab.tables.importers.formats import import_tables

ARCHIVE = "afzalxo/Accel-NASBench/anb_dataset/anb_dataset_jsons.tar.gz"
TARGETS = ("a100", "3090", "tpuv2", "tpuv3", "zcu102", "vck190")


def expected(result):
    """Metric name to number, NaN for null, read by hand."""
    numbers = {
        "valid_top1": result["metrics"]["val_top1"],
        "valid_top5": result["metrics"]["val_top5"],
        "train_seconds": result["metrics"]["train_time"],
        "macs": result["model_info"]["macs"],
        "parameters": result["model_info"]["params"],
    }
    for target in TARGETS:
        found = result["platform_perf"][f"throughput_{target}"]
        numbers[f"{target}_throughput"] = found["throughput_mean"]
        if target in ("zcu102", "vck190"):
            assert found["throughput_std"] is None
            numbers[f"{target}_latency"] = result["platform_perf"][f"latency_{target}"]["latency_mean"]
        else:
            numbers[f"{target}_throughput_deviation"] = found["throughput_std"]
    return {name: np.nan if number is None else number for name, number in numbers.items()}


def notation(result):
    return ",".join(f"{name}={value}" for name, value in result["architecture"].items())


@pytest.mark.mirror
def test_every_number_is_at_its_architecture(mirror, tmp_path):
    steps = []
    table = nl.load(
        convert(mirror / ARCHIVE, tmp_path / "anb.h5", progress=lambda done, total: steps.append((done, total)))
    )
    with tarfile.open(mirror / ARCHIVE) as archive:
        results = {m.name: json.load(archive.extractfile(m)) for m in archive if m.isfile()}
    ordered = sorted(results, key=lambda name: int(name.rpartition("_")[2].removesuffix(".json")))
    assert len(results) == 5_138
    assert steps[-1] == (5_138, 0)
    assert (table.space.size, table.repeats) == (5_125, 2)
    places = table.space.parse([notation(results[name]) for name in ordered])
    seen = np.zeros(table.space.size, dtype=int)
    values = {metric: np.asarray(table.values(metric)) for metric in table.metrics}
    for name, index in zip(ordered, places.tolist(), strict=True):
        numbers = expected(results[name])
        assert numbers.keys() == values.keys()
        for metric, number in numbers.items():
            assert np.array_equal(values[metric][index, seen[index]], number, equal_nan=True)
        seen[index] += 1
    assert table.optimum("valid") == 67.052
    assert (table.space.degree(np.arange(table.space.size)) == 0).all(), "the notes say so"


def result(**changes):
    network = {
        f"block{block}_{part}": value
        for block in range(7)
        for part, value in {"e": 6, "k": 3, "l": 1, "se": False}.items()
    }
    speeds = {f"throughput_{t}": {"throughput_mean": 100.5, "throughput_std": None} for t in TARGETS}
    speeds |= {f"latency_{t}": {"latency_mean": 2.5, "latency_std": None} for t in ("zcu102", "vck190")}
    return {
        "architecture": {**network, **changes},
        "metrics": {"val_top1": 60.0, "val_top5": 80.0, "train_time": 2_000.0},
        "model_info": {"macs": 400.0, "params": 2.5},
        "platform_perf": speeds,
    }


def write(folder, members, compress=gzip.compress):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in members:
            text = content if isinstance(content, bytes) else json.dumps(content).encode()
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
    path = folder / "anb.tar.gz"
    path.write_bytes(compress(file.getvalue()))
    return path


def test_our_own_archive_is_read(tmp_path):
    members = [
        ("./x/result_1.json", result()),
        ("./x/result_0.json", result(block5_l=4)),
        ("./x/result_2.json", result()),
        ("./x/README", b"not a result"),
    ]
    table = nl.load(convert(write(tmp_path, members), tmp_path / "anb.h5"))
    assert (table.space.size, table.repeats, table.has_times) == (2, 2, True)
    assert np.isnan(table.values("a100_throughput_deviation")).all()
    assert table.space.neighbors(0).tolist() == [1]
    answer = table.query(notation(result(block5_l=4)), repeat=0)
    assert (answer["valid_top1"], answer["zcu102_latency"], answer["a100_throughput"]) == (60.0, 2.5, 100.5)


def without(part):
    made = result()
    del made[part]
    return made


def with_accuracy(value):
    made = result()
    made["metrics"]["val_top1"] = value
    return made


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([], "no results"),
        ([("../../etc/result_0.json", result())], "no results"),
        ([("/result_0.json", result())], "no results"),
        ([("result_0.json", result()), ("x/result_0.json", result())], "result 0 twice"),
        ([("result_0.json", b"{")], "damaged"),
        ([("result_0.json", b"[" * 60_000)], "damaged"),
        ([("result_0.json", b" " * 70_000)], "more than 65536 bytes"),
        ([("result_0.json", [])], "lacks a field"),
        ([("result_0.json", without("metrics"))], "lacks a field"),
        ([("result_0.json", result(block0_e=5))], "a block outside the space"),
        ([("result_0.json", result(block0_l=4))], "a block outside the space"),
        ([("result_0.json", result(block0_se=0))], "a block outside the space"),
        ([("result_0.json", result(block0_e=[]))], "a block outside the space"),
        ([("result_0.json", with_accuracy("60"))], "not a finite number"),
        ([("result_0.json", with_accuracy(True))], "not a finite number"),
        ([("result_0.json", with_accuracy(float("nan")))], "not a finite number"),
        ([("result_0.json", with_accuracy(10**400))], "not a finite number"),
        ([(f"result_{n}.json", result()) for n in range(101)], "101 results of one network"),
    ],
)
def test_hostile_archives_are_refused_and_leave_nothing(tmp_path, members, reason):
    with pytest.raises(DataError, match=reason) as caught:
        convert(write(tmp_path, members), tmp_path / "anb.h5")
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["anb.tar.gz"]


def test_links_are_not_followed(tmp_path):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        link = tarfile.TarInfo("result_0.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    (tmp_path / "anb.tar.gz").write_bytes(file.getvalue())
    with pytest.raises(DataError, match="no results"):
        convert(tmp_path / "anb.tar.gz", tmp_path / "anb.h5")


def test_a_bomb_is_refused(tmp_path):
    bomb = [("filler", bytes(2**20))] * 65
    with pytest.raises(DataError, match="unpacks to more than 67108864 bytes"):
        convert(write(tmp_path, bomb, lambda data: gzip.compress(data, 1)), tmp_path / "anb.h5")


def test_a_missing_archive_is_named(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        convert(tmp_path / "anb.tar.gz", tmp_path / "anb.h5")


MEMBERS = [("x/result_0.json", result()), ("x/result_1.json", result(block5_l=4))]


@given(data=st.data())
@settings(max_examples=40)
def test_damaged_archives_are_refused_in_one_line(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    path = write(folder, MEMBERS)
    content = path.read_bytes()
    compressed = data.draw(st.booleans())
    damaged = bytearray(content if compressed else gzip.decompress(content))
    if data.draw(st.booleans()):
        damaged = damaged[: data.draw(st.integers(0, len(damaged) - 1))]
    else:
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(damaged if compressed else gzip.compress(damaged))
    try:
        table = nl.load(convert(path, folder / "anb.h5"))
    except DataError as error:
        assert "\n" not in str(error)
        assert [file.name for file in folder.iterdir()] == ["anb.tar.gz"]
    else:
        assert table.space.size == 2
        if compressed:  # nothing notices a changed digit inside an archive that was compressed afterwards
            assert_same(table, nl.load(convert(write(folder, MEMBERS), folder / "whole.h5")))


def assert_same(table, true):
    assert table.metrics == true.metrics
    for name in true.metrics:
        assert np.array_equal(table.values(name), true.values(name), equal_nan=True)


def test_a_damaged_header_inside_an_archive_is_noticed(tmp_path):
    content = bytearray(gzip.decompress(write(tmp_path, MEMBERS).read_bytes()))
    content[content.index(b"x/result_1")] ^= 1
    (tmp_path / "anb.tar.gz").write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match="damaged after its last readable member"):
        convert(tmp_path / "anb.tar.gz", tmp_path / "anb.h5")


@pytest.mark.mirror
def test_single_flipped_bits_of_the_published_file_are_noticed(mirror, tmp_path):
    content = (mirror / ARCHIVE).read_bytes()
    random = np.random.default_rng(0)
    for at in random.integers(20, len(content), 6).tolist():
        damaged = bytearray(content)
        damaged[at] ^= 1 << int(random.integers(8))
        (tmp_path / "anb.tar.gz").write_bytes(damaged)
        with pytest.raises(DataError):
            convert(tmp_path / "anb.tar.gz", tmp_path / "anb.h5")


def test_a_file_with_the_published_name_and_another_content_is_imported_with_warnings(tmp_path):
    named = write(tmp_path, MEMBERS).rename(tmp_path / "anb_dataset_jsons.tar.gz")
    with pytest.warns(PublishedFileWarning) as caught:
        import_tables(named, tmp_path / "anb.h5", format="accel-nasbench")
    said = [str(warning.message) for warning in caught]
    assert len(said) == 3
    assert "SHA-256" in said[0]
    assert "architectures with valid_top1: 2, not 5125" in said[1]
    done = nasbench_lab_here(
        "tables", "import", named, "--format", "accel-nasbench", "--out", tmp_path / "anb.h5", "--overwrite"
    )
    assert done.returncode == 0
    assert [f"warning: {text}" for text in said] == done.stderr.splitlines()[-3:]


@pytest.mark.mirror
def test_the_published_file_is_imported_without_warnings(mirror, tmp_path):
    import_tables(mirror / ARCHIVE, tmp_path / "anb.h5")
