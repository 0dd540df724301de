"""The notation of DARTS: genotypes, as the original code writes them, and a shorter form.

A genotype is read as text and never evaluated.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.messages import shortened
from nasbench_lab.spaces.darts_cells import CELLS, INPUTS, Cell, Edge

SHORT = {
    "max_pool_3x3": "max3",
    "avg_pool_3x3": "avg3",
    "skip_connect": "skip",
    "sep_conv_3x3": "sep3",
    "sep_conv_5x5": "sep5",
    "dil_conv_3x3": "dil3",
    "dil_conv_5x5": "dil5",
}
"""What the short form calls the operations."""

_LONGEST = 10_000  # characters
_LIST = r"[\[(]((?:[^\[\]()]|\([^\[\]()]*\))*)[\])]"
_CONCAT = r"(range\(\s*\d+\s*,\s*\d+\s*\)|[\[(][\d\s,]*[\])])"
_GENOTYPE = re.compile(
    rf"\s*Genotype\(\s*normal\s*=\s*{_LIST}\s*,\s*normal_concat\s*=\s*{_CONCAT}\s*,"
    rf"\s*reduce\s*=\s*{_LIST}\s*,\s*reduce_concat\s*=\s*{_CONCAT}\s*,?\s*\)\s*",
    re.ASCII,
)
_EDGE = re.compile(r"\s*\(\s*(['\"])(\w*)\1\s*,\s*(\d{1,9})\s*,?\s*\)\s*", re.ASCII)
_SHORT_EDGE = re.compile(r"\s*(\w+)~(\d{1,9})\s*", re.ASCII)


def parse(text: str, nodes: int, operations: Sequence[str]) -> tuple[Cell, Cell]:
    """Return the cells of an architecture in either notation.

    Args:
        text: a genotype or the short form.
        nodes: intermediate nodes of a cell.
        operations: their names.

    Raises:
        OutOfSpaceError: the text is malformed, or the architecture is not in the space; the message says where.
    """
    if len(text) > _LONGEST:
        raise OutOfSpaceError(f"{shortened(text)} is no genotype")
    edges = _genotype_edges(text, nodes) if "Genotype" in text else _short_edges(text, nodes)
    normal, reduce = (_cell(which, named, nodes, operations) for which, named in zip(CELLS, edges, strict=True))
    return normal, reduce


def format_genotype(cells: Sequence[Cell], operations: Sequence[str]) -> str:
    """Return the genotype of cells, as the original code prints it."""
    concat = f"range({INPUTS}, {INPUTS + len(cells[0])})"
    normal, reduce = ([(operations[code], source) for node in cell for code, source in node] for cell in cells)
    return f"Genotype(normal={normal}, normal_concat={concat}, reduce={reduce}, reduce_concat={concat})"


def format_short(cells: Sequence[Cell], operations: Sequence[str]) -> str:
    """Return the short form of cells.

    >>> format_short([(((1, 0), (0, 1)),), (((0, 0), (0, 1)),)], ["skip_connect", "sep_conv_3x3"])
    'sep3~0,skip~1/skip~0,skip~1'
    """
    names = [SHORT[operation] for operation in operations]
    nodes = [[",".join(f"{names[code]}~{source}" for code, source in node) for node in cell] for cell in cells]
    return "/".join("+".join(cell) for cell in nodes)


NamedEdge = tuple[str, int]


def _genotype_edges(text: str, nodes: int) -> list[list[NamedEdge]]:
    match = _GENOTYPE.fullmatch(text)
    if match is None:
        raise OutOfSpaceError(
            f"malformed genotype {shortened(text)}; write Genotype(normal=[('sep_conv_3x3', 0), ...], "
            f"normal_concat=range(2, {INPUTS + nodes}), reduce=[...], reduce_concat=range(2, {INPUTS + nodes}))"
        )
    lists, concats = (match[1], match[3]), (match[2], match[4])
    for which, concat in zip(CELLS, concats, strict=True):
        _check_concat(which, concat, nodes)
    return [_edges_of_list(which, listed) for which, listed in zip(CELLS, lists, strict=True)]


def _check_concat(which: str, concat: str, nodes: int) -> None:
    """Check that a cell concatenates all its intermediate nodes."""
    numbers = [int(number) for number in re.findall(r"\d{1,9}", concat)]
    wanted = list(range(INPUTS, INPUTS + nodes))
    found = wanted if concat.startswith("range") and numbers == [INPUTS, INPUTS + nodes] else sorted(numbers)
    if found != wanted:
        raise OutOfSpaceError(
            f"{which}_concat is {shortened(concat)[1:-1]}; all cells of this space concatenate nodes {INPUTS} to "
            f"{INPUTS + nodes - 1}"
        )


def _edges_of_list(which: str, text: str) -> list[NamedEdge]:
    parts = re.findall(r"\([^()]*\)|[^(),\s][^(),]*", text)
    edges = []
    for part in parts:
        match = _EDGE.fullmatch(part)
        if match is None:
            raise OutOfSpaceError(f"malformed input {shortened(part)} in the {which} cell; write ('sep_conv_3x3', 0)")
        edges.append((match[2], int(match[3])))
    return edges


def _short_edges(text: str, nodes: int) -> list[list[NamedEdge]]:
    cells = text.split("/")
    if len(cells) != len(CELLS):
        raise OutOfSpaceError(
            f"malformed architecture {shortened(text)}; write a genotype, Genotype(normal=[('sep_conv_3x3', 0), ...], "
            f"...), or both cells in short, with {nodes} nodes each, as sep3~0,skip~1+.../max3~0,max3~1+..."
        )
    return [_short_cell(which, cell, nodes) for which, cell in zip(CELLS, cells, strict=True)]


def _short_cell(which: str, text: str, nodes: int) -> list[NamedEdge]:
    parts = [node.split(",") for node in text.split("+")]
    if len(parts) != nodes or any(len(node) != 2 for node in parts):
        raise OutOfSpaceError(
            f"the {which} cell {shortened(text.strip())} needs {nodes} nodes with + between them, with two inputs "
            "each, as sep3~0,skip~1"
        )
    edges = []
    for part in itertools.chain.from_iterable(parts):
        match = _SHORT_EDGE.fullmatch(part)
        if match is None:
            raise OutOfSpaceError(f"malformed input {shortened(part)} in the {which} cell; write sep3~0")
        edges.append((match[1], int(match[2])))
    return edges


def _cell(which: str, edges: Sequence[NamedEdge], nodes: int, operations: Sequence[str]) -> Cell:
    """Return a cell from its edges with names, two for each node in any order."""
    if len(edges) != 2 * nodes:
        raise OutOfSpaceError(
            f"the {which} cell has {len(edges)} inputs; in this space, a cell has {nodes} nodes with two inputs each"
        )
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return tuple(_node(which, number, pair, operations) for number, pair in enumerate(pairs, start=INPUTS))


def _node(which: str, number: int, pair: tuple[NamedEdge, NamedEdge], operations: Sequence[str]) -> tuple[Edge, Edge]:
    codes = {name: code for code, operation in enumerate(operations) for name in (operation, SHORT[operation])}
    for name, source in pair:
        if name not in codes:
            raise OutOfSpaceError(
                f"unknown operation {shortened(name)} into node {number} of the {which} cell; allowed: "
                f"{', '.join(operations)}"
            )
        if source >= number:
            raise OutOfSpaceError(
                f"node {number} of the {which} cell takes node {source}; it can take nodes 0 to {number - 1}"
            )
    first, second = sorted(((codes[name], source) for name, source in pair), key=lambda edge: edge[1])
    if first[1] == second[1]:
        raise OutOfSpaceError(f"both inputs of node {number} of the {which} cell are node {first[1]}; they must differ")
    return first, second
