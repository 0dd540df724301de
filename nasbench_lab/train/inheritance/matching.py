"""Which layers of two networks match: the same kind of layer in the same place, with weights of the same shape."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from torch import Tensor, nn

from nasbench_lab.train.networks.blocks import ConvBn
from nasbench_lab.train.networks.cell101 import Cell101Module
from nasbench_lab.train.networks.layer_chain import ChainWithSkips, Dense

Shapes = Literal["equal", "overlapping"]
"""Which weights of layers in the same place are copied: those of equal shapes, or the part that both layers have."""

Place = tuple[slice, ...]

SEQUENCES = (nn.Sequential, ChainWithSkips)
"""Modules whose parts follow one another; a part's number says nothing about its place in another sequence."""


@dataclass(frozen=True)
class Copy:
    """One tensor of the child that is copied from a tensor of the parent.

    Attributes:
        child, parent: names of the tensors in the states of both networks.
        to, of: the part of the child's tensor, and the part of the parent's.
        values: how many numbers are copied.
        whole: whether that is all of the child's tensor.
    """

    child: str
    parent: str
    to: Place
    of: Place
    values: int
    whole: bool


def matches(child: nn.Module, parent: nn.Module, shapes: Shapes = "equal") -> list[Copy]:
    """Return what is copied from a parent to a child.

    Modules are compared from the outside in. Parts with the same name are in the same place. The parts of an
    `nn.Sequential` have no names that mean anything: there, the parts are paired in their order such that most
    weights are copied, like a longest common subsequence. In a cell of NAS-Bench-101, vertices are paired in their
    order, with equal operations, such that most edges are the same. A convolution and its normalisation are one layer.

    >>> child, parent = nn.Sequential(nn.ReLU(), nn.Linear(3, 2)), nn.Sequential(nn.Linear(3, 2))
    >>> [(each.child, each.parent) for each in matches(child, parent)]
    [('1.weight', '0.weight'), ('1.bias', '0.bias')]
    """
    return _pair(child, parent, "", "", shapes)


def _pair(child: nn.Module, parent: nn.Module, ours: str, theirs: str, shapes: Shapes) -> list[Copy]:
    """Return the copies between two modules in the same place; their names start with the given prefixes."""
    if type(child) in SEQUENCES and type(parent) in SEQUENCES:
        return _sequence(child, parent, ours, theirs, shapes)
    if type(child) is not type(parent):
        return []
    if isinstance(child, ConvBn) or not any(True for _ in child.children()):
        return _layer(child, parent, ours, theirs, shapes)
    if isinstance(child, Cell101Module):
        pairs = _vertex_names(child, parent)
    else:
        pairs = [(name, name) for name, _ in child.named_children() if hasattr(parent, name)]
        if isinstance(child, nn.ModuleDict):
            pairs = [(name, name) for name in child if name in parent]
    own = _tensors_of_itself(child, parent, ours, theirs, shapes)
    for mine, other in pairs:
        module, match = child.get_submodule(mine), parent.get_submodule(other)
        own += _pair(module, match, f"{ours}{mine}.", f"{theirs}{other}.", shapes)
    return own


def _sequence(child: nn.Module, parent: nn.Module, ours: str, theirs: str, shapes: Shapes) -> list[Copy]:
    """Return the copies between two sequences: those of the pairing in order with most values."""
    mine, others = list(child.named_children()), list(parent.named_children())

    pixels, others_pixels = _pixels(mine), _pixels(others)

    @cache
    def pair(i: int, j: int) -> tuple[Copy, ...]:
        (name, module), (other, match) = mine[i], others[j]
        if shapes == "overlapping" and pixels[i] != others_pixels[j]:
            return ()  # equal positions in flattened images would be other pixels
        return tuple(_pair(module, match, f"{ours}{name}.", f"{theirs}{other}.", shapes))

    best = [[0] * (len(others) + 1) for _ in range(len(mine) + 1)]  # values of the pairing of what follows
    for i, j in itertools.product(reversed(range(len(mine))), reversed(range(len(others)))):
        best[i][j] = max(best[i + 1][j + 1] + _values(pair(i, j)), best[i + 1][j], best[i][j + 1])
    found: list[Copy] = []
    i = j = 0
    while i < len(mine) and j < len(others):
        if best[i][j] == best[i + 1][j + 1] + _values(pair(i, j)):
            found += pair(i, j)
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return found


