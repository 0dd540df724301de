"""Copying the weights of a parent to a child."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from nasbench_lab.train.inheritance.matching import Copy, Shapes, matches


@dataclass(frozen=True, eq=False)
class InheritedWeights:
    """Initial weights of a child, some of which are those of its parent.

    Attributes:
        state: all weights and buffers of the child, on the CPU, for `torch.nn.Module.load_state_dict`.
        whole: names of the child's tensors that come from the parent.
        partly: names of the tensors of which a part comes from the parent.
        share: how many of the child's parameters come from the parent, from 0 to 1.
        keeps_function: whether the child computes what the parent computes, in evaluation.
    """

    state: dict[str, Tensor]
    whole: tuple[str, ...]
    partly: tuple[str, ...]
    share: float
    keeps_function: bool = False

    def __str__(self) -> str:
        kept = ", computes what the parent computes" if self.keeps_function else ""
        parts = f", {len(self.partly)} in part" if self.partly else ""
        return f"{self.share:.0%} of the weights from the parent ({len(self.whole)} tensors{parts}){kept}"


def inherit(child: nn.Module, parent: nn.Module, *, shapes: Shapes = "overlapping") -> InheritedWeights:
    """Give a child the weights of its parent where their layers match; its other weights stay as they are.

    This is the weight inheritance of Real et al. ("Large-Scale Evolution of Image Classifiers", ICML 2017): layers of
    the same kind in the same place take over weights, biases, and the statistics of batch normalisation. What the same
    place is, `nasbench_lab.train.inheritance.matching.matches` says.

    Args:
        child: gets the weights.
        parent: usually a trained network. It stays as it is.
        shapes: ``"equal"`` copies only layers whose weights have equal shapes, as published. ``"overlapping"`` also
            copies the part that two layers have in common: the first channels, and the centre of a kernel.

    Returns:
        The weights that the child has now, and which of them come from the parent.

    >>> from nasbench_lab import train
    >>> parent, child = train.network("digits/chain", 7), train.network("digits/chain", 10, seed=1)
    >>> print(inherit(child, parent))
    95% of the weights from the parent (7 tensors, 1 in part)
    """
    found = matches(child, parent, shapes)
    state = {name: value.detach().cpu().clone() for name, value in child.state_dict().items()}
    given = parent.state_dict()
    for each in found:
        state[each.child][each.to] = given[each.parent][each.of].detach().to(state[each.child])
    child.load_state_dict(state)
    return _report(child, state, found)


def _report(child: nn.Module, state: dict[str, Tensor], copies: list[Copy]) -> InheritedWeights:
    parameters = {name: value.numel() for name, value in child.named_parameters()}
    copied = sum(each.values for each in copies if each.child in parameters)
    return InheritedWeights(
        state,
        whole=tuple(each.child for each in copies if each.whole),
        partly=tuple(each.child for each in copies if not each.whole),
        share=copied / max(1, sum(parameters.values())),
    )
