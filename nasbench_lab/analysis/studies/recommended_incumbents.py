"""Warnings about strategies that recommend architectures, and about searches that train networks themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nasbench_lab.analysis.studies.name_lists import some_names
from nasbench_lab.simulation.recommendations import CLOCK_SCALE


def recommendation_warnings(labels: Sequence[str], recommending: Sequence[bool]) -> Iterator[str]:
    """Yield a sentence that says whose regret is that of recommended architectures.

    Args:
        labels: of the strategies.
        recommending: whether each recommends.

    >>> list(recommendation_warnings(["gp-bo", "random-search"], [True, False]))
    ['Results of gp-bo are those of the architecture that it recommends; for the others, of the best observed one.']
    """
    named = [label for label, recommends in zip(labels, recommending, strict=True) if recommends]
    if not named:
        return
    pronoun = "it recommends" if len(named) == 1 else "they recommend"
    others = "; for the others, of the best observed one" if len(named) < len(labels) else ""
    yield f"Results of {some_names(named)} are those of the architecture that {pronoun}{others}."


def training_warnings(trained: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield sentences on searches that trained networks themselves: what they lack, and the scales of their clocks.

    Args:
        trained: the searches, as in `Results.provenance`.
    """
    trained = list(trained)
    if trained:
        yield (
            f"{some_names(_labels(trained))} trained networks and evaluated nothing of the table: there is no observed "
            "regret on such tasks, and figures over evaluations leave these searches out."
        )
    yield from clock_notes(trained)


def clock_notes(trained: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence for every factor by which measured seconds were multiplied.

    >>> searches = [{"strategy": "darts", "table": "digits/topology", "clock_scale": 1.234}]
    >>> list(clock_notes(searches))
    ['Seconds of darts were measured and multiplied by 1.23 to match those of the table.']
    """
    scales: dict[str, list[float]] = {}
    for search in trained:
        scales.setdefault(search["strategy"], []).extend(_numbers(search.get(CLOCK_SCALE)))
    by_scale: dict[str, list[str]] = {}
    for label, numbers in scales.items():
        if numbers:
            by_scale.setdefault(_range(numbers), []).append(label)
    for scale, labels in by_scale.items():
        yield f"Seconds of {some_names(labels)} were measured and multiplied by {scale} to match those of the table."


def _labels(trained: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(search["strategy"] for search in trained))


def _numbers(value: Any) -> list[float]:
    numbers = value if isinstance(value, list) else [value]
    return [float(number) for number in numbers if isinstance(number, int | float)]


def _range(scales: Sequence[float]) -> str:
    least, most = f"{min(scales):.3g}", f"{max(scales):.3g}"
    return least if least == most else f"{least} to {most}"
