"""The tables of the catalogue: conversion, cache, and the known answers of the publications."""

import bz2
import multiprocessing

import numpy as np
import pytest
import scipy.stats
from catalogue_tables import table_parameters

import nasbench_lab as nl
from nasbench_lab.cache import CACHE_VARIABLE
from nasbench_lab.errors import DataError, OutputError, UnknownNameError
from nasbench_lab.spaces.topology import OPERATIONS
from nasbench_lab.tables import cached_path, find_recipe, write
from nasbench_lab.tables.catalogue import matching
from nasbench_lab.tables.reading import unpickle
from nasbench_lab.testing import identical, synthetic_table

GRAPH = [name for name in nl.list_tables() if name.startswith("nas-bench-graph/")]
FAILED = {"nas-bench-nlp/wikitext-2": 2}
"""Numbers of architectures whose trainings all failed, as published."""
TSS = [name for name in nl.list_tables() if name.startswith("nats-bench-tss/")]


def test_names():
    assert [name.split("/")[1] for name in TSS] == ["ImageNet16-120", "cifar10", "cifar100"]
    datasets = {"arxiv", "citeseer", "computers", "cora", "cs", "photo", "physics", "proteins", "pubmed"}
    assert {name.split("/")[1] for name in GRAPH} == datasets
    assert "nas-bench-macro/cifar10" in nl.list_tables()
    tasks = {"autoencoder", "class_object", "class_scene", "jigsaw", "normal", "room_layout", "segmentsemantic"}
    for space in ("micro", "macro"):
        prefix = f"trans-nas-bench-101-{space}/"
        assert {name.removeprefix(prefix) for name in nl.list_tables() if name.startswith(prefix)} == tasks


def test_unknown_names_offer_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'nas-bench-graph/cora'"):
        nl.load("nas-bench-graph/kora")
    with pytest.raises(UnknownNameError, match=r"did you mean .*'nats-bench-tss/cifar100'"):
        nl.load("nats-bench-tss/cifar-1000")


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("nas-bench-201/cifar10", "nats-bench-tss/cifar10"),
        ("NB201/ImageNet16-120", "nats-bench-tss/ImageNet16-120"),
        ("nas_bench_201/imagenet16_120", "nats-bench-tss/ImageNet16-120"),
        ("nats-bench-tss/cifar-100", "nats-bench-tss/cifar100"),
        ("NAS-Bench-Macro", "nas-bench-macro/cifar10"),
        ("nasbench101/only108", "nas-bench-101/only108"),
        ("nb101/full", "nas-bench-101/full"),
    ],
)
def test_other_names_of_one_table(name, table):
    assert find_recipe(name) is find_recipe(table)
    assert cached_path(name) == cached_path(table)
    assert matching([name]) == [table]


@pytest.mark.parametrize(
    ("name", "tables"),
    [("nas-bench-201", TSS), ("nasbench201", TSS), ("nas-bench-graph", GRAPH), ("NAS-Bench-Graph", GRAPH)],
)
def test_a_name_of_several_tables_lists_the_choices(name, tables):
    for wrong in (nl.load, find_recipe, cached_path):
        with pytest.raises(UnknownNameError, match=f"^the table {name!r} can be ") as caught:
            wrong(name)
        assert all(table in str(caught.value) for table in tables)
    assert sorted(matching([name])) == sorted(tables)


@pytest.mark.parametrize("name", ["nats-bench", "nas-bench-201/cifar", "cifar10", "", "/"])
def test_what_is_no_other_name(name):
    with pytest.raises(UnknownNameError, match=r"^unknown table"):
        find_recipe(name)


def test_a_folder_wins_over_an_alias(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nas-bench-201").mkdir()
    write(synthetic_table("chain"), tmp_path / "nas-bench-201/mine.h5")
    assert nl.load("nas-bench-201").name == synthetic_table("chain").name


def test_conversion_is_cached_atomic_and_repeatable(empty_cache):
    name = "nas-bench-graph/proteins"
    first = nl.load(name)
    path = cached_path(name)
    assert [p.name for p in path.parent.iterdir()] == [path.name], "only the finished table is left"
    written = path.stat().st_mtime_ns
    assert nl.load(name).checksum == first.checksum
    assert path.stat().st_mtime_ns == written, "it was converted twice"
    path.unlink()
    assert nl.load(name).checksum == first.checksum


def test_a_damaged_cache_says_how_to_repair_it(empty_cache):
    nl.load("nas-bench-graph/proteins")
    path = cached_path("nas-bench-graph/proteins")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match="delete the file to make it again"):
        nl.load("nas-bench-graph/proteins")
    path.unlink()
    nl.load("nas-bench-graph/proteins")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1  # inside an array: noticed when that is used
    path.write_bytes(content)
    with pytest.raises(DataError, match="delete the file to make it again"):
        [nl.load("nas-bench-graph/proteins").values(name).sum() for name in nl.load("nas-bench-graph/proteins").metrics]


