"""The graph of an architecture as SVG."""

from __future__ import annotations

import math
from itertools import pairwise

from markupsafe import Markup

from nasbench_lab.report.layout.graph import ArchitectureGraph, Edge, Node, Point
from nasbench_lab.report.page.svg import number, tag

_EM = 12  # CSS pixels
_NARROW = 340  # width of a phone, CSS pixels
_ARROW = (0.75, 0.3)  # length and half of the width of an arrow's head, em
_LINE = 1.25  # height of a line of text, em


def draw_architecture(graph: ArchitectureGraph) -> Markup:
    """Return the graph as SVG, with a description for readers who cannot see it."""
    parts = [_edge(edge) for edge in graph.edges]
    parts += [_node(node) for node in graph.nodes]
    parts += [_label(edge) for edge in graph.edges if edge.label]
    width, height = number(graph.width * _EM), number(graph.height * _EM)
    return tag(
        "svg",
        tag("title", f"{graph.name}: {graph.description}"),
        *parts,
        class_="drawing wide" if graph.width * _EM > _NARROW else "drawing",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
    )


def _edge(edge: Edge) -> Markup:
    start, *rest = edge.curve
    path = f"M{_point(start)}" + "".join(
        f"C{_point(rest[place])} {_point(rest[place + 1])} {_point(rest[place + 2])}"
        for place in range(0, len(rest) - 2, 3)
    )
    line = tag("path", class_="edge", d=path)
    return tag("g", line, _arrow(edge), class_="faint" if edge.kind == "none" else None)


def _arrow(edge: Edge) -> Markup:
    """Draw the head: a triangle that points where the curve ends."""
    end = edge.curve[-1]
    before = next((one for one, other in reversed(list(pairwise(edge.curve))) if one != end), end)
    angle = math.atan2(end[1] - before[1], end[0] - before[0])
    length, half = _ARROW
    base = (end[0] - length * math.cos(angle), end[1] - length * math.sin(angle))
    aside = (half * math.sin(angle), half * math.cos(angle))
    corners = (end, (base[0] - aside[0], base[1] + aside[1]), (base[0] + aside[0], base[1] - aside[1]))
    return tag("path", class_="arrow", d=f"M{'L'.join(map(_point, corners))}Z")


def _node(node: Node) -> Markup:
    x, y = node.x * _EM, node.y * _EM
    text = _text(node.label, x, y)
    if node.kind == "text":
        return text
    if node.kind == "state":
        return tag("g", tag("circle", class_="node end", cx=x, cy=y, r=node.width / 2 * _EM), text)
    width, height = node.width * _EM, node.height * _EM
    kind = "node end" if node.kind == "end" else "node"
    box = tag("rect", class_=kind, x=x - width / 2, y=y - height / 2, width=width, height=height, rx=4)
    return tag("g", box, text)


def _label(edge: Edge) -> Markup:
    x, y = edge.label_at
    kind = "halo caption" if edge.kind == "none" else "halo"
    return _text(edge.label, x * _EM, y * _EM, kind)


def _text(label: str, x: float, y: float, kind: str | None = None) -> Markup:
    lines = label.split("\n")
    top = y - (len(lines) - 1) / 2 * _LINE * _EM + 0.34 * _EM  # the baseline lies below the middle of letters
    spans = (tag("tspan", line, x=x, y=top + place * _LINE * _EM) for place, line in enumerate(lines))
    return tag("text", *spans, text_anchor="middle", class_=kind)


def _point(point: Point) -> str:
    return f"{number(point[0] * _EM)},{number(point[1] * _EM)}"
