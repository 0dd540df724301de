"""Weights of a child's layer with which it computes what the same layer of the parent computes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nasbench_lab.train.inheritance.channel_flow import CannotKeep, Flow, Replication, rows
from nasbench_lab.train.inheritance.identity_layers import (
    Initial,
    Inserted,
    State,
    identity_convolution,
    identity_norm,
    silenced,
    title,
)
from nasbench_lab.train.inheritance.matching import SEQUENCES
from nasbench_lab.train.inheritance.paired_sequences import PairedSequences
from nasbench_lab.train.networks.blocks import (
    AveragePool3x3,
    Classifier,
    ConvBn,
    ConvBnRelu,
    ReluConvBn,
    ResidualReduction,
)
from nasbench_lab.train.networks.dropout import SeededDropout
from nasbench_lab.train.networks.layer_chain import Dense, GlobalPool, LinearScores
from nasbench_lab.train.networks.macro import InvertedResidual
from nasbench_lab.train.networks.nats import TopologyCell

_POINTWISE = {
    nn.ReLU: True,
    nn.Sigmoid: True,
    **dict.fromkeys((nn.Tanh, nn.GELU, nn.SiLU, nn.ELU, nn.LeakyReLU), False),
}
"""Activations that change every value by itself, and whether their values are never negative."""

_CHANNEL_BY_CHANNEL = (
    *(nn.MaxPool2d, nn.AvgPool2d, AveragePool3x3, GlobalPool),
    *(nn.Dropout, nn.Dropout2d, SeededDropout, nn.Identity, nn.Flatten),
)
"""Layers without weights that change every channel by itself, and make nothing negative."""


class KeptLayers:
    """Finds weights of a child with which it computes what its parent computes.

    Args:
        parent: weights of the parent, on the CPU.
        random: chooses which channels are repeated.
    """

    def __init__(self, parent: Mapping[str, Tensor], random: Replication) -> None:
        self._parent, self._random = parent, random
        self._rules: dict[type, Callable[..., Inserted]] = {
            Classifier: self._classifier,
            ConvBn: self._in_order,
            ConvBnRelu: self._in_order,
            Dense: self._dense,
            InvertedResidual: self._inverted_residual,
            LinearScores: self._same,
            ReluConvBn: self._in_order,
            ResidualReduction: self._reduction,
            TopologyCell: self._topology_cell,
            nn.BatchNorm2d: self._norm,
            nn.Conv2d: self._convolution,
            nn.Linear: self._linear,
        }

    def kept(self, child: nn.Module, parent: nn.Module, flow: Flow, ours: str, theirs: str) -> Inserted:
        """Return what flows out of a layer of the child, and its weights.

        Args:
            child: the layer of the child.
            parent: the layer of the parent.
            flow: what flows into both.
            ours: name of the child's layer, with a dot at its end unless it is empty.
            theirs: name of the parent's layer, likewise.

        Raises:
            CannotKeep: the child's layer cannot compute the same.
        """
        if type(child) in SEQUENCES and type(parent) in SEQUENCES:
            return self._sequence(child, parent, flow, ours, theirs)
        if type(child) is not type(parent):
            raise CannotKeep(
                f"layer {ours.rstrip('.')} of the child is {title(child)}, and layer {theirs.rstrip('.')} of the "
                f"parent {title(parent)}"
            )
        kind = type(child)
        if kind in self._rules:
            return self._rules[kind](child, parent, flow, ours, theirs)
        if repr(child) != repr(parent):
            raise CannotKeep(f"layer {ours.rstrip('.')} of the child is {child!r}, that of the parent {parent!r}")
        if kind in _POINTWISE:
            return dataclasses.replace(flow, nonnegative=_POINTWISE[kind]), {}
        if kind in _CHANNEL_BY_CHANNEL:
            return flow, {}
        return self._unknown(child, flow, ours, theirs)

    def _sequence(self, child: Any, parent: Any, flow: Flow, ours: str, theirs: str) -> Inserted:
        return PairedSequences(self.kept, self._random, child, parent, ours, theirs).kept(flow)

    def _in_order(self, child: nn.Sequential, parent: nn.Sequential, flow: Flow, ours: str, theirs: str) -> Inserted:
        """Keep the layers of a block, which has as many as that of the parent."""
        state: State = {}
        for (name, layer), other in zip(child.named_children(), parent.children(), strict=True):
            flow, more = self.kept(layer, other, flow, f"{ours}{name}.", f"{theirs}{name}.")
            state |= more
        return flow, state

    def _convolution(self, child: nn.Conv2d, parent: nn.Conv2d, flow: Flow, ours: str, theirs: str) -> Inserted:
        name = ours.rstrip(".")
        if _settings(child) != _settings(parent) or not _contains(child, parent):
            raise CannotKeep(f"layer {name} of the child is {child!r}, that of the parent {parent!r}")
        given = self._parent[f"{theirs}weight"]
        if parent.groups == parent.in_channels > 1:  # every channel by itself
            source = flow.source
            weight = rows(given, source)
        elif parent.groups == 1:
            source = self._random.widened(parent.out_channels, child.out_channels, name)
            columns = flow.columns(child.in_channels, parent.in_channels, name)
            weight = self._spread(rows(given, source), columns, parent.out_channels, name)
        elif flow.is_same and child.out_channels == parent.out_channels:
            source, weight = tuple(range(parent.out_channels)), given
        else:
            raise CannotKeep(f"layer {name} of the child is a grouped convolution with more channels")
        weight = _padded(weight, child.kernel_size)
        return Flow(source, parent.out_channels), self._weights(child, weight, source, ours, theirs)

    def _spread(self, weight: Tensor, columns: Any, width: int, name: str) -> Tensor:
        """Return weights whose inputs are repeated: the copies of an input share its weights."""
        shares = self._random.shares(columns, name).to(weight).view(1, -1, *[1] * (weight.dim() - 2))
        repeated = weight[:, torch.from_numpy(columns)]
        alone = len(set(columns.tolist())) == len(columns)
        return self._random.noisy(repeated if alone else repeated * shares, width, name)

    def _weights(self, child: nn.Module, weight: Tensor, source: Sequence[int], ours: str, theirs: str) -> State:
        """Return the weights of a layer, with the parent's biases."""
        state = {f"{ours}weight": Initial(weight, inherited=True)}
        if child.bias is not None:
            state[f"{ours}bias"] = Initial(rows(self._parent[f"{theirs}bias"], source), inherited=True)
        return state

    def _dense(self, child: Dense, parent: Dense, flow: Flow, ours: str, theirs: str) -> Inserted:
        return self._convolution(child.linear, parent.linear, flow, f"{ours}linear.", f"{theirs}linear.")

    def _classifier(self, child: Classifier, parent: Classifier, flow: Flow, ours: str, theirs: str) -> Inserted:
        return self._convolution(child.linear, parent.linear, flow, f"{ours}linear.", f"{theirs}linear.")

    def _linear(self, child: nn.Linear, parent: nn.Linear, flow: Flow, ours: str, theirs: str) -> Inserted:
        name = ours.rstrip(".")
        source = self._random.widened(parent.out_features, child.out_features, name)
        columns = flow.columns(child.in_features, parent.in_features, name)
        weight = self._spread(rows(self._parent[f"{theirs}weight"], source), columns, parent.out_features, name)
        return Flow(source, parent.out_features), self._weights(child, weight, source, ours, theirs)

    def _norm(self, child: nn.BatchNorm2d, parent: nn.BatchNorm2d, flow: Flow, ours: str, theirs: str) -> Inserted:
        if child.eps != parent.eps or child.affine != parent.affine:
            raise CannotKeep(f"layer {ours.rstrip('.')} of the child is {child!r}, that of the parent {parent!r}")
        state = {}
        for key in child.state_dict():
            given = self._parent[f"{theirs}{key}"]
            state[f"{ours}{key}"] = Initial(rows(given, flow.source) if given.dim() else given, inherited=True)
        return dataclasses.replace(flow, nonnegative=False), state

    def _reduction(
        self, child: ResidualReduction, parent: ResidualReduction, flow: Flow, ours: str, theirs: str
    ) -> Inserted:
        state: State = {}
        ends = []
        for name in ("convolutions", "shortcut"):
            mine, other = getattr(child, name), getattr(parent, name)
            end, more = self._in_order(mine, other, flow, f"{ours}{name}.", f"{theirs}{name}.")
            ends.append(end.source)
            state |= more
        return _sum(ends, ours, Flow(ends[0], parent.shortcut[1].out_channels)), state

    def _inverted_residual(
        self, child: InvertedResidual, parent: InvertedResidual, flow: Flow, ours: str, theirs: str
    ) -> Inserted:
        if child.residual != parent.residual:
            raise CannotKeep(f"layer {ours.rstrip('.')} of the child adds its input, or that of the parent does")
        end, state = self._in_order(child.layers, parent.layers, flow, f"{ours}layers.", f"{theirs}layers.")
        return _sum([end.source, *([flow.source] if child.residual else [])], ours, end), state

    def _topology_cell(self, child: TopologyCell, parent: TopologyCell, flow: Flow, ours: str, theirs: str) -> Inserted:
        """Keep every edge; an edge that only the child has adds zero."""
        node = Flow(self._random.widened(parent.outputs, child.outputs, ours.rstrip(".")), parent.outputs)
        state: State = {}
        for name, layer in child.edges.items():
            start = flow if name.startswith("0") else node
            mine, other = f"{ours}edges.{name}.", f"{theirs}edges.{name}."
            if name not in parent.edges:
                if not _learns(name, child, parent):
                    raise CannotKeep(
                        f"edge {name} in layer {ours.rstrip('.')} of the child would end in a node that is zero in the "
                        "parent, and behind a ReLU it would get no gradient"
                    )
                state |= silenced(layer, mine)
                continue
            match = parent.edges[name]
            if isinstance(match, nn.Identity) and isinstance(layer, ConvBn):  # a skip between other channels
                convolution = identity_convolution(layer[0], start, f"{mine}0.", node.source)
                state |= convolution | identity_norm(layer[1], f"{mine}1.")
                continue
            end, more = self.kept(layer, match, start, mine, other)
            _sum([end.source, node.source], mine, node)
            state |= more
        missing = [name for name in parent.edges if name not in child.edges]
        if missing:
            raise CannotKeep(f"layer {ours.rstrip('.')} of the child has no edge {missing[0]}, as the parent has")
        return node, state

    def _same(self, child: nn.Module, parent: nn.Module, flow: Flow, ours: str, theirs: str) -> Inserted:
        return flow, {}

    def _unknown(self, child: nn.Module, flow: Flow, ours: str, theirs: str) -> Inserted:
        """Copy a layer that no rule knows, if its input is that of the parent."""
        if not flow.is_same:
            raise CannotKeep(f"layer {ours.rstrip('.')}, {title(child)}, cannot take repeated channels")
        state = {f"{ours}{key}": Initial(self._parent[f"{theirs}{key}"], inherited=True) for key in child.state_dict()}
        return Flow.same(0), state


