"""A graph convolutional network that predicts the performance of cells."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.base import BaseEstimator, RegressorMixin
from torch.nn.functional import relu

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.checks import Above, AtLeast, number, require, whole
from nasbench_lab.strategies.models.regressors.scaling import Scaling, checked_values, checked_vectors

_BLOCK = 4096


class GraphNetwork(RegressorMixin, BaseEstimator):
    """Graph convolutions over a cell, and the mean over its vertices (Wen et al., Neural Predictor, ECCV 2020).

    A vertex begins with one-hot codes of its operation; input and output have their own. A layer computes
    ``(relu(N V A) + relu(N' V B)) / 2`` from features V, where N is the matrix of edges with self-loops, whose rows are
    divided by their sums, N' that of the reversed edges, and A and B are weights. The mean over the vertices that exist
    goes through one hidden layer to the prediction. The network is trained by the squared error of scaled targets, with
    Adam over all examples and weight decay.

    The publication has 3 layers of 144 units and 128 hidden units, and is trained for 300 epochs in batches of 10. This
    is smaller, so that it is fitted within a second.

    Args:
        layers: number of graph convolutions.
        width: number of features of a vertex.
        steps: number of training steps.
        learning_rate: learning rate of Adam; it falls to 0 along half a cosine.
        weight_decay: factor of the squared weights.
        random_state: seed of the initial weights.
    """

    ranks_only = False
    encoding = "graph"
    """The encoding that it takes (see `nasbench_lab.spaces.operation_graphs.OperationGraphs.matrix`)."""

    def __init__(
        self,
        layers: int = 3,
        width: int = 48,
        steps: int = 150,
        learning_rate: float = 0.01,
        weight_decay: float = 1e-4,
        random_state: int | None = 0,
    ) -> None:
        self.layers, self.width, self.steps = layers, width, steps
        self.learning_rate, self.weight_decay, self.random_state = learning_rate, weight_decay, random_state

    def fit(self, X: Any, y: Any) -> GraphNetwork:  # noqa: N803 - scikit-learn's name
        """Train the network.

        Args:
            X: cells in the encoding ``"graph"``, shape (n, length).
            y: their values, shape (n,).

        Raises:
            ParameterError: the vectors are no graphs, a parameter is out of range, or the data is not finite.
        """
        vectors = checked_vectors(X)
        values = checked_values(y, len(vectors))
        inner = _inner_vertices(vectors.shape[1])
        self.n_features_in_ = vectors.shape[1]
        self.scaling_ = Scaling.of(vectors, values)
        self.operations_ = int(vectors[:, -inner:].max()) if inner else 0
        shapes = self._shapes()
        seed = whole("random_state", self.random_state or 0, AtLeast(0))
        random = np.random.Generator(np.random.Philox(seed))
        self.weights_ = [_initial(random, shape).requires_grad_() for shape in shapes]
        steps = whole("steps", self.steps, AtLeast(1))
        optimizer = torch.optim.Adam(
            self.weights_,
            lr=number("learning_rate", self.learning_rate, Above(0)),
            weight_decay=number("weight_decay", self.weight_decay, AtLeast(0)),
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        graphs = self._graphs(vectors)
        targets = torch.from_numpy(self.scaling_.targets(values).astype(np.float32))
        for _ in range(steps):
            optimizer.zero_grad()
            ((self._forward(graphs) - targets) ** 2).mean().backward()
            optimizer.step()
            schedule.step()
        for weight in self.weights_:
            weight.requires_grad_(False)
        return self

    def predict(self, X: Any) -> FloatArray:  # noqa: N803 - scikit-learn's name
        """Return the predicted values of cells, shape (n,)."""
        vectors = checked_vectors(X, self.n_features_in_)
        predicted = np.empty(len(vectors))
        with torch.no_grad():
            for first in range(0, len(vectors), _BLOCK):
                part = slice(first, first + _BLOCK)
                predicted[part] = self._forward(self._graphs(vectors[part])).numpy()
        return predicted * self.scaling_.scale + self.scaling_.centre

    def _shapes(self) -> list[tuple[int, int]]:
        """Return the shapes of all weights: two per convolution, then hidden layer, its bias, output and its bias."""
        layers, width = whole("layers", self.layers, AtLeast(1)), whole("width", self.width, AtLeast(1))
        first = self.operations_ + 2
        convolutions = [(first if layer == 0 else width, width) for layer in range(layers) for _ in range(2)]
        return [*convolutions, (width, width), (1, width), (width, 1), (1, 1)]

    def _graphs(self, vectors: FloatArray) -> _Graphs:
        """Return the tensors of graphs."""
        inner = _inner_vertices(self.n_features_in_)
        vertices = inner + 2
        operation = vectors[:, vectors.shape[1] - inner :].astype(np.int64)
        edge = np.zeros((len(vectors), vertices, vertices))
        edge[:, *np.triu_indices(vertices, 1)] = vectors[:, : vectors.shape[1] - inner]
        return _Graphs(
            _normalised(edge),
            _normalised(edge.swapaxes(1, 2)),
            torch.from_numpy(_features(operation, self.operations_).astype(np.float32)),
            torch.from_numpy(_shares(operation).astype(np.float32)),
        )

    def _forward(self, graphs: _Graphs) -> torch.Tensor:
        """Return the outputs for graphs, shape (n,)."""
        *convolutions, hidden, hidden_bias, output, output_bias = self.weights_
        features = graphs.features
        for onward, back in zip(convolutions[::2], convolutions[1::2], strict=True):
            features = relu(graphs.onward @ (features @ onward)) + relu(graphs.back @ (features @ back))
            features = features / 2
        pooled = (features * graphs.share[..., None]).sum(dim=1)
        return (relu(pooled @ hidden + hidden_bias) @ output + output_bias)[:, 0]


class _Graphs(NamedTuple):
    onward: torch.Tensor  # (n, vertices, vertices)
    back: torch.Tensor  # (n, vertices, vertices)
    features: torch.Tensor  # (n, vertices, operations + 2)
    share: torch.Tensor  # (n, vertices): what a vertex counts in the mean; 0 where it does not exist


def _inner_vertices(length: int) -> int:
    """Return the number of vertices between input and output of graphs that are encoded as vectors of a length."""
    inner = int((math.isqrt(8 * length + 17) - 5) // 2)
    require(
        inner >= 0 and (inner + 2) * (inner + 1) // 2 + inner == length,
        f"the graph network takes the encoding 'graph'; vectors of length {length} are no graphs",
    )
    return inner


def _normalised(edge: FloatArray) -> torch.Tensor:
    """Return matrices of edges with self-loops whose rows sum to 1."""
    looped = edge + np.eye(edge.shape[1])
    return torch.from_numpy((looped / looped.sum(axis=2, keepdims=True)).astype(np.float32))


def _features(operation: IntArray, operations: int) -> FloatArray:
    """Return one-hot codes of vertices, (n, vertices, operations + 2); zeros for an unknown operation."""
    kinds = np.pad(operation, ((0, 0), (1, 1)), constant_values=((0, 0), (operations + 1, operations + 2)))
    return (kinds[..., None] == np.arange(1, operations + 3)).astype(np.float64)


def _shares(operation: IntArray) -> FloatArray:
    present = np.pad(operation > 0, ((0, 0), (1, 1)), constant_values=True).astype(np.float64)
    return present / present.sum(axis=1, keepdims=True)


def _initial(random: np.random.Generator, shape: tuple[int, int]) -> torch.Tensor:
    """Return weights uniform in +-sqrt(6 / (fan in + fan out)) (Glorot and Bengio 2010); biases are 0."""
    limit = math.sqrt(6.0 / sum(shape)) if shape[0] > 1 else 0.0
    return torch.from_numpy(random.uniform(-limit, limit, shape).astype(np.float32))
