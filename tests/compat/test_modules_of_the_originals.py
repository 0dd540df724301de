"""The modules that public scripts import from the official packages: the same names, answers and errors."""

import re

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from nats_archives import SPACES, assert_same, assert_same_outcome

from nasbench_lab.compat import nas_201_api, nats_bench
from nasbench_lab.compat import nasbench101 as api
from nasbench_lab.compat.nasbench101.lib import config, graph_util, model_spec
from nasbench_lab.spaces import Cell101Space
from nasbench_lab.spaces.cell101 import OPERATIONS

CELLS = SPACES["tss"].format(range(0, 15_625, 211))
MALFORMED = ["", "|a~0|", "|a~0|+|b~1|", "|a~0|+|b~2|", "|a|", "a~b", "|a~0|+||", 5, None, ["a"]]


@pytest.fixture(scope="module")
def official():
    return pytest.importorskip("nats_bench")


MISSING = {"pickle_load", "pickle_save", "reset_file_system", "get_file_system", "annotations"}
IMPORTED = {"abc", "bz2", "collections", "copy", "os", "pickle", "random", "time", "warnings", "Any", "Dict", "List"}
IMPORTED |= {
    "Optional",
    "Text",
    "Union",
    "deepcopy",
    "topology_str2structure",
    "np",
    "torch",
    "defaultdict",
    "OrderedDict",
}
IMPORTED |= {"Path", "test_api"}


@pytest.mark.parametrize("name", ["", ".api_utils", ".api_topology", ".api_size", ".genotype_utils"])
def test_the_names_of_the_modules(official, name):
    import importlib

    theirs = importlib.import_module(f"nats_bench{name}")
    ours = importlib.import_module(f"nasbench_lab.compat.nats_bench{name}")
    wanted = {one for one in vars(theirs) if not one.startswith("_")} - MISSING - IMPORTED
    if name in (".api_topology", ".api_size"):  # what these import from the others
        wanted &= {"ALL_BASE_NAMES", "print_information", "NATStopology", "NATSsize"}
    assert wanted <= set(dir(ours))


@pytest.mark.parametrize("name", ["", ".api_utils", ".api_201"])
def test_the_names_of_the_older_modules(name):
    import importlib

    pytest.importorskip("torch")
    pytest.importorskip("nas_201_api")
    theirs = importlib.import_module(f"nas_201_api{name}")
    ours = importlib.import_module(f"nasbench_lab.compat.nas_201_api{name}")
    wanted = {one for one in vars(theirs) if not one.startswith("_")} - IMPORTED
    wanted -= {"NASBenchMetaAPI", "remap_dataset_set_names"} if name == ".api_201" else set()
    assert wanted <= set(dir(ours))


def test_constants_and_helpers(official, monkeypatch):
    for module in ("api_topology", "api_size"):
        assert getattr(official, module).ALL_BASE_NAMES == getattr(nats_bench, module).ALL_BASE_NAMES
    assert official.NATS_BENCH_API_VERSIONs == nats_bench.NATS_BENCH_API_VERSIONs
    theirs, ours = official.api_utils, nats_bench.api_utils
    assert theirs.PICKLE_EXT == ours.PICKLE_EXT
    pattern = r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]"
    assert re.fullmatch(pattern, ours.time_string())
    assert re.fullmatch(pattern, theirs.time_string())
    for dataset in ("cifar10", "cifar100", "ImageNet16-120", "cifar10-valid", 5):
        for name in ("train", "valid", "test", "x-valid", 5, None):
            assert_same_outcome(theirs.remap_dataset_set_names, ours.remap_dataset_set_names, dataset, name)
    for path in ("/", "/nothing", __file__):
        assert theirs.nats_is_dir(path) == ours.nats_is_dir(path)
        assert theirs.nats_is_file(path) == ours.nats_is_file(path)
    for home in ({"TORCH_HOME": "/x"}, {"HOME": "/y"}, {}):
        for variable in ("TORCH_HOME", "HOME"):
            monkeypatch.delenv(variable, raising=False)
        for variable, value in home.items():
            monkeypatch.setenv(variable, value)
        assert_same_outcome(theirs.get_torch_home, ours.get_torch_home)
    assert nas_201_api.api_201.ALL_BENCHMARK_FILES[-1] == "NAS-Bench-201-v1_1-096897.pth"


@pytest.mark.parametrize("text", [*CELLS[:20], *MALFORMED], ids=repr)
def test_structures_of_cells(official, text):
    theirs, ours = official.genotype_utils, nats_bench.genotype_utils
    for make in ("str2structure", "str2fullstructure"):
        for method, arguments in (
            ("tostr", ()),
            ("check_valid", ()),
            ("tolist", ("none",)),
            ("tolist", (None,)),
            ("to_unique_str", (True,)),
            ("to_unique_str", (False,)),
            ("to_unique_str", (None,)),
            ("check_valid_op", (["none", "avg_pool_3x3"],)),
            ("node", (1,)),
            ("node", (0,)),
            ("__len__", ()),
            ("__getitem__", (0,)),
            ("__repr__", ()),
        ):
            assert_same_outcome(
                lambda *given, make=make, method=method: getattr(getattr(theirs.TopologyStructure, make)(text), method)(
                    *given
                ),
                lambda *given, make=make, method=method: getattr(getattr(ours.TopologyStructure, make)(text), method)(
                    *given
                ),
                *arguments,
            )


