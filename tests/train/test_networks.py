"""Networks against what was published of them: trainable parameters and multiply-additions."""

import base64
import bz2
import json
import struct

import numpy as np
import pytest
from added_entry_points import add_entry_points

import nasbench_lab as nl
from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.spaces import (
    ChainSpace,
    DartsSpace,
    GnnSpace,
    HierarchicalSpace,
    LayerChainSpace,
    ListedSpace,
    TopologySpace,
)
from nasbench_lab.spaces.hierarchical import parse_term
from nasbench_lab.tables.reading import unpickle

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.train.complexity import multiply_additions, parameters  # noqa: E402
from nasbench_lab.train.network_builders import check_network, network_builder  # noqa: E402
from nasbench_lab.train.networks import (  # noqa: E402
    NetworkFamily,
    cell101_network,
    hierarchical_network,
    list_networks,
    macro_network,
    networks_of,
    size_network,
    topology_network,
)
from nasbench_lab.train.networks.blocks import _pool_matrix  # noqa: E402

NATS = "D-X-Y/NATS-Bench/fake_torch_dir"
TOPOLOGY = TopologySpace()
ALL_POOLING = "|avg_pool_3x3~0|+|avg_pool_3x3~0|avg_pool_3x3~1|+|avg_pool_3x3~0|avg_pool_3x3~1|avg_pool_3x3~2|"


def count_on_meta(build, *arguments, **options):
    """Parameters of a network that is never allocated."""
    with torch.device("meta"):
        return parameters(build(*arguments, **options))


@pytest.mark.parametrize(
    ("short", "expected"),
    [  # DARTS_V1 and DARTS_V2, PC-DARTS, P-DARTS; counted with the original code, without auxiliary head
        (
            (
                "sep3~0,sep3~1+skip~0,sep3~1+skip~0,sep3~1+sep3~0,skip~2/"
                "max3~0,max3~1+max3~0,skip~2+max3~0,skip~2+avg3~0,skip~2"
            ),
            3_169_414,
        ),
        (
            (
                "sep3~0,sep3~1+sep3~0,sep3~1+skip~0,sep3~1+skip~0,dil3~2/"
                "max3~0,max3~1+max3~1,skip~2+max3~0,skip~2+max3~1,skip~2"
            ),
            3_349_342,
        ),
        (
            (
                "skip~0,sep3~1+sep3~0,dil3~1+sep5~0,sep3~1+avg3~0,dil3~1/"
                "max3~0,sep5~1+sep5~1,sep5~2+sep3~0,sep3~3+sep3~1,sep3~2"
            ),
            3_634_678,
        ),
        (
            (
                "skip~0,dil3~1+skip~0,sep3~1+sep3~1,sep3~3+sep3~0,dil5~4/"
                "avg3~0,sep5~1+sep3~0,dil5~2+max3~0,dil3~1+dil3~1,dil5~3"
            ),
            3_433_798,
        ),
    ],
)
def test_darts_networks_have_the_published_parameters(short, expected):
    space = DartsSpace()
    codes = space.codes(space.parse(short)).tolist()
    networks = networks_of(space)
    assert count_on_meta(networks.build, codes, image=(3, 32, 32), classes=10, copies=1) == expected


@pytest.mark.parametrize(("pixels", "cells"), [(8, 1), (9, 2), (3, 3), (1, 4)])
def test_darts_networks_take_small_images_and_few_cells(pixels, cells):
    space = DartsSpace()
    build = network_builder(
        space, 530982637408096428, image=(1, pixels, pixels), classes=3, options={"channels": 1, "cells": cells}
    )
    check_network(build, (1, pixels, pixels))


@pytest.mark.mirror
@pytest.mark.parametrize("index", [0, 11, 284])
@pytest.mark.parametrize(
    ("folder", "epochs"), [("NATS-tss-v1_0-3ffb9-simple", "12"), ("NATS-sss-v1_0-50262-simple", "90")]
)
def test_nats_bench_archives(mirror, folder, epochs, index):
    data = (mirror / NATS / folder / f"{index:06d}.pickle.pbz2").read_bytes()
    archive = unpickle.load(bz2.decompress(data))[epochs]
    for (dataset, _), result in archive["all_results"].items():
        classes = result["arch_config"]["class_num"]
        if "channels" in result["arch_config"]:
            network = size_network([int(c) for c in archive["arch_str"].split(":")], classes=classes)
        else:
            network = topology_network(TOPOLOGY.codes(TOPOLOGY.parse(archive["arch_str"])), classes=classes)
        pixels = 16 if dataset == "ImageNet16-120" else 32
        assert parameters(network) == round(result["params"] * 1e6)
        assert multiply_additions(network, (3, pixels, pixels)) == round(result["flop"] * 1e6)


