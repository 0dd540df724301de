"""The architectures that strategies found on a task, as cards."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

from markupsafe import Markup

from nasbench_lab import spaces
from nasbench_lab.analysis.studies.results import Found, Study
from nasbench_lab.errors import NasbenchLabError
from nasbench_lab.report.incumbent_words import shows_values
from nasbench_lab.report.layout.architecture import architecture_graph
from nasbench_lab.report.page.architecture import draw_architecture
from nasbench_lab.report.page.numbers import short
from nasbench_lab.report.regret_words import REGRETS
from nasbench_lab.simulation.trace import RegretKind

MOST_DRAWINGS = 6
"""Largest number of architectures drawn per task; for others only the notation is shown."""

_ROW_WIDTH = 24.0  # em: a row of layers in a card


@dataclasses.dataclass(frozen=True)
class Card:
    """An architecture that strategies found.

    Attributes:
        title: short name.
        notation: official notation; empty if the space is not known.
        picture: its graph; None if it is not drawn.
        values: its values in the table.
        finders: label and position of each strategy that ended with it most often, with the share of its runs.
    """

    title: str
    notation: str
    picture: Markup | None
    values: tuple[str, ...]
    finders: tuple[tuple[str, int, str], ...]


def found_cards(study: Study, place: int, kind: RegretKind) -> Iterator[Card]:
    """Yield the architectures that strategies found, most finders first."""
    groups: dict[int, list[Found]] = {}
    for found in study.found:
        if found.task == place:
            groups.setdefault(found.architecture, []).append(found)
    ordered = sorted(
        groups.values(), key=lambda group: (-len(group), -sum(f.share for f in group), group[0].architecture)
    )
    space = _space(study, place)
    for number, group in enumerate(ordered):
        architecture = group[0].architecture
        notation, picture = "", None
        if space is not None:
            graph = architecture_graph(space, architecture, _ROW_WIDTH)
            notation = graph.name
            picture = draw_architecture(graph) if number < MOST_DRAWINGS else None
        finders = tuple((study.labels[f.strategy], f.strategy, f"{short(100 * f.share, 2)} %") for f in group)
        yield Card(f"architecture {architecture:,}", notation, picture, _values(study, group[0], kind), finders)


def _space(study: Study, place: int) -> spaces.Space | None:
    spec = study.tasks[place].space
    if not spec:
        return None
    try:
        return spaces.make_space(spec)
    except NasbenchLabError:  # the space belongs to a package that is not installed here
        return None


def _values(study: Study, found: Found, kind: RegretKind) -> tuple[str, ...]:
    parts = [("validation", found.valid), ("test", found.test)]
    texts = [f"{name} {short(value, 4)}" for name, value in parts if math.isfinite(value)]
    regret = found.regret.get(kind, math.nan)
    if math.isfinite(regret) and not shows_values(study, kind, found.task):
        texts.append("the optimum" if regret == 0 else f"{REGRETS[kind].name} {short(regret)}")
    return tuple(texts)
