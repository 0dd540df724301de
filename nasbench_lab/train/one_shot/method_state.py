"""The state of a method as plain data for checkpoints."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened

_PLAIN = (bool, int, float, str, type(None), Tensor)


def attributes(state: Any) -> dict[str, Any]:
    """Return the attributes of a state; there are none if a method has no state, which is None.

    Raises:
        ParameterError: the state has no attributes that can be set.
    """
    if state is None:
        return {}
    if not hasattr(state, "__dict__") or isinstance(state, type):
        raise ParameterError(f"start must return an object with attributes, or None, got {shortened(state)}")
    return vars(state)


def plain_state(state: Any) -> dict[str, Any]:
    """Return the attributes of a state as data that ``torch.load(weights_only=True)`` reads.

    Attributes with a ``state_dict`` are stored as that.

    Raises:
        TypeError: an attribute is of another kind.
    """
    return {name: _plain(name, value) for name, value in sorted(attributes(state).items())}


def restore_state(state: Any, stored: dict[str, Any]) -> None:
    """Give a state, as `Method.start` returns it, the stored attributes.

    Raises:
        KeyError: an attribute is missing or unknown.
    """
    if set(stored) != set(attributes(state)):
        raise KeyError(f"the state has the attributes {sorted(attributes(state))}, stored are {sorted(stored)}")
    for name, value in stored.items():
        present = getattr(state, name)
        if hasattr(present, "load_state_dict"):
            present.load_state_dict(value)
        elif isinstance(present, np.ndarray):
            setattr(state, name, value.cpu().numpy())
        else:
            setattr(state, name, value)


def _plain(name: str, value: Any) -> Any:
    if hasattr(value, "state_dict"):
        return value.state_dict()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [_plain(name, each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(name, each) for key, each in value.items()}
    if not isinstance(value, _PLAIN):
        raise TypeError(f"the state of a method cannot keep {name} of type {type(value).__name__} in a checkpoint")
    return value
