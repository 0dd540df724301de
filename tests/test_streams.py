"""Random streams: published generator, independence, the same values however they are drawn."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import example, given
from hypothesis import strategies as st

from nasbench_lab.errors import ParameterError
from nasbench_lab.streams import Streams, mix64, mix_gamma, scale

SEEDS = st.integers(0, 2**128 - 1)


def test_mix64_gives_the_published_splitmix64_sequence():
    # The first outputs for the seed 1234567, as listed with the reference code in many libraries' tests.
    state = np.uint64(1234567) + np.arange(1, 6, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert mix64(state).tolist() == expected


def reference_uniforms(seed, run, purpose, n):
    """The documented definition, one run at a time in Python integers."""
    counter = np.array([run, 0, 0, purpose], dtype=np.uint64)
    start, word, _, _ = (int(w) for w in np.random.Philox(key=seed, counter=counter).random_raw(4))
    gamma = word | 1
    if (gamma ^ (gamma >> 1)).bit_count() < 24:
        gamma ^= 0xAAAAAAAAAAAAAAAA
    uniforms = []
    for i in range(1, n + 1):
        z = (start + i * gamma) % 2**64
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        uniforms.append(((z ^ (z >> 31)) >> 11) * 2.0**-53)
    return uniforms


@example(0, 2**63 - 1, 0, [1])
@example(0, 2**64 - 3, 1, [1])
@given(SEEDS, st.integers(0, 2**64 - 3), st.integers(0, 3), st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_streams_follow_their_definition_however_they_are_drawn(seed, first, purpose, counts):
    streams = Streams(seed, first, 3, purpose)
    drawn = np.concatenate([streams.uniform(n).copy() for n in counts], axis=1)
    for position in range(3):
        assert drawn[position].tolist() == reference_uniforms(seed, first + position, purpose, sum(counts))


DRAWS = st.lists(st.tuples(st.booleans(), st.integers(1, 40)), min_size=1, max_size=8)


@example(seed=0, draws=[(True, 20_000), (False, 2), (False, 1), (True, 1)])
@given(seed=SEEDS, draws=DRAWS)
def test_what_is_set_aside_is_what_would_have_been_drawn(seed, draws):
    """Draws, some set aside, give the same numbers as one draw of all; what is set aside is made in any order."""
    streams, runs = Streams(seed, 5, 3), np.arange(3)
    everything = Streams(seed, 5, 3).uniform(sum(n for _, n in draws)).copy()
    later, begin = [], 0
    for aside, n in draws:
        if aside:
            later.append((begin, n, streams.set_aside(n)))
        else:
            assert np.array_equal(streams.uniform(n), everything[:, begin : begin + n])
        begin += n
    for begin, n, aside in reversed(later):
        assert np.array_equal(aside.uniform(0, n, runs).T, everything[:, begin : begin + n])
        assert np.array_equal(aside.uniform(n - 1, 1, runs[[2, 0, 2]])[0], everything[[2, 0, 2], begin + n - 1])
        with pytest.raises(IndexError, match=f"of {n}"):
            aside.uniform(n, 1, runs)


def test_draws_larger_than_the_buffer():
    at_once, in_parts = Streams(1, 0, 2), Streams(1, 0, 2)
    whole = at_once.uniform(70_000).copy()
    parts = np.concatenate([in_parts.uniform(n).copy() for n in (1, 40_000, 29_999)], axis=1)
    assert np.array_equal(whole, parts)


def test_increments_are_odd_and_change_often():
    words = np.array([0, 1, 2**64 - 1, 0x5555555555555555], dtype=np.uint64)
    for gamma in mix_gamma(words).tolist():
        assert gamma % 2 == 1
        assert (gamma ^ (gamma >> 1)).bit_count() >= 24


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 10**9))
def test_scaled_uniforms_stay_below_their_bound(uniform, high):
    assert 0 <= scale(np.array([uniform]), high)[0] < high


def test_the_largest_uniform_stays_below_its_bound():
    largest = np.array([1 - 2.0**-53])
    assert all(scale(largest, high)[0] == high - 1 for high in (1, 2, 3, 10, 15_625, 423_624, 2**40 + 1))


def test_integers_are_uniform_and_runs_uncorrelated():
    drawn = Streams(11, 0, 200).integers(10, 500)
    assert scipy.stats.chisquare(np.bincount(drawn.reshape(-1), minlength=10)).pvalue > 1e-4
    correlation = np.corrcoef(Streams(12, 0, 60).uniform(4000))
    off_diagonal = correlation[~np.eye(60, dtype=bool)]
    # 3,540 correlations of independent uniforms, each normal with deviation 1/sqrt(4000).
    assert np.abs(off_diagonal).max() < 5 / np.sqrt(4000)


def test_generators_of_runs_are_reproducible_and_differ():
    three, alone = Streams(3, 0, 3), Streams(3, 2, 1)
    assert three.generator(2).random() == alone.generator(0).random()
    assert three.generator(0).random() != three.generator(1).random()


@pytest.mark.parametrize(("seed", "first", "runs"), [(-1, 0, 1), (2**128, 0, 1), (0, -1, 1), (0, 0, 0), (0, 2**64, 1)])
def test_impossible_streams_are_refused(seed, first, runs):
    with pytest.raises(ParameterError):
        Streams(seed, first, runs)
