"""Networks of NAS-Bench-Macro: chains of MobileNetV2 blocks (Su et al., CVPR 2021)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from nasbench_lab.checks import require
from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces import ChainSpace
from nasbench_lab.train.networks.blocks import Classifier, ConvBn, ConvBnRelu
from nasbench_lab.train.networks.family import NetworkFamily

_STAGES = (2, 3, 3)
_BLOCKS = {1: (3, 3), 2: (5, 6)}  # choice: kernel, expansion
_CHOICES = "012"
_LAST = 1280


class InvertedResidual(nn.Module):
    """The block of MobileNetV2 (Sandler et al., CVPR 2018): expand, convolve every channel on its own, project."""

    def __init__(self, inputs: int, outputs: int, kernel: int, expansion: int, stride: int, *, copies: int = 1) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.layers = nn.Sequential(
            ConvBnRelu(inputs, hidden, 1, copies=copies),
            ConvBnRelu(hidden, hidden, kernel, stride, groups=hidden, copies=copies),
            ConvBn(hidden, outputs, 1, copies=copies),
        )
        self.residual = inputs == outputs and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        """(batch, copies * inputs, h, w) to (batch, copies * outputs, h / stride, w / stride)."""
        return x + self.layers(x) if self.residual else self.layers(x)


def macro_network(
    choices: Sequence[int], *, channels: int = 32, image_channels: int = 3, classes: int = 10, copies: int = 1
) -> nn.Sequential:
    """Build a network of NAS-Bench-Macro: a stem, three stages of 2, 3 and 3 blocks, and a wide last layer.

    The first block of a stage halves the image and doubles the channels; where the choice is identity, by a strided 1x1
    convolution.

    Args:
        choices: codes of the architecture, eight of 0 (identity), 1 (kernel 3, expansion 3), 2 (kernel 5, expansion 6).
        channels: channels of the stem.
        image_channels: channels of the input.
        classes: outputs.
        copies: how many networks side by side (`nasbench_lab.train.networks.blocks`).

    Raises:
        OutOfSpaceError: there are not eight of these choices.

    >>> from nasbench_lab.train.complexity import parameters
    >>> parameters(macro_network([0, 2, 0, 1, 2, 1, 0, 0]))  # as published for 02012100
    890666
    """
    if len(choices) != sum(_STAGES) or any(choice not in (0, 1, 2) for choice in choices):
        raise OutOfSpaceError(f"NAS-Bench-Macro has eight choices of 0, 1 or 2, got {list(choices)}")
    layers: list[nn.Module] = [ConvBnRelu(image_channels, channels, 3, copies=copies)]
    firsts = {sum(_STAGES[:stage]) for stage in range(len(_STAGES))}
    width = channels
    for position, choice in enumerate(choices):
        stride = 2 if position in firsts else 1
        if choice:
            layers.append(InvertedResidual(width, width * stride, *_BLOCKS[choice], stride, copies=copies))
        elif stride == 2:
            layers.append(ConvBn(width, width * stride, 1, stride, copies=copies))
        width *= stride
    return nn.Sequential(*layers, ConvBnRelu(width, _LAST, 1, copies=copies), Classifier(_LAST, classes, copies=copies))


class MacroNetworks(NetworkFamily[ChainSpace]):
    """Networks of NAS-Bench-Macro, for chains of its choices."""

    options = ("channels",)

    def __init__(self, space: ChainSpace) -> None:
        require(
            space.choices == _CHOICES,
            f"networks of the space 'chain' are those of NAS-Bench-Macro, with the choices {_CHOICES!r}, "
            f"got {space.choices!r}",
        )
        super().__init__(space)

    def build(
        self, codes: Sequence[int], *, image: tuple[int, int, int], classes: int, copies: int, **options: int
    ) -> nn.Module:
        """Build `macro_network`."""
        return macro_network(codes, image_channels=image[0], classes=classes, copies=copies, **options)

    def default_options(self, dataset: str) -> Mapping[str, int]:
        """Return a narrow stem for digits."""
        return {"channels": 8} if dataset == "digits" else {}
