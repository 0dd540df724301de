"""Spaces against what was published: the official lists and the official code."""

import bz2
import importlib
import itertools
import sys

import numpy as np
import pytest

from nasbench_lab import spaces
from nasbench_lab.spaces.gnn import OPERATIONS, PROTEINS_OPERATIONS, GnnSpace
from nasbench_lab.tables import find_recipe
from nasbench_lab.tables.importers.nas_bench_graph.light_version import architecture_keys
from nasbench_lab.tables.reading import unpickle

TSS = "D-X-Y/NATS-Bench/fake_torch_dir/NATS-tss-v1_0-3ffb9-simple"


@pytest.mark.mirror
def test_topology_is_in_the_official_order(mirror):
    meta = unpickle.load(bz2.decompress((mirror / TSS / "meta.pickle.pbz2").read_bytes()))
    space = spaces.TopologySpace()
    assert space.format(np.arange(space.size)) == meta["meta_archs"]


def test_topology_order_spot_checks():
    # Archives 0, 11 and 284, and the best architectures that NAS-Bench-201 publishes.
    space = spaces.TopologySpace()
    assert space.format(0).startswith("|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+")
    assert space.format(11) == "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|avg_pool_3x3~2|"
    assert space.format(284) == "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|none~0|nor_conv_1x1~1|none~2|"


@pytest.fixture(scope="module")
def official():
    """The official description of architectures, from the installed package: an oracle for tests only."""
    spec = importlib.util.find_spec("nas_bench_graph")
    sys.path.insert(0, spec.submodule_search_locations[0])
    try:
        return importlib.import_module("architecture")
    finally:
        sys.path.pop(0)


def test_every_raw_gnn_architecture_is_canonicalised_as_the_official_code_does(official):
    space = GnnSpace()
    raw = [
        (links, operations)
        for links in itertools.product(range(1), range(2), range(3), range(4))
        for operations in itertools.product(range(9), repeat=4)
        if set(operations) != {OPERATIONS.index("skip")}
    ]
    expected = [official.Arch(list(links), [OPERATIONS[o] for o in ops]).valid_hash() for links, ops in raw]
    links, operations = (np.array(part) for part in zip(*raw, strict=True))
    assert len(raw) == 24 * (9**4 - 1)
    assert architecture_keys(space)[space._lookup(links, operations)].tolist() == expected


@pytest.mark.parametrize(("dataset", "operations"), [("cora", OPERATIONS), ("proteins", PROTEINS_OPERATIONS)])
def test_gnn_order_is_the_order_of_the_published_file(dataset, operations):
    file = find_recipe(f"nas-bench-graph/{dataset}").files[0]
    assert list(unpickle.load(file.read())) == architecture_keys(GnnSpace(operations)).tolist()


def test_gnn_notation_is_accepted_in_any_order_of_nodes():
    space = GnnSpace()
    one = space.parse("Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc', 'cheb'])")
    other = space.parse("Arch([0,1,1,2],['gcn','gin','cheb','fc'])")
    assert one == other