@pytest.mark.mirror
@pytest.mark.parametrize(("dataset", "classes"), [("cifar10", 10), ("cifar100", 100), ("ImageNet16-120", 120)])
def test_published_parameters_of_the_topology_space(dataset, classes):
    table = nl.load(f"nats-bench-tss/{dataset}")
    for index in np.random.default_rng(classes).choice(table.space.size, 90, replace=False):
        counted = count_on_meta(topology_network, TOPOLOGY.codes(int(index)), classes=classes)
        assert counted == round(table.query(int(index))["parameters"] * 1e6)


@pytest.mark.mirror
def test_published_parameters_and_flops_of_nas_bench_macro():
    table = nl.load("nas-bench-macro/cifar10")
    for index in np.random.default_rng(0).choice(table.space.size, 250, replace=False):
        choices = table.space.codes(int(index)).tolist()
        assert count_on_meta(macro_network, choices) == round(table.query(int(index))["parameters"] * 1e6)
    network = macro_network(choices)
    # The publication leaves out the ten biases of the classifier.
    assert multiply_additions(network, (3, 32, 32)) - 10 == round(table.query(int(index))["flops"] * 1e6)


def test_the_example_cell_of_nas_bench_101():
    """The Inception-like cell of the official documentation, with its published 2,694,282 parameters."""
    edges = [(0, 1), (0, 2), (0, 3), (0, 5), (1, 6), (2, 6), (3, 4), (4, 6), (5, 6)]
    adjacency = np.zeros((7, 7), dtype=int)
    adjacency[tuple(zip(*edges, strict=True))] = 1
    operations = ["conv1x1-bn-relu", *["conv3x3-bn-relu"] * 3, "maxpool3x3"]
    network = cell101_network(adjacency, operations)
    assert parameters(network) == 2_694_282
    assert network.eval()(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def ec_nas_models(path):
    """Adjacency, operations and trainable parameters of every record of an EC-NAS file, in plain Python."""
    content = path.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        record, content = content[12 : 12 + length], content[16 + length :]
        _, _, bits, operations, metrics = json.loads(record)
        size = int(len(bits) ** 0.5)
        adjacency = np.array([int(bit) for bit in bits]).reshape(size, size)
        yield adjacency, operations.split(",")[1:-1], _second_field(base64.b64decode(metrics))


def _second_field(message):
    """Field 2 (a varint) of a protocol buffer whose field 1 is length-delimited."""
    position = 0

    def varint():
        nonlocal position
        value, shift = 0, 0
        while True:
            byte = message[position]
            position += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while position < len(message):
        key = varint()
        if key == 2 << 3:
            return varint()
        assert key == 1 << 3 | 2
        length = varint()
        position += length
    raise AssertionError("no parameters")


@pytest.mark.mirror
def test_published_parameters_of_small_nas_bench_101_models(mirror):
    folder = mirror / "PedramBakh/EC-NAS-Bench/ecnas/ecnas/utils/data/tabular_benchmarks"
    models = {}
    for name in ("energy_4V9E.tfrecord", "energy_5V9E.tfrecord"):
        for adjacency, operations, published in ec_nas_models(folder / name):
            models[adjacency.tobytes(), tuple(operations)] = (adjacency, operations, published)
    assert len(models) > 2500
    for adjacency, operations, published in list(models.values())[::25]:
        assert count_on_meta(cell101_network, adjacency, operations) == published


@pytest.mark.mirror
def test_published_parameters_of_all_sizes_of_nas_bench_101_cells():
    """The table has one row a cell in the order of the hashes: this proves enumeration and order as well."""
    table = nl.load("nas-bench-101/means")
    space = table.space
    published = np.round(table.values("parameters") * 1e6).astype(int)
    inner = (space.codes(np.arange(space.size))[:, -5:] > 0).sum(axis=1)
    random = np.random.default_rng(0)
    drawn = [random.permutation(np.flatnonzero(inner == many))[:80] for many in range(6)]
    assert [len(cells) for cells in drawn] == [1, 6, 80, 80, 80, 80]
    for index in np.concatenate(drawn).tolist():
        assert count_on_meta(cell101_network, *space.cell(index)) == published[index]


@pytest.mark.parametrize("classes", [2, 7])
def test_gradients_reach_every_parameter_that_is_used(classes):
    images = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    networks = [
        topology_network(TOPOLOGY.codes(6111), channels=4, cells=1, image_channels=1, classes=classes),
        size_network([4, 6, 8, 8, 12], image_channels=1, classes=classes),
        macro_network([1, 2, 0, 1, 2, 0, 0, 1], channels=4, image_channels=1, classes=classes),
        cell101_network(
            [[0, 1, 1, 0], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]],
            ["conv3x3-bn-relu", "maxpool3x3"],
            channels=5,
            cells=2,
            image_channels=1,
            classes=classes,
        ),
    ]
    for network in networks:
        output = network(images)
        assert output.shape == (4, classes)
        output.square().sum().backward()
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


