"""What a forward pass of a supernet uses of its options: one path, a weighted mixture, or a straight-through sample."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from torch import Tensor


@dataclasses.dataclass(frozen=True, eq=False)
class Path:
    """One option per decision; nothing else is computed.

    Attributes:
        codes: the option of every decision: the codes of an architecture.
    """

    codes: Sequence[int]


@dataclasses.dataclass(frozen=True, eq=False)
class Mixture:
    """The weighted sum of all options of every decision (Liu et al., DARTS, ICLR 2019, equation 2).

    Attributes:
        weights: one tensor per decision, of shape (options,).
        factors: one factor per decision, which multiplies its output, shape (decisions,); None for ones. With the
            normalised weights of edges, this is the edge normalisation of PC-DARTS (Xu et al., ICLR 2020, equation 4).
        used: per decision, the options that are computed; None for all. All other options must have weight 0.
        interpolated: for numbers of channels, whether the outputs with different numbers are brought to the largest of
            them by interpolation between channels, instead of zeros in the place of missing ones (Dong and Yang,
            Network Pruning via Transformable Architecture Search, NeurIPS 2019, equations 5 and 6).
    """

    weights: Sequence[Tensor]
    factors: Tensor | None = None
    used: Sequence[Collection[int]] | None = None
    interpolated: bool = False

    def detached(self) -> Mixture:
        """Return the same mixture without gradients to its weights and factors."""
        factors = None if self.factors is None else self.factors.detach()
        return dataclasses.replace(self, weights=[each.detach() for each in self.weights], factors=factors)


@dataclasses.dataclass(frozen=True, eq=False)
class Sample:
    """One option per decision, with weights that carry gradients to the parameters of the architecture.

    Attributes:
        codes: the sampled option of every decision; only these are computed.
        weights: one tensor per decision, of shape (options,). For a straight-through sample their values are one-hot,
            and their gradients those of a relaxation.
        bare: whether the weights of the other options are added to the output. Their values are 0, so the output is the
            same, but they get gradients: the sum of the gradients of the output. This is what the published
            implementation of GDAS does.
        used: per decision, the options that are computed: the sampled one, and others with weight 0, whose weights get
            gradients then, as in ProxylessNAS. None for the sampled ones only. It cannot be combined with ``bare``.
    """

    codes: Sequence[int]
    weights: Sequence[Tensor]
    bare: bool = False
    used: Sequence[Collection[int]] | None = None


Selection = Path | Mixture | Sample


class CurrentSelection:
    """The selection of the forward pass under way, which all layers of one supernet share."""

    def __init__(self) -> None:
        self.selection: Selection | None = None
