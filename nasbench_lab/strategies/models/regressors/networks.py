"""The networks of BANANAS and BRP-NAS as regressors."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import Above, AtLeast, number, whole
from nasbench_lab.strategies.models.network_ensemble import Networks, absolute_error, pairwise_ranking
from nasbench_lab.strategies.models.regressors.scaling import Scaling, checked_values, checked_vectors


class NetworkEnsemble(RegressorMixin, BaseEstimator):
    """The mean of fully connected networks, trained by the absolute error (White et al., BANANAS, AAAI 2021).

    These are the networks of the strategy "bananas", with more steps: all examples are one batch of Adam. Networks are
    the same bit for bit on every processor. Inputs are scaled to the range from 0 to 1.

    Args:
        members: number of networks, which differ by their initial weights.
        layers: number of hidden layers.
        width: number of units of a layer.
        steps: number of training steps.
        learning_rate: learning rate of Adam.
        random_state: seed of the initial weights.
    """

    ranks_only = False

    def __init__(
        self,
        members: int = 5,
        layers: int = 2,
        width: int = 20,
        steps: int = 200,
        learning_rate: float = 0.01,
        random_state: int | None = 0,
    ) -> None:
        self.members, self.layers, self.width, self.steps = members, layers, width, steps
        self.learning_rate, self.random_state = learning_rate, random_state

    def fit(self, X: Any, y: Any) -> NetworkEnsemble:  # noqa: N803 - scikit-learn's name
        """Train the networks.

        Raises:
            ParameterError: a parameter is out of range, or the data is not finite.
        """
        vectors = checked_vectors(X)
        values = checked_values(y, len(vectors))
        self.n_features_in_ = vectors.shape[1]
        self.scaling_ = Scaling.of(vectors, values)
        self.networks_ = Networks(
            vectors.shape[1],
            whole("layers", self.layers, AtLeast(1)),
            whole("width", self.width, AtLeast(1)),
            whole("members", self.members, AtLeast(1)),
            whole("steps", self.steps, AtLeast(1)),
            number("learning_rate", self.learning_rate, Above(0)),
        )
        random = np.random.Generator(np.random.Philox(whole("random_state", self.random_state or 0, AtLeast(0))))
        self.weights_ = self.networks_.initial(random.random((1, self.networks_.uniforms)))
        self._train(self.scaling_.inputs(vectors), self.scaling_.targets(values))
        return self

    def _train(self, inputs: FloatArray, targets: FloatArray) -> None:
        self.networks_.train(self.weights_, inputs[None].astype(np.float32), absolute_error(targets[None]))

    def predict(self, X: Any) -> FloatArray:  # noqa: N803 - scikit-learn's name
        """Return the mean of the networks, shape (n,)."""
        return self._outputs(X).mean(axis=0) * self.scaling_.scale + self.scaling_.centre

    def _outputs(self, vectors: Any) -> FloatArray:
        """Return the outputs of all networks for vectors, shape (members, n)."""
        inputs = self.scaling_.inputs(checked_vectors(vectors, self.n_features_in_))
        return self.networks_.predict(self.weights_, inputs[None].astype(np.float32))[0]


class PairwiseRanker(NetworkEnsemble):
    """Networks that learn which of two architectures is better (Dudziak et al., BRP-NAS, NeurIPS 2020).

    These are the networks of the strategy "brp-nas": the loss is the cross-entropy over all pairs of examples. Only the
    order of the predictions means something; they are scores without a unit.

    Args:
        members: number of networks whose scores are added.
        layers: number of hidden layers.
        width: number of units of a layer.
        steps: number of training steps, each over all pairs. Memory grows with the square of the number of examples.
        learning_rate: learning rate of Adam.
        random_state: seed of the initial weights.
    """

    ranks_only = True

    def __init__(
        self,
        members: int = 1,
        layers: int = 2,
        width: int = 20,
        steps: int = 100,
        learning_rate: float = 0.01,
        random_state: int | None = 0,
    ) -> None:
        super().__init__(members, layers, width, steps, learning_rate, random_state)

    def _train(self, inputs: FloatArray, targets: FloatArray) -> None:
        self.networks_.train(self.weights_, inputs[None].astype(np.float32), pairwise_ranking(targets[None]))

    def predict(self, X: Any) -> FloatArray:  # noqa: N803 - scikit-learn's name
        """Return scores, shape (n,): higher is better."""
        return self._outputs(X).mean(axis=0)
