"""A recurrent policy over the sequence of choices: one stacked LSTM per run, all runs at once.

The network (Hochreiter and Schmidhuber 1997, with a forget gate) chooses one code after the other. At choice i its
input x is an embedding of the value of choice i - 1 (zeros at the first choice), and every layer computes::

    (i, f, o) = sigmoid(W [x, h] + b),    c~ = tanh(W' [x, h] + b')
    c = f c + i c~,    h = o tanh(c)

The h of a layer is the x of the next. The logits of choice i are V_i h + u_i with the h of the last layer.

All products are exact (see `exact_products`), so that a run depends neither on the other runs nor on the processor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.strategies.models.exact_products import bits_for, product, rounded
from nasbench_lab.strategies.parts import categorical, elementary


@dataclass(frozen=True)
class Shape:
    """The size of the network, and the positions of its parameters in a vector.

    Attributes:
        cardinalities: number of values of each choice.
        units: number of units of every layer, and of the embeddings.
        layers: number of layers.
    """

    cardinalities: tuple[int, ...]
    units: int
    layers: int

    @property
    def size(self) -> int:
        """Number of parameters."""
        values = sum(self.cardinalities)
        return self.layers * 4 * self.units * (2 * self.units + 1) + values * (2 * self.units + 1)

    def parts(self, parameters: FloatArray) -> Parts:
        """Return views of parameters (runs, size)."""
        runs, values, units = len(parameters), sum(self.cardinalities), self.units
        weights, at = [], 0
        for _ in range(self.layers):
            weights.append(parameters[:, at : at + 8 * units**2].reshape(runs, 4 * units, 2 * units))
            at += 8 * units**2
        biases = []
        for _ in range(self.layers):
            biases.append(parameters[:, at : at + 4 * units].reshape(runs, 4 * units, 1))
            at += 4 * units
        embedding = parameters[:, at : at + values * units].reshape(runs, values, units)
        output = parameters[:, at + values * units : at + 2 * values * units].reshape(runs, values, units)
        return Parts(weights, biases, embedding, output, parameters[:, at + 2 * values * units :, None])

    def bits(self, sequences: int) -> int:
        """Return to how many bits the factors of products are rounded; the gradient is a sum over sequences."""
        return bits_for(max(4 * self.units, *self.cardinalities, sequences))

    def rounded_parts(self, parameters: FloatArray, sequences: int) -> Parts:
        """Return parameters (runs, size) with rounded matrices, for products."""
        parts, bits = self.parts(parameters), self.bits(sequences)
        weights = [rounded(matrix, bits) for matrix in parts.weights]
        return replace(parts, weights=weights, output=rounded(parts.output, bits))


@dataclass(frozen=True)
class Parts:
    """The parameters by their role; the rows of the last three are the values of all choices, in order."""

    weights: Sequence[FloatArray]  # of each layer, (runs, 4 units, 2 units): gates i, f, o and the candidate
    biases: Sequence[FloatArray]  # (runs, 4 units, 1)
    embedding: FloatArray  # (runs, values of all choices, units)
    output: FloatArray  # (runs, values of all choices, units): V
    offset: FloatArray  # (runs, values of all choices, 1): u


@dataclass
class Memory:
    """The h and c of every layer, shape (runs, units, sequences)."""

    hidden: list[FloatArray]
    cell: list[FloatArray]


@dataclass
class Step:
    """The intermediate results of one choice that backpropagation needs; per layer, arrays (runs, ..., sequences)."""

    inputs: list[FloatArray]  # [x, h]
    gates: list[FloatArray]  # i, f, o and the candidate
    before: list[FloatArray]  # the cell before the step
    squashed: list[FloatArray]  # tanh of the cell after the step
    top: FloatArray  # h of the last layer
    shares: FloatArray  # (values, sequences, runs): the probabilities


def first_memory(shape: Shape, runs: int, sequences: int) -> Memory:
    """Return the memory before the first choice: zeros."""
    return Memory(*([np.zeros((runs, shape.units, sequences)) for _ in range(shape.layers)] for _ in range(2)))


def forward(shape: Shape, parts: Parts, memory: Memory, choice: int, before: IntArray | None) -> Step:
    """Read the values of the choice before, (runs, sequences), update the memory, and return probabilities."""
    runs, units, sequences = memory.hidden[0].shape
    bits = shape.bits(sequences)
    first = sum(shape.cardinalities[:choice])
    if before is None:
        x = np.zeros((runs, units, sequences))
    else:
        row = first - shape.cardinalities[choice - 1] + before
        x = np.ascontiguousarray(parts.embedding[np.arange(runs)[:, None], row].transpose(0, 2, 1))
    step = Step([], [], list(memory.cell), [], x, x)
    for layer in range(shape.layers):
        inputs = rounded(np.concatenate([x, memory.hidden[layer]], axis=1), bits)
        gates = product(parts.weights[layer], inputs)
        gates += parts.biases[layer]
        gates[:, : 3 * units] *= 0.5
        gates = elementary.tanh(gates)
        gates[:, : 3 * units] *= 0.5
        gates[:, : 3 * units] += 0.5  # the sigmoid of z is (1 + tanh(z / 2)) / 2
        i, f, o, candidate = (gates[:, k * units : (k + 1) * units] for k in range(4))
        memory.cell[layer] = f * memory.cell[layer] + i * candidate
        squashed = elementary.tanh(memory.cell[layer])
        memory.hidden[layer] = x = o * squashed
        step.inputs.append(inputs)
        step.gates.append(gates)
        step.squashed.append(squashed)
    step.top = rounded(x, bits)
    values = slice(first, first + shape.cardinalities[choice])
    logits = product(parts.output[:, values], step.top) + parts.offset[:, values]
    step.shares = categorical.softmax(np.ascontiguousarray(logits.transpose(1, 2, 0)))
    return step


def gradient(shape: Shape, parameters: FloatArray, codes: IntArray, weights: FloatArray) -> FloatArray:
    """Return the gradient of a weighted sum of log-probabilities, by backpropagation through time.

    Args:
        shape: of the network.
        parameters: (runs, size).
        codes: sequences of choices, (sequences, choices, runs).
        weights: of the log-probability of every sequence, (sequences, runs).

    Returns:
        The gradient, (runs, size).
    """
    result = np.zeros_like(parameters)
    to = shape.parts(result)
    sequences, choices, runs = codes.shape
    parts, bits = shape.rounded_parts(parameters, sequences), shape.bits(sequences)
    memory = first_memory(shape, runs, sequences)
    steps = [
        forward(shape, parts, memory, choice, codes[:, choice - 1].T if choice else None) for choice in range(choices)
    ]
    units, run = shape.units, np.arange(runs)
    back_hidden = [np.zeros((runs, units, sequences)) for _ in range(shape.layers)]
    back_cell = [np.zeros((runs, units, sequences)) for _ in range(shape.layers)]
    first = sum(shape.cardinalities)
    for choice in range(choices - 1, -1, -1):
        step, cardinality = steps[choice], shape.cardinalities[choice]
        first -= cardinality
        values = slice(first, first + cardinality)
        error = categorical.score(codes[:, choice], step.shares) * weights
        error = rounded(np.ascontiguousarray(error.transpose(2, 0, 1)), bits)  # (runs, values, sequences)
        to.output[:, values] += product(error, step.top.transpose(0, 2, 1))
        to.offset[:, values] += error.sum(axis=2, keepdims=True)
        upper = product(parts.output[:, values].transpose(0, 2, 1), error)
        for layer in range(shape.layers - 1, -1, -1):
            gates, squashed = step.gates[layer], step.squashed[layer]
            i, f, o, candidate = (gates[:, k * units : (k + 1) * units] for k in range(4))
            of_hidden = back_hidden[layer] + upper
            of_cell = back_cell[layer] + of_hidden * o * (1 - squashed**2)
            slopes = np.concatenate(
                [
                    of_cell * candidate * i * (1 - i),
                    of_cell * step.before[layer] * f * (1 - f),
                    of_hidden * squashed * o * (1 - o),
                    of_cell * i * (1 - candidate**2),
                ],
                axis=1,
            )
            rounded(slopes, bits, out=slopes)
            to.weights[layer][:] += product(slopes, step.inputs[layer].transpose(0, 2, 1))
            to.biases[layer][:] += slopes.sum(axis=2, keepdims=True)
            of_inputs = product(parts.weights[layer].transpose(0, 2, 1), slopes)
            upper, back_hidden[layer] = of_inputs[:, :units], of_inputs[:, units:]
            back_cell[layer] = of_cell * f
        if choice:
            for sequence in range(sequences):
                row = first - shape.cardinalities[choice - 1] + codes[sequence, choice - 1]
                to.embedding[run, row] += upper[:, :, sequence]
    return result
