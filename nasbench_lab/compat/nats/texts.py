"""Texts about architectures that the official APIs show. This is the only module of `compat` that prints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from nasbench_lab.compat.nats.arch_results import ArchResults


class Style(NamedTuple):
    """Differences between the texts of the official APIs.

    Attributes:
        between: text between loss and accuracy.
        shows_test: whether the test accuracy of trainings on ``"cifar10-valid"`` is shown.
    """

    between: str
    shows_test: bool


def describe(results: ArchResults, style: Style, extra: str | None = None) -> list[str]:
    """Return the lines about an architecture: its notation, its data sets, and two lines per data set.

    Args:
        results: results of the architecture.
        style: style of the official API.
        extra: additional information for the second line.
    """
    names = results.get_dataset_names()
    lines = [str(results.arch_str), f"datasets : {names}, extra-info : {extra}"]
    for dataset in names:
        lines += [_costs(results, dataset), _accuracies(results, dataset, style)]
    return lines


def full_report(results: Iterable[ArchResults], style: Style) -> str:
    """Return the text about an architecture and its trainings with all hyper-parameters."""
    parts = []
    for result in results:
        parts.append(f"{'>' * 40} {result.get_total_epoch():03d} epochs {'>' * 40}")
        parts += describe(result, style)
    return "\n".join([*parts, f"{'<' * 40}------------{'<' * 40}"])


def show(text: str) -> None:
    """Print a text, which is the purpose of the method ``show`` in the official APIs."""
    print(text)


def _costs(results: ArchResults, dataset: str) -> str:
    costs = results.get_compute_costs(dataset)
    latency = f"{costs['latency'] * 1000:.2f}" if costs["latency"] else None
    return f"{dataset:14s} FLOP={costs['flops']:6.2f} M, Params={costs['params']:.3f} MB, latency={latency} ms."


def _accuracies(results: ArchResults, dataset: str, style: Style) -> str:
    parts = [_one(results, dataset, "train", "train", style)]
    for label, setname in _sets(dataset, style):
        parts.append(_one(results, dataset, label, setname, style))
    return f"{dataset:14s} {', '.join(parts)}"


def _sets(dataset: str, style: Style) -> Sequence[tuple[str, str]]:
    """Return the labels and names of the shown evaluation sets."""
    if dataset == "cifar10":
        return (("test ", "ori-test"),)
    if dataset == "cifar10-valid":
        return (("valid", "x-valid"), ("test", "ori-test")) if style.shows_test else (("valid", "x-valid"),)
    return (("valid", "x-valid"), ("test", "x-test"))


def _one(results: ArchResults, dataset: str, label: str, setname: str, style: Style) -> str:
    found: dict[str, Any] = results.get_metrics(dataset, setname)
    return f"{label} : [loss = {found['loss']:.3f}{style.between}top1 = {found['accuracy']:.2f}%]"


def information_printer(style: Style) -> Callable[..., list[str]]:
    """Return the function ``print_information`` of an official API, which returns and shows the lines of `describe`."""

    def print_information(information: ArchResults, extra_info: Any = None, show: bool = False) -> list[str]:
        lines = describe(information, style, extra_info)
        if show:
            print("\n".join(lines))
        return lines

    return print_information
