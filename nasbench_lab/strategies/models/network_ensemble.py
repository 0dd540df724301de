"""Ensembles of small neural networks; those of all runs are trained together as stacks of matrix products.

Parameters have single precision. All products are exact (see `exact_products`). So a network is the same bit for bit on
every processor, whatever the other networks in the stack.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.strategies.models.exact_products import bits_for, product, rounded
from nasbench_lab.strategies.parts.elementary import exp

SingleArray = NDArray[np.float32]

Slope = Callable[[FloatArray], FloatArray]
"""A function from the outputs of networks to the derivatives of a loss by them; both have shape (runs, members, n)."""

_EPSILON = np.float32(1e-7)
_SMALLEST = 1e-300


@dataclass(frozen=True)
class Networks:
    """Fully connected networks with rectified linear units and one output.

    Attributes:
        inputs: length of the input vectors.
        layers: number of hidden layers.
        width: number of units per hidden layer.
        members: number of networks per run.
        steps: number of steps of Adam over all examples (Kingma and Ba, ICLR 2015).
        learning_rate: learning rate of Adam; its decays are 0.9 and 0.99, as in BANANAS.
    """

    inputs: int
    layers: int
    width: int
    members: int
    steps: int
    learning_rate: float

    @property
    def uniforms(self) -> int:
        """Number of uniforms that a run needs to initialise its networks."""
        return self.members * sum(fan_in * fan_out for fan_in, fan_out in self._shapes)

    @property
    def _shapes(self) -> list[tuple[int, int]]:
        widths = [self.inputs, *[self.width] * self.layers, 1]
        return list(itertools.pairwise(widths))

    def initial(self, uniform: FloatArray) -> list[SingleArray]:
        """Return weights and biases, layer by layer, each of shape (runs, members, fan in or 1, fan out).

        Weights are uniform in +-sqrt(6 / (fan in + fan out)) (Glorot and Bengio, AISTATS 2010), biases 0.

        Args:
            uniform: in [0, 1), shape (runs, uniforms).
        """
        runs, first, parameters = len(uniform), 0, []
        for fan_in, fan_out in self._shapes:
            count = self.members * fan_in * fan_out
            limit = math.sqrt(6.0 / (fan_in + fan_out))
            drawn = (2.0 * np.ascontiguousarray(uniform[:, first : first + count]) - 1.0) * limit
            parameters.append(drawn.astype(np.float32).reshape(runs, self.members, fan_in, fan_out))
            parameters.append(np.zeros((runs, self.members, 1, fan_out), dtype=np.float32))
            first += count
        return parameters

    def predict(self, parameters: list[SingleArray], x: SingleArray) -> FloatArray:
        """Return the outputs for vectors of shape (runs or 1, n, inputs); shape (runs, members, n)."""
        bits = self._bits(0)
        weights = [rounded(matrix.astype(np.float64), bits) for matrix in parameters[::2]]
        runs = len(weights[0])
        outputs = np.empty((runs, self.members, x.shape[1]))
        for run in range(runs):  # one run at a time, so that its outputs stay in the cache
            one = slice(run, run + 1)
            inputs = rounded(x[one if len(x) > 1 else slice(1), None].astype(np.float64), bits)
            biases = [bias[one] for bias in parameters[1::2]]
            outputs[one] = _forward([matrix[one] for matrix in weights], biases, inputs, bits)[-1][..., 0]
        return outputs

    def train(self, parameters: list[SingleArray], x: SingleArray, slope: Slope) -> None:
        """Change parameters in place to reduce a loss.

        Args:
            parameters: returned by `initial`.
            x: examples, shape (runs, n, inputs).
            slope: returns the derivatives of the loss by the outputs, shape (runs, members, n) for both.
        """
        kept, kept_square = 1.0, 1.0
        place = _used_inputs(x)
        inputs = np.take_along_axis(x, place[:, None], axis=2)
        inputs = np.concatenate([inputs, np.zeros_like(inputs[:, :, :1])], axis=2)
        examples = rounded(inputs.astype(np.float64), self._bits(x.shape[1]))
        trained = [_kept_rows(parameters[0], place), *parameters[1:]]
        together = np.concatenate([matrix.ravel() for matrix in trained])  # a step of Adam is one pass over all of them
        views = _views(together, trained)
        slopes, first, second = np.zeros_like(together), np.zeros_like(together), np.zeros_like(together)
        slope_views = _views(slopes, trained)
        for _ in range(self.steps):
            for view, gradient in zip(slope_views, self.gradients(views, examples, slope), strict=True):
                view[...] = gradient
            kept, kept_square = kept * 0.9, kept_square * 0.99  # not powers, whose last bits depend on the system
            rate = self.learning_rate * math.sqrt(1 - kept_square) / (1 - kept)
            _adam(together, first, second, slopes, rate)
        np.put_along_axis(parameters[0], place[:, None, :, None], views[0][:, :, :-1], axis=2)
        for parameter, view in zip(parameters[1:], views[1:], strict=True):
            parameter[...] = view

    def gradients(self, parameters: list[SingleArray], x: FloatArray, slope: Slope) -> list[FloatArray]:
        """Return the derivatives of the loss by all parameters, for inputs that are rounded (see `train`)."""
        bits = self._bits(x.shape[1])
        weights = [rounded(matrix.astype(np.float64), bits) for matrix in parameters[::2]]
        outputs = _forward(weights, parameters[1::2], x[:, None], bits)
        back = slope(outputs[-1][..., 0])[..., None]
        gradients: list[FloatArray] = []
        for layer in range(self.layers, -1, -1):
            rounded(back, bits, out=back)
            gradients += [back.sum(axis=2, keepdims=True), product(outputs[layer].swapaxes(2, 3), back)]
            if layer:
                back = product(back, weights[layer].swapaxes(2, 3))
                np.copyto(back, 0.0, where=outputs[layer] <= 0)
        return gradients[::-1]

    def _bits(self, examples: int) -> int:
        """Return to how many bits factors are rounded; a gradient is a sum over examples."""
        return bits_for(max(self.inputs, self.width, examples))


def _forward(weights: list[FloatArray], biases: list[SingleArray], x: FloatArray, bits: int) -> list[FloatArray]:
    """Return the inputs and the output of every layer, for rounded weights and inputs."""
    outputs = [x]
    for matrix, bias in zip(weights, biases, strict=True):
        out = product(outputs[-1], matrix)
        out += bias
        if len(outputs) < len(weights):
            np.maximum(out, 0.0, out=out)
            rounded(out, bits, out=out)
        outputs.append(out)
    return outputs


def _used_inputs(x: SingleArray) -> IntArray:
    """Return the inputs that are not zero in all examples of a run, shape (runs, largest number of them).

    The weights of the others have no slope, so training does not change them. A run with fewer of them gets others.
    """
    used = (x != 0).any(axis=1)
    return np.argsort(~used, axis=1, kind="stable")[:, : used.sum(axis=1).max()]


def _kept_rows(matrix: SingleArray, place: IntArray) -> SingleArray:
    """Return rows of first weights, shape (runs, members, rows, width), and one more for the size of all others.

    The largest weight of a matrix determines how it is rounded, so the last row has the largest that was left out.
    """
    rows = np.take_along_axis(matrix, place[:, None, :, None], axis=2)
    others = np.abs(matrix)
    np.put_along_axis(others, place[:, None, :, None], 0.0, axis=2)
    last = np.zeros_like(matrix[:, :, :1])
    last[..., 0] = others.max(axis=(2, 3), initial=0.0)[..., None]
    return np.concatenate([rows, last], axis=2)


def _views(together: SingleArray, like: list[SingleArray]) -> list[SingleArray]:
    """Return parts of an array with the shapes of other arrays."""
    ends = np.cumsum([matrix.size for matrix in like])[:-1]
    return [part.reshape(matrix.shape) for part, matrix in zip(np.split(together, ends), like, strict=True)]


def _adam(parameter: SingleArray, first: SingleArray, second: SingleArray, gradient: SingleArray, rate: float) -> None:
    """Change a parameter and its moments in place; overwrites the gradient."""
    first *= np.float32(0.9)
    first += np.float32(0.1) * gradient
    gradient *= gradient
    gradient *= np.float32(0.01)
    second *= np.float32(0.99)
    second += gradient
    change = np.sqrt(second, out=gradient)
    change += _EPSILON
    np.divide(first, change, out=change)
    change *= np.float32(rate)
    parameter -= change


def absolute_error(target: FloatArray) -> Slope:
    """Return the slope of the mean absolute error between outputs and targets, shape (runs, n)."""
    wanted = target[:, None]
    return lambda output: np.sign(output - wanted) / wanted.shape[2]


def squared_error(target: FloatArray) -> Slope:
    """Return the slope of the mean squared error between outputs and targets, shape (runs, n)."""
    wanted = target[:, None]
    return lambda output: (output - wanted) * (2 / wanted.shape[2])


def pairwise_ranking(target: FloatArray) -> Slope:
    """Return the slope of the mean of log(1 + exp(-(o_i - o_j))) over all pairs in which i is better than j.

    This is the cross-entropy of the probability 1 / (1 + exp(o_j - o_i)) that i is better than j (RankNet: Burges et
    al., ICML 2005, equation 3). Equal targets make no pair.

    Args:
        target: shape (runs, n), higher is better.
    """
    better = (target[:, :, None] > target[:, None, :]).astype(np.float64)[:, None]  # [i, j]: i is better than j
    pairs = np.maximum(better.sum(axis=(2, 3)), 1.0)[..., None]
    large = 1.5 * 2.0 ** target.shape[1].bit_length()

    def slope(output: FloatArray) -> FloatArray:
        height = exp(output - output.max(axis=2, keepdims=True))
        height = np.maximum(height, _SMALLEST)  # so that no quotient is 0 / 0
        wrong = height[:, :, None, :] / (height[:, :, :, None] + height[:, :, None, :])  # [i, j]: probability of j
        wrong *= better
        wrong += large  # rounds to so few bits that sums are exact
        wrong -= large
        # o_i rises by the pairs that i should win, and falls by the pairs that it should lose.
        return (wrong.sum(axis=2) - wrong.sum(axis=3)) / pairs

    return slope
