"""The gradient of a network's outputs by each image, and how these gradients correlate between images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import nn

from nasbench_lab.arrays import FloatArray
from nasbench_lab.train.image_batches import Batch
from nasbench_lab.train.proxies.passes import gradients


class InputCorrelations(NamedTuple):
    """How similarly a network reacts to changes of images.

    Attributes:
        matrix: correlations of the images' gradients, shape (images, images); NaN for images with a constant gradient.
        outputs: number of outputs of the network, the classes.
    """

    matrix: FloatArray
    outputs: int


def input_correlations(network: nn.Module, batches: Sequence[Batch]) -> InputCorrelations:
    """Return the Pearson correlation between the input gradients of every two images of the first batch.

    The gradient is that of the sum of all outputs for all images; through batch normalisation in training mode, an
    image also changes the outputs for others. An image on which nothing depends has a gradient of zero.
    """
    images = batches[0].images.detach().clone().requires_grad_(True)
    outputs = network(images)
    (found,) = gradients(outputs.sum(), [images])
    return InputCorrelations(correlations(found.flatten(1).double().cpu().numpy()), outputs.shape[-1])


def correlations(rows: FloatArray) -> FloatArray:
    """Return the Pearson correlations between rows, shape (rows, rows); NaN for constant rows, without a warning.

    Rounding leaves some constant rows with a tiny deviation, which would correlate at random: they count as constant.

    >>> correlations(np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])).round(6).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    centred = rows - rows.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(centred, axis=1)
    norms[norms <= 4 * np.finfo(np.float64).eps * np.linalg.norm(rows, axis=1)] = np.nan
    units = centred / norms[:, None]
    return np.asarray(np.clip(units @ units.T, -1, 1))