def _checksum(name):
    return nl.load(name).checksum


def test_two_processes_may_convert_at_once(empty_cache):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        one, other = pool.map(_checksum, ["nas-bench-graph/proteins"] * 2, chunksize=1)
    assert one == other


@pytest.mark.parametrize("name", table_parameters())
def test_what_every_table_promises(name):
    table = nl.load(name)
    description = table.description
    assert table.name == name
    assert description == find_recipe(name).description
    assert description.licence
    assert description.citation.startswith("@")
    for metric in table.metrics:
        values = np.asarray(table.values(metric))
        assert values.shape == table.shape(metric)
        unit = description.metric(metric).unit
        assert not np.isnan(values).all()
        if unit:  # scores and losses without a unit may be negative
            assert np.nanmin(values) >= 0
        assert np.nanmax(values) <= {"percent": 100, "fraction": 1, "SSIM": 1}.get(unit, np.inf)
    for split in ("valid", "test"):
        if getattr(description, split) is not None:
            missing = np.isnan(table.mean_values(getattr(description, split))).sum()
            assert missing == FAILED.get(table.name, 0)


@pytest.mark.parametrize("name", GRAPH)
def test_nas_bench_graph_sizes(name):
    assert nl.load(name).space.size == (2_021 if name.endswith("/proteins") else 26_206)


def test_nas_bench_graph_known_answers():
    assert nl.load("nas-bench-graph/cora").optimum("test") == pytest.approx(0.8313, abs=5e-5)
    assert nl.load("nas-bench-graph/arxiv").optimum("test") == pytest.approx(0.7239, abs=5e-5)


def test_nas_bench_graph_rows_are_those_of_the_file():
    table = nl.load("nas-bench-graph/cora")
    content = unpickle.load(find_recipe(table.name).files[0].read())
    assert len(content) == table.space.size
    for index, row in list(enumerate(content.values()))[::499]:
        assert table.query(index) == {
            "valid_accuracy": row["valid_perf"],
            "test_accuracy": row["perf"],
            "latency": row["latency"],
            "parameters": float(row["para"]),
        }


@pytest.mark.mirror
def test_nas_bench_macro_known_answers():
    table = nl.load("nas-bench-macro/cifar10")
    assert table.optimum("test") == pytest.approx(93.1267, abs=5e-5)
    answer = table.query("02012100", repeat=0)
    assert answer == {"test_accuracy": 89.47000122070312, "parameters": 0.890666, "flops": 47.327744}


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("dataset", "best", "index", "spearman"),
    [("cifar10", 94.3733, 6111, 0.772), ("cifar100", 73.5133, 9930, 0.825), ("ImageNet16-120", 47.3111, 857, 0.818)],
)
def test_nats_topology_known_answers(dataset, best, index, spearman):
    table = nl.load(f"nats-bench-tss/{dataset}")
    test = table.mean_values("test_accuracy")
    assert (int(test.argmax()), float(test.max())) == (index, pytest.approx(best, abs=5e-5))
    correlation = scipy.stats.spearmanr(table.mean_values("valid_accuracy", 12), test).statistic
    assert correlation == pytest.approx(spearman, abs=5e-4)


@pytest.mark.mirror
def test_nats_topology_has_two_or_three_trainings():
    counts = (~np.isnan(nl.load("nats-bench-tss/cifar10").repeat_values("valid_accuracy", 200))).sum(axis=1)
    assert np.bincount(counts).tolist() == [0, 0, 7_456, 8_169]


@pytest.mark.mirror
@pytest.mark.parametrize(("dataset", "images"), [("cifar100", 5_000), ("ImageNet16-120", 3_000)])
def test_derived_validation_means_are_whole_numbers_of_images(dataset, images):
    """An accuracy counts images: a wrong derivation, or one from other seeds, would not give whole numbers."""
    table = nl.load(f"nats-bench-tss/{dataset}")
    trainings = (~np.isnan(table.repeat_values("valtest_accuracy"))).sum(axis=1)
    right = table.mean_values("valid_accuracy") / 100 * images * trainings
    assert np.abs(right - np.round(right)).max() < 1e-3


@pytest.mark.mirror
@pytest.mark.parametrize(("dataset", "classes"), [("cifar10", 10), ("cifar100", 100), ("ImageNet16-120", 120)])
def test_parameters_of_the_topology_space_follow_from_its_convolutions(dataset, classes):
    """With 16 channels and five cells a stage, as worked out from the network; one source is wrong for 150 of them."""
    table = nl.load(f"nats-bench-tss/{dataset}")
    codes = table.space.codes(np.arange(table.space.size))
    ones, threes = ((codes == OPERATIONS.index(f"nor_conv_{k}")).sum(axis=1) for k in ("1x1", "3x3"))
    expected = 72_656 + 65 * classes + 28_000 * ones + 243_040 * threes
    assert np.array_equal(np.round(np.asarray(table.values("parameters")) * 1e6), expected)


