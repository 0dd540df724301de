"""Devices and precisions that networks can be trained with, and arithmetic that gives the same results every time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Literal, get_args

import torch

from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import unknown

Precision = Literal["float32", "bfloat16"]


def check_device(name: str) -> str:
    """Return the name of a device if torch can use it on this machine.

    Raises:
        ParameterError: torch knows no such device, or cannot use it here.

    >>> check_device("cpu")
    'cpu'
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ParameterError(f"unknown device {name!r}; known: cpu, cuda, cuda:0, mps, ...") from error
    if device.type == "cpu":
        return "cpu"
    backend = getattr(torch, device.type, None)
    if backend is None or not backend.is_available() or (device.index or 0) >= backend.device_count():
        raise ParameterError(f"torch {torch.__version__} cannot use the device {name!r} here; cpu always works")
    return str(device)


def check_precision(name: str) -> Precision:
    """Return the name of a precision.

    Raises:
        UnknownNameError: no precision has this name.

    >>> check_precision("bfloat16")
    'bfloat16'
    """
    for precision in get_args(Precision):
        if name == precision:
            return precision
    raise unknown("precision", name, get_args(Precision))


@contextlib.contextmanager
def reproducible_arithmetic(device: torch.device) -> Iterator[None]:
    """Make torch compute deterministically, and float32 as float32, inside the block.

    On an NVIDIA GPU these are settings of the whole process: deterministic algorithms of cuDNN, chosen without timing
    them, and no TF32, which rounds the factors of a product to 10 bits. After the block they are what they were before.
    Processors need no settings.

    >>> with reproducible_arithmetic(torch.device("cuda")):
    ...     torch.backends.cudnn.deterministic
    True
    """
    with contextlib.ExitStack() as restored:
        if device.type == "cuda":
            cudnn = torch.backends.cudnn
            restored.enter_context(_setting(cudnn, "deterministic", True))
            restored.enter_context(_setting(cudnn, "benchmark", False))
            if hasattr(torch.backends.cuda.matmul, "fp32_precision"):  # torch 2.9 or newer
                # The older settings are views of these; reading them fails after a user has set a newer one.
                restored.enter_context(_setting(torch.backends.cuda.matmul, "fp32_precision", "ieee"))
                restored.enter_context(_setting(cudnn.conv, "fp32_precision", "ieee"))
            else:
                restored.callback(torch.set_float32_matmul_precision, torch.get_float32_matmul_precision())
                torch.set_float32_matmul_precision("highest")
                restored.enter_context(_setting(cudnn, "allow_tf32", False))
        yield


@contextlib.contextmanager
def torch_threads(number: int) -> Iterator[None]:
    """Let torch use a number of threads inside the block.

    >>> with torch_threads(1):
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def _setting(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Change an attribute inside the block."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)