def test_a_cell_of_none_gives_the_same_answer_to_every_image():
    none = TOPOLOGY.parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    network = topology_network(TOPOLOGY.codes(none), channels=4, cells=1).eval()
    output = network(torch.randn(5, 3, 8, 8))
    assert torch.equal(output, output[:1].expand_as(output))


def test_every_topology_and_chain_can_be_built_and_run():
    images = torch.zeros(2, 1, 8, 8)
    random = np.random.default_rng(0)
    for index in random.choice(TOPOLOGY.size, 40, replace=False):
        network = topology_network(TOPOLOGY.codes(int(index)), channels=2, cells=1, image_channels=1, classes=3)
        assert network(images).shape == (2, 3)
    space = ChainSpace("012", 8)
    for index in random.choice(space.size, 20, replace=False):
        assert macro_network(space.codes(int(index)).tolist(), channels=2, image_channels=1)(images).shape == (2, 10)


@pytest.mark.parametrize(
    ("build", "arguments", "message"),
    [
        (size_network, ([8, 8, 8, 8],), "five positive numbers"),
        (size_network, ([8, 8, 8, 8, 0],), "five positive numbers"),
        (topology_network, ([-1] * 6,), "code 0 is -1"),
        (topology_network, ([0, 1],), "has 6 integer codes"),
        (cell101_network, (1, []), "square matrix"),
        (macro_network, ([0, 1, 2],), "eight choices of 0, 1 or 2"),
        (macro_network, ([3] * 8,), "eight choices of 0, 1 or 2"),
        (cell101_network, ([[0, 1], [0, 0], [0, 0]], []), "square matrix"),
        (cell101_network, (np.triu(np.ones((7, 7)), 1), ["maxpool3x3"] * 5), "at most 9 edges, got 21"),
        (cell101_network, ([[0, 1], [1, 0]], []), "upper triangular"),
        (cell101_network, ([[0, 0, 1], [0, 0, 1], [0, 0, 0]], ["maxpool3x3"]), "not on a path"),
        (cell101_network, ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["conv5x5"]), "3 vertices has 1 operations"),
    ],
)
def test_architectures_outside_the_spaces_are_refused(build, arguments, message):
    with pytest.raises(OutOfSpaceError, match=message):
        build(*arguments)


def test_shapes_without_numbers_leave_nothing_behind():
    """What is kept of average pooling is made once, possibly where "meta" is the default device."""
    _pool_matrix.cache_clear()
    pooling = network_builder(
        TOPOLOGY, TOPOLOGY.parse(ALL_POOLING), image=(1, 8, 8), classes=3, options={"channels": 2}
    )
    check_network(pooling, (1, 8, 8))
    assert torch.isfinite(pooling(1)(torch.ones(2, 1, 8, 8))).all()
    assert multiply_additions(pooling(1), (1, 8, 8)) > 0


def test_counting_leaves_the_network_as_it_was():
    network = topology_network(TOPOLOGY.codes(6111), channels=4, cells=1)
    network.train()
    network[0].eval()  # frozen normalisation stays frozen
    before = {name: value.clone() for name, value in network.state_dict().items()}
    multiply_additions(network, (3, 8, 8))
    assert network.training
    assert not network[0].training
    assert multiply_additions(torch.nn.Flatten(), (3, 8, 8)) == 0
    assert multiply_additions(torch.nn.Conv2d(1, 1, 1).double(), (1, 2, 2)) == 8
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_what_has_no_networks_is_said():
    with pytest.raises(
        ParameterError, match="no networks for the space 'gnn'; there are for cell101, chain, darts, hier"
    ):
        networks_of(GnnSpace())
    with pytest.raises(ParameterError, match="those of NAS-Bench-Macro, with the choices '012', got 'ab'"):
        networks_of(ChainSpace("ab", 3))


def test_options_are_those_of_the_space():
    space = LayerChainSpace([["conv3x3-4", "identity"]])
    with pytest.raises(ParameterError, match="a network takes no options, got channels = 8"):
        network_builder(space, 0, image=(1, 8, 8), classes=10, options={"channels": 8})
    with pytest.raises(ParameterError, match="a network takes channels, whole numbers from 1, got cells = 3"):
        network_builder(ChainSpace("012", 8), 0, image=(1, 8, 8), classes=10, options={"cells": 3})


