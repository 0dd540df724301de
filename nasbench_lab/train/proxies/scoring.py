"""Scores of given networks: `score` and `score_networks`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nasbench_lab.checks import AtLeast, Below, whole
from nasbench_lab.errors import ParameterError, SettingWarning
from nasbench_lab.messages import shortened
from nasbench_lab.train.image_batches import Batch
from nasbench_lab.train.proxies.base import Proxy
from nasbench_lab.train.proxies.measuring import measure
from nasbench_lab.train.proxies.proxy_scores import ProxyScores
from nasbench_lab.train.proxies.registry import make_proxy
from nasbench_lab.train.proxies.score_assembly import Measurements, assembled

ProxyLike = str | Proxy | type[Proxy] | Callable[..., Any]
"""A name (with parameters as ``name:key=value,...``), ``file.py:Class``, ``file.py:function``, a `Proxy` object or
class, or a function ``(network, images, labels)`` that returns a number."""

Batches = tuple[Tensor, Tensor] | Sequence[tuple[Tensor, Tensor]]
"""Images with their labels, or several such pairs for proxies that need several batches."""

_MAX_SEED = 2**63


def score(network: nn.Module, batch: Batches, proxy: ProxyLike, *, seed: int = 0) -> float:
    """Return the score of one network; higher is better.

    The network stays as it is: weights, buffers, gradients, training mode and hooks.

    Args:
        network: from images, shape (batch, channels, height, width), to class scores, shape (batch, classes).
        batch: normalised images and their labels, shape (batch,), on the device of the network; or several such pairs.
        proxy: a name, ``file.py:Class``, a `Proxy`, or a function ``(network, images, labels)``.
        seed: of the random numbers of the proxy.

    Returns:
        The score. NaN with a warning that says why, if the network has none.

    Raises:
        UnknownNameError: no proxy has that name.
        ParameterError: the network does not take the images, there are too few batches, or the proxy ranks networks of
            a set and has no score of one network.

    >>> from nasbench_lab import train
    >>> batch = torch.randn(16, 1, 8, 8), torch.arange(16) % 10
    >>> score(train.network("digits/topology", 11), batch, "params")
    128466.0
    >>> score(train.network("digits/topology", 11), batch, lambda network, images, labels: network(images).std()) > 0
    True
    """
    found = make_proxy(proxy)
    if found.ranks_a_set:
        raise ParameterError(f"proxy {found.label!r} ranks the networks of a set; use score_networks")
    scores = score_networks([network], batch, [found], seed=seed)
    for failure in scores.failures:
        warnings.warn(f"no {failure.proxy} score: {failure.reason}", SettingWarning, stacklevel=2)
    return float(scores.values[found.label][0, 0])


def score_networks(
    networks: Iterable[nn.Module], batch: Batches, proxies: ProxyLike | Sequence[ProxyLike], *, seed: int = 0
) -> ProxyScores:
    """Return the scores of networks; higher is better. The networks stay as they are.

    Args:
        networks: see `score`; they are taken one by one, so a generator need not keep them all in memory.
        batch: see `score`.
        proxies: one or several, see `score`.
        seed: of the random numbers of the proxies.

    Raises:
        UnknownNameError: no proxy has that name.
        ParameterError: a network does not take the images, or there are too few batches.

    >>> from nasbench_lab import train
    >>> batch = torch.randn(16, 1, 8, 8), torch.arange(16) % 10
    >>> networks = (train.network("digits/topology", index) for index in [11, 284])
    >>> score_networks(networks, batch, ["synflow", "params"]).values["params"].ravel().tolist()
    [128466.0, 22962.0]
    """
    made, batches = made_proxies(proxies), checked_batches(batch)
    check_enough(batches, made)
    seed = whole("seed", seed, AtLeast(0), Below(_MAX_SEED))
    measured: Measurements = {proxy.label: {} for proxy in made}
    count = 0
    for place, network in enumerate(networks):
        check_takes(network, batches[0])
        for proxy, found in zip(made, measure(network, batches, made, seed=seed), strict=True):
            measured[proxy.label][place, seed] = found
        count += 1
    places = np.arange(count)
    return assembled(made, places, [seed], measured, {proxy.label: places for proxy in made})


def made_proxies(proxies: ProxyLike | Sequence[ProxyLike]) -> list[Proxy]:
    """Return proxies, at least one and none twice.

    Raises:
        UnknownNameError: no proxy has that name.
        ParameterError: there are none, or two have the same label.
    """
    given = list(proxies) if isinstance(proxies, Sequence) and not isinstance(proxies, str) else [proxies]
    made = [make_proxy(each) for each in given]
    labels = [each.label for each in made]
    if not made or len(set(labels)) != len(labels):
        raise ParameterError(f"give one or more different proxies, got {', '.join(labels) or 'none'}")
    return made


def checked_batches(batch: Batches) -> list[Batch]:
    """Return batches of images with labels.

    Raises:
        ParameterError: they are not pairs of images and labels of the same length.
    """
    given: list[Any] = [batch] if len(batch) == 2 and isinstance(batch[0], Tensor) else list(batch)
    for each in given:
        is_pair = isinstance(each, Sequence) and len(each) == 2 and all(isinstance(part, Tensor) for part in each)
        if not is_pair or each[0].ndim < 2 or each[1].shape != each[0].shape[:1] or not len(each[1]):
            raise ParameterError(f"a batch must be a pair of images and as many labels, as tensors, {_got(each)}")
        if not each[0].is_floating_point() or each[1].is_floating_point():
            raise ParameterError(f"images must be floating-point numbers and labels whole numbers, {_got(each)}")
    return [Batch(*each) for each in given]


def check_enough(batches: Sequence[Batch], proxies: Sequence[Proxy]) -> None:
    """Raise a ParameterError if a proxy needs more batches."""
    for proxy in proxies:
        if len(batches) < proxy.batches:
            raise ParameterError(f"proxy {proxy.label!r} needs {proxy.batches} batches of images, got {len(batches)}")


def check_takes(network: nn.Module, batch: Batch) -> None:
    """Raise a ParameterError if this is no network, or its weights are on another device than the images."""
    if not isinstance(network, nn.Module):
        raise ParameterError(f"a network must be a torch.nn.Module, got {shortened(network)}")
    weight = next(network.parameters(), None)
    if weight is not None and weight.device != batch.images.device:
        raise ParameterError(f"the network is on {weight.device}, but the images are on {batch.images.device}")


def _got(pair: Any) -> str:
    if not isinstance(pair, Sequence):
        return f"got {shortened(pair)}"
    parts = (
        f"{str(part.dtype).removeprefix('torch.')} of shape {tuple(part.shape)}"
        if isinstance(part, torch.Tensor)
        else type(part).__name__
        for part in pair
    )
    return f"got {', '.join(parts)}"
