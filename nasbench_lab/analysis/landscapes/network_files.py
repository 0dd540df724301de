"""Networks as GraphML files (graphml.graphdrawing.org), written from the records of their nodes and edges."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from nasbench_lab.files import atomic_path
from nasbench_lab.records import Categories, Column, Records

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
"""
_TYPES = {"i": "long", "u": "long", "f": "double", "b": "boolean"}


def write_graphml(path: str | os.PathLike[str], nodes: Records, edges: Records) -> None:
    """Write a directed network as GraphML.

    Args:
        path: of the file, which appears complete or not at all.
        nodes: with a column ``node`` of different numbers; the other columns become attributes.
        edges: with columns ``source`` and ``target``, which are nodes; the other columns become attributes.

    Raises:
        OutputError: the file cannot be written.
    """
    with atomic_path(Path(path)) as temporary:
        temporary.write_text("".join(_lines(nodes, edges)), encoding="utf-8")


def _lines(nodes: Records, edges: Records) -> Iterator[str]:
    yield _HEAD
    attributes = {
        "node": {name: column for name, column in nodes.columns.items() if name != "node"},
        "edge": {name: column for name, column in edges.columns.items() if name not in ("source", "target")},
    }
    for of, columns in attributes.items():
        for name, column in columns.items():
            yield f'  <key id="{of}-{name}" for="{of}" attr.name="{name}" attr.type="{_type(column)}"/>\n'
    yield '  <graph edgedefault="directed">\n'
    numbers = nodes.columns["node"].tolist()
    yield from _elements("node", [f'id="n{number}"' for number in numbers], attributes["node"])
    pairs = zip(edges.columns["source"].tolist(), edges.columns["target"].tolist(), strict=True)
    yield from _elements("edge", [f'source="n{one}" target="n{other}"' for one, other in pairs], attributes["edge"])
    yield "  </graph>\n</graphml>\n"


def _elements(of: str, heads: list[str], columns: dict[str, Column]) -> Iterator[str]:
    values = {name: column.tolist() for name, column in columns.items()}
    for place, head in enumerate(heads):
        data = "".join(
            f'<data key="{of}-{name}">{_text(column[place])}</data>'
            for name, column in values.items()
            if column[place] is not None
        )
        yield f"    <{of} {head}>{data}</{of}>\n"


def _type(column: Column) -> str:
    return "string" if isinstance(column, Categories) else _TYPES[column.dtype.kind]


def _text(value: object) -> str:
    """Return a value as GraphML writes it.

    >>> _text(True), _text(0.5), _text(float("nan")), _text("a<b")
    ('true', '0.5', 'NaN', 'a&lt;b')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return escape(str(value))
