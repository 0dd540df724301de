"""Networks of DARTS cells: those that the space calls the same compute the same, with weights in another order."""

import itertools

import numpy as np
import pytest

from nasbench_lab.spaces import DartsSpace

torch = pytest.importorskip("torch", reason="needs torch: pip install 'nasbench-lab[torch]'")

from nasbench_lab.train.networks import networks_of  # noqa: E402

SPACE = DartsSpace(3)


def renumbered(cell, order):
    """The cell with node ``order[p]`` at place p, and for each of its edges the edge before; None if that cannot be."""
    place = {0: 0, 1: 1, **{node + 2: position + 2 for position, node in enumerate(order)}}
    nodes, origins = [], []
    for position, node in enumerate(order):
        edges = sorted((place[source], operation, which) for which, (operation, source) in enumerate(cell[node]))
        if edges[1][0] >= position + 2:
            return None
        nodes.append(tuple((operation, source) for source, operation, _ in edges))
        origins.append([which for *_, which in edges])
    return tuple(nodes), origins


def take_weights(into, of, orders, origins):
    """Give a network the weights of another one whose cells have their nodes in another order."""
    into.stem.load_state_dict(of.stem.state_dict())
    outputs = [None, None]  # the order of the nodes that the last two cells concatenate
    for mine, its in zip(into.cells, of.cells, strict=True):
        kind = mine.kind
        for name, order in (("first", outputs[-2]), ("second", outputs[-1])):
            state = getattr(its, name).state_dict()
            if order is not None:
                width = next(value.shape[1] for value in state.values() if value.dim() == 4) // len(order)
                pick = torch.cat([torch.arange(node * width, (node + 1) * width) for node in order])
                state = {key: value[:, pick] if value.dim() == 4 else value for key, value in state.items()}
            getattr(mine, name).load_state_dict(state)
        for position, node in enumerate(orders[kind]):
            for edge, origin in enumerate(origins[kind][position]):
                mine.operations[position][edge].load_state_dict(its.operations[node][origin].state_dict())
        outputs = [outputs[-1], orders[kind]]
    state = of.classifier.state_dict()
    width = state["linear.weight"].shape[1] // len(outputs[-1])
    pick = torch.cat([torch.arange(node * width, (node + 1) * width) for node in outputs[-1]])
    into.classifier.load_state_dict({**state, "linear.weight": state["linear.weight"][:, pick]})


def build(cells):
    index = SPACE.index(SPACE._cells.codes(cells))
    network = networks_of(SPACE).build(
        SPACE.codes(index).tolist(), image=(1, 8, 8), classes=3, copies=1, channels=2, cells=4
    )
    for place, cell in enumerate(network.cells):
        cell.kind = int(place in (4 // 3, 2 * 4 // 3))
    return network.double().train()


def test_the_same_form_computes_the_same():
    random = np.random.default_rng(0)
    images = torch.randn(3, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    compared = 0
    while compared < 6:
        index = int(random.integers(SPACE.size))
        cells = SPACE.cells(SPACE.codes(index).tolist())
        orders = [list(itertools.permutations(range(3)))[random.integers(6)] for _ in cells]
        found = [renumbered(cell, order) for cell, order in zip(cells, orders, strict=True)]
        if None in found or tuple(each[0] for each in found) == cells:
            continue
        others = tuple(each[0] for each in found)
        codes = [SPACE._cells.codes(each) for each in (cells, others)]
        assert SPACE.network_form(codes[0]) == SPACE.network_form(codes[1])
        one, other = build(cells), build(others)
        take_weights(other, one, orders, [each[1] for each in found])
        torch.testing.assert_close(other(images), one(images), rtol=1e-9, atol=1e-9)
        compared += 1
