"""A layer with several options, one decision of a supernet."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nasbench_lab.train.one_shot.supernets.selection import CurrentSelection, Mixture, Path, Selection


class MixedLayer(nn.Module):
    """The options of one decision. An option can be None, whose output is zero.

    Args:
        options: layers with outputs of one shape.
        decision: position of the decision among the codes of an architecture.
        current: tells what the forward pass uses.
    """

    def __init__(self, options: Sequence[nn.Module | None], decision: int, current: CurrentSelection) -> None:
        super().__init__()
        self.options = nn.ModuleDict({str(code): option for code, option in enumerate(options) if option is not None})
        self.decision, self._current = decision, current
        self._without_weights = {code for code, option in self.options.items() if not list(option.parameters())}

    def forward(self, x: Tensor, common: dict[str, Tensor] | None = None) -> Tensor | None:
        """Return the output of the selected options, or None if it is zero.

        Args:
            x: input.
            common: outputs of options without weights for this input, by code. Layers with equal options and the same
                input share them in mixtures; the first one fills them in.
        """
        selection = self._current.selection
        assert selection is not None  # noqa: S101 - `Supernet.forward` sets it
        output = self._selected(x, selection, {} if common is None else common)
        if output is None or not isinstance(selection, Mixture) or selection.factors is None:
            return output
        return selection.factors[self.decision] * output

    def _selected(self, x: Tensor, selection: Selection, common: dict[str, Tensor]) -> Tensor | None:
        if isinstance(selection, Path):
            return self._option(selection.codes[self.decision], x)
        weights = selection.weights[self.decision]
        if isinstance(selection, Mixture) or selection.used is not None:
            used = None if selection.used is None else selection.used[self.decision]
            terms = [
                weights[int(code)] * self._in_common(code, x, common)
                for code in self.options
                if used is None or int(code) in used
            ]
            return sum(terms[1:], terms[0]) if terms else None
        code = selection.codes[self.decision]
        output = self._option(code, x)
        output = None if output is None else weights[code] * output
        if not selection.bare:
            return output
        others = weights.sum() - weights[code]
        return others.expand_as(x) if output is None else output + others

    def _in_common(self, code: str, x: Tensor, common: dict[str, Tensor]) -> Tensor:
        if code not in self._without_weights:
            found: Tensor = self.options[code](x)
            return found
        if code not in common:
            common[code] = self.options[code](x)
        return common[code]

    def _option(self, code: int, x: Tensor) -> Tensor | None:
        key = str(code)
        return self.options[key](x) if key in self.options else None


def zeros(x: Tensor, channels: int) -> Tensor:
    """Return zeros with the images and pixels of a tensor."""
    return torch.zeros(x.shape[0], channels, *x.shape[2:], dtype=x.dtype, device=x.device)
