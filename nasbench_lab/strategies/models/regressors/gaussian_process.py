"""The Gaussian process of the strategy "gp-bo" as a regressor over any vectors."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from nasbench_lab.arrays import FloatArray
from nasbench_lab.checks import one_of
from nasbench_lab.strategies.models.gaussian_process import Regression, most_likely
from nasbench_lab.strategies.models.regressors.scaling import Scaling, checked_values, checked_vectors

LENGTHSCALES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
NOISES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

_BLOCK = 2**22  # numbers of a block of distances: 32 MiB


class GaussianProcess(RegressorMixin, BaseEstimator):
    """A Gaussian process with a constant mean (Rasmussen and Williams, 2006).

    Inputs are scaled to the range from 0 to 1. The kernel is exp(-d / l) or Matern's with smoothness 5/2, of a distance
    d between vectors, scaled so that the mean over pairs of examples is 1: of the numbers of entries in which vectors
    differ, for zeros and ones (the sum of absolute differences), or of squared Euclidean distances. The lengthscale l
    (1/4, 1/2, ..., 8) and the variance of the noise (1e-4, ..., 1 times that of the process) are those with the largest
    marginal likelihood; the mean and the variance of the process are their maximum likelihood estimates. The time to
    fit grows with the third power of the number of examples: a tenth of a second for 200, minutes for some thousands.

    Args:
        kernel: ``"exponential"`` of the sum of absolute differences, or ``"matern"`` of the Euclidean distance.
    """

    ranks_only = False

    def __init__(self, kernel: Literal["exponential", "matern"] = "exponential") -> None:
        self.kernel = kernel

    def fit(self, X: Any, y: Any) -> GaussianProcess:  # noqa: N803 - scikit-learn's name
        """Choose the parameters, and condition on the examples.

        Raises:
            ParameterError: the kernel is unknown, or the data is not finite.
        """
        one_of("kernel", self.kernel, ("exponential", "matern"))
        vectors = checked_vectors(X)
        values = checked_values(y, len(vectors))
        self.n_features_in_ = vectors.shape[1]
        self.scaling_ = Scaling.of(vectors, values)
        self.examples_ = self.scaling_.inputs(vectors)
        targets = self.scaling_.targets(values)[None]
        distance = self._distances(self.examples_)
        pairs = len(vectors) * (len(vectors) - 1)
        self.unit_ = float(distance.sum() / pairs) if distance.any() else 1.0
        distance /= self.unit_
        tables = [self._correlation(distance, length)[None] for length in LENGTHSCALES]
        length, noise = most_likely(lambda place: tables[place], len(LENGTHSCALES), NOISES, targets)
        self.lengthscale_, self.noise_ = LENGTHSCALES[int(length[0])], NOISES[int(noise[0])]
        self.regression_ = Regression(np.full(1, self.noise_))
        self.regression_.refit(np.zeros(1, dtype=np.int64), tables[int(length[0])], np.full(1, self.noise_))
        self.estimate_ = self.regression_.estimate(targets)
        return self

    @overload
    def predict(self, X: Any, return_std: Literal[False] = False) -> FloatArray: ...  # noqa: N803
    @overload
    def predict(self, X: Any, return_std: Literal[True]) -> tuple[FloatArray, FloatArray]: ...  # noqa: N803
    def predict(self, X: Any, return_std: bool = False) -> FloatArray | tuple[FloatArray, FloatArray]:  # noqa: N803
        """Return the posterior mean of vectors, shape (n,), and with ``return_std`` the deviation without the noise."""
        inputs = self.scaling_.inputs(checked_vectors(X, self.n_features_in_))
        mean, deviation = np.empty(len(inputs)), np.empty(len(inputs))
        step = max(1, _BLOCK // len(self.examples_))
        for first in range(0, len(inputs), step):
            part = slice(first, first + step)
            correlation = self._correlation(self._distances(inputs[part]) / self.unit_, self.lengthscale_)
            mean[part] = self.estimate_.mean[0] + correlation @ self.estimate_.weights[0]
            if return_std:
                explained = ((correlation @ self.regression_.inverse[0].T) ** 2).sum(axis=1)
                deviation[part] = self.estimate_.scale[0] * np.sqrt(np.maximum(1.0 - explained, 0.0))
        mean = mean * self.scaling_.scale + self.scaling_.centre
        return (mean, deviation * self.scaling_.scale) if return_std else mean

    def _distances(self, inputs: FloatArray) -> FloatArray:
        """Return the distances of vectors to the examples, shape (n, examples)."""
        from scipy.spatial.distance import cdist

        metric = "cityblock" if self.kernel == "exponential" else "sqeuclidean"
        return np.asarray(cdist(inputs, self.examples_, metric))

    def _correlation(self, distance: FloatArray, lengthscale: float) -> FloatArray:
        if self.kernel == "exponential":
            return np.exp(-distance / lengthscale)
        a = np.sqrt(5.0 * distance) / lengthscale
        return (1.0 + a + a * a / 3.0) * np.exp(-a)
