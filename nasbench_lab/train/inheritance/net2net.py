"""Wider and deeper networks that compute what a smaller one computes (Chen et al., "Net2Net", ICLR 2016)."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from nasbench_lab.checks import AtLeast, number, one_of, whole
from nasbench_lab.errors import ParameterError
from nasbench_lab.train.described_networks import description_of
from nasbench_lab.train.inheritance.channel_flow import CannotKeep, Flow, Replication, Split
from nasbench_lab.train.inheritance.identity_layers import title
from nasbench_lab.train.inheritance.inherited import InheritedWeights
from nasbench_lab.train.inheritance.kept_layers import KeptLayers

_CLOSE = 1e-6
"""Largest difference of two scores, computed in float64, relative to the largest score."""


def keep_function(
    child: nn.Module,
    parent: nn.Module,
    *,
    seed: int = 0,
    split: Split = "random",
    noise: float = 0.0,
    image: tuple[int, int, int] | None = None,
) -> InheritedWeights:
    """Give a child weights with which it computes what its parent computes.

    The layers of the child, in their order, are those of the parent, with further layers between them.

    - A *wider* layer repeats random outputs of the parent's layer, and the next layer shares its weights among the
      copies (Net2WiderNet). A kernel may be larger, too: it gets zeros around it.
    - A *further* layer passes on its input (Net2DeeperNet): a convolution or fully connected layer as an identity, with
      at least as many outputs; a batch normalisation with statistics that change nothing; a ReLU after a ReLU or a
      sigmoid; a residual block, or an edge of a cell that is added to others, with a last normalisation of scale zero.
      Pooling, a tanh or a sigmoid would change the function.

    With ``split="equal"`` and no noise, as published, the copies of an output get equal gradients for ever; the paper
    adds noise for that reason. Random shares break this symmetry, and keep the function.

    The function is kept in evaluation, up to rounding. In training, an inserted batch normalisation uses the statistics
    of the batch, and dropout drops values.

    Args:
        child: gets the weights; the network of a larger architecture.
        parent: a network without dropout or batch normalisation in training. It stays as it is.
        seed: of the repeated outputs, of their shares and of the noise.
        split: how the copies of an output share what the next layer takes from it.
        noise: standard deviation of the noise on the weights of repeated outputs, relative to that of all weights of
            the layer. The function is then kept only approximately.
        image: channels, height and width of the images; by default those that the child was built for. With them, the
            outputs of both networks are compared.

    Raises:
        ParameterError: no weights of the child compute what the parent computes.

    >>> from nasbench_lab import train
    >>> parent = train.network("digits/chain", "conv3x3-4|relu|identity|identity|relu|identity")
    >>> child = train.network("digits/chain", "conv5x5-8|relu|identity|conv3x3-16|relu|identity", seed=1)
    >>> print(keep_function(child, parent))
    90% of the weights from the parent (4 tensors), computes what the parent computes
    >>> images = torch.rand(5, 1, 8, 8)
    >>> bool(torch.allclose(child(images), parent(images), atol=1e-5))
    True
    """
    random = Replication(whole("seed", seed, AtLeast(0)), _split(split), number("noise", noise, AtLeast(0)))
    known = description_of(child)
    size = image or (known.image if known else None)
    given = {name: value.detach().cpu() for name, value in parent.state_dict().items()}
    try:
        _, found = KeptLayers(given, random).kept(child, parent, Flow.same(_channels(child, size)), "", "")
    except CannotKeep as error:
        raise ParameterError(f"the child cannot compute what the parent computes: {error}") from None
    state = {name: value.detach().cpu().clone() for name, value in child.state_dict().items()}
    for name, initial in found.items():
        state[name].copy_(initial.values)
    if size is not None and not noise:
        _check(child, state, parent, size)
    child.load_state_dict(state)
    whole_tensors = tuple(name for name, initial in found.items() if initial.inherited)
    parameters = {name: value.numel() for name, value in child.named_parameters()}
    share = sum(parameters[name] for name in whole_tensors if name in parameters) / max(1, sum(parameters.values()))
    return InheritedWeights(state, whole_tensors, (), share, keeps_function=not noise)


def widen(network: nn.Sequential, layer: str, channels: int, **how: Any) -> nn.Sequential:
    """Return a copy of a network in which one layer has more outputs, and which computes the same (Net2WiderNet).

    Args:
        network: a sequence of layers, such as the network of a layer chain.
        layer: name of a convolution or fully connected layer, as in `torch.nn.Module.named_modules`.
        channels: new number of outputs.
        how: ``seed``, ``split``, ``noise`` and ``image`` of `keep_function`.

    Raises:
        ParameterError: there is no such layer, or the next layer cannot take more inputs.

    >>> from nasbench_lab.train.networks import layer_chain_network
    >>> network = layer_chain_network(["conv3x3-4", "relu"], image=(1, 8, 8))
    >>> widen(network, "0", 6, image=(1, 8, 8))[0]
    Conv2d(1, 6, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    """
    layers = _layers(network)
    place = _place(network, layer)
    old = _outputs(layers[place])
    if not old:
        raise ParameterError(f"layer {layer!r}, {title(layers[place])}, has no channels of its own to widen")
    following = next((i for i in range(place + 1, len(layers)) if _outputs(layers[i])), None)
    if following is None:
        raise ParameterError(f"layer {layer!r} is the last with weights: its outputs are the scores")
    if whole("channels", channels, AtLeast(1)) < old:
        raise ParameterError(f"layer {layer!r} has {old} outputs; a wider one has at least as many, got {channels}")
    layers[place] = _resized(layers[place], outputs=channels)
    for between in range(place + 1, following):
        norm: Any = layers[between]
        if isinstance(norm, nn.BatchNorm2d):
            wide = nn.BatchNorm2d(channels, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
            layers[between] = wide.to(next(network.parameters()))
    layers[following] = _resized(layers[following], inputs=_inputs(layers[following]) // old * channels)
    return _grown(layers, network, how)


def deepen(network: nn.Sequential, before: str, layer: nn.Module, **how: Any) -> nn.Sequential:
    """Return a copy of a network with a further layer, which computes the same (Net2DeeperNet).

    Args:
        network: a sequence of layers, such as the network of a layer chain.
        before: name of the layer before which the new one is inserted.
        layer: the new layer, with any weights: its inputs and outputs must fit.
        how: ``seed``, ``split``, ``noise`` and ``image`` of `keep_function`.

    Raises:
        ParameterError: there is no such place, or the layer changes the function with any weights.

    >>> from nasbench_lab.train.networks import layer_chain_network
    >>> network = layer_chain_network(["conv3x3-4", "relu"], image=(1, 8, 8))
    >>> deepen(network, "1", nn.Conv2d(4, 4, 5, padding=2), image=(1, 8, 8))[1]
    Conv2d(4, 4, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))
    """
    layers = _layers(network)
    layers.insert(_place(network, before), copy.deepcopy(layer))
    return _grown(layers, network, how)


def _grown(layers: list[nn.Module], network: nn.Sequential, how: dict[str, Any]) -> nn.Sequential:
    child = nn.Sequential(*layers)
    known = description_of(network)
    if known is not None:
        how = {"image": known.image, **how}
    keep_function(child, network, **how)
    return child.train(network.training)


def _layers(network: nn.Module) -> list[nn.Module]:
    if not isinstance(network, nn.Sequential):
        raise ParameterError(f"only a sequence of layers can be widened or deepened, got {type(network).__name__}")
    return list(copy.deepcopy(network).children())


def _place(network: nn.Sequential, layer: str) -> int:
    names = [name for name, _ in network.named_children()]
    return names.index(one_of("layer", str(layer), names))


def _linear(layer: nn.Module) -> Any:
    """Return the convolution or linear layer of a layer; None for a layer of another kind."""
    found = getattr(layer, "linear", layer)
    return found if isinstance(found, nn.Conv2d | nn.Linear) else None


def _outputs(layer: nn.Module) -> int:
    found = _linear(layer)
    return 0 if found is None else found.weight.shape[0]


def _inputs(layer: nn.Module) -> int:
    return int(_linear(layer).weight.shape[1])


def _resized(layer: nn.Module, *, inputs: int | None = None, outputs: int | None = None) -> nn.Module:
    """Return a copy of a layer with other numbers of inputs or outputs; its weights are zero."""
    resized, found = copy.deepcopy(layer), _linear(layer)
    if found is None or getattr(found, "groups", 1) != 1:
        raise ParameterError(f"the number of channels of {layer!r} cannot be changed")
    new = _linear(resized)
    shape = (outputs or found.weight.shape[0], inputs or found.weight.shape[1], *found.weight.shape[2:])
    new.weight = nn.Parameter(torch.zeros(shape, dtype=found.weight.dtype))
    if found.bias is not None:
        new.bias = nn.Parameter(torch.zeros(shape[0], dtype=found.bias.dtype))
    names = ("in_channels", "out_channels") if isinstance(found, nn.Conv2d) else ("in_features", "out_features")
    for name, size in zip(names, (shape[1], shape[0]), strict=True):
        setattr(new, name, size)
    if hasattr(resized, "inputs"):
        resized.inputs = shape[1]
    return resized


def _channels(child: nn.Module, image: tuple[int, int, int] | None) -> int:
    """Return the number of channels of the images; 0 if it is not known."""
    if image is not None:
        return image[0]
    first = next((each for each in child.modules() if isinstance(each, nn.Conv2d)), None)
    return first.in_channels if first is not None else 0


def _check(child: nn.Module, state: dict[str, Any], parent: nn.Module, image: tuple[int, int, int]) -> None:
    """Compare the outputs of both networks, so that a mistake in the rules for a layer is found."""
    wide = copy.deepcopy(child).cpu()
    wide.load_state_dict(state)
    images = torch.randn(2, *image, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with torch.no_grad():
        ours = wide.double().eval()(images)
        theirs = copy.deepcopy(parent).cpu().double().eval()(images)
    if not torch.allclose(ours, theirs, rtol=0, atol=_CLOSE * (1 + float(theirs.abs().max())), equal_nan=True):
        raise ParameterError("the child does not compute what the parent computes: a layer is not what it seems")


def _split(split: str) -> Any:
    return one_of("split", split, ("random", "equal"))
