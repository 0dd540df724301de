"""The face of the official NAS-Bench-101 API: what the original answers, this answers."""

import copy
import functools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nas_bench_101_files import NAMES, models, read_slowly, rows_of, write

from nasbench_lab.compat import nasbench101 as api
from nasbench_lab.errors import DataError, MissingDataError, SourceError
from nasbench_lab.spaces.cell101 import OPERATIONS
from nasbench_lab.tables import write as write_table
from nasbench_lab.tables.importers.nas_bench_101 import tables as nas_bench_101
from nasbench_lab.testing import synthetic_table

CONV3, CONV1, POOL = OPERATIONS
CHAIN = [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]


class Original:
    """The official package's behaviour, written down from its documentation: dictionaries, and Python's random."""

    def __init__(self, content, seed=None):
        self.random = random.Random(seed)
        self.fixed, self.computed = {}, {}
        for module_hash, epochs, adjacency, operations, metrics in read_slowly(content):
            fixed = {"module_adjacency": adjacency, "module_operations": operations}
            fixed["trainable_parameters"] = metrics.trainable_parameters
            self.fixed.setdefault(module_hash, fixed)
            _, halfway, final = metrics.evaluation_data
            point = {f"halfway_{name}": getattr(halfway, name) for name in NAMES}
            point |= {f"final_{name}": getattr(final, name) for name in NAMES}
            self.computed.setdefault(module_hash, {}).setdefault(epochs, []).append(point)
        self.time, self.epochs = 0.0, 0

    def query(self, module_hash, epochs=108, stop_halfway=False):
        point = self.computed[module_hash][epochs][self.random.randint(0, 2)]
        when = "halfway" if stop_halfway else "final"
        self.time += point[f"{when}_training_time"]
        self.epochs += epochs // 2 if stop_halfway else epochs
        return {**self.fixed[module_hash], **{name: point[f"{when}_{name}"] for name in NAMES}}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    rows = rows_of(models(4), (4, 108))
    np.random.default_rng(0).shuffle(rows)
    return write(tmp_path_factory.mktemp("official") / "nasbench.tfrecord", rows)


@pytest.fixture(scope="module")
def original(file):
    return functools.partial(Original, file.read_bytes())


@pytest.fixture(scope="module")
def table_file(file):
    nas_bench_101.convert(file, file.with_suffix(".h5"))
    return file.with_suffix(".h5")


def same(found, expected):
    """Equal, of the same types, in the same order."""
    assert type(found) is type(expected), (found, expected)
    if isinstance(found, dict):
        assert list(found) == list(expected)
        for key in found:
            same(found[key], expected[key])
    elif isinstance(found, list | tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other)
    elif isinstance(found, np.ndarray):
        assert found.dtype == expected.dtype
        assert np.array_equal(found, expected)
    else:
        assert found == expected


@pytest.mark.parametrize("seed", [None, 0, 17, "text"])
def test_queries_are_those_of_the_original(table_file, original, seed):
    bench, expected = api.NASBench(str(table_file), seed=seed), original(seed)
    if seed is None:  # then the original cannot be predicted, but drawn from the same state
        expected.random.setstate(bench._random.getstate())
    generator = np.random.default_rng(0)
    hashes = list(expected.fixed)
    for _ in range(400):
        module_hash = hashes[generator.integers(len(hashes))]
        known = expected.fixed[module_hash]
        spec = api.ModelSpec(known["module_adjacency"], known["module_operations"])
        epochs, stop = int(generator.choice([4, 108])), bool(generator.integers(2))
        same(bench.query(spec, epochs, stop_halfway=stop), expected.query(module_hash, epochs, stop))
        assert bench.get_budget_counters() == (expected.time, expected.epochs)
    bench.reset_budget_counters()
    assert bench.get_budget_counters() == (0.0, 0) == (bench.training_time_spent, bench.total_epochs_spent)


