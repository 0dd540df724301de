"""Docstrings, rewritten for the Markdown of the site; used as an extension of griffe."""

from __future__ import annotations

import functools
import inspect
import re
from typing import Any

import griffe

from website import api

_EXAMPLE = re.compile(r"^( *)>>> .*(?:\n\1(?! *$).*)*", re.M)
_NAME = re.compile(r"(?<![`\w])`([A-Za-z_][\w.]*)`(?![`\w])")


class PlainMarkdown(griffe.Extension):
    """Makes Markdown of the docstring of every object that griffe loads."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of an object."""
        if obj.docstring:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(text: str) -> str:
    """Return a docstring as Markdown: examples become blocks of code, and names of public objects links.

    >>> markdown("See `Table.query` and `no_name`.")
    'See [`Table.query`][nasbench_lab.tables.Table] and `no_name`.'
    """
    text = re.sub(r"::$", ":", text, flags=re.M)
    text = _EXAMPLE.sub(_fence, text)
    return _NAME.sub(_link, text)


def sections(kind: type[Any]) -> tuple[str, dict[str, str]]:
    """Return the text of a class's docstring as Markdown, and the meaning of each parameter, as Markdown in one line.

    >>> from nasbench_lab.spaces import ChainSpace
    >>> sorted(sections(ChainSpace)[1])
    ['choices', 'length']
    """
    text: list[str] = []
    meanings: dict[str, str] = {}
    for section in griffe.Docstring(inspect.cleandoc(kind.__doc__ or "")).parse("google", warnings=False):
        if section.kind is griffe.DocstringSectionKind.text:
            text.append(markdown(section.value))
        elif section.kind is griffe.DocstringSectionKind.parameters:
            meanings |= {each.name: markdown(each.description).replace("\n", " ") for each in section.value}
    return "\n\n".join(text), meanings


def _fence(found: re.Match[str]) -> str:
    indent = found[1]
    return f"{indent}```pycon\n{found[0]}\n{indent}```"


def _link(found: re.Match[str]) -> str:
    target = _target(found[1])
    return f"[{found[0]}][{target}]" if target else found[0]


def _target(name: str) -> str | None:
    """Return the path of the public object that a name means, alone or with a member."""
    known = _by_short_name()
    for short in (name, name.rpartition(".")[0]):
        if short in known:
            return known[short]
    return None


@functools.cache
def _by_short_name() -> dict[str, str]:
    """Return the paths of public objects by name; a name that two objects have is left out."""
    found: dict[str, str] = {}
    several = set()
    for page in api.pages():
        for name in page.names:
            path = f"{page.module}.{name}"
            found[path] = path
            several |= {name} & set(found)
            found[name] = path
    return {name: path for name, path in found.items() if name not in several}
