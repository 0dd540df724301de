"""Private copies of networks, which proxies may change."""

from __future__ import annotations

import copy
import functools
from typing import Any

import torch
from torch import Tensor, nn

from nasbench_lab.train.described_networks import NetworkDescription

_HOOKS = frozenset(name for name, value in vars(nn.Module()).items() if isinstance(value, dict) and "hooks" in name)
_CONTENT = frozenset({"_parameters", "_buffers", "_modules", "_non_persistent_buffers_set"})
_SIMPLE = (int, float, complex, str, bytes, type(None), torch.device, torch.dtype, NetworkDescription)
"""Types whose objects never change, so that copies can share them."""


def private_copy(network: nn.Module) -> nn.Module:
    """Return a copy of a network that shares nothing with it, in training mode and without gradients.

    Activations in place become ordinary ones, so that the outputs of all layers can be kept.

    >>> layer = nn.Linear(2, 2).eval()
    >>> other = private_copy(layer)
    >>> other.training, other.weight is layer.weight, bool(torch.equal(other.weight, layer.weight))
    (True, False, True)
    """
    modules = list(network.modules())
    if all(map(_is_plain, modules)):
        found = _copy_of_plain(network, {})
    else:
        found = copy.deepcopy(network)
        found.zero_grad(set_to_none=True)
    if any("inplace" in vars(module) for module in modules):
        for module in found.modules():
            vars(module).update({"inplace": False} if "inplace" in vars(module) else {})
    return found if all(module.training for module in modules) else found.train()


def _is_plain(module: nn.Module) -> bool:
    """Return whether a module consists of tensors, modules and values that never change, without hooks.

    They are copied several times as fast as by `copy.deepcopy`, which takes longer than a pass of a small network.
    """
    kind: Any = type(module)  # mypy does not take classes for hashable
    tensors = (*module._parameters.values(), *module._buffers.values())
    return (
        _is_copied_by_attributes(kind)
        and all(each is None or _is_plain_tensor(each) for each in tensors)
        and all(
            key in _CONTENT or (not value if key in _HOOKS else _is_simple(value))
            for key, value in vars(module).items()
        )
    )


@functools.cache
def _is_copied_by_attributes(kind: Any) -> bool:
    """Return whether a copy of a module has the same attributes; in torch's own layers, it does."""
    own = [each for each in kind.__mro__ if each is not object and not each.__module__.startswith("torch.nn.")]
    hooks = ("__deepcopy__", "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__slots__")
    return not any(name in vars(each) for name in hooks for each in own)


def _is_plain_tensor(tensor: Tensor) -> bool:
    return type(tensor) in (Tensor, nn.Parameter) and tensor.is_leaf and not vars(tensor) and not tensor._backward_hooks


def _is_simple(value: Any) -> bool:
    return all(map(_is_simple, value)) if isinstance(value, tuple | list) else isinstance(value, _SIMPLE)


def _copy_of_plain(module: nn.Module, known: dict[int, Any]) -> nn.Module:
    """Return a copy of a module; shared modules and tensors are shared in the copy, too."""
    if id(module) in known:
        found: nn.Module = known[id(module)]
        return found
    found = known[id(module)] = object.__new__(type(module))
    state = {
        key: value.copy() if isinstance(value, dict | list | set) else value for key, value in vars(module).items()
    }
    state["_parameters"] = {name: _copy_of_tensor(each, known) for name, each in module._parameters.items()}
    state["_buffers"] = {name: _copy_of_tensor(each, known) for name, each in module._buffers.items()}
    vars(found).update(state)
    children = {name: None if each is None else _copy_of_plain(each, known) for name, each in module._modules.items()}
    vars(found)["_modules"] = children
    return found


def _copy_of_tensor(tensor: Tensor | None, known: dict[int, Any]) -> Tensor | None:
    if tensor is None:
        return None
    if id(tensor) not in known:
        clone = tensor.detach().clone()
        is_parameter = isinstance(tensor, nn.Parameter)
        known[id(tensor)] = nn.Parameter(clone, tensor.requires_grad) if is_parameter else clone
    copied: Tensor = known[id(tensor)]
    return copied
