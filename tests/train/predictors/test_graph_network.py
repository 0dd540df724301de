"""The graph network against loops over vertices, and as a model of a search."""

import numpy as np
import pytest
from scipy.stats import spearmanr

import nasbench_lab as nl
from nasbench_lab import spaces
from nasbench_lab.errors import ParameterError
from nasbench_lab.strategies import resolve
from nasbench_lab.strategies.models.regressors import fit_regressor, make_regressor, predict_values, regressor_facts
from nasbench_lab.testing import synthetic_table

torch = pytest.importorskip("torch")

SPACE = spaces.TopologySpace()
INDEX = np.random.default_rng(0).permutation(SPACE.size)[:160]
GRAPHS = SPACE.encode(INDEX, "graph")
CONVOLUTIONS = SPACE.encode(INDEX, "counts")[:, 3] + 0.5 * SPACE.encode(INDEX, "counts")[:, 2]


def fitted(seed=0, **parameters):
    model = make_regressor("graph-network", {"steps": 40, "width": 12, **parameters}, seed=seed)
    return fit_regressor(model, GRAPHS[:80], CONVOLUTIONS[:80])


def by_hand(model, vector):
    """The output of the network for one graph, vertex by vertex."""
    pairs = [(a, b) for a in range(8) for b in range(a + 1, 8)]
    edges = {pair for pair, there in zip(pairs, vector, strict=False) if there}
    operations = [0, *vector[28:].astype(int), 0]
    *convolutions, hidden, hidden_bias, output, output_bias = [
        weight.numpy().astype(float) for weight in model.weights_
    ]
    features = []
    for vertex, operation in enumerate(operations):
        one = np.zeros(len(convolutions[0]))
        kind = {0: len(one) - 2, 7: len(one) - 1}.get(vertex, operation - 1)
        if kind >= 0:
            one[kind] = 1
        features.append(one)
    for layer in range(model.layers):
        onward, back = convolutions[2 * layer : 2 * layer + 2]
        new = []
        for vertex in range(8):
            after = [vertex, *(b for a, b in edges if a == vertex)]
            before = [vertex, *(a for a, b in edges if b == vertex)]
            one = np.maximum(np.mean([features[v] for v in after], axis=0) @ onward, 0)
            new.append((one + np.maximum(np.mean([features[v] for v in before], axis=0) @ back, 0)) / 2)
        features = new
    present = [vertex for vertex in range(8) if vertex in (0, 7) or operations[vertex]]
    pooled = np.mean([features[vertex] for vertex in present], axis=0)
    scaled = (np.maximum(pooled @ hidden + hidden_bias, 0) @ output + output_bias).item()
    return scaled * model.scaling_.scale + model.scaling_.centre


def test_predictions_are_those_of_loops_over_vertices():
    model = fitted()
    expected = [by_hand(model, vector) for vector in GRAPHS[80:100]]
    np.testing.assert_allclose(predict_values(model, GRAPHS[80:100]), expected, rtol=1e-4, atol=1e-4)


def test_it_learns_what_cells_consist_of():
    assert spearmanr(predict_values(fitted(), GRAPHS[80:]), CONVOLUTIONS[80:])[0] > 0.8


def test_the_seed_decides_and_nothing_global_changes():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, again, other = (predict_values(fitted(seed, steps=3), GRAPHS) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("space", [spaces.Cell101Space(4), spaces.GnnSpace(), spaces.TransMicroSpace()], ids=repr)
def test_other_cells(space):
    vectors = space.encode(np.arange(20), "graph")
    model = fit_regressor(make_regressor("graph-network:steps=2"), vectors, np.arange(20.0))
    assert np.isfinite(predict_values(model, vectors)).all()


def test_vectors_that_are_no_graphs_are_refused():
    with pytest.raises(ParameterError, match="the graph network takes the encoding 'graph'; vectors of length 30"):
        fit_regressor(make_regressor("graph-network"), SPACE.encode(INDEX[:5], "one-hot"), np.arange(5.0))
    with pytest.raises(ParameterError, match="width must be at least 1"):
        fitted(width=0)
    assert regressor_facts("graph-network").encoding == "graph"


def test_it_drives_a_search():
    strategy = resolve("predictor-search", {"model": "graph-network:steps=3", "pool_size": 50})
    trace = nl.simulate(synthetic_table("topology"), strategy, runs=2, budget=nl.Budget(evaluations=30))
    assert (trace.evaluations == 30).all()
