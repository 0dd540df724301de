"""Markdown documents as the tests see them: blocks of code, commands in the text, headings and links.

What a block of code is for, the word after its three backticks says:

- ``python``: is executed. What ``print(...)  # text`` prints must be how the comment begins.
- ``sh``, ``console``, and every indented block: commands, which are executed. In a ``console``, lines that begin with
  ``$ `` are commands, and the others what they print.
- ``toml``, ``yaml``, ``json``: is read; specifications of tables and suites are checked.
- ``text`` and languages that nothing executes: is shown to the reader.
- ``text output``: what the block before it prints; ``...`` stands for anything.

A second word with a dot, as in ``toml mine.toml``, is the name under which the block is written to a file; a file of
Python is for others to import. The comment ``<!-- not run: reason -->`` before a block says that its commands or its
Python are not executed, only parsed.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from paths import ROOT

SHOWN = {"text", "bibtex", "csv", "html", "latex", "markdown", "dockerfile"}
SHELLS = {"sh", "bash", "console"}
DATA = {"toml", "yaml", "json"}

_NOT_RUN = re.compile(r"<!--\s*not run:\s*(.*?)\s*-->\s*$", re.S)


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        line: where it begins.
        language: the word after the backticks; ``sh`` for an indented block.
        name: the second word: a file's name, or ``output``.
        code: what is in it.
        not_run: why it is not executed; empty where it is.
    """

    line: int
    language: str
    name: str
    code: str
    not_run: str


@dataclass(frozen=True)
class Document:
    """A page: its blocks in order, code in its text, anchors of its headings, and targets of its links and images."""

    path: Path
    blocks: list[Block] = field(default_factory=list)
    spans: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()


def read(path):
    """Parse a page."""
    document = Document(path)
    reason, heading = "", False
    for token in MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8")):
        if token.type in ("fence", "code_block"):
            document.blocks.append(_block(token, reason))
        elif token.type == "inline":
            _read_text(document, token, heading)
        said = _NOT_RUN.search(token.content) if token.type == "html_block" else None
        reason = said[1] if said else ""
        heading = token.type == "heading_open"
    return document


def _block(token, reason):
    words = token.info.split() if token.type == "fence" else ["sh"]
    language, name = (*words, "", "")[:2]
    return Block(token.map[0] + 1, language, name, token.content, reason)


def _read_text(document, token, heading):
    if heading:
        text = "".join(part.content for part in token.children if part.type in ("text", "code_inline"))
        document.anchors.add(_anchor(text, document.anchors))
    for part in token.children:
        if part.type == "code_inline":
            document.spans.append(part.content)
        target = part.attrGet("href") if part.type == "link_open" else part.attrGet("src")
        if target:
            document.links.append(target)


def _anchor(text, taken):
    """Return how GitHub names a heading in links: the second of equal ones gets -1, the third -2, ..."""
    slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
    return next(name for name in (slug, *(f"{slug}-{n}" for n in range(1, 100))) if name not in taken)


def commands(block):
    """Return (command, what it prints or None) for every command of a block of a shell."""
    found = []
    for line in block.code.replace("\\\n", " ").splitlines():
        if block.language != "console":
            if line.strip() and not line.lstrip().startswith("#"):
                found.append((line.strip(), None))
        elif line.startswith("$ "):
            found.append((line[2:], ""))
        elif found:
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
    return found