class OneLayer(NetworkFamily):
    """Networks for NAS-Bench-Graph, in this test alone."""

    options = ("factor",)

    def build(self, codes, *, image, classes, copies, factor=1):
        return torch.nn.Conv2d(copies * image[0], copies * factor * classes, 1, groups=copies)


def test_an_entry_point_adds_networks(monkeypatch):
    add_entry_points(monkeypatch, "nasbench_lab.networks", gnn=OneLayer, topology=OneLayer, listed=dict)
    assert {"gnn", "topology", "listed"} <= set(list_networks())
    build = network_builder(GnnSpace(), 5, image=(3, 8, 8), classes=10, options={"factor": 2})
    assert parameters(build(1)) == 80
    assert networks_of(GnnSpace()).default_options("digits") == {}
    assert networks_of(GnnSpace()).form([1, 2]) == (1, 2)
    with pytest.warns(UserWarning, match="the entry point 'topology' in group .* is ignored, as 'topology' is a built"):
        assert not isinstance(networks_of(TopologySpace()), OneLayer)
    with pytest.raises(ParameterError, match=r"the entry point 'listed' .* must name a NetworkFamily, but it names"):
        networks_of(ListedSpace(["a"]))


NAS_BENCH_201 = {
    "D2": ["Linear3(D1, D1, D0)"],
    "D1": ["Linear3(C, C, DOWN)"],
    "D0": ["Linear3(C, C, CELL)"],
    "DOWN": ["Linear2(CELL, resBlock)"],
    "C": ["Linear2(CELL, CELL)"],
    "CELL": ["Cell(OPS, OPS, OPS, OPS, OPS, OPS)"],
    "OPS": ["zero", "id", "conv1x1", "conv3x3", "avg_pool"],
}
"""The published grammar without choices at the outer levels, with operations in the order of the topology space."""


def test_hierarchical_networks_contain_those_of_nas_bench_201():
    space = HierarchicalSpace("D2", NAS_BENCH_201, shared=["CELL"])
    for index in np.random.default_rng(0).choice(space.size, 5, replace=False):
        codes = space.codes(int(index))
        build = networks_of(space).build
        mine = build(codes.tolist(), image=(1, 8, 8), classes=4, copies=1, channels=3)
        published = topology_network(codes, channels=3, cells=5, image_channels=1, classes=4)
        # Both list the operations of a cell by target and source, so the parameters have the same order.
        weights, others = mine.state_dict(), published.state_dict()
        assert [value.shape for value in weights.values()] == [value.shape for value in others.values()]
        published.load_state_dict(dict(zip(others, weights.values(), strict=True)))
        images = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        assert torch.allclose(mine.eval()(images), published.eval()(images), atol=1e-6)
    assert (
        parameters(networks_of(space).build(TOPOLOGY.codes(11).tolist(), image=(3, 32, 32), classes=10, copies=1))
        == 802_426
    )


def test_all_layers_of_hierarchical_networks():
    every = [
        *("conv1x1o", "conv3x3o", "dconv3x3o", "batch", "instance", "layer", "relu", "hardswish", "mish", "avg_pool"),
        *("conv1x1", "conv3x3", "id", "zero"),
    ]
    term = parse_term(f"Linear3(Residual3(conv3x3, resBlock, zero, resBlock), id, {every[0]})")
    with pytest.raises(
        OutOfSpaceError, match=r"in Residual3, feature maps of different shapes meet: 4 channels of 8x8"
    ):
        hierarchical_network(term, channels=4, image=(1, 8, 8))
    for name in every:
        term = parse_term(f"Linear2(Residual2({name}, resBlock, resBlock), Diamond2({name}, zero, {name}, zero))")
        network = hierarchical_network(term, channels=2, image=(1, 4, 4), classes=3)
        scores = network(torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0)))
        assert scores.shape == (3, 3)
        assert torch.isfinite(scores).all()
    with pytest.raises(OutOfSpaceError, match="no layer for 'conv9x9'; there are zero, id, conv1x1"):
        hierarchical_network(parse_term("Linear2(conv9x9, id)"))
    with pytest.raises(OutOfSpaceError, match="even sides, but it gets one of 3x3 pixels"):
        hierarchical_network(parse_term("Linear2(resBlock, resBlock)"), image=(1, 6, 6))
    with pytest.raises(OutOfSpaceError, match="more than one pixel"):
        hierarchical_network(parse_term("Linear2(resBlock, instance)"), image=(1, 2, 2))
