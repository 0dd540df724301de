"""Finding the cells of NAS-Bench-101, beside pruning and hashing one after the other, as the official package does."""

import hashlib

import numpy as np
import pytest

from nasbench_lab.spaces import Cell101Space, cell101
from nasbench_lab.spaces.cell101 import INPUT, OPERATIONS, OUTPUT
from nasbench_lab.spaces.cell101_enumeration import enumerate_cells, kept_cells
from nasbench_lab.spaces.cell101_lookup import cell_finder
from nasbench_lab.spaces.md5 import md5
from nasbench_lab.spaces.module_hash import module_hashes

SPACE = Cell101Space()


@pytest.fixture(scope="module")
def drawings():
    """Codes of a hundred thousand random drawings, not pruned."""
    return SPACE.random_codes(np.random.default_rng(0), 100_000)


@pytest.fixture(scope="module")
def cells(drawings):
    """A thousand of them as users have them: nested lists and names."""
    return [
        (adjacency.astype(int).tolist(), names) for adjacency, names in map(SPACE.drawing, drawings[:1000].tolist())
    ]


@pytest.fixture(scope="module")
def official(cells):
    """The official way: a ModelSpec prunes the cell, its hash is looked up in a dictionary."""
    model_spec = pytest.importorskip("nasbench_pytorch.model.model_spec")
    number = {module_hash: i for i, module_hash in enumerate(SPACE.module_hashes(np.arange(SPACE.size)))}

    def find(adjacency, names):
        spec = model_spec.ModelSpec(adjacency, [INPUT, *names, OUTPUT])
        spec.matrix = spec.matrix.numpy()  # as the original has it; the port's hash fails for torch's tensors
        return number[spec.hash_spec(list(OPERATIONS))]

    return lambda: [find(*cell) for cell in cells]


@pytest.mark.parametrize("contender", ["ours", "official"])
def test_finding_many_cells(request, benchmark, per_item, drawings, cells, contender):
    benchmark.group = "find labelled cells, many at once"
    if contender == "ours":
        SPACE.index(drawings[:1])
        per_item(contender, len(drawings), lambda: SPACE.index(drawings))
    else:
        found = per_item(contender, len(cells), request.getfixturevalue("official"), rounds=2)
        assert found == SPACE.index(drawings[: len(cells)]).tolist()


@pytest.mark.parametrize("contender", ["ours", "official"])
def test_finding_one_cell(request, benchmark, per_item, cells, contender):
    benchmark.group = "find labelled cells, one by one"
    if contender == "ours":
        SPACE.index_of_cell(*cells[0])
        per_item(contender, len(cells), lambda: [SPACE.index_of_cell(*cell) for cell in cells])
    else:
        per_item(contender, len(cells), request.getfixturevalue("official"), rounds=2)


@pytest.mark.parametrize("contender", ["ours", "dictionary"])
def test_finding_hashes(benchmark, per_item, contender):
    benchmark.group = "find cells by their module hash"
    hashes = SPACE.module_hashes(SPACE.sample(np.random.default_rng(1).random(1000)))
    if contender == "ours":
        per_item(contender, len(hashes), lambda: SPACE.parse(hashes))
    else:
        number = {module_hash: i for i, module_hash in enumerate(SPACE.module_hashes(np.arange(SPACE.size)))}
        per_item(contender, len(hashes), lambda: [number[module_hash] for module_hash in hashes])


def forget():
    """Make the next lookup open the files again, as the first one of a process does."""
    for function in (kept_cells, cell_finder, cell101._codes_of_graphs):
        function.cache_clear()


def test_opening_what_is_kept(benchmark, per_item):
    """Everything that the first lookups of a process map into memory and verify."""
    benchmark.group = "make the space usable"
    SPACE.module_hash(0)  # computed and kept, if it was not yet

    def first_lookups():
        forget()
        return SPACE.index_of_cell(*SPACE.cell(7)), SPACE.parse(SPACE.module_hash(7))

    assert per_item("ours", 1, first_lookups, rounds=10) == (7, 7)


def test_enumerating_all_cells(benchmark, per_item):
    """From the rules alone, nothing kept; of a smaller space where nothing is timed."""
    benchmark.group = "make the space usable"
    per_item("enumerate", 1, lambda: enumerate_cells(7 if benchmark.enabled else 5), rounds=1)


@pytest.mark.parametrize("contender", ["ours", "official"])
def test_hashing_cells(benchmark, per_item, contender):
    benchmark.group = "hash cells of 7 vertices"
    codes = SPACE.codes(SPACE.sample(np.random.default_rng(3).random(40_000)))
    codes = codes[codes[:, -1] > 0]
    adjacency = np.zeros((len(codes), 7, 7), dtype=bool)
    adjacency[:, *np.triu_indices(7, 1)] = codes[:, :21]
    operations = codes[:, 21:].astype(np.int64) - 1
    if contender == "ours":
        per_item(contender, len(codes), lambda: module_hashes(adjacency, operations), rounds=2)
    else:
        hash_module = pytest.importorskip("nasbench_pytorch.model.graph_util").hash_module
        labels = [[-1, *row, -2] for row in operations[:500].tolist()]
        matrices = adjacency[:500].astype(int)
        found = per_item(contender, len(labels), lambda: list(map(hash_module, matrices, labels)), rounds=2)
        assert found == SPACE.module_hashes(SPACE.index(codes[:500]))


@pytest.mark.parametrize("contender", ["ours", "hashlib"])
def test_digests(benchmark, per_item, contender):
    benchmark.group = "MD5 of short messages"
    messages = np.random.default_rng(2).integers(0, 256, (20_000, 130), dtype=np.uint8)
    if contender == "ours":
        per_item(contender, len(messages), lambda: md5(messages))
    else:
        texts = [message.tobytes() for message in messages]
        per_item(contender, len(texts), lambda: [hashlib.md5(text).digest() for text in texts])  # noqa: S324
