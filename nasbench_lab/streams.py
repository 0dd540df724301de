"""Random streams: one per run, independent of each other, and reproducible alone.

Run ``r`` of a simulation with root seed ``s`` owns one instance of SplitMix64 (Steele, Lea and Flood, "Fast splittable
pseudorandom number generators", OOPSLA 2014): a start and an odd increment. Both come from the four words that
Philox4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) gives for the key ``s`` and a
counter made of ``r`` and the purpose of the stream. In plain NumPy, the uniforms of one run are::

    counter = np.array([r, 0, 0, purpose], dtype=np.uint64)  # not a list: NumPy would round it above 2**63
    start, word, _, _ = np.random.Philox(key=s, counter=counter).random_raw(4)
    increment = mix_gamma(word)                              # odd, with enough bit changes
    z = start + np.arange(1, n + 1, dtype=np.uint64) * increment
    uniforms = (mix64(z) >> 11) * 2.0**-53                   # float64 in [0, 1)

This is integer arithmetic modulo 2**64 only, so the values are the same on every platform. NumPy guarantees the output
of its bit generators, so the values do not change between releases.

All runs of a simulation advance together: a call gives the same number of uniforms to every run, whether the run needs
them or not. This makes the result of a run independent of the other runs ("batch invariance"). So never draw under a
condition that depends on the state of a run: draw for all runs, then use the numbers that are needed.

>>> two = Streams(seed=7, first_run=0, runs=2)
>>> alone = Streams(seed=7, first_run=1, runs=1)
>>> bool((two.uniform(3)[1] == alone.uniform(3)[0]).all())
True
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import AtLeast, AtMost, require, whole
from nasbench_lab.messages import shortened

WordArray = NDArray[np.uint64]

STRATEGY = 0
"""Purpose of the stream of a strategy."""
MEASUREMENT = 1
"""Purpose of the stream that chooses the observed repeats of measurements."""
SCORE = 2
"""Purpose of the stream that chooses the repeat of scores, such as the supernet of a run."""

_MAX_SEED = 2**128
_MAX_RUN = 2**64

MOST_RUNS = 10**9
"""Largest number of runs of a simulation. More would not fit into the memory of any machine."""
_TILE = 2**15  # uniforms that are generated at a time, over all runs: 256 KiB fit into the second-level cache


def check_seed(seed: int, first_run: int, runs: int) -> None:
    """Raise a ParameterError unless the numbers address valid streams."""
    whole("seed", seed)
    require(0 <= seed < _MAX_SEED, f"seed must be an integer in [0, 2**128), got {shortened(seed)}")
    whole("runs", runs, AtLeast(1), AtMost(MOST_RUNS))
    whole("first_run", first_run)
    possible = 0 <= first_run <= _MAX_RUN - runs
    require(possible, f"first_run must be at least 0 (and first_run + runs at most 2**64), got {shortened(first_run)}")


def run_words(seed: int, first_run: int, runs: int, purpose: int) -> WordArray:
    """Return the four Philox words from which the stream of every run starts, shape (runs, 4)."""
    counter = np.array([first_run, 0, 0, purpose], dtype=np.uint64)
    return np.random.Philox(key=seed, counter=counter).random_raw(4 * runs).reshape(runs, 4)


def mix64(z: WordArray, scratch: WordArray | None = None) -> WordArray:
    """Apply the output function of SplitMix64 to 64-bit words, in place, and return them.

    Args:
        z: the words.
        scratch: working memory of the shape of ``z``.
    """
    shifted = np.empty_like(z) if scratch is None else scratch
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        np.right_shift(z, np.uint64(shift), out=shifted)
        z ^= shifted
        z *= np.uint64(factor)
    np.right_shift(z, np.uint64(31), out=shifted)
    z ^= shifted
    return z


def mix_gamma(word: WordArray) -> WordArray:
    """Turn words into SplitMix64 increments: odd, and with at least 24 bit changes (Steele et al. 2014, figure 16)."""
    odd = word | np.uint64(1)
    changes = np.bitwise_count(odd ^ (odd >> np.uint64(1)))
    return np.where(changes < 24, odd ^ np.uint64(0xAAAAAAAAAAAAAAAA), odd)


class Streams:
    """The streams of the runs ``first_run``, ..., ``first_run + runs - 1``, which advance in lock step.

    Args:
        seed: root seed, 0 <= seed < 2**128.
        first_run: number of the first run.
        runs: number of runs.
        purpose: stream of the runs, ``STRATEGY``, ``MEASUREMENT`` or ``SCORE``.

    Raises:
        ParameterError: a number is not whole or out of range.
    """

    def __init__(self, seed: int, first_run: int, runs: int, purpose: int = STRATEGY) -> None:
        check_seed(seed, first_run, runs)
        self.seed, self.first_run, self.runs, self.purpose = seed, first_run, runs, purpose
        words = run_words(seed, first_run, runs, purpose)
        self._start, self._increment = words[:, 0].copy(), mix_gamma(words[:, 1])
        self._made = 0  # uniforms generated so far, per run
        self._ahead = True  # whether more uniforms are generated than were asked for
        self._allocate(max(1, _TILE // runs))

    def uniform(self, n: int) -> FloatArray:
        """Return the next ``n`` uniforms in [0, 1) of every run, shape (runs, n).

        The array is a view of a buffer and only valid until the next call; its columns are contiguous.
        """
        if self._next + n > len(self._buffer):
            self._refill(n)
        drawn = self._buffer[self._next : self._next + n].T
        self._next += n
        return drawn

    def set_aside(self, n: int) -> SetAside:
        """Reserve the next ``n`` uniforms of every run, which are generated later, only for the runs that need them.

        >>> streams, same = (Streams(seed=7, first_run=0, runs=3) for _ in range(2))
        >>> eager, aside = same.uniform(5), streams.set_aside(5)
        >>> bool((aside.uniform(1, 2, np.array([2])) == eager[2, 1:3, None]).all())
        True
        """
        left = len(self._buffer) - self._next
        aside = SetAside(self._start, self._increment, self._made - left, n)
        self._next += min(n, left)
        self._made += max(n - left, 0)
        self._ahead = self._ahead and 2 * n <= len(self._buffer)  # otherwise most of the buffer is skipped next time
        return aside

    def integers(self, high: int | IntArray, n: int) -> IntArray:
        """Return ``n`` uniform integers in [0, high) for every run, shape (runs, n).

        ``high`` is a number, or an array that broadcasts against (runs, n). Each integer is ``floor(u * high)`` of one
        53-bit uniform u. Its bias is below high / 2**53, and it is the same on every platform.

        >>> Streams(seed=0, first_run=0, runs=2).integers(6, 4).tolist()
        [[5, 1, 1, 0], [1, 0, 2, 5]]
        """
        return scale(self.uniform(n), high)

    def generator(self, run: int) -> np.random.Generator:
        """Return a NumPy Generator (Philox) for one of these runs, counted from 0, seeded by the words of its stream.

        It is for code that draws any number of values for one run at a time. Its values are independent of those of
        `uniform`.
        """
        key = run_words(self.seed, self.first_run + run, 1, self.purpose)[0, 2:]
        return np.random.Generator(np.random.Philox(key=key))

    def _allocate(self, rows: int) -> None:
        """Allocate the buffer and its working memory once: new memory pages cost more time than the arithmetic."""
        self._buffer: FloatArray = np.empty((rows, self.runs))
        self._words: WordArray = np.empty((rows, self.runs), dtype=np.uint64)
        self._scratch: WordArray = np.empty_like(self._words)
        self._next = rows  # next row of the buffer to return

    def _refill(self, n: int) -> None:
        """Move the remaining uniforms to where the next call starts, and generate new ones behind them."""
        left = self._buffer[self._next :].copy()
        if n > len(self._buffer):
            self._allocate(n)
        self._next = 0 if self._ahead else len(self._buffer) - n
        self._buffer[self._next : self._next + len(left)] = left
        self._make(self._buffer[self._next + len(left) :])

    def _make(self, out: FloatArray) -> None:
        """Write the next ``len(out)`` uniforms of every run into ``out``, shape (n, runs)."""
        n = len(out)
        position = np.arange(self._made + 1, self._made + 1 + n, dtype=np.uint64)
        z = np.multiply(position[:, None], self._increment, out=self._words[:n])
        z += self._start
        _uniforms(z, self._scratch[:n], out)
        self._made += n


def _uniforms(z: WordArray, scratch: WordArray | None = None, out: FloatArray | None = None) -> FloatArray:
    """Turn states of SplitMix64 into uniforms; the states are overwritten."""
    mix64(z, scratch)
    z >>= np.uint64(11)
    return np.multiply(z, 2.0**-53, out=out)


@dataclass(frozen=True)
class SetAside:
    """Reserved uniforms of all runs, which are generated when they are needed (see `Streams.set_aside`).

    Attributes:
        start: start of the stream of every run, shape (runs,).
        increment: increment of the stream of every run, shape (runs,).
        before: number of uniforms per run before the reserved ones.
        n: number of reserved uniforms per run.
    """

    start: WordArray
    increment: WordArray
    before: int
    n: int

    def uniform(self, first: int, n: int, runs: IntArray) -> FloatArray:
        """Return the reserved uniforms ``first``, ..., ``first + n - 1`` of some runs, shape (n, len(runs)).

        Raises:
            IndexError: they are not all reserved.
        """
        if not 0 <= first <= first + n <= self.n:
            raise IndexError(f"uniforms {first} to {first + n} of {self.n}")
        position = np.arange(1, n + 1, dtype=np.uint64) + np.uint64(self.before + first)
        z = position[:, None] * self.increment[runs]
        z += self.start[runs]
        return _uniforms(z)


def scale(uniform: FloatArray, high: int | NDArray[np.signedinteger]) -> IntArray:
    """Turn uniforms in [0, 1) into integers in [0, high): ``floor(uniform * high)``, where the shapes broadcast.

    >>> scale(np.array([0.0, 0.5, 0.999]), 10).tolist()
    [0, 5, 9]
    """
    return (uniform * high).astype(np.int64)


MOST_OF_ONE_UNIFORM = 2**32
"""Up to so many values, `scale` is as good as uniform: no value is more than 2**-21 more likely than another."""

_HALF = np.uint64(27)
_LOW = np.uint64(2**27 - 1)
_BITS = np.uint64(53)  # of a uniform


def scale_columns(uniform: FloatArray, high: int | IntArray) -> IntArray:
    """Turn one or two uniforms in [0, 1) per value into integers in [0, high), shape (..., 1 or 2) to (...).

    >>> scale_columns(np.array([[0.5], [0.25]]), 8).tolist(), scale_columns(np.array([[0.5, 0.0]]), 2**62).tolist()
    ([4, 2], [2305843009213693952])
    """
    if uniform.shape[-1] == 1:
        return scale(uniform[..., 0], high)
    return scale_finely(uniform[..., 0], uniform[..., 1], high)


def scale_finely(uniform: FloatArray, rest: FloatArray, high: int | IntArray) -> IntArray:
    """Turn pairs of uniforms in [0, 1) into integers in [0, high), where ``high`` is at most 2**63 - 1.

    This is ``floor((uniform + rest / 2**53) * high)``, computed exactly, with integers. The bias is below 2**-43.

    >>> scale_finely(np.array([0.0, 0.5, 1 - 2**-53]), np.array([0.0, 0.25, 1 - 2**-53]), 2**63 - 1).tolist()
    [0, 4611686018427388159, 9223372036854775806]
    """
    quotient, remainder = _times(uniform, high)
    carried, _ = _times(rest, high)
    return (quotient + (remainder + carried >> _BITS)).astype(np.int64)


def _times(uniform: FloatArray, high: int | IntArray) -> tuple[WordArray, WordArray]:
    """Return the quotient and the remainder of ``uniform * 2**53 * high`` divided by 2**53."""
    word = (uniform * 2.0**53).astype(np.uint64)
    one, two = word >> _HALF, word & _LOW  # 26 and 27 bits
    factor = np.asarray(high).astype(np.uint64)
    three, four = factor >> _HALF, factor & _LOW  # 36 and 27 bits
    middle = one * four + two * three  # below 2**64
    low = ((middle & np.uint64(2**26 - 1)) << _HALF) + two * four
    quotient = (one * three << np.uint64(1)) + (middle >> np.uint64(26)) + (low >> _BITS)
    return quotient, low & np.uint64(2**53 - 1)