TSS_FOLDER = "D-X-Y/NATS-Bench/fake_torch_dir/NATS-tss-v1_0-3ffb9-simple"


@pytest.mark.mirror
@pytest.mark.parametrize("index", [0, 11, 284])
@pytest.mark.parametrize("dataset", ["cifar10", "cifar100", "ImageNet16-120"])
def test_nats_topology_agrees_with_the_official_archives(mirror, index, dataset):
    archive = unpickle.load(bz2.decompress((mirror / TSS_FOLDER / f"{index:06d}.pickle.pbz2").read_bytes()))
    table = nl.load(f"nats-bench-tss/{dataset}")
    searched = "cifar10-valid" if dataset == "cifar10" else dataset
    tested = "ori-test" if dataset == "cifar10" else "x-test"

    def results(epochs, name):
        found = {seed: r for (n, seed), r in archive[str(epochs)]["all_results"].items() if n == name}
        return [found[seed] for seed in sorted(found)]

    def mean(epochs, name, key):
        return np.mean([r["eval_acc1es"][f"{key}@{epochs - 1}"] for r in results(epochs, name)])

    for epochs in (12, 200):
        answer = table.query(index, epochs=epochs)
        assert answer["valid_accuracy"] == pytest.approx(mean(epochs, searched, "x-valid"), abs=1e-6)
        assert answer["test_accuracy"] == pytest.approx(mean(epochs, dataset, tested), abs=1e-6)
        one = results(epochs, searched)[0]
        assert answer["train_seconds"] == pytest.approx(sum(one["train_times"].values()), rel=1e-8)
        assert answer["valid_seconds"] == pytest.approx(one["eval_times"][f"x-valid@{epochs - 1}"], rel=1e-8)
        assert answer["test_seconds"] == pytest.approx(
            results(epochs, dataset)[0]["eval_times"][f"{tested}@{epochs - 1}"], rel=1e-8
        )
        assert answer["parameters"] == pytest.approx(one["params"], abs=1e-9)
    if dataset == "cifar10":
        single = [r["eval_acc1es"]["x-valid@199"] for r in results(200, searched)]
        assert table.repeat_values("valid_accuracy", 200)[index] == pytest.approx(single, abs=1e-6)


def test_a_file_that_is_not_what_the_recipe_pins_is_refused(monkeypatch, tmp_path, empty_cache):
    file = find_recipe("nas-bench-macro/cifar10").files[0]
    copy = tmp_path / "mirror" / file.repository / file.path
    copy.parent.mkdir(parents=True)
    copy.write_text("{}")
    monkeypatch.setenv("NASBENCH_LAB_MIRROR", str(tmp_path / "mirror"))
    with pytest.raises(DataError, match="it is damaged or another version"):
        nl.load("nas-bench-macro/cifar10")
    assert not cached_path("nas-bench-macro/cifar10").exists()


PUBLISHED = ["nas-bench-graph/cora", "nas-bench-macro/cifar10", "trans-nas-bench-101-micro/normal", *TSS]


@pytest.mark.parametrize("name", table_parameters(PUBLISHED))
@pytest.mark.parametrize("damage", [b"", b"{}", b"\x80\x04}.", b"cos\nsystem\n."])
def test_importers_refuse_files_with_other_content(name, damage):
    made = find_recipe(name)
    contents = [file.read() for file in made.files]
    for position in range(min(len(contents), 6)):  # the others are of devices; see test_hardware_columns.py
        with pytest.raises(DataError):
            made.importer(made.description, [*contents[:position], damage, *contents[position + 1 :]])


def test_tables_of_the_package_need_no_cache_that_can_be_written(monkeypatch, tmp_path):
    expected = nl.load("digits/chain")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file" / "cache"))  # unlike a mode, this stops root, too
    table = nl.load("digits/chain")
    assert table.checksum == expected.checksum
    assert np.array_equal(table.lookup([5]), expected.lookup([5]))
    assert nl.load("digits/chain") is table, "it is made once"
    conditions = {"runs": 2, "budget": nl.Budget(evaluations=3)}
    one, other = (nl.simulate(each, "random-search", **conditions) for each in (table, expected))
    assert identical(one, other)


@pytest.mark.mirror
def test_another_table_says_how_to_choose_the_cache(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file" / "cache"))
    with pytest.raises(OutputError, match=f"set {CACHE_VARIABLE} to a folder that can be written"):
        nl.load("nas-bench-macro/cifar10")