def test_all_metrics_are_those_of_the_original(table_file, original):
    bench, expected = api.NASBench(table_file), original()
    assert set(bench.hash_iterator()) == set(expected.fixed) == set(bench.fixed_statistics)
    assert len(bench.hash_iterator()) == len(bench.computed_statistics) == 91
    assert list(bench.hash_iterator()) == sorted(expected.fixed)
    for module_hash, fixed in expected.fixed.items():
        computed = {epochs: expected.computed[module_hash][epochs] for epochs in (4, 108)}
        same(bench.get_metrics_from_hash(module_hash), (fixed, computed))
        spec = api.ModelSpec(fixed["module_adjacency"].tolist(), fixed["module_operations"])
        same(bench.get_metrics_from_spec(spec), (fixed, computed))
        same(bench.fixed_statistics[module_hash], fixed)
        same(bench.computed_statistics[module_hash], computed)
    assert bench.valid_epochs == {4, 108}
    assert bench.get_budget_counters() == (0.0, 0)


def test_answers_may_be_changed_without_harm(table_file):
    bench = api.NASBench(table_file)
    spec = api.ModelSpec(CHAIN, ["input", CONV3, POOL, "output"])
    first = bench.get_metrics_from_spec(spec)
    kept = copy.deepcopy(first)
    first[0]["module_adjacency"][:] = 7
    first[0]["module_operations"].clear()
    first[1].clear()
    same(bench.get_metrics_from_spec(spec), kept)


def test_an_official_file_is_converted_once(file, original, empty_cache, monkeypatch):
    module_hash, fixed = next(iter(original().fixed.items()))
    spec = api.ModelSpec(fixed["module_adjacency"], fixed["module_operations"])
    same(api.NASBench(str(file), seed=5).query(spec), original(5).query(module_hash))
    monkeypatch.setattr(nas_bench_101, "convert", None)
    same(api.NASBench(str(file), seed=5).query(spec), original(5).query(module_hash))
    assert len(list((empty_cache / "tables").iterdir())) == 1


def test_another_file_of_the_same_name_is_converted_again(tmp_path, empty_cache):
    path = write(tmp_path / "nasbench.tfrecord", rows_of(models(2), (108,)))
    assert len(api.NASBench(path).hash_iterator()) == 1
    write(path, rows_of(models(3), (108,)))
    assert len(api.NASBench(path).hash_iterator()) == 7


def test_the_global_random_state_is_left_alone(table_file):
    random.seed(1)
    state, theirs = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    bench = api.NASBench(table_file, seed=3)
    bench.query(api.ModelSpec(CHAIN, ["input", CONV3, POOL, "output"]))
    assert random.getstate() == state
    assert np.random.get_state()[1].tolist() == theirs  # noqa: NPY002


matrices = st.integers(2, 8).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, 1), min_size=size, max_size=size), min_size=size, max_size=size).map(
        lambda rows: np.triu(np.array(rows), 1)
    )
)


@given(matrices, st.data())
def test_specs_are_those_of_the_original(matrix, data):
    official = pytest.importorskip("nasbench_pytorch.model.model_spec")
    names = data.draw(st.lists(st.sampled_from(OPERATIONS), min_size=len(matrix) - 2, max_size=len(matrix) - 2))
    operations = ["input", *names, "output"]
    ours = api.ModelSpec(matrix, operations)
    assert ours.original_matrix is not matrix
    assert ours.original_ops == operations
    assert ours.original_ops is not operations
    reaches = np.linalg.matrix_power(matrix + np.eye(len(matrix), dtype=int), len(matrix))[0, -1] > 0
    assert ours.valid_spec == reaches
    if not reaches:  # which its port to torch cannot make
        assert (ours.matrix, ours.ops) == (None, None)
        return
    theirs = official.ModelSpec(matrix, list(operations))
    assert np.array_equal(ours.matrix, theirs.matrix.numpy())
    assert ours.ops == theirs.ops
    canonical = list(data.draw(st.permutations(OPERATIONS)))
    theirs.matrix = theirs.matrix.numpy()
    assert ours.hash_spec(canonical) == theirs.hash_spec(canonical)


