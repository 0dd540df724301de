"""The navigation of the site: what ``nav`` of ``mkdocs.yml`` says, with the generated pages."""

from __future__ import annotations

import posixpath
from typing import Any

from markdown_it import MarkdownIt

from website import api, repository, spaces, strategies, tables

Nav = list[Any]
"""Entries of mkdocs: places, and dictionaries of one title with a place or more entries."""

DESIGN = "docs/design/README.md"


def expand(nav: Nav) -> Nav:
    """Return the navigation with pages for the entries that end in a slash."""
    generated = {
        "api/": _api,
        "design/": _design,
        "notebooks/": notebooks,
        "more/": lambda: unlisted(nav),
        "strategies/": _strategies,
        "tables/": _tables,
    }

    def expanded(entry: Any) -> Any:
        if isinstance(entry, str):
            return entry
        ((title, value),) = entry.items()
        if isinstance(value, list):
            entries = [expanded(each) for each in value]
            return {title: [each for each in entries if each is not None]}
        if not value.endswith("/"):
            return entry
        pages = generated[value]()
        return {title: pages} if pages else None

    return [expanded(entry) for entry in nav]


def unlisted(nav: Nav) -> list[str]:
    """Return the pages in the folder docs that the navigation does not list."""
    listed = set(_places(nav))
    pages = (place for place in repository.pages() if posixpath.dirname(place) == "docs")
    return [place for place in pages if place not in listed]


def notebooks() -> list[str]:
    """Return the pages of the example notebooks."""
    paths = sorted(repository.ROOT.glob("docs/notebooks/*.ipynb"))
    return [repository.site_place(path.relative_to(repository.ROOT).as_posix()) for path in paths]


def _places(nav: Nav) -> list[str]:
    found: list[str] = []
    for entry in nav:
        for value in entry.values() if isinstance(entry, dict) else (entry,):
            found += _places(value) if isinstance(value, list) else [value]
    return found


def _api() -> Nav:
    return [{page.module.removeprefix(f"{api.PACKAGE}."): page.place} for page in api.pages()]


def _strategies() -> Nav:
    families = strategies.families().items()
    groups = [{strategies.title(family): [strategies.place(name) for name in names]} for family, names in families]
    return [{"All strategies": f"{strategies.FOLDER}/index.md"}, *groups]


def _tables() -> Nav:
    groups = [
        {publication: [{name.partition("/")[2]: tables.place(name)} for name in names]}
        for publication, names in tables.publications().items()
    ]
    own = "data/README.md"
    return [
        {"All tables": f"{tables.FOLDER}/index.md"},
        *groups,
        own,
        {"Search spaces": [{"All spaces": f"{spaces.FOLDER}/index.md"}, *map(spaces.place, spaces.names())]},
    ]


def _design() -> Nav:
    """Return the pages of the design in the order and groups of their index; others come last."""
    groups: dict[str, list[str]] = {}
    title, heading = "", False
    for token in MarkdownIt().parse((repository.ROOT / DESIGN).read_text(encoding="utf-8")):
        if token.type == "inline" and heading:
            title = token.content
        for part in token.children or ():
            target = str(part.attrGet("href") or "") if part.type == "link_open" else ""
            if target.endswith(".md") and "/" not in target:
                groups.setdefault(title, []).append(posixpath.join(posixpath.dirname(DESIGN), target))
        heading = token.type == "heading_open"
    found = [{"All decisions": DESIGN}, *({title: places} for title, places in groups.items())]
    listed = {DESIGN, *(place for places in groups.values() for place in places)}
    others = (place for place in repository.pages() if posixpath.dirname(place) == posixpath.dirname(DESIGN))
    return [*found, *(place for place in others if place not in listed)]
