"""BibTeX entries of tables."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from nasbench_lab.errors import DataError, MissingDataError
from nasbench_lab.tables import catalogue
from nasbench_lab.tables.tables_in_code import is_in_code

_BEGINNING = re.compile(r"@\w+\{\s*([^\s,{}]+)\s*,")


def cite(*names: str | os.PathLike[str]) -> str:
    """Return the BibTeX entries of the publications of tables.

    Args:
        names: names of tables in the catalogue (also with wildcards, or the part before the slash), or table files.

    Returns:
        Each publication once, in the order of the tables, separated by empty lines.

    Raises:
        UnknownNameError: no such table.
        MissingDataError: a table has no citation.
        DataError: a table file is damaged, or its citation is not BibTeX.

    >>> print(cite("nas-bench-graph/cora", "nas-bench-graph/arxiv").splitlines()[0])
    @inproceedings{qin2022nasbenchgraph,
    """
    found: dict[str, str] = {}
    for name in names:
        for table, citation in _citations(os.fspath(name)):
            if not citation.strip():
                raise MissingDataError(f"table {table!r} has no citation")
            found |= {key: entry for key, entry in entries(citation) if key not in found}
    return "\n\n".join(found.values())


def entries(bibtex: str) -> list[tuple[str, str]]:
    """Return key and text of every BibTeX entry.

    Raises:
        DataError: a brace is not closed, or the text has no entry.

    >>> entries("@misc{a, title = {A}} @misc{b, title = {{B}}}")
    [('a', '@misc{a, title = {A}}'), ('b', '@misc{b, title = {{B}}}')]
    """
    found = []
    position = 0
    while match := _BEGINNING.search(bibtex, position):
        position = _end(bibtex, match.start())
        found.append((match[1], bibtex[match.start() : position]))
    if not found:
        raise DataError(f"not BibTeX: {bibtex[:40]!r}")
    return found


def _end(text: str, start: int) -> int:
    """Return the end of the entry that starts at ``start``: the position after its closing brace."""
    depth = 0
    for position in range(text.index("{", start), len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return position + 1
    raise DataError(f"not BibTeX, a brace is not closed: {text[start : start + 40]!r}")


def _citations(name: str) -> Iterable[tuple[str, str]]:
    """Return name and citation of the tables that match a name, or of a table file, without making tables."""
    if catalogue.is_table_file(name) or is_in_code(name):
        description = catalogue.load(name).description
        return [(description.name, description.citation)]
    return [(table, catalogue.find_recipe(table).description.citation) for table in catalogue.matching([name])]
