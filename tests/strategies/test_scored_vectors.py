"""Vectors with scores: every run asks for the score of an architecture once, and gets the right one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbench_lab.spaces import ChainSpace
from nasbench_lab.strategies.parts.scored_vectors import ScoredVectors
from nasbench_lab.strategies.problem import Scores

SPACE = ChainSpace("abc", 2)
VALUES = {"one": np.array([3.0, np.nan, 1.0, 4.0, 1.0, 5.0, 9.0, np.nan, 6.0]), "two": np.arange(9.0)}


class Recorded(Scores):
    """Scores that note what was asked for."""

    names = ("one", "two")

    def __init__(self):
        self.asked = []

    def score(self, name, architecture):
        self.asked += [(name, run, one) for run, row in enumerate(architecture.tolist()) for one in row if one >= 0]
        return np.where(architecture >= 0, VALUES[name][np.maximum(architecture, 0)], np.nan)


@given(
    encoding=st.sampled_from(["scores", "codes+two", "one+counts", "two+one", "codes"]),
    runs=st.integers(1, 3),
    lengths=st.lists(st.integers(1, 8), min_size=1, max_size=4),
    seed=st.integers(0, 99),
)
@settings(max_examples=50, deadline=None)
def test_scores_are_bought_once(encoding, runs, lengths, seed):
    random, scores = np.random.default_rng(seed), Recorded()
    vectors = ScoredVectors(SPACE, scores, encoding, runs)
    names = [name for name in ("one", "two") if name in encoding or encoding == "scores"]
    if encoding == "two+one":
        names.reverse()
    known = [set() for _ in range(runs)]
    for length in lengths:
        architecture = random.integers(9, size=(runs, length))
        found = vectors.encode(architecture)
        for run in range(runs):
            known[run] |= set(architecture[run].tolist())
            for place, one in enumerate(architecture[run].tolist()):
                lowest = [np.nanmin([*VALUES[name][sorted(known[run])], np.inf]) for name in names]
                lowest = [0.0 if np.isinf(low) else low for low in lowest]
                values = [VALUES[name][one] for name in names]
                expected = [low if np.isnan(value) else value for value, low in zip(values, lowest, strict=True)]
                if "codes" in encoding or "counts" in encoding:
                    expected = [*SPACE.encode(one, "codes" if "codes" in encoding else "counts"), *expected]
                assert found[run, place].tolist() == expected
    wanted = {(name, run, one) for name in names for run in range(runs) for one in known[run]}
    assert sorted(scores.asked) == sorted(wanted)
    everything = vectors.encode_all()
    assert everything.shape[:2] == (runs, 9)
    assert len(scores.asked) == len(set(scores.asked)) == len(names) * runs * 9


def test_a_copy_of_the_whole_space_is_not_made_for_every_run():
    vectors = ScoredVectors(SPACE, Recorded(), "codes", 3)
    assert vectors.encode_all().strides[0] == 0
    assert np.array_equal(vectors.encode_all()[2], SPACE.codes(np.arange(9)))
