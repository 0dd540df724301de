"""Initial weights with which a layer that only the child has changes nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nasbench_lab.train.inheritance.channel_flow import CannotKeep, Flow, Replication
from nasbench_lab.train.networks.blocks import ConvBn, ConvBnRelu, ReluConvBn
from nasbench_lab.train.networks.dropout import SeededDropout
from nasbench_lab.train.networks.layer_chain import Dense
from nasbench_lab.train.networks.macro import InvertedResidual


class Initial(NamedTuple):
    """The initial values of a tensor of the child."""

    values: Tensor
    inherited: bool  # whether they come from the parent


State = dict[str, Initial]
"""Initial values by the name of the tensor."""

Inserted = tuple[Flow, State]
"""What flows out of a layer, and its weights; weights that are not named stay random."""


def inserted(layer: nn.Module, flow: Flow, name: str, random: Replication) -> Inserted:
    """Return the weights with which a layer passes its input on.

    A convolution gets an identity kernel, a fully connected layer an identity matrix; both may have more outputs than
    inputs. Batch normalisation gets the statistics of values that it does not change; in training it normalises with
    those of the batch. A ReLU passes on what is not negative. A residual block gets a last normalisation of scale zero.

    Args:
        layer: the layer of the child.
        flow: what flows into it.
        name: of the layer, with a dot at its end unless it is empty.
        random: chooses which channels are repeated.

    Raises:
        CannotKeep: the layer changes its input with any weights, or has too few outputs.
    """
    rule = _RULES.get(type(layer))
    if rule is None or (not flow.width and next(layer.parameters(), None) is not None):
        raise CannotKeep(f"layer {name.rstrip('.')} of the child, {title(layer)}, has no weights that change nothing")
    return rule(layer, flow, name, random)


def identity_convolution(layer: nn.Conv2d, flow: Flow, name: str, outputs: Sequence[int]) -> State:
    """Return the weights of a convolution that passes channels on.

    Args:
        layer: the convolution.
        flow: what flows into it.
        name: of the layer, with a dot at its end.
        outputs: the parent's channel that each output repeats.
    """
    kernel, padding = layer.kernel_size, layer.padding
    centred = isinstance(padding, tuple) and all(
        size % 2 and pad == size // 2 for size, pad in zip(kernel, padding, strict=True)
    )
    each = layer.groups == layer.in_channels == layer.out_channels > 1  # every channel by itself
    if (
        not centred
        or not (each or layer.groups == 1)
        or {*layer.stride, *layer.dilation} != {1}
        or layer.padding_mode != "zeros"
    ):
        raise CannotKeep(f"layer {name.rstrip('.')} of the child, {title(layer)}, cannot be an identity")
    weight = torch.zeros_like(layer.weight.detach(), device="cpu")
    first = [0 if each else flow.source.index(channel) for channel in outputs]
    weight[range(len(first)), first, kernel[0] // 2, kernel[1] // 2] = 1
    return _new({f"{name}weight": weight, **_zero_bias(layer, name)})


def identity_norm(layer: nn.BatchNorm2d, name: str) -> State:
    """Return the weights of a batch normalisation that changes nothing in evaluation."""
    if not layer.affine or not layer.track_running_stats:
        raise CannotKeep(f"layer {name.rstrip('.')} of the child, {title(layer)}, cannot be an identity")
    zero, one = (torch.full((layer.num_features,), value, dtype=layer.weight.dtype) for value in (0.0, 1.0))
    mean_variance = {f"{name}running_mean": zero, f"{name}running_var": one}
    scale_shift = {f"{name}weight": (one + layer.eps).sqrt(), f"{name}bias": zero.clone()}
    return _new(mean_variance | scale_shift | {f"{name}num_batches_tracked": torch.tensor(0)})


def silenced(layer: nn.Module, name: str) -> State:
    """Return weights with which a branch that is added to others adds zero: of its last normalisation, scale zero.

    Raises:
        CannotKeep: the branch does not end with a normalisation.
    """
    last = [(each, module) for each, module in layer.named_modules() if not any(True for _ in module.children())]
    place, norm = last[-1] if last else ("", layer)
    if not isinstance(norm, nn.BatchNorm2d) or not norm.affine:
        raise CannotKeep(f"layer {name.rstrip('.')} of the child, {title(layer)}, cannot be made to add zero")
    zero = torch.zeros(norm.num_features, dtype=norm.weight.dtype)
    return _new({f"{name}{place}.weight": zero, f"{name}{place}.bias": zero.clone()})


def _nothing(layer: nn.Module, flow: Flow, name: str, random: Replication) -> Inserted:  # noqa: ARG001
    return flow, {}


def _relu(layer: nn.Module, flow: Flow, name: str, random: Replication) -> Inserted:  # noqa: ARG001
    if not flow.nonnegative:
        raise CannotKeep(f"layer {name.rstrip('.')} of the child, a ReLU, would cut off negative values of the parent")
    return flow, {}


def _convolution(layer: nn.Conv2d, flow: Flow, name: str, random: Replication) -> Inserted:
    if layer.groups == layer.in_channels > 1:  # every channel by itself
        return flow, identity_convolution(layer, flow, name, flow.source)
    outputs = random.widened(flow.width, layer.out_channels, name.rstrip("."))
    return dataclasses.replace(flow, source=outputs), identity_convolution(layer, flow, name, outputs)


def _dense(layer: Dense, flow: Flow, name: str, random: Replication) -> Inserted:
    linear = layer.linear
    pixels = linear.in_channels // len(flow.source)
    features = flow.columns(linear.in_channels, flow.width * pixels, name.rstrip("."))
    flat = Flow(tuple(features.tolist()), flow.width * pixels, flow.nonnegative)
    return _convolution(linear, flat, f"{name}linear.", random)


def _linear(layer: nn.Linear, flow: Flow, name: str, random: Replication) -> Inserted:
    pixels = layer.in_features // len(flow.source)
    features = flow.columns(layer.in_features, flow.width * pixels, name.rstrip("."))
    outputs = random.widened(flow.width * pixels, layer.out_features, name.rstrip("."))
    weight = torch.zeros_like(layer.weight.detach(), device="cpu")
    weight[range(len(outputs)), [features.tolist().index(feature) for feature in outputs]] = 1
    state = _new({f"{name}weight": weight, **_zero_bias(layer, name)})
    return Flow(outputs, flow.width * pixels, flow.nonnegative), state


def _norm(layer: nn.BatchNorm2d, flow: Flow, name: str, random: Replication) -> Inserted:  # noqa: ARG001
    return flow, identity_norm(layer, name)


def _sequence(layer: nn.Sequential, flow: Flow, name: str, random: Replication) -> Inserted:
    state: State = {}
    for place, each in layer.named_children():
        flow, more = inserted(each, flow, f"{name}{place}.", random)
        state |= more
    return flow, state


def _residual(layer: InvertedResidual, flow: Flow, name: str, random: Replication) -> Inserted:  # noqa: ARG001
    if not layer.residual:
        raise CannotKeep(f"layer {name.rstrip('.')} of the child changes the number of channels or the image size")
    return dataclasses.replace(flow, nonnegative=False), silenced(layer.layers, f"{name}layers.")


def _new(state: Mapping[str, Tensor]) -> State:
    return {name: Initial(values, inherited=False) for name, values in state.items()}


def _zero_bias(layer: nn.Module, name: str) -> dict[str, Tensor]:
    bias = layer.bias
    return {} if bias is None else {f"{name}bias": torch.zeros_like(bias.detach(), device="cpu")}


def title(layer: nn.Module) -> str:
    """Return the kind of a layer with its article.

    >>> title(nn.ReLU()), title(nn.Identity())
    ('a ReLU', 'an Identity')
    """
    name = type(layer).__name__
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


_RULES: dict[type, Callable[..., Inserted]] = {
    ConvBn: _sequence,
    ConvBnRelu: _sequence,
    Dense: _dense,
    InvertedResidual: _residual,
    ReluConvBn: _sequence,
    nn.BatchNorm2d: _norm,
    nn.Conv2d: _convolution,
    nn.Dropout: _nothing,
    nn.Dropout2d: _nothing,
    nn.Identity: _nothing,
    nn.Linear: _linear,
    SeededDropout: _nothing,
    nn.ReLU: _relu,
    nn.Sequential: _sequence,
}
