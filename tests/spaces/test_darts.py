"""The DARTS space against published genotypes, brute force in a smaller space, and plain Python over single cells."""

import itertools
import random
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.spaces import DartsSpace

SPACE = DartsSpace()
SMALL = DartsSpace(3, ["skip_connect", "sep_conv_3x3"])
INDICES = st.integers(0, SPACE.size - 1)

# As printed by the code of the publications: DARTS (Liu et al.), PC-DARTS (Xu et al.), P-DARTS (Chen et al.).
DARTS_V1 = (
    "Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), ('sep_conv_3x3', 1), "
    "('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2)], "
    "normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), "
    "('max_pool_3x3', 0), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('avg_pool_3x3', 0)], "
    "reduce_concat=[2, 3, 4, 5])"
)
DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], "
    "normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), "
    "('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], "
    "reduce_concat=[2, 3, 4, 5])"
)
PC_DARTS = (
    "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), "
    "('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('avg_pool_3x3', 0), ('dil_conv_3x3', 1)], "
    "normal_concat=range(2, 6), reduce=[('sep_conv_5x5', 1), ('max_pool_3x3', 0), ('sep_conv_5x5', 1), "
    "('sep_conv_5x5', 2), ('sep_conv_3x3', 0), ('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2)], "
    "reduce_concat=range(2, 6))"
)
P_DARTS = (
    "Genotype(normal=[('skip_connect', 0), ('dil_conv_3x3', 1), ('skip_connect', 0),('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('sep_conv_3x3', 3), ('sep_conv_3x3',0), ('dil_conv_5x5', 4)], "
    "normal_concat=range(2, 6), reduce=[('avg_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_3x3', 0), "
    "('dil_conv_5x5', 2), ('max_pool_3x3', 0), ('dil_conv_3x3', 1), ('dil_conv_3x3', 1), ('dil_conv_5x5', 3)], "
    "reduce_concat=range(2, 6))"
)
PUBLISHED = [DARTS_V1, DARTS_V2, PC_DARTS, P_DARTS]
EDGE = re.compile(r"\('(\w+)', ?(\d)\)")


