"""Pages of the repository, rewritten for the Markdown of the site.

The repository's host reads CommonMark with tables, the site Python-Markdown. The two differ in a few places.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark").enable("table")
_REMARK = re.compile(r"\s*<!--.*-->\s*", re.S)


def links(text: str) -> list[str]:
    """Return the targets of all links and images of a page.

    >>> links("[a](b.md#c) ![d](e.png) `[f](g)`")
    ['b.md#c', 'e.png']
    """
    found = []
    for token in _PARSER.parse(text):
        for part in token.children or ():
            target = part.attrGet("href") if part.type == "link_open" else part.attrGet("src")
            if target:
                found.append(str(target))
    return found


def convert(text: str, target: Callable[[str], str] = str) -> str:
    r"""Return a page for the site.

    Indented blocks of commands get fences, names of files become titles of blocks, and remarks for tests go.

    Args:
        text: the page.
        target: gives the target of a link in the site.

    >>> print(convert("<!-- not run: slow -->\n    make demo\n\n```toml a.toml\nb = 1\n```"))
    <BLANKLINE>
    ```sh
    make demo
    ```
    <BLANKLINE>
    <BLANKLINE>
    ```toml title="a.toml"
    b = 1
    ```
    """
    lines = text.splitlines()
    for token in reversed([token for token in _PARSER.parse(text) if token.map]):
        start, end = token.map or (0, 0)
        if token.type == "code_block":
            lines[start:end] = ["```sh", *token.content.rstrip("\n").splitlines(), "```", ""]
        elif token.type == "fence":
            lines[start] = _fence(lines[start], token)
        elif token.type == "html_block" and _REMARK.fullmatch(token.content):
            lines[start:end] = [""]
    converted = "\n".join(lines).rstrip("\n")
    for link in sorted(set(links(text))):
        converted = converted.replace(f"]({link})", f"]({target(link)})")
    return converted


def _fence(line: str, token: Token) -> str:
    language, _, name = token.info.partition(" ")
    named = f' title="{name}"' if "." in name else ""
    return f"{line[: len(line) - len(line.lstrip())]}{token.markup}{language}{named}"
