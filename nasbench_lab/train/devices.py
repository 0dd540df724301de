"""Where to compute, and how precisely."""

from __future__ import annotations

from typing import Literal, get_args

import torch

from nasbench_lab.errors import ParameterError, unknown

Precision = Literal["float32", "bfloat16"]


def check_device(name: str) -> str:
    """Return the name of a device if it is there.

    Raises:
        ParameterError: the name is none of torch's, or there is no such device.

    >>> check_device("cpu")
    'cpu'
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ParameterError(f"unknown device {name!r}; there are cpu, cuda, cuda:0, mps, ...") from error
    if device.type == "cpu":
        return "cpu"
    backend = getattr(torch, device.type, None)
    if backend is None or not backend.is_available() or (device.index or 0) >= backend.device_count():
        raise ParameterError(
            f"there is no device {name!r} here that torch {torch.__version__} can use; cpu always works"
        )
    return str(device)


def check_precision(name: str) -> Precision:
    """Return the precision of that name.

    Raises:
        UnknownNameError: there is none.

    >>> check_precision("bfloat16")
    'bfloat16'
    """
    for precision in get_args(Precision):
        if name == precision:
            return precision
    raise unknown("precision", name, get_args(Precision))
