"""The measurement of one network by several proxies, with the seconds of each."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import nn

from nasbench_lab.errors import NasbenchLabError, ParameterError
from nasbench_lab.messages import described, first_line
from nasbench_lab.train.clock import training_clock
from nasbench_lab.train.devices import reproducible_arithmetic
from nasbench_lab.train.image_batches import Batch
from nasbench_lab.train.proxies.base import Measured, Proxy
from nasbench_lab.train.proxies.subject import NoScoreError, ProxySubject, SharedPasses, seeded

_NUMERICAL = (NoScoreError, ArithmeticError, np.linalg.LinAlgError, torch.linalg.LinAlgError)
"""What a proxy raises that has no score for a network. Other errors are mistakes."""

_ONE_VALUE = "Expected more than 1 value per channel when training"
"""How torch begins the message of a batch normalisation of one image with one pixel: it has no variance."""


@dataclasses.dataclass(frozen=True)
class Measurement:
    """What one proxy measured of one network.

    Attributes:
        values: the score, or one number per component; all NaN if there is no score.
        seconds: that the proxy takes alone.
        failure: why there is no score; empty if there is one.
    """

    values: tuple[float, ...]
    seconds: float
    failure: str = ""


def measure(
    network: nn.Module, batches: Sequence[Batch], proxies: Sequence[Proxy], *, seed: int = 0
) -> list[Measurement]:
    """Measure one network with every proxy. The network and torch's random state stay as they are.

    Args:
        network: the network, on the device of the batches.
        batches: at least as many as each proxy needs.
        proxies: what measures it.
        seed: of the random numbers of the proxies.

    Raises:
        ParameterError: a proxy failed for another reason than that the network has no score.
    """
    passes, device = SharedPasses(network, batches), batches[0].images.device
    with reproducible_arithmetic(device), _ordinary_gradients(device):
        return [_measured(network, batches, proxy, seed, passes) for proxy in proxies]


@contextlib.contextmanager
def _ordinary_gradients(device: torch.device) -> Iterator[None]:
    """Let torch compute gradients in full precision inside the block, whatever the caller has switched off or on.

    Without it, scores inside ``torch.no_grad()`` would silently be those of gradients of zero.
    """
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast(device.type, enabled=False):
        yield


def _measured(
    network: nn.Module, batches: Sequence[Batch], proxy: Proxy, seed: int, passes: SharedPasses
) -> Measurement:
    device = batches[0].images.device
    subject = ProxySubject(network, batches, seed=seed, passes=passes)
    count, start = max(1, len(proxy.components)), training_clock(device)
    try:
        with seeded(seed, device):
            values, failure = _values(proxy, proxy.measure(subject)), ""
    except _NUMERICAL as error:
        values, failure = (np.nan,) * count, first_line(error) or type(error).__name__
    except NasbenchLabError:
        raise
    except Exception as error:  # a proxy of a user can raise anything
        if not str(error).startswith(_ONE_VALUE):
            raise ParameterError(f"proxy {proxy.label!r} cannot score the network: {described(error)}") from error
        values, failure = (np.nan,) * count, "batch normalisation has one value per channel"
    seconds = training_clock(device) - start + subject.seconds_of_others
    if not failure and not np.isfinite(values).all():
        values, failure = (np.nan,) * count, f"the score is {', '.join(map(str, values))}"
    return Measurement(values, seconds, failure)


def _values(proxy: Proxy, found: Measured) -> tuple[float, ...]:
    if not proxy.components:
        return (_number(proxy, found),)
    if not isinstance(found, Mapping) or set(found) != set(proxy.components):
        raise ParameterError(
            f"proxy {proxy.label!r} must return the components {', '.join(proxy.components)}, got {found!r}"
        )
    return tuple(_number(proxy, found[name]) for name in proxy.components)


def _number(proxy: Proxy, value: object) -> float:
    try:
        return float(value.detach() if isinstance(value, torch.Tensor) else value)  # type: ignore[arg-type] # whatever a user returns
    except (TypeError, ValueError, RuntimeError) as error:
        raise ParameterError(f"proxy {proxy.label!r} must return a number, got {type(value).__name__}") from error
