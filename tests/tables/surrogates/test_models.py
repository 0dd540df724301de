"""Stored models: they come back from a file's form as they were, and refuse everything that is none."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab.errors import DataError
from nasbench_lab.tables.surrogates.models.combined import Average, ScaledModel
from nasbench_lab.tables.surrogates.models.kernels import KERNELS, Kernels
from nasbench_lab.tables.surrogates.models.linear import Constant, Linear
from nasbench_lab.tables.surrogates.models.neighbors import Neighbors
from nasbench_lab.tables.surrogates.models.notation import KINDS, from_notation, to_notation
from nasbench_lab.tables.surrogates.models.perceptron import ACTIVATIONS, Perceptron
from nasbench_lab.tables.surrogates.models.products import ordered_sum, product
from nasbench_lab.tables.surrogates.models.trees import MOST_DEPTH, StoredTrees

RANDOM = np.random.default_rng(5)
ROWS = np.round(RANDOM.random((40, 6)), 2)


def tree():
    """x0 <= 0.5: 1, else x3 <= 0.2: 2, else 3; and a tree that is one leaf."""
    feature, left, right = [0, -1, 3, -1, -1, -1], [1, 0, 3, 0, 0, 0], [2, 0, 4, 0, 0, 0]
    return StoredTrees(6, feature, [0.5, 0, 0.2, 0, 0, 0], left, right, [0, 1.0, 0, 2.0, 3.0, 10.0], [0, 5], base=0.5)


def models():
    """One model of every kind, and a function that computes one prediction from the definition."""
    weights, examples = RANDOM.standard_normal(6), RANDOM.random((7, 6))
    layers = [RANDOM.standard_normal((6, 4)), RANDOM.standard_normal((4, 1))]
    net = Perceptron(layers, [np.ones(4), np.zeros(1)], "tanh")
    linear = Linear(weights, 2.0)
    nearest = Neighbors(examples, np.arange(7.0), 3, by_distance=False)
    kernels = [Kernels(examples, np.arange(7.0), 1.0, name, 1.3) for name in KERNELS]

    def of_kernel(name):
        def value(row):
            total = 1.0
            for weight, example in enumerate(examples):
                d = 1.3 * (np.abs(row - example).sum() if name == "exponential" else ((row - example) ** 2).sum())
                root = np.sqrt(5 * d)
                total += weight * ((1 + root + root**2 / 3) * np.exp(-root) if name == "matern" else np.exp(-d))
            return total

        return value

    return [
        (Constant(6, 4.0), lambda _row: 4.0),
        (linear, lambda row: float(row @ weights) + 2.0),
        (net, lambda row: float((np.tanh(row @ layers[0] + 1) @ layers[1])[0])),
        (tree(), lambda row: 10.5 + (1 if row[0] <= 0.5 else 2 if row[3] <= 0.2 else 3)),
        (nearest, lambda row: float(np.argsort(np.linalg.norm(examples - row, axis=1))[:3].mean())),
        *((each, of_kernel(each.kernel)) for each in kernels),
        (
            ScaledModel(linear, np.ones(6), np.full(6, 2.0), 3.0, 1.0),
            lambda row: 3 * (((row - 1) / 2) @ weights + 2) + 1,
        ),
        (Average([linear, Constant(6, 4.0)]), lambda row: (float(row @ weights) + 6.0) / 2),
    ]


@pytest.mark.parametrize("place", range(len(models())))
def test_predictions_are_those_of_the_definition_and_of_the_restored_model(place):
    model, definition = models()[place]
    found = model.predict(ROWS)
    np.testing.assert_allclose(found, [definition(row) for row in ROWS], rtol=1e-10, atol=1e-10)
    notation, arrays = to_notation(model, "a.b")
    restored = from_notation(json.loads(json.dumps(notation)), arrays, "a.b")
    assert (restored.predict(ROWS) == found).all()
    assert (np.concatenate([model.predict(ROWS[k : k + 1]) for k in range(len(ROWS))]) == found).all()


def test_every_kind_is_tried():
    assert {model.kind for model, _ in models()} == set(KINDS)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_are_those_of_scikit_learn(activation):
    from sklearn.neural_network._base import ACTIVATIONS as THEIRS

    values = np.linspace(-3, 3, 20)[:, None]
    theirs = values.copy()
    THEIRS[activation](theirs)
    np.testing.assert_allclose(ACTIVATIONS[activation](values), theirs, rtol=1e-14)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.integers(-60, 60))
def test_products_do_not_depend_on_other_rows_and_are_precise(terms, columns, seed, exponent):
    random = np.random.default_rng(seed)
    rows = random.standard_normal((5, terms)) * 2.0 ** random.integers(-20, 20, (5, 1))
    matrix = random.standard_normal((terms, columns)) * 2.0**exponent
    found = product(rows, matrix)
    assert (product(rows[2:3], matrix) == found[2:3]).all()
    size = np.abs(rows) @ np.abs(matrix) + 1e-300
    exact = rows.astype(np.longdouble) @ matrix.astype(np.longdouble)
    assert (np.abs(found - exact) <= 2.0**-38 * size).all()
    assert ordered_sum(rows).tolist() == [float(ordered_sum(row[None])[0]) for row in rows]


def changed(model, **arrays):
    notation, own = to_notation(model, "m")
    return notation, own | {f"m.{name}": np.array(values) for name, values in arrays.items()}


@pytest.mark.parametrize(
    ("arrays", "what"),
    [
        ({"left": [0, 0, 3, 0, 0, 0]}, "not trees"),  # a circle
        ({"left": [2, 0, 3, 0, 0, 0]}, "not trees"),  # two parents
        ({"roots": [0, 1]}, "not trees"),  # a root that is a child
        ({"roots": [0]}, "not trees"),  # a node that nothing reaches
        ({"left": [1, 0, 99, 0, 0, 0]}, "outside 0..5"),
        ({"feature": [6, -1, 3, -1, -1, -1]}, "outside -1..5"),
        ({"feature": [0.0, -1, 3, -1, -1, -1]}, "no array feature of whole numbers"),
        ({"threshold": [[0.5] * 6]}, "no array threshold"),
        ({"value": [0.0, 1, 0, np.inf, 3, 10]}, "not finite"),
        ({"value": [0.0, 1]}, "has the shape"),
        ({"roots": np.zeros(0, dtype=int)}, "has the shape"),
    ],
)
def test_hostile_trees_are_one_line(arrays, what):
    with pytest.raises(DataError, match=what) as caught:
        from_notation(*changed(tree(), **arrays), "m")
    assert "\n" not in str(caught.value)


def test_trees_of_too_many_levels_are_refused():
    nodes = 2 * MOST_DEPTH + 3
    inner = np.arange(nodes) % 2 == 0
    inner[-1] = False
    feature = np.where(inner, 0, -1)
    left, right = (np.where(inner, np.arange(nodes) + step, 0) for step in (1, 2))
    with pytest.raises(DataError, match="at most 500 levels"):
        from_notation(*to_notation(StoredTrees(1, feature, feature * 0.0, left, right, feature * 0.0, [0]), "m"), "m")


def nested(depth):
    inner = {"kind": "constant", "settings": {"inputs": 1, "value": 1.0}, "parts": []}
    for _ in range(depth):
        inner = {"kind": "average", "settings": {}, "parts": [inner]}
    return inner


@pytest.mark.parametrize(
    "notation",
    [
        None,
        [],
        {"kind": "constant"},
        {"kind": "python", "settings": {}, "parts": []},
        {"kind": ["constant"], "settings": {}, "parts": []},
        {"kind": "constant", "settings": [], "parts": []},
        {"kind": "constant", "settings": {"inputs": True, "value": 1.0}, "parts": []},
        {"kind": "constant", "settings": {"inputs": 2**40, "value": 1.0}, "parts": []},
        {"kind": "constant", "settings": {"inputs": 1, "value": "1"}, "parts": []},
        {"kind": "constant", "settings": {"inputs": 1, "value": float("nan")}, "parts": []},
        {"kind": "scaled", "settings": {"factor": 1.0, "shift": 0.0}, "parts": []},
        {"kind": "average", "settings": {}, "parts": []},
        {"kind": "perceptron", "settings": {"layers": 1, "activation": "eval"}, "parts": []},
        {"kind": "kernels", "settings": {}, "parts": []},
        nested(30),
    ],
)
def test_hostile_notations_are_one_line(notation):
    with pytest.raises(DataError) as caught:
        from_notation(notation, {}, "m")
    assert "\n" not in str(caught.value)