def edges_of(genotype):
    """The edges of both cells as sets of (node, operation, input), read by another way than the space does."""
    cells = []
    for part in genotype.split("reduce=["):
        found = [(operation, int(source)) for operation, source in EDGE.findall(part)]
        cells.append({(2 + place // 2, *edge) for place, edge in enumerate(found)})
    return cells


def test_the_published_size():
    assert SPACE.size == (1 * 3 * 6 * 10 * 7**8) ** 2 == 1_076_746_950_455_072_400
    assert not SPACE.is_listed


@pytest.mark.parametrize("genotype", PUBLISHED)
def test_published_genotypes_are_read(genotype):
    index = SPACE.parse(genotype)
    assert edges_of(SPACE.format(index)) == edges_of(genotype)
    assert SPACE.parse(SPACE.format(index)) == SPACE.parse(SPACE.short(index)) == index
    assert SPACE.resolve(str(index)) == index
    spaced = genotype.replace("=", " = ").replace("(", "( ").replace(")", " )").replace("]", ",\n  ]").replace("'", '"')
    assert SPACE.parse(spaced) == index, "as in the file of the original code, over several lines"


def test_the_configuration_of_nas_bench_301():
    """As its own converter gives it for DARTS_V2."""
    prefix = "NetworkSelectorDatasetInfo:darts:"
    index = SPACE.parse(DARTS_V2)
    found = SPACE.configuration(index)
    normal = {"0": "sep_conv_3x3", "1": "sep_conv_3x3", "2": "sep_conv_3x3", "3": "sep_conv_3x3"}
    normal |= {"5": "skip_connect", "6": "sep_conv_3x3", "9": "skip_connect", "11": "dil_conv_3x3"}
    expected = {f"{prefix}edge_normal_{edge}": operation for edge, operation in normal.items()}
    expected |= {f"{prefix}inputs_node_normal_{node}": pair for node, pair in ((3, "0_1"), (4, "0_1"), (5, "0_2"))}
    assert {key: value for key, value in found.items() if "normal" in key} == expected
    assert SPACE.from_configuration(found) == index
    key = f"{prefix}inputs_node_normal_5"
    wrong = [
        ({**found, key: "2_0"}, "two of 0 to 4"),
        ({**found, key: 5}, "two of 0 to 4"),
        ({**found, f"{prefix}edge_normal_0": "conv"}, "edge_normal_0 must be one of"),
        ({k: v for k, v in found.items() if k != key}, "got None"),
        ({**found, f"{prefix}edge_normal_13": "skip_connect"}, "do not take this edge"),
    ]
    for configuration, reason in wrong:
        with pytest.raises(OutOfSpaceError, match=reason):
            SPACE.from_configuration(configuration)


@given(INDICES)
@settings(max_examples=25)
def test_round_trips_at_random_indices(index):
    assert SPACE.index(SPACE.codes(index)) == index
    assert SPACE.parse(SPACE.format(index)) == SPACE.parse(SPACE.short(index)) == index
    assert SPACE.from_configuration(SPACE.configuration(index)) == index


@given(INDICES, st.randoms(use_true_random=False))
@settings(max_examples=15)
def test_the_inputs_of_a_node_may_be_in_any_order(index, shuffled):
    def exchange(match):
        return f"{match[2]}, {match[1]}" if shuffled.random() < 0.5 else match[0]

    text = re.sub(r"(\('\w+', \d\)), (\('\w+', \d\))", exchange, SPACE.format(index))
    assert SPACE.parse(text) == index


def brute_force(nodes, operations):
    """All genotypes, written down from the rules."""
    cells = []
    choices = [
        [
            f"('{a}', {i}), ('{b}', {j})"
            for i, j in itertools.combinations(range(n), 2)
            for a in operations
            for b in operations
        ]
        for n in range(2, 2 + nodes)
    ]
    cells = [", ".join(chosen) for chosen in itertools.product(*choices)]
    concat = f"range(2, {2 + nodes})"
    return [
        f"Genotype(normal=[{one}], normal_concat={concat}, reduce=[{other}], reduce_concat={concat})"
        for one, other in itertools.product(cells, repeat=2)
    ]


def test_a_small_space_is_what_brute_force_finds():
    space = DartsSpace(2, ["sep_conv_5x5", "skip_connect"])
    written = brute_force(2, space.operations)
    assert len(written) == space.size == (1 * 3 * 2**4) ** 2
    assert set(space.format(np.arange(space.size))) == set(written)
    assert sorted(space.parse(written)) == list(range(space.size))


def plain_neighbors(space, index):
    """Every other operation and every other input, edge by edge."""
    found = set()
    cells = [[list(node) for node in cell] for cell in space.cells(space.codes(index).tolist())]
    for cell, node, edge in itertools.product(range(2), range(space.nodes), range(2)):
        operation, source = cells[cell][node][edge]
        other = cells[cell][node][1 - edge]
        changes = [(new, source) for new in range(len(space.operations)) if new != operation]
        changes += [(operation, new) for new in range(node + 2) if new not in (source, other[1])]
        for change in changes:
            changed = [[list(pair) for pair in each] for each in cells]
            changed[cell][node] = sorted([change, other], key=lambda pair: pair[1])
            text = [", ".join(str((space.operations[o], s)) for pair in each for o, s in pair) for each in changed]
            concat = f"range(2, {2 + space.nodes})"
            found.add(
                space.parse(
                    f"Genotype(normal=[{text[0]}], normal_concat={concat}, reduce=[{text[1]}], reduce_concat={concat})"
                )
            )
    return found


@given(INDICES)
@settings(max_examples=15)
def test_neighbors_differ_in_one_operation_or_one_input(index):
    near = SPACE.neighbors(index)
    assert len(near) == SPACE.degree(index) == 120
    assert set(near.tolist()) == plain_neighbors(SPACE, index)
    assert SPACE.neighbor_at(index, [0, 57, 119]).tolist() == near[[0, 57, 119]].tolist()
    assert (SPACE.neighbors(near[[3, 70, 101]]) == index).any(axis=1).all(), "neighbours are mutual"


def test_neighbors_in_small_listed_spaces():
    small = DartsSpace(2, ["skip_connect", "sep_conv_3x3"])
    assert small.is_listed
    for index in (0, 777, small.size - 1):
        assert set(small.neighbors(index).tolist()) == plain_neighbors(small, index)
    alone = DartsSpace(1, ["skip_connect"])
    assert alone.size == 1
    assert not alone.has_neighbors
    assert alone.neighbors(0).tolist() == []
    only_inputs = DartsSpace(2, ["skip_connect"])
    assert set(only_inputs.neighbors(0).tolist()) == plain_neighbors(only_inputs, 0)


def walks(onward, node):
    """All non-empty sequences of operations from a node; every node leads to the output."""
    for operation, target in onward.get(node, []):
        yield (operation,)
        yield from ((operation, *rest) for rest in walks(onward, target))


def plain_paths(space, index, longest):
    """All sequences of operations on paths from an input to the output, by cell and input, walked node by node."""
    found = set()
    for which, cell in enumerate(space.cells(space.codes(index).tolist())):
        onward = {}
        for number, node in enumerate(cell, start=2):
            for operation, source in node:
                onward.setdefault(source, []).append((operation, number))

        for start in range(2):
            found |= {(which, start, path) for path in walks(onward, start)}
    return {path for path in found if len(path[2]) <= longest}


@pytest.mark.parametrize(
    ("space", "encoding"), [(SPACE, "path"), (SPACE, "path-2"), (SMALL, "path"), (SMALL, "path-3")]
)
def test_paths_agree_with_walks(space, encoding):
    k = len(space.operations)
    longest = space.nodes if encoding == "path" else int(encoding[-1])
    names = [
        (cell, start, tuple(reversed(path)))
        for cell, start in itertools.product(range(2), repeat=2)
        for length in range(1, longest + 1)
        for path in itertools.product(range(k), repeat=length)
    ]
    indices = np.random.default_rng(0).integers(space.size, size=12)
    for index, vector in zip(indices, space.encode(indices, encoding), strict=True):
        assert {names[place] for place in np.flatnonzero(vector)} == plain_paths(space, index, longest)
        assert len(vector) == len(names)


@given(INDICES)
@settings(max_examples=20)
def test_encodings_of_edges_agree_with_the_genotype(index):
    cells = SPACE.cells(SPACE.codes(index).tolist())
    edges = [(cell, node, source) for cell in range(2) for node in range(4) for source in range(node + 2)]
    operation = {
        (cell, node, source): code
        for cell, nodes in enumerate(cells)
        for node, pair in enumerate(nodes)
        for code, source in pair
    }
    assert SPACE.encode(index, "adjacency").tolist() == [operation.get(edge, -1) + 1 for edge in edges]
    hot = [float(operation.get(edge) == code) for edge in edges for code in range(7)]
    assert SPACE.encode(index, "edges").tolist() == hot
    counted = [float(sum(k[0] == c and v == code for k, v in operation.items())) for c in range(2) for code in range(7)]
    assert SPACE.encode(index, "counts").tolist() == counted
    assert SPACE.size_of(index) == sum(code >= 3 for code in operation.values())
    assert SPACE.size_of(index) == sum("conv" in label for label in SPACE.labels(index))


def relabelled(cell, order):
    """The cell with its nodes in another order, or None where an input would come later than its node."""
    place = {0: 0, 1: 1, **{2 + node: 2 + position for position, node in enumerate(order)}}
    nodes = [[(operation, place[source]) for operation, source in cell[node]] for node in order]
    if any(source >= 2 + position for position, node in enumerate(nodes) for _, source in node):
        return None
    return tuple(tuple(sorted(node, key=lambda edge: edge[1])) for node in nodes)


def test_cells_with_their_nodes_in_another_order_are_the_same_network():
    """All cells of a small space: equal forms are those that brute force joins, and no others."""
    cells = {SMALL.cells(row)[1]: SMALL.network_form(row)[1] for row in SMALL.codes(np.arange(1152)).tolist()}
    for cell, form in cells.items():
        same = {relabelled(cell, order) for order in itertools.permutations(range(3))} - {None}
        assert {other for other, its_form in cells.items() if its_form == form} == same
    assert len(set(cells.values())) < len(cells) == (1 * 3 * 6 * 2**6)


def test_forms_of_published_cells():
    one = SPACE.parse(DARTS_V2)
    exchanged = SPACE.short(one).replace(
        "sep3~0,sep3~1+sep3~0,sep3~1+skip~0,sep3~1", "skip~0,sep3~1+sep3~0,sep3~1+sep3~0,sep3~1"
    )
    exchanged = exchanged.replace("skip~0,dil3~2/", "skip~0,dil3~4/")
    other = SPACE.parse(exchanged)
    form = [SPACE.network_form(SPACE.codes(index).tolist()) for index in (one, other, SPACE.parse(DARTS_V1))]
    assert one != other
    assert form[0] == form[1] != form[2]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text[:-1], "malformed genotype"),
        (
            lambda text: text.replace("normal_concat=[2, 3, 4, 5]", "normal_concat=[3, 4, 5]"),
            r"normal_concat is \[3, 4, 5\]",
        ),
        (
            lambda text: text.replace("reduce_concat=[2, 3, 4, 5]", "reduce_concat=range(2, 7)"),
            "reduce_concat is range",
        ),
        (lambda text: text.replace("dil_conv_3x3", "none"), "unknown operation 'none' into node 5 of the normal cell"),
        (
            lambda text: text.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', 0)"),
            "both inputs of node 5 .* are node 0",
        ),
        (lambda text: text.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', 5)"), "can take nodes 0 to 4"),
        (lambda text: text.replace(", ('dil_conv_3x3', 2)", ""), "normal cell has 7 inputs"),
        (lambda text: text.replace("('dil_conv_3x3', 2)", "exit()"), "malformed input 'exit"),
        (lambda text: text.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', 10**9)"), "malformed input"),
        (lambda _: "sep3~0,sep3~1", "write a genotype"),
        (lambda _: "sep3~0/sep3~1", "needs 4 nodes"),
        (lambda _: "+".join(["sep3~0,sep3~1"] * 4) + "/" + "+".join(["sep3~0,sep3-1"] * 4), "malformed input 'sep3-1'"),
        (lambda _: "Genotype(" * 5000, "is no genotype"),
        (lambda _: "Genotype(normal=" + "[" * 9000, "malformed genotype"),
        (lambda _: "Genotype(normal=[" + "(" * 9000, "malformed genotype"),
        (lambda _: "Genotype(normal=[" + "()" * 4000, "malformed genotype"),
    ],
)
def test_malformed_genotypes_say_what_is_wrong(change, reason):
    with pytest.raises(OutOfSpaceError, match=reason) as error:
        SPACE.parse(change(DARTS_V2))
    assert "\n" not in str(error.value)


@given(st.integers(0, len(DARTS_V2) - 1), st.characters(codec="ascii"), st.integers(0, 3))
@settings(max_examples=60)
def test_damaged_genotypes_are_read_or_refused(place, character, deleted):
    text = DARTS_V2[:place] + character + DARTS_V2[place + deleted :]
    try:
        assert 0 <= SPACE.parse(text) < SPACE.size
    except OutOfSpaceError as error:
        assert len(str(error)) < 400


def test_published_architectures_of_other_spaces_are_refused():
    nas_net = (
        "Genotype(normal=[('sep_conv_5x5', 1), ('sep_conv_3x3', 0)], normal_concat=[2, 3, 4, 5, 6], reduce=[], "
        "reduce_concat=[4, 5, 6])"
    )
    with pytest.raises(OutOfSpaceError, match=r"all cells of this space concatenate nodes 2 to 5"):
        SPACE.parse(nas_net)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"nodes": 0}, "nodes must be from 1 to 6"),
        ({"nodes": 2.0}, "nodes must be a whole number"),
        ({"nodes": 5}, "a space can have at most"),
        ({"operations": []}, "operations must be different ones of max_pool_3x3"),
        ({"operations": "skip_connect"}, "operations must be"),
        ({"operations": ["skip_connect"] * 2}, "operations must be"),
        ({"operations": ["none"]}, "operations must be"),
        ({"operations": [["skip_connect"]]}, "operations must be"),
        ({"operations": 3}, "operations must be"),
    ],
)
def test_wrong_parameters(options, reason):
    with pytest.raises(ParameterError, match=reason):
        DartsSpace(**options)


def test_sampling_reaches_every_choice_evenly():
    from nasbench_lab.streams import Streams

    codes = SPACE.codes(SPACE.draw(Streams(0, 0, 20), 500).reshape(-1))
    for place, cardinality in enumerate(SPACE.cardinalities):
        counts = np.bincount(codes[:, place], minlength=cardinality)
        expected = len(codes) / cardinality
        assert ((counts - expected) ** 2 / expected).sum() < cardinality + 6 * np.sqrt(2 * cardinality)


def test_children_of_two_parents_are_architectures():
    rng = random.Random(0)
    one, other = (np.array([rng.randrange(SPACE.size) for _ in range(50)]) for _ in range(2))
    mask = np.random.default_rng(0).random((50, len(SPACE.cardinalities))) < 0.5
    child = SPACE.crossover(one, other, mask)
    assert np.array_equal(SPACE.codes(child), np.where(mask, SPACE.codes(other), SPACE.codes(one)))
