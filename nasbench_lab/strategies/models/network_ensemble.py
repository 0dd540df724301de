"""Ensembles of small neural networks; those of all runs are trained together as stacks of matrix products.

Networks use single precision. Every network is a matrix in a stack and is multiplied separately; sums over examples are
products with a vector of ones. So a network is the same bit for bit, whatever the other networks in the stack.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray

SingleArray = NDArray[np.float32]

Slope = Callable[[SingleArray], SingleArray]
"""A function from the outputs of networks to the derivatives of a loss by them; both have shape (runs, members, n)."""

_EPSILON = np.float32(1e-7)


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

    def predict(self, parameters: list[SingleArray], x: SingleArray) -> SingleArray:
        """Return the outputs for vectors of shape (runs or 1, n, inputs); shape (runs, members, n)."""
        return self._forward(parameters, x[:, None])[-1][..., 0]

    def train(self, parameters: list[SingleArray], x: SingleArray, slope: Slope) -> None:
        """Change parameters in place to reduce a loss.

        Args:
            parameters: returned by `initial`.
            x: examples, shape (runs, n, inputs).
            slope: returns the derivatives of the loss by the outputs, shape (runs, members, n) for both.
        """
        first = [np.zeros_like(parameter) for parameter in parameters]
        second = [np.zeros_like(parameter) for parameter in parameters]
        for step in range(1, self.steps + 1):
            gradients = self.gradients(parameters, x, slope)
            rate = self.learning_rate * math.sqrt(1 - 0.99**step) / (1 - 0.9**step)
            for parameter, m, v, gradient in zip(parameters, first, second, gradients, strict=True):
                _adam(parameter, m, v, gradient, rate)

    def gradients(self, parameters: list[SingleArray], x: SingleArray, slope: Slope) -> list[SingleArray]:
        """Return the derivatives of the loss by all parameters (see `train`)."""
        outputs = self._forward(parameters, x[:, None])
        back = slope(outputs[-1][..., 0])[..., None]
        ones = np.ones((1, x.shape[1]), dtype=np.float32)
        gradients: list[SingleArray] = []
        for layer in range(self.layers, -1, -1):
            gradients += [_product(ones, back), _product(outputs[layer].swapaxes(2, 3), back)]
            if layer:
                back = _product(back, parameters[2 * layer].swapaxes(2, 3))
                back *= outputs[layer] > 0
        return gradients[::-1]

    def _forward(self, parameters: list[SingleArray], x: SingleArray) -> list[SingleArray]:
        """Return the inputs and the output of every layer."""
        outputs = [x]
        for layer in range(self.layers + 1):
            out = _product(outputs[-1], parameters[2 * layer])
            out += parameters[2 * layer + 1]
            if layer < self.layers:
                np.maximum(out, np.float32(0), out=out)
            outputs.append(out)
        return outputs


def _product(one: SingleArray, other: SingleArray) -> SingleArray:
    """Multiply stacks of matrices.

    OpenBLAS sometimes reports an invalid operation although every number is finite (numpy/numpy#24067). The warning is
    ignored here; a true invalid number would show in all later results.
    """
    with np.errstate(invalid="ignore"):
        return np.matmul(one, other)


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
    wanted = target[:, None].astype(np.float32)
    return lambda output: np.sign(output - wanted) / np.float32(wanted.shape[2])


def squared_error(target: FloatArray) -> Slope:
    """Return the slope of the mean squared error between outputs and targets, shape (runs, n)."""
    wanted = target[:, None].astype(np.float32)
    return lambda output: (output - wanted) * np.float32(2 / wanted.shape[2])


def pairwise_ranking(target: FloatArray) -> Slope:
    """Return the slope of the mean of log(1 + exp(-(o_i - o_j))) over all pairs in which i is better than j.

    This is the cross-entropy of the probability 1 / (1 + exp(o_j - o_i)) that i is better than j (RankNet: Burges et
    al., ICML 2005, equation 3). Equal targets make no pair.

    Args:
        target: shape (runs, n), higher is better.
    """
    better = (target[:, :, None] > target[:, None, :]).astype(np.float32)  # [i, j]: i is better than j
    pairs = np.maximum(better.sum(axis=(1, 2)), np.float32(1))[:, None, None]
    better = (better / pairs)[:, None]
    ones = np.ones((target.shape[1], 1), dtype=np.float32)

    def slope(output: SingleArray) -> SingleArray:
        difference = np.clip(output[:, :, :, None] - output[:, :, None, :], -30.0, 30.0)
        share = better / (1.0 + np.exp(difference))
        # o_i rises by the pairs that i should win, and falls by the pairs that it should lose.
        return (_product(share.swapaxes(2, 3), ones) - _product(share, ones))[..., 0]

    return slope