def _pixels(layers: list[tuple[str, nn.Module]]) -> list[int]:
    """Return for every fully connected layer of a sequence how many of its inputs belong to a channel; else 0."""
    found, channels = [], 0
    for _, layer in layers:
        inner: Any = getattr(layer, "linear", layer)
        connected = isinstance(layer, Dense | nn.Linear)
        inputs = inner.weight.shape[1] if connected else 0
        # Without a layer before that says how many channels there are, only equal inputs match.
        found.append(inputs // channels if channels and inputs % channels == 0 else inputs)
        if isinstance(inner, nn.Conv2d | nn.Linear):
            channels = inner.weight.shape[0]
    return found


def _values(copies: tuple[Copy, ...]) -> int:
    return sum(each.values for each in copies)


def _vertex_names(child: Cell101Module, parent: Any) -> list[tuple[str, str]]:
    """Return the names of the layers of a cell, and of those of the same vertices in another cell."""
    return [
        (f"{part}.{mine}", f"{part}.{other}")
        for mine, other in _vertices(_drawing(child), _drawing(parent))
        for part in ("projections", "operations")
        if str(mine) in getattr(child, part) and str(other) in getattr(parent, part)
    ]


_Drawing = tuple[tuple[tuple[bool, ...], ...], tuple[str, ...]]


def _drawing(cell: Any) -> _Drawing:
    """Return the matrix of a cell, and what is computed in each of its inner vertices."""
    kinds = tuple(_kind(cell.operations[str(vertex)]) for vertex in range(1, cell.last))
    return tuple(map(tuple, cell.adjacency)), kinds


def _kind(layer: nn.Module) -> str:
    convolution = next((each for each in layer.modules() if isinstance(each, nn.Conv2d)), None)
    return type(layer).__name__ if convolution is None else f"{type(layer).__name__} {convolution.kernel_size}"


@cache
def _vertices(child: _Drawing, parent: _Drawing) -> list[tuple[int, int]]:
    """Return pairs of vertices: in order, with equal operations, with most edges in common, then most vertices."""
    (ours, mine), (theirs, others) = child, parent

    def common(pairs: list[tuple[int, int]]) -> tuple[int, int]:
        edges = itertools.combinations(pairs, 2)
        return sum(ours[a][c] and theirs[b][d] for (a, b), (c, d) in edges), len(pairs)

    last = len(ours) - 1, len(theirs) - 1
    return max(([(0, 0), *pairs, last] for pairs in _pairings(mine, others)), key=common)


def _pairings(mine: tuple[str, ...], others: tuple[str, ...]) -> Iterator[list[tuple[int, int]]]:
    """Yield all pairings, in their order, of inner vertices with equal operations."""
    for count in reversed(range(min(len(mine), len(others)) + 1)):
        for ours in itertools.combinations(range(len(mine)), count):
            for theirs in itertools.combinations(range(len(others)), count):
                if all(mine[a] == others[b] for a, b in zip(ours, theirs, strict=True)):
                    yield [(a + 1, b + 1) for a, b in zip(ours, theirs, strict=True)]


def _layer(child: nn.Module, parent: nn.Module, ours: str, theirs: str, shapes: Shapes) -> list[Copy]:
    """Return the copies between two layers: all tensors, or none. Without parameters, as in dropout, there are none."""
    if next(child.parameters(), None) is None:
        return []
    if not all(_same_settings(*each) for each in zip(child.modules(), parent.modules(), strict=True)):
        return []
    mine, others = child.state_dict(), parent.state_dict()
    if mine.keys() != others.keys():
        return []
    found = [_copy(f"{ours}{name}", f"{theirs}{name}", mine[name], others[name], shapes) for name in mine]
    return [] if None in found else [each for each in found if each is not None]


def _tensors_of_itself(child: nn.Module, parent: nn.Module, ours: str, theirs: str, shapes: Shapes) -> list[Copy]:
    """Return the copies of the tensors that a module with parts has itself, beside those of its parts."""
    mine, others = _own(child), _own(parent)
    found = (
        _copy(f"{ours}{name}", f"{theirs}{name}", mine[name], others[name], shapes) for name in mine if name in others
    )
    return [each for each in found if each is not None]


def _own(module: nn.Module) -> dict[str, Tensor]:
    return {name: value for name, value in module.state_dict().items() if "." not in name}


def _same_settings(child: nn.Module, parent: nn.Module) -> bool:
    """Return whether two layers of one class do the same, apart from their numbers of channels and kernel size."""
    if type(child) is not type(parent):
        return False
    if not isinstance(child, nn.Conv2d):
        return True
    return child.stride == parent.stride and child.dilation == parent.dilation and _grouped(child) == _grouped(parent)


def _grouped(layer: Any) -> int | str:
    return "each channel" if 1 < layer.groups == layer.in_channels else layer.groups


def _copy(child: str, parent: str, mine: Tensor, other: Tensor, shapes: Shapes) -> Copy | None:
    """Return the copy between two tensors; None if their shapes do not allow it."""
    whole = mine.shape == other.shape
    if not whole and (shapes == "equal" or mine.dim() != other.dim()):
        return None
    to, of, values = [], [], 1
    for axis, (length, available) in enumerate(zip(mine.shape, other.shape, strict=True)):
        common = min(length, available)
        # The first channels; of a kernel, its centre.
        starts = ((length - common) // 2, (available - common) // 2) if axis >= 2 else (0, 0)
        to.append(slice(starts[0], starts[0] + common))
        of.append(slice(starts[1], starts[1] + common))
        values *= common
    return Copy(child, parent, tuple(to), tuple(of), values, whole or values == mine.numel())
