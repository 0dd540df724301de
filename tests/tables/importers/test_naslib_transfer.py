"""NAS-Bench-Suite-Zero's transfer tables: every number of the archive, what its digits mean, and damaged archives."""

import ast
import io
import json
import zipfile

import numpy as np
import pytest

import nasbench_lab as nl
from nasbench_lab.errors import DataError
from nasbench_lab.tables import find_recipe

ARCHIVE = "automl/NASLib/run/results/benchmarks/9x_all.zip"
PUBLISHED = {"topology": "nasbench201", "darts": "nasbench301", "micro": "transbench101_micro"}
DATASETS = ("svhn", "ninapro", "scifar100")
CELL = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
DARTS = ("max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5")
TABLES = [f"nas-bench-suite-zero-{name}/{dataset}" for name, dataset in zip(PUBLISHED, DATASETS, strict=True)]


def notation(name, text):
    numbers = ast.literal_eval(text)
    if name == "micro":
        return "64-41414-{}_{}{}_{}{}{}".format(*numbers)
    if name == "topology":
        at = {edge: CELL[number] for edge, number in zip(EDGES, numbers, strict=True)}
        return "+".join("|" + "".join(f"{at[i, j]}~{i}|" for i in range(j)) for j in (1, 2, 3))
    normal, reduce = ([(DARTS[operation], source) for source, operation in cell] for cell in numbers)
    return f"Genotype(normal={normal}, normal_concat=range(2, 6), reduce={reduce}, reduce_concat=range(2, 6))"


@pytest.mark.mirror
@pytest.mark.parametrize("table", TABLES)
def test_every_number_is_at_its_architecture(mirror, table):
    table, (name, dataset) = nl.load(table), table.removeprefix("nas-bench-suite-zero-").split("/")
    count, index_of = 0, {}
    with zipfile.ZipFile(mirror / ARCHIVE) as archive:
        for member in archive.namelist():
            if not member.endswith(f"--{PUBLISHED[name]}--{dataset}--0.json"):
                continue
            score = member.split("/")[0]
            content = json.loads(archive.read(member))
            assert len(content) == table.space.size
            index_of = index_of or {row["arch"]: table.space.parse(notation(name, row["arch"])) for row in content}
            index = [index_of[row["arch"]] for row in content]
            scores = np.array([row[score]["score"] for row in content])
            for metric, expected in {
                "valid_accuracy": [row["val_accuracy"] for row in content],
                score: np.where(scores == -1e8, np.nan, scores),
                f"{score}_seconds": [row[score]["time"] for row in content],
            }.items():
                assert np.array_equal(np.asarray(table.values(metric))[index], expected, equal_nan=True)
            count += 1
    assert count == 13


@pytest.mark.mirror
@pytest.mark.parametrize(("dataset", "images"), [("svhn", 26_032), ("ninapro", 659), ("scifar100", 10_000)])
@pytest.mark.parametrize("name", PUBLISHED)
def test_accuracies_count_images(name, dataset, images):
    right = nl.load(f"nas-bench-suite-zero-{name}/{dataset}").values("valid_accuracy") / 100 * images
    assert np.abs(right - np.round(right)).max() < 1e-3


@pytest.mark.mirror
def test_parameters_show_what_the_digits_of_nas_bench_201_mean():
    """They follow from the operations, as worked out from the network with ten classes."""
    table = nl.load("nas-bench-suite-zero-topology/svhn")
    names = table.space.format(np.arange(table.space.size))
    expected = [73_306 + 28_000 * name.count("conv_1x1") + 243_040 * name.count("conv_3x3") for name in names]
    assert np.array_equal(np.round(np.asarray(table.values("params")) * 1e6), expected)


@pytest.mark.mirror
def test_parameters_show_what_the_digits_of_darts_mean():
    """A network without convolutions has the fewest; a 5x5 kernel takes more than a 3x3, twice for a separable one."""
    table = nl.load("nas-bench-suite-zero-darts/svhn")
    names = table.space.format(np.arange(table.space.size))
    counts = np.array(
        [[half.count(operation) for half in name.split("reduce=") for operation in DARTS] for name in names]
    )
    weights, *_ = np.linalg.lstsq(np.c_[counts, np.ones(len(counts))], table.values("params"), rcond=None)
    normal = dict(zip(DARTS, weights, strict=False))
    assert normal["sep_conv_5x5"] > normal["sep_conv_3x3"] > normal["dil_conv_5x5"] > normal["dil_conv_3x3"]
    assert normal["dil_conv_3x3"] > normal["skip_connect"]


@pytest.mark.mirror
@pytest.mark.parametrize("table", ["nas-bench-suite-zero-topology/svhn", "nas-bench-suite-zero-darts/ninapro"])
@pytest.mark.parametrize("strategy", ["random-search", "regularized-evolution", "local-search"])
def test_strategies_search_it(table, strategy):
    trace = nl.simulate(nl.load(table), strategy, runs=2, budget=nl.Budget(evaluations=60))
    assert (trace.final("valid") > 90).all()


def rewrite(mirror, change):
    """The archive with the rows of one member changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(mirror / ARCHIVE) as archive, zipfile.ZipFile(target, "w") as changed:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "nwot/benchmark--nasbench201--svhn--0.json":
                content = json.dumps(change(json.loads(content)))
            changed.writestr(name, content)
    return target.getvalue()


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: rows[1:], "lacks 1 of 199 architectures of nas-bench-suite-zero-topology/svhn with nwot"),
        (lambda rows: [*rows, rows[0]], "twice with nwot"),
        (lambda _: [], "lacks 199 of 199"),
        (lambda _: {"a": 1}, "is not a list of architectures"),
        (lambda rows: [{**rows[0], "arch": "(0, 0, 0, 0, 0, 9)"}], "in place of an architecture of topology"),
        (lambda rows: [{**rows[0], "arch": 3}], "in place of an architecture"),
        (lambda rows: [{**rows[0], "arch": "(1, 1, 1, 1, 1, 1)"}], "not in the table"),
        (lambda rows: [{"arch": rows[0]["arch"]}], "lacks a field"),
        (lambda rows: [{**rows[0], "val_accuracy": None}], "not a finite number"),
        (lambda rows: [{**rows[0], "val_accuracy": 101.0}], "impossible"),
        (lambda rows: [{**rows[0], "val_accuracy": 50.0}, *rows[1:]], "accuracies of .* beside nwot are not those"),
    ],
)
def test_other_archives_are_refused_in_one_line(mirror, change, reason):
    recipe = find_recipe("nas-bench-suite-zero-topology/svhn")
    with pytest.raises(DataError, match=reason) as caught:
        recipe.importer(recipe.description, [rewrite(mirror, change)])
    assert len(str(caught.value)) < 250
    assert "\n" not in str(caught.value)


@pytest.mark.mirror
@pytest.mark.parametrize("length", [0, 100, 500_000])
def test_a_truncated_archive_is_refused(mirror, length):
    recipe = find_recipe("nas-bench-suite-zero-topology/svhn")
    with pytest.raises(DataError, match="the archive is damaged"):
        recipe.importer(recipe.description, [(mirror / ARCHIVE).read_bytes()[:length]])