@pytest.mark.parametrize(
    ("matrix", "operations", "message"),
    [
        ([[0, 1]], ["input", "output"], "matrix must be square"),
        ([0, 1], ["input", "output"], "matrix must be square"),
        ([[0, 1], [0, 0]], ["input"], "length of ops must match matrix dimensions"),
        ([[0, 1], [1, 0]], ["input", "output"], "matrix must be upper triangular"),
        ([[1, 1], [0, 0]], ["input", "output"], "matrix must be upper triangular"),
    ],
)
def test_specs_that_are_none(matrix, operations, message):
    with pytest.raises(ValueError, match=message):
        api.ModelSpec(matrix, operations)


def spec_of(size, edges, operations=None):
    matrix = np.zeros((size, size), dtype=int)
    for source, target in edges:
        matrix[source, target] = 1
    return api.ModelSpec(matrix, operations or ["input", *[CONV3] * (size - 2), "output"])


OUTSIDE = {
    "invalid spec, provided graph is disconnected.": spec_of(3, [(0, 1)]),
    "too many vertices, got 8 (max vertices = 7)": spec_of(8, [(i, i + 1) for i in range(7)]),
    "too many edges, got 10 (max edges = 9)": spec_of(5, [(i, j) for j in range(5) for i in range(j)]),
    "first operation should be 'input'": spec_of(3, [(0, 1), (1, 2)], ["x", CONV3, "output"]),
    "last operation should be 'output'": spec_of(3, [(0, 1), (1, 2)], ["input", CONV3, "x"]),
    f"unsupported op conv9x9 (available ops = {list(OPERATIONS)})": spec_of(
        3, [(0, 1), (1, 2)], ["input", "conv9x9", "output"]
    ),
}


@pytest.mark.parametrize("message", OUTSIDE)
def test_modules_outside_of_the_search_space(table_file, message):
    bench, spec = api.NASBench(table_file), copy.deepcopy(OUTSIDE[message])
    for ask in (bench.query, bench.get_metrics_from_spec):
        with pytest.raises(api.OutOfDomainError) as error:
            ask(spec)
        assert str(error.value) == message
    assert not bench.is_valid(spec)
    assert bench.get_budget_counters() == (0.0, 0)


def test_modules_that_pruning_makes_valid(table_file):
    bench = api.NASBench(table_file, seed=0)
    small = spec_of(3, [(0, 1), (1, 2)])
    large = spec_of(8, [(0, 1), (1, 7), (2, 3)], ["input", CONV3, "conv9x9", *[POOL] * 4, "output"])
    assert bench.is_valid(large)
    same(bench.get_metrics_from_spec(large), bench.get_metrics_from_spec(small))


def test_a_spec_that_was_changed_is_another_module(table_file):
    """As with the original, which reads ``matrix`` and ``ops`` anew for every query."""
    bench = api.NASBench(table_file)
    spec, wanted = (api.ModelSpec(CHAIN, ["input", CONV3, name, "output"]) for name in (CONV3, POOL))
    spec.ops[2] = POOL
    same(bench.get_metrics_from_spec(spec), bench.get_metrics_from_spec(wanted))
    spec.matrix[0, 1] = 0
    spec.valid_spec = False
    assert not bench.is_valid(spec)


def test_specs_of_other_packages(table_file):
    class Spec:
        def __init__(self):
            self.matrix, self.ops, self.valid_spec = np.array(CHAIN), ["input", CONV3, POOL, "output"], True

    bench = api.NASBench(table_file)
    wanted = api.ModelSpec(CHAIN, ["input", CONV3, POOL, "output"])
    same(bench.get_metrics_from_spec(Spec()), bench.get_metrics_from_spec(wanted))


def test_numbers_of_epochs_that_there_are_not(table_file):
    with pytest.raises(api.OutOfDomainError, match=r"invalid number of epochs, must be one of \{\d+, \d+\}"):
        api.NASBench(table_file).query(spec_of(3, [(0, 1), (1, 2)]), epochs=36)


