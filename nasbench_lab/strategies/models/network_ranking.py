"""The architectures with the highest outputs of a network, without an exact computation of all outputs.

All outputs are computed in single precision, with a bound of their errors. Only those that can be among the highest
are computed exactly (see `exact_products`), so the result is the same on every processor.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.strategies.models.exact_products import bits_for, product, rounded
from nasbench_lab.strategies.models.network_ensemble import SingleArray

_ROWS = 2048  # so that the outputs of a layer stay in the cache


def highest(
    parameters: list[SingleArray], x: SingleArray, excluded: NDArray[np.bool_], count: int
) -> tuple[IntArray, NDArray[np.bool_]]:
    """Return the places of the highest outputs, highest first; ties: the first.

    Args:
        parameters: of one network per run, see `Networks.initial`.
        x: vectors of zeros and ones, shape (runs or 1, n, inputs).
        excluded: vectors that do not count, shape (runs, n).
        count: number of places, at most n.

    Returns:
        Places, shape (runs, count), and whether they exist; where too few vectors count, the last do not.
    """
    runs = len(excluded)
    places, exist = np.zeros((runs, count), dtype=np.int64), np.zeros((runs, count), dtype=bool)
    for run in range(runs):
        network = [parameter[run, 0] for parameter in parameters]
        vectors = x[run if len(x) > 1 else 0]
        guess = _single_precision(network, vectors)
        guess[excluded[run]] = -np.inf
        least = np.partition(guess, len(guess) - count)[-count]
        close = np.flatnonzero((guess >= least - 2 * error_bound(network)) & ~excluded[run])
        order = close[np.argsort(-exact_outputs(network, vectors[close]), kind="stable")][:count]
        places[run, : len(order)], exist[run, : len(order)] = order, True
    return places, exist


def error_bound(network: list[SingleArray]) -> float:
    """Return a bound of the difference between an output in single precision and an exact one, for inputs up to 1.

    A layer sums ``fan_in`` products. Single precision rounds each of them and every sum by 2**-24 of its size;
    `rounded` rounds the factors. The errors of the inputs grow by the sums of the absolute weights at most.
    """
    largest, error = 1.0, 0.0
    bits = _bits(network)
    for weights, bias in zip(network[::2], network[1::2], strict=True):
        size = np.abs(weights.astype(np.float64))
        growth, fan_in, offset = float(size.sum(axis=0).max()), len(size), float(np.abs(bias).max())
        products = largest * fan_in * float(size.max())
        error = growth * error + products * ((fan_in + 4) * 2.0**-23 + 2.0 ** (3 - bits)) + offset * 2.0**-22
        largest = growth * largest + offset + error
    return error


def exact_outputs(network: list[SingleArray], vectors: SingleArray) -> FloatArray:
    """Return outputs for vectors of shape (n, inputs), shape (n,).

    Every row of a layer's inputs is rounded by itself, so an output does not depend on the other vectors.
    """
    bits = _bits(network)
    out = vectors.astype(np.float64)
    for weights, bias in zip(network[::2], network[1::2], strict=True):
        factor = rounded(out[:, None], bits)[:, 0]
        out = product(factor, rounded(weights.astype(np.float64), bits))
        out += bias
        if weights is not network[-2]:
            np.maximum(out, 0.0, out=out)
    return out[:, 0]


def _single_precision(network: list[SingleArray], vectors: SingleArray) -> SingleArray:
    """Return outputs for vectors of shape (n, inputs), shape (n,)."""
    outputs = np.empty(len(vectors), dtype=np.float32)
    for first in range(0, len(vectors), _ROWS):
        out = vectors[first : first + _ROWS]
        for weights, bias in zip(network[::2], network[1::2], strict=True):
            out = out @ weights
            out += bias
            if weights is not network[-2]:
                np.maximum(out, 0.0, out=out)
        outputs[first : first + _ROWS] = out[:, 0]
    return outputs


def _bits(network: list[SingleArray]) -> int:
    return bits_for(max(len(weights) for weights in network[::2]))
