"""Elementary functions and products that are the same bits in every order and on every processor."""

import numpy as np
import pytest
from scipy import special

from nasbench_lab.strategies.models.exact_products import bits_for, product, rounded
from nasbench_lab.strategies.parts import elementary

RANDOM = np.random.default_rng(0)
EXTENDED = np.longdouble


def units_in_the_last_place(found, exact):
    return float((np.abs(found.astype(EXTENDED) - exact) / np.spacing(np.abs(exact).astype(float))).max())


needs_long_double = pytest.mark.skipif(
    np.finfo(np.longdouble).nmant < 60, reason="no numbers of more than double precision here"
)


@needs_long_double
def test_exp_and_log_are_precise():
    x = np.concatenate([RANDOM.uniform(-700, 700, 20_000), RANDOM.normal(size=20_000), RANDOM.normal(size=999) * 1e-9])
    assert units_in_the_last_place(elementary.exp(x), np.exp(x.astype(EXTENDED))) < 1
    positive = np.concatenate([elementary.exp(x), 1 + RANDOM.normal(size=5_000) * 1e-3])
    assert units_in_the_last_place(elementary.log(positive), np.log(positive.astype(EXTENDED))) < 1


@needs_long_double
def test_other_functions_are_precise():
    x, turns = RANDOM.normal(size=20_000) * 3, RANDOM.random(20_000)
    assert np.abs(elementary.tanh(x) - np.tanh(x.astype(EXTENDED))).max() < 2.3e-16
    angle = 2 * EXTENDED("3.14159265358979323846264338327950288") * turns.astype(EXTENDED)
    sine, cosine = elementary.sine_and_cosine(turns)
    assert np.abs(sine - np.sin(angle)).max() < 4e-16
    assert np.abs(cosine - np.cos(angle)).max() < 4e-16


def test_normal_distribution():
    z = RANDOM.normal(size=3_000) * 4
    np.testing.assert_allclose(elementary.normal_cdf(z), special.ndtr(z), atol=4e-16, rtol=0)
    np.testing.assert_allclose(elementary.normal_cdf(z), special.ndtr(z), rtol=1e-12)
    np.testing.assert_allclose(elementary.log_normal_cdf(z), special.log_ndtr(z), atol=4e-16, rtol=9e-16)


def test_special_numbers():
    given = np.array([np.nan, np.inf, -np.inf, 710.0, -710.0, 0.0])
    np.testing.assert_array_equal(elementary.exp(given), [np.nan, np.inf, 0, np.inf, 0, 1])
    logarithms = elementary.log(np.array([np.nan, np.inf, 0.0, -1.0, 1.0]))
    np.testing.assert_array_equal(logarithms, [np.nan, np.inf, -np.inf, np.nan, 0])
    np.testing.assert_array_equal(elementary.tanh(given), [np.nan, 1, -1, 1, -1, 0])
    assert elementary.log(np.array([5e-324]))[0] == pytest.approx(-744.4400719213812)
    assert elementary.power(2.0, 10.0) == pytest.approx(1024)


def test_fixed_results():
    """Bits that must not change, with any processor, library or version."""
    x = np.array([-1.0, 0.3, 12.25])
    wanted = {
        "exp": ["0x1.78b56362cef38p-2", "0x1.599058c8c1a96p+0", "0x1.982aa4f9aec90p+17"],
        "tanh": ["-0x1.85efab514f394p-1", "0x1.2a4dda7d914fap-2", "0x1.ffffffff9b4bep-1"],
        "normal_cdf": ["0x1.44ed0bb7cb20cp-3", "0x1.3c5ee2cc40b79p-1", "0x1.0000000000000p+0"],
    }
    for name, bits in wanted.items():
        assert [one.hex() for one in getattr(elementary, name)(x).tolist()] == bits
    logarithms = elementary.log(np.array([0.3, 1.7, 12.25]))
    assert [one.hex() for one in logarithms.tolist()] == [
        *("-0x1.34378fcbda721p+0", "0x1.0fae81914a991p-1", "0x1.40b512eb53d60p+1")
    ]


@pytest.mark.parametrize("terms", [1, 2, 3, 20, 512, 513, 5_000])
def test_products_of_rounded_matrices_are_exact(terms):
    """In any order, and the same as with whole numbers of Python."""
    bits = bits_for(terms)
    one, other = RANDOM.uniform(-1, 1, size=(2, 3, terms)) * 1e3, RANDOM.uniform(-1, 1, size=(2, terms, 2)) * 1e-5
    one[0, 0], other[0, :, 0] = 1023.9, 0.99e-5  # the largest possible sums
    left, right = rounded(one, bits), rounded(other, bits)
    found = product(left, right)
    order = RANDOM.permutation(terms)
    assert (product(left[:, :, order], right[:, order]) == found).all()
    assert (np.cumsum(left[:, :, :, None] * right[:, None], axis=2)[:, :, -1] == found).all()
    shift = 2.0**80
    for stack, row, column in np.ndindex(found.shape):
        exact = sum(
            int(a * shift) * int(b * shift) for a, b in zip(left[stack, row], right[stack, :, column], strict=True)
        )
        assert int(found[stack, row, column] * shift) * 2**80 == exact
    assert np.abs(left - one).max() <= 2.0 ** (10 - bits) / 2 * (1 + 1e-9)


def test_rounding_does_not_depend_on_other_matrices():
    stack = RANDOM.normal(size=(4, 5, 6)) * np.array([1.0, 1e-300, 1e6, 0.0])[:, None, None]
    for number in range(4):
        assert (rounded(stack[number : number + 1], 20) == rounded(stack, 20)[number]).all()
    same = stack.copy()
    assert rounded(same, 20, out=same) is same
    assert (same == rounded(stack, 20)).all()