def test_modules_that_the_table_lacks(table_file, tmp_path):
    bench = api.NASBench(table_file)
    larger = spec_of(5, [(i, i + 1) for i in range(4)])
    assert bench.is_valid(larger)
    for ask in (bench.query, bench.get_metrics_from_spec):
        with pytest.raises(KeyError, match="has no module with 5 vertices; the largest have 4"):
            ask(larger)
    for unknown in ("0" * 32, "nonsense", None):
        with pytest.raises(KeyError, match="has no module"):
            bench.get_metrics_from_hash(unknown)
        assert unknown not in bench.hash_iterator()
    part = write(tmp_path / "part.tfrecord", rows_of(models(4)[:90], (108,)) + rows_of(models(4)[90:], (108,), 1))
    bench = api.NASBench(part, seed=0)
    last = models(4)[90].module_hash
    assert len(bench.get_metrics_from_hash(last)[1][108]) == 1
    matrix, operations = bench._space.cell(90)
    spec = api.ModelSpec(matrix, ["input", *operations, "output"])
    with pytest.raises(MissingDataError) as error:  # the original: IndexError
        [bench.query(spec) for _ in range(30)]
    assert isinstance(error.value, IndexError)


def test_files_that_cannot_be_used(tmp_path):
    with pytest.raises(SourceError, match=r"there is no file .*none.tfrecord"):
        api.NASBench(tmp_path / "none.tfrecord")
    write_table(synthetic_table("topology"), tmp_path / "other.h5")
    with pytest.raises(DataError, match="has no cells of NAS-Bench-101"):
        api.NASBench(tmp_path / "other.h5")
    (tmp_path / "noise.tfrecord").write_bytes(b"noise" * 99)
    with pytest.raises(DataError, match=r"noise.tfrecord, record 0 at byte 0"):
        api.NASBench(tmp_path / "noise.tfrecord")


def test_training_is_not_offered(table_file, tmp_path):
    with pytest.raises(MissingDataError, match=r"nasbench_lab.train.networks.cell101_network"):
        api.NASBench(table_file).evaluate(spec_of(3, [(0, 1), (1, 2)]), str(tmp_path))


def test_settings(table_file):
    config = api.NASBench(table_file).config
    wanted = {"module_vertices": 7, "max_edges": 9, "num_repeats": 3, "available_ops": list(OPERATIONS)}
    assert wanted.items() <= config.items()
    assert issubclass(api.OutOfDomainError, Exception)


@pytest.mark.mirror
def test_ec_nas():
    bench = api.NASBench("ec-nas/5v9e")
    assert bench.config["num_repeats"] == 1
    assert len(bench.hash_iterator()) == 2_532
    data = bench.query(spec_of(3, [(0, 1), (1, 2)]), epochs=4)
    assert data["trainable_parameters"] == 10_177_674
    assert bench.get_budget_counters() == (data["training_time"], 4)
    estimate = api.NASBench("ec-nas/4v9e-estimate")
    with pytest.raises(MissingDataError, match="has no halfway_train_accuracy"):
        estimate.query(spec_of(3, [(0, 1), (1, 2)]), stop_halfway=True)
    assert estimate.get_budget_counters() == (0.0, 0)


@pytest.mark.mirror
def test_files_of_ec_nas_give_what_they_have(mirror, empty_cache):
    folder = mirror / "PedramBakh/EC-NAS-Bench/ecnas/ecnas/utils/data/tabular_benchmarks"
    bench = api.NASBench(folder / "energy_4V9E_estimate.tfrecord", seed=0)
    assert bench.config["num_repeats"] == 1
    for module_hash in bench.hash_iterator():
        fixed, computed = bench.get_metrics_from_hash(module_hash)
        spec = api.ModelSpec(fixed["module_adjacency"], fixed["module_operations"])
        for epochs in (4, 12, 36, 108):
            (point,) = computed[epochs]
            assert bench.query(spec, epochs)["test_accuracy"] == point["final_test_accuracy"]
            assert not any(name.startswith("halfway") and name.endswith("accuracy") for name in point)
            assert ("halfway_training_time" in point) is (epochs == 4)


@pytest.mark.mirror
def test_a_table_of_means_has_no_trainings():
    with pytest.raises(MissingDataError, match="has no train_seconds, train_accuracy, valid_accuracy"):
        api.NASBench("nas-bench-101/means")
