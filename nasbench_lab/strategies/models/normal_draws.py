"""Standard normal numbers from the streams of runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.strategies.parts import elementary
from nasbench_lab.streams import Streams

_RADII = 2.0**26  # 26 of the 53 bits of a uniform choose a radius, the others an angle


def normal_numbers(streams: Streams, n: int) -> NDArray[np.float32]:
    """Return ``n`` standard normal numbers per run in single precision, shape (runs, n).

    One uniform gives two normal numbers, by Box and Muller, A Note on the Generation of Random Normal Deviates, Annals
    of Mathematical Statistics 1958: r cos(2 pi v) and r sin(2 pi v) with r = sqrt(-2 log u). u is one of 2**26 numbers,
    so no result is farther from zero than 6.1; of a billion true normal numbers, about one would be.

    >>> normal_numbers(Streams(seed=0, first_run=0, runs=1), 3).astype(float).round(3).tolist()
    [[0.484, 0.528, 0.274]]
    """
    half = -(-n // 2)
    uniform = np.ascontiguousarray(streams.uniform(half)) * _RADII
    whole = np.floor(uniform)
    uniform -= whole
    whole += 0.5
    whole /= _RADII
    radius = np.sqrt(-2.0 * elementary.log(whole))
    normal = np.empty((len(uniform), 2, half), dtype=np.float32)
    sine, cosine = elementary.sine_and_cosine(uniform)
    normal[:, 0], normal[:, 1] = radius * cosine, radius * sine
    return normal.reshape(len(uniform), -1)[:, :n]
