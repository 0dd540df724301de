"""Leaves found with masks and by walks are those of a plain walk, in trees of all sizes, and so are sums of trees."""

import pickle

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nasbench_lab.tables.surrogates.models.leaves import Masks, Nodes, Walks, leaf_finder, single_below
from nasbench_lab.tables.surrogates.models.trees import StoredTrees

INPUTS = 5


def grown(random, leaves):
    """Grow a tree by splitting random leaves: feature, threshold, left, right, value. Thresholds often repeat."""
    nodes = [[-1, 0.0, 0, 0, random.standard_normal() * 10.0 ** random.integers(-9, 9)]]
    while sum(node[0] < 0 for node in nodes) < leaves:
        place = random.choice([place for place, node in enumerate(nodes) if node[0] < 0])
        threshold = random.choice([0.1, 0.5, 1 / 3, random.random()])
        nodes[place][:4] = [int(random.integers(INPUTS)), threshold, len(nodes), len(nodes) + 1]
        nodes += [[-1, 0.0, 0, 0, random.standard_normal()] for _ in range(2)]
        if random.random() < 0.5:
            nodes[place][2:4] = nodes[place][3:1:-1]
    return nodes


def trees_of(sizes, seed, *, single):
    random, nodes, roots = np.random.default_rng(seed), [], []
    for leaves in sizes:
        roots.append(len(nodes))
        first = len(nodes)
        nodes += [[f, t, left + first if f >= 0 else 0, right + first if f >= 0 else 0, v]
                  for f, t, left, right, v in grown(random, leaves)]  # fmt: skip
    return StoredTrees(INPUTS, *map(list, zip(*nodes, strict=True)), roots, base=0.25, divisor=3.0, single=single)


def plain(model, row):
    """Walk one tree after the other, and add their values."""
    entries = [float(np.float32(each)) if model.single else float(each) for each in row]
    total = model.base
    for root in model.roots.tolist():
        node = root
        while model.feature[node] >= 0:
            node = int((model.right if entries[model.feature[node]] > model.threshold[node] else model.left)[node])
        total += float(model.value[node])
    return total / model.divisor


def rows(random, count, precision):
    values = random.choice([0.0, 0.1, 0.5, 1 / 3, 1.0, np.inf, -np.inf, np.nan], (count, INPUTS))
    return np.where(random.random((count, INPUTS)) < 0.5, random.random((count, INPUTS)), values).astype(precision)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=5),
    st.sampled_from([0, 16, 17, 33, 64, 65, 90]),
    st.booleans(),
    st.sampled_from([np.float32, np.float64]),
    st.integers(0, 2**32 - 1),
)
def test_trees_of_all_sizes_predict_what_a_plain_walk_does(sizes, largest, single, precision, seed):
    sizes = [*sizes, largest] if largest else sizes
    model = trees_of(sizes, seed, single=single)
    assert type(model._finder) is (Walks if max(sizes) > 64 else Masks)
    vectors = rows(np.random.default_rng(seed), 33, precision)
    expected = [plain(model, row) for row in vectors.tolist()]
    for count in (33, 2, 1):
        assert model.predict(vectors[:count]).tolist() == expected[:count]


@pytest.mark.parametrize("largest", [16, 80])
def test_batches_of_any_size_add_in_the_same_order(largest):
    model = trees_of([largest] * 40, 1, single=True)
    vectors = np.random.default_rng(2).random((1100, INPUTS))
    found = model.predict(vectors)
    assert found[::100].tolist() == [plain(model, row) for row in vectors[::100].tolist()]
    assert (
        np.concatenate([model.predict(vectors[:1]), model.predict(vectors[1:4]), model.predict(vectors[4:])]) == found
    ).all()
    assert len(model.predict(vectors[:0])) == 0


def test_masks_and_walks_agree():
    model = trees_of([1, 5, 64, 20], 3, single=False)
    nodes = Nodes(model.feature, model.threshold, model.left, model.right, model.value, model.roots)
    vectors = rows(np.random.default_rng(4), 200, np.float64)
    assert (leaf_finder(nodes).values(vectors) == Walks(nodes).values(vectors)).all()


def test_a_copy_of_a_model_has_no_masks():
    model = trees_of([9] * 30, 5, single=True)
    before = len(pickle.dumps(model))
    vectors = np.random.default_rng(6).random((3, INPUTS))
    expected = model.predict(vectors)
    assert len(pickle.dumps(model)) == before
    assert (pickle.loads(pickle.dumps(model)).predict(vectors) == expected).all()


@example(-3.402823364973241e38, 0.0)
@given(st.floats(allow_nan=False), st.floats(allow_nan=False, width=32))
def test_numbers_of_single_precision_are_above_both_or_none(threshold, number):
    below = single_below(np.array([threshold]))
    assert below.dtype == np.float32
    assert bool(np.float32(number) > below[0]) == (number > threshold)
