"""NAS-Bench-101 beside the official package's ways: reading the file, opening the result, and querying.

The official package needs TensorFlow 1; here its way of reading is followed without: a protobuf object a record, and
dictionaries of dictionaries. Queries are those of google's own code where a checkout of it is (`official_nasbench`),
and of the port of its `ModelSpec` to PyTorch (where it is installed) with a deep copy of all that is known of the
module. Only a part of the file is read that way, as it takes long and much memory; times are per record.
"""

import copy
import json
import subprocess
import sys
from pathlib import Path
from random import Random

import nas_bench_101_at_scale as at_scale
import numpy as np
import official_nasbench
import pytest

import nasbench_lab as nl
from nasbench_lab.compat import nasbench101 as api
from nasbench_lab.spaces.cell101 import OPERATIONS

SMALL, FULL = 4, 7


@pytest.fixture(scope="module")
def vertices(request):
    """All 423,624 models (2 GB, made in a minute), or 91 where it is only tested that the benchmarks run."""
    option = request.config.getoption
    return FULL if option("benchmark_enable") or not option("benchmark_disable") else SMALL


@pytest.fixture(scope="module")
def files(tmp_path_factory, vertices):
    """The whole file, a part of it for the original's way, and the numbers of their records."""
    folder = tmp_path_factory.mktemp("nasbench101")
    counts = {}
    for name, most in (("ours", vertices), ("original", min(vertices, 5))):
        counts[name] = at_scale.write(folder / f"{name}.tfrecord", most)
    yield folder, counts
    for file in folder.iterdir():
        file.unlink()


@pytest.mark.parametrize("contender", ["ours", "original"])
def test_importing_a_file(benchmark, per_item, files, contender):
    """Prints the most memory, too: of the whole file for ours, of the part for the original."""
    benchmark.group = "NAS-Bench-101: import a record"
    folder, counts = files
    command = [sys.executable, str(Path(at_scale.__file__)), contender]
    command += [str(folder / f"{contender}.tfrecord"), str(folder / "table.h5")]
    done = per_item(
        contender,
        counts[contender],
        lambda: subprocess.run(command, check=True, capture_output=True, text=True),
        rounds=1,
    )
    seconds, most = json.loads(done.stdout)
    benchmark.extra_info |= {
        "records": counts[contender],
        "records_per_second": round(counts[contender] / seconds),
        "megabytes": round(most / 1e6),
    }


@pytest.fixture(scope="module")
def table_file(files):
    folder, _ = files
    if not (folder / "table.h5").exists():
        from nasbench_lab.tables.importers.nas_bench_101 import tables as nas_bench_101

        nas_bench_101.convert(folder / "ours.tfrecord", folder / "table.h5")
    return folder / "table.h5"


def test_opening_the_table(benchmark, per_item, table_file):
    benchmark.group = "NAS-Bench-101: open the table"
    per_item("ours", 1, lambda: nl.load(table_file), rounds=20)


def test_looking_up_indices(benchmark, per_item, table_file):
    benchmark.group = "NAS-Bench-101: look up values by index"
    table = nl.load(table_file)
    index = np.random.default_rng(0).integers(table.space.size, size=2_000_000)
    table.lookup(0)
    per_item("ours", len(index), lambda: table.lookup(index))


def drawings(space, count):
    """Cells as users describe them."""
    found = []
    for index in np.random.default_rng(1).integers(space.size, size=count).tolist():
        adjacency, operations = space.cell(index)
        found.append((adjacency.astype(int), ["input", *operations, "output"]))
    return found


def all_of(query, cells):
    for cell in cells:
        query(*cell)


class Port:
    """Queries as the official package answers them, from what another knows of some cells."""

    def __init__(self, bench, cells):
        self._model_spec = pytest.importorskip("nasbench_pytorch.model.model_spec").ModelSpec
        self._known = {}
        for cell in cells:
            spec = api.ModelSpec(*cell)
            self._known[spec.hash_spec(list(OPERATIONS))] = bench.get_metrics_from_spec(spec)
        self._random = Random(0)

    def query(self, matrix, operations):
        spec = self._model_spec(matrix, list(operations))
        spec.matrix = spec.matrix.numpy()
        assert np.sum(spec.matrix) <= 9
        fixed, computed = self._known[spec.hash_spec(list(OPERATIONS))]
        fixed, computed = copy.deepcopy(fixed), copy.deepcopy(computed)
        return {**fixed, **computed[108][self._random.randint(0, 2)]}


def google(bench, cells, folder):
    """Google's own code, filled with what another knows of some cells: query by matrix and operations."""
    if not official_nasbench.available():
        pytest.skip("needs a checkout of google-research/nasbench")
    (folder / "empty.tfrecord").touch()
    official, original = official_nasbench.load(), official_nasbench.opened(folder / "empty.tfrecord")
    original.valid_epochs = set(bench.valid_epochs)
    for cell in cells:
        module_hash = official.ModelSpec(*cell).hash_spec(list(OPERATIONS))
        fixed, computed = bench.get_metrics_from_hash(module_hash)
        original.fixed_statistics[module_hash], original.computed_statistics[module_hash] = fixed, computed
    return lambda *cell: original.query(official.ModelSpec(*cell))


def random_drawings(space, count):
    """Cells as ``random_spec`` of google's example draws them, before they are pruned."""
    codes = space.random_codes(np.random.default_rng(2), count)
    found = []
    for one in codes.tolist():
        adjacency, operations = space.drawing(one)
        found.append((adjacency.astype(int), ["input", *operations, "output"]))
    return found


@pytest.mark.parametrize("contender", ["ours", "original", "port"])
@pytest.mark.parametrize("drawn", [drawings, random_drawings])
def test_querying_through_the_official_api(benchmark, per_item, table_file, tmp_path, drawn, contender):
    benchmark.group = f"NAS-Bench-101: query a cell, {drawn.__name__}"
    bench = api.NASBench(table_file, seed=0)
    cells = drawn(nl.load(table_file).space, 1_000)
    if contender == "ours":
        query = lambda *cell: bench.query(api.ModelSpec(*cell))  # noqa: E731
    else:
        query = google(bench, cells, tmp_path) if contender == "original" else Port(bench, cells).query
    per_item(contender, len(cells), lambda: all_of(query, cells), rounds=9 if contender == "ours" else 5)