def test_structures_are_architectures(official):
    structure = nats_bench.genotype_utils.topology_str2structure(CELLS[3])
    assert nats_bench.genotype_utils.topology_str2structure(structure) is structure
    assert (structure.node_num, structure.node_N) == (4, [1, 2, 3])
    for genotype in ([[("a", 0)], [("b", 1), ("c", 0)]], [], [[]], [[("a", 1)]], [["ab"]], [[("a",)]], "ab", None):
        assert_same_outcome(
            lambda given: official.genotype_utils.TopologyStructure(given).nodes,
            lambda given: nats_bench.genotype_utils.TopologyStructure(given).nodes,
            genotype,
        )


@st.composite
def labelled_graphs(draw):
    size = draw(st.integers(2, 5))
    bits = draw(st.integers(0, 2 ** (size * (size - 1) // 2) - 1))
    labels = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    return size, bits, labels


def slowly_hashed(matrix, labels):
    """The hash as the publication's supplement describes it: rounds of hashes of neighbours' hashes."""
    import hashlib

    def digest(text):
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    size = len(matrix)
    out, into = [sum(row) for row in matrix], [sum(row[v] for row in matrix) for v in range(size)]
    now = [digest(str((out[v], into[v], labels[v]))) for v in range(size)]
    for _ in range(size):
        before = [sorted(now[w] for w in range(size) if matrix[w][v]) for v in range(size)]
        after = [sorted(now[w] for w in range(size) if matrix[v][w]) for v in range(size)]
        now = [digest("".join(before[v]) + "|" + "".join(after[v]) + "|" + now[v]) for v in range(size)]
    return digest(str(sorted(now)))


@hypothesis.given(graph=labelled_graphs(), data=st.data())
def test_graph_util(graph, data):
    size, bits, labels = graph
    matrix = np.fromfunction(graph_util.gen_is_edge_fn(bits), (size, size), dtype=np.int8).astype(int)
    pairs = [(x, y) for y in range(size) for x in range(y)]  # through the columns
    assert matrix.tolist() == [
        [int((x, y) in pairs and bits >> pairs.index((x, y)) & 1) for y in range(size)] for x in range(size)
    ]
    full = all(any(row) for row in matrix[:-1]) and all(any(column) for column in matrix.T[1:])
    assert graph_util.is_full_dag(matrix) is full
    assert graph_util.num_edges(matrix) == bits.bit_count()
    assert graph_util.hash_module(matrix, labels) == slowly_hashed(matrix.tolist(), labels)
    permutation = data.draw(st.permutations(range(size)))
    moved, names = graph_util.permute_graph(matrix, labels, permutation)
    for v in range(size):
        assert names[permutation[v]] == labels[v]
        for w in range(size):
            assert moved[permutation[v], permutation[w]] == bool(matrix[v, w])
    assert graph_util.is_isomorphic((matrix, labels), (moved, names))
    assert graph_util.hash_module(moved.astype(int), names) == graph_util.hash_module(matrix, labels)
    other = data.draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    brute = any(
        graph_util.permute_graph(matrix, labels, order)[0].tolist() == (matrix == 1).tolist()
        and graph_util.permute_graph(matrix, labels, order)[1] == other
        for order in __import__("itertools").permutations(range(size))
    )
    assert graph_util.is_isomorphic((matrix, labels), (matrix, other)) == brute


def test_modules_of_the_space_have_their_hashes():
    space = Cell101Space(4)
    for index in range(0, space.size, 7):
        adjacency, operations = space.cell(index)
        matrix = adjacency.astype(int)
        spec = model_spec.ModelSpec(matrix, ["input", *operations, "output"])
        assert graph_util.is_full_dag(matrix)
        assert model_spec.is_upper_triangular(matrix)
        assert not model_spec.is_upper_triangular(matrix.T)
        labels = [-1, *map(OPERATIONS.index, operations), -2]
        assert graph_util.hash_module(matrix, labels) == space.module_hash(index) == spec.hash_spec(list(OPERATIONS))
    with pytest.raises(AssertionError):
        graph_util.hash_module(matrix, [0])
    with pytest.raises(AssertionError):
        graph_util.is_isomorphic((matrix, [0] * len(matrix)), (np.zeros((2, 2)), [0, 0]))


def test_settings():
    known = {"module_vertices": 7, "max_edges": 9, "num_repeats": 3, "available_ops": list(OPERATIONS)}
    assert known.items() <= config.build_config().items()
    config.build_config()["available_ops"].clear()
    assert_same(config.build_config()["available_ops"], list(OPERATIONS))
    assert api.ModelSpec is model_spec.ModelSpec