def _learns(edge: str, child: TopologyCell, parent: TopologyCell) -> bool:
    """Return whether a further edge that adds zero gets a gradient: not where its node only leads to ReLUs of zero."""
    node = edge[-1]
    has_inputs = any(name.endswith(f">{node}") for name in parent.edges)
    passes_on = any(
        name.startswith(node) and not any(isinstance(each, nn.ReLU) for each in layer.modules())
        for name, layer in child.edges.items()
    )
    return has_inputs or passes_on or node == "3"


def _sum(sources: Sequence[tuple[int, ...]], name: str, flow: Flow) -> Flow:
    """Return the flow of a sum, whose terms must have the same channels."""
    if len({*sources}) > 1:
        raise CannotKeep(f"layer {name.rstrip('.')} of the child adds channels that are not the same")
    return flow


def _settings(layer: nn.Conv2d) -> tuple[Any, ...]:
    grouped: Any = "each" if 1 < layer.groups == layer.in_channels else layer.groups
    return layer.stride, layer.dilation, layer.padding_mode, grouped, layer.bias is None


def _contains(child: nn.Conv2d, parent: nn.Conv2d) -> bool:
    """Return whether the kernel of a child has that of the parent in its centre."""
    sizes = zip(child.kernel_size, parent.kernel_size, child.padding, parent.padding, strict=True)
    return all(
        (mine == other and pad == padding)
        or (mine > other and mine % 2 == other % 2 == 1 and pad == mine // 2 and padding == other // 2)
        for mine, other, pad, padding in sizes
    )


def _padded(weight: Tensor, kernel: Sequence[int]) -> Tensor:
    """Return a kernel with zeros around it."""
    height, width = ((size - have) // 2 for size, have in zip(kernel, weight.shape[2:], strict=True))
    return torch.nn.functional.pad(weight, (width, width, height, height)).contiguous()
