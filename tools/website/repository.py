"""The pages of the repository, and everything that they link to, as files of the site at the same places.

Because the places are the same, a relative link leads to the same page on the repository's host and in the site.
Folders, and files that are no pages, are shown as pages.
"""

from __future__ import annotations

import ast
import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from website import dialect, notebooks

ROOT = Path(__file__).resolve().parents[2]

PAGES = ("*.md", "benchmarks/*.md", "data/*.md", "results/*.md", "docs/**/*.md")
"""Patterns of the pages of the repository. Other pages are in the site if one of these links to them."""
HOME = "README.md"
PICTURES = (".png", ".svg", ".jpg")

_LANGUAGES = {".py": "python", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml", ".json": "json", ".sh": "sh"}

_NOT_SEARCHED = "---\nsearch:\n  exclude: true\n---\n\n"
"""The head of a page that the search leaves out."""
_WITHOUT_NAVIGATION = "---\nhide:\n  - navigation\n---\n\n"
"""The head of a page without the navigation at its side."""


def pages() -> list[str]:
    """Return the places of all pages that the site starts from, relative to the repository."""
    found = (path.relative_to(ROOT) for pattern in PAGES for path in ROOT.glob(pattern))
    return sorted(path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts))


def files() -> Iterator[tuple[str, str | bytes]]:
    """Yield the place in the site and the content of every page, and of everything that pages link to."""
    waiting = [*pages(), *(path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob("docs/notebooks/*.ipynb")))]
    known = set(waiting)
    while waiting:
        place = waiting.pop(0)
        made, text = list(_files_of(place)), _text(place)
        yield from made
        for link in dialect.links(text) if text else ():
            linked = _linked(place, link)
            if linked and linked not in known:
                known.add(linked)
                waiting.append(linked)


def site_place(place: str) -> str:
    """Return where the site has a file or folder of the repository.

    >>> site_place("docs/cli.md"), site_place("docs/design"), site_place("LICENSE"), site_place("nasbench_lab/spaces")
    ('docs/cli.md', 'docs/design/README.md', 'LICENSE.md', 'nasbench_lab/spaces/index.md')
    """
    path = ROOT / place
    if path.is_dir():
        return posixpath.join(place, "README.md" if (path / "README.md").exists() else "index.md")
    if path.suffix == ".ipynb":
        return f"{place.removesuffix('.ipynb')}.md"
    if path.suffix in (".md", *PICTURES):
        return place
    return f"{posixpath.join(posixpath.dirname(place), path.name.lstrip('.'))}.md"  # mkdocs leaves out hidden files


def _linked(place: str, link: str) -> str | None:
    """Return the place of what a page links to; None if it is not in the repository."""
    target = link.partition("#")[0]
    if not target or re.match(r"[a-z]+:", target):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(place), target))


def _text(place: str) -> str:
    """Return the Markdown of a page or notebook of the repository; an empty text for other files."""
    path = ROOT / place
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    return notebooks.markdown(path)[0] if path.suffix == ".ipynb" else ""


def _files_of(place: str) -> Iterator[tuple[str, str | bytes]]:
    path, there = ROOT / place, site_place(place)
    if not path.exists():
        return  # mkdocs says which page has the wrong link
    if path.suffix in PICTURES:
        yield there, path.read_bytes()
    elif path.is_dir():
        if there.endswith("index.md"):
            yield there, _listing(place)
    elif path.suffix in (".md", ".ipynb"):
        head = _WITHOUT_NAVIGATION if place == HOME else ""
        yield there, head + dialect.convert(_text(place), lambda link: _in_site(place, link))
        if path.suffix == ".ipynb":
            _, pictures = notebooks.markdown(path)
            yield from ((posixpath.join(posixpath.dirname(there), name), data) for name, data in pictures.items())
    else:
        text = path.read_text(encoding="utf-8")
        yield there, f"{_NOT_SEARCHED}# {path.name}\n\nFile `{place}`:\n\n{fenced(text, _LANGUAGES.get(path.suffix))}"


def _in_site(place: str, link: str) -> str:
    linked = _linked(place, link)
    if linked is None or not (ROOT / linked).exists():
        return link
    there = posixpath.relpath(site_place(linked), posixpath.dirname(place) or ".")
    _, mark, anchor = link.partition("#")
    return f"{there}{mark}{anchor}"


def fenced(text: str, language: str | None = None) -> str:
    """Return text as a block of code, whatever it contains.

    >>> print(fenced("a"))
    ```text
    a
    ```
    """
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language or 'text'}\n{text.rstrip()}\n{fence}"


def _listing(place: str) -> str:
    """Return a page about a folder: its files, each with the first line of its docstring."""
    rows = []
    for entry in sorted(os.scandir(ROOT / place), key=lambda entry: entry.name):
        if entry.name.startswith((".", "__")):
            continue
        rows.append(f"| `{entry.name}{'/' if entry.is_dir() else ''}` | {_first_line(Path(entry.path))} |")
    return "\n".join([f"{_NOT_SEARCHED}# {place}", "", "| file or folder | content |", "|---|---|", *rows, ""])


def _first_line(path: Path) -> str:
    path = path / "__init__.py" if path.is_dir() else path
    if path.suffix != ".py" or not path.exists():
        return ""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0].replace("|", "\\|")
