"""Counts of differing entries, looked up and counted, against the vectors themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab.spaces import Cell101Space, ChainSpace, make_space
from nasbench_lab.strategies.models import distances
from nasbench_lab.strategies.models.encodings import ENCODINGS, PackedEncoding, encode

SPACES = {"chain": ChainSpace("abc", 3), "topology": make_space({"name": "topology"}), "cell101": Cell101Space(4)}


@pytest.mark.parametrize("most_kept", [2**27, 40_000, 0], ids=["kept", "kept at first", "never kept"])
@given(
    kind=st.sampled_from(list(SPACES)),
    encoding=st.sampled_from(ENCODINGS),
    seed=st.integers(0, 2**32),
    points=st.integers(1, 70),
)
@settings(max_examples=20)
def test_counts_are_those_of_the_vectors(most_kept, kind, encoding, seed, points):
    space, runs, rng = SPACES[kind], 2, np.random.default_rng(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distances, "_MOST_KEPT", most_kept)
        packed = PackedEncoding(space, encoding)
        found = distances.Distances(packed, runs)
        architecture = rng.integers(space.size, size=(runs, points))
        to_earlier = [found.add(column) for column in architecture.T]
    vectors = encode(space, architecture, encoding)
    between = (vectors[:, :, None] != vectors[:, None]).sum(axis=-1)
    assert np.array_equal(found.between(), between)
    assert all(np.array_equal(to_earlier[i], between[:, i, :i]) for i in range(points))
    others = rng.integers(space.size, size=9)
    expected = (encode(space, others, encoding)[:, None] != vectors[1]).sum(axis=-1)
    assert np.array_equal(found.of(1, others), expected)
    assert np.array_equal(packed.ones(others), encode(space, others, encoding).sum(axis=-1))
