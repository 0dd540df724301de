"""The reference of the Python interface: which names are public, read from the package, and a page per module.

What is public, docs/stability.md says: the names in ``__all__`` of the package and of its first-level packages, errors
and warnings, and everything that a page of the documentation imports.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from website import repository

PACKAGE = "nasbench_lab"
ALWAYS = ("errors", "stability")
"""Modules without ``__all__`` of which every public class and function is public."""


@dataclass(frozen=True)
class Page:
    """A page of the reference.

    Attributes:
        module: the module from which users import.
        names: the public names of the module that the page describes.
        elsewhere: public names that the page of another module describes, with their paths there.
    """

    module: str
    names: tuple[str, ...]
    elsewhere: tuple[tuple[str, str], ...] = ()

    @property
    def place(self) -> str:
        """Place of the page in the site."""
        return f"api/{self.module.removeprefix(f'{PACKAGE}.')}.md"


@functools.cache
def pages() -> tuple[Page, ...]:
    """Return the pages of the reference, the package itself first."""
    declared, imported = _declared(), _imported_by_documents()
    modules = {
        module: tuple(sorted({*declared.get(module, ()), *imported.get(module, ())}))
        for module in sorted({*declared, *imported})
    }
    described: dict[str, str] = {}
    made = {}
    # The package itself last: what it offers is described with the package that it comes from.
    for module in (*(each for each in modules if each != PACKAGE), PACKAGE):
        origins = {name: _origin(module, name) for name in modules[module]}
        elsewhere = {name: described[origin] for name, origin in origins.items() if origin in described}
        names = tuple(name for name in origins if name not in elsewhere)
        described |= {origins[name]: f"{module}.{name}" for name in names}
        made[module] = Page(module, names, tuple(elsewhere.items()))
    return (made.pop(PACKAGE), *made.values())


def _declared() -> dict[str, tuple[str, ...]]:
    """Return the public names of the package and its first-level modules."""
    found = {PACKAGE: _all_of(PACKAGE)}
    for path in sorted((repository.ROOT / PACKAGE).iterdir()):
        module = f"{PACKAGE}.{path.stem}"
        if path.name.startswith(("_", ".")) or not (path.suffix == ".py" or (path / "__init__.py").exists()):
            continue
        names = _defined(module) if path.stem in ALWAYS else _all_of(module)
        if names:
            found[module] = names
    return {module: tuple(name for name in names if not name.startswith("_")) for module, names in found.items()}


def _imported_by_documents() -> dict[str, tuple[str, ...]]:
    """Return the modules that the pages of the repository import from, with the names that are public in them."""
    found: dict[str, set[str]] = {}
    for node in _imports():
        for name in node.names:
            inner = f"{node.module}.{name.name}"
            if _is_module(inner):
                found.setdefault(inner, set(_all_of(inner)))
            else:
                found.setdefault(str(node.module), set(_all_of(str(node.module)))).add(name.name)
    return {
        module: tuple(sorted(name for name in names if not _is_module(f"{module}.{name}")))
        for module, names in found.items()
        if names
    }


def _imports() -> Iterator[ast.ImportFrom]:
    """Yield the imports from the package in blocks and text of all pages."""
    for place in repository.pages():
        for code in _code((repository.ROOT / place).read_text(encoding="utf-8")):
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
                    yield node


def _code(text: str) -> Iterator[str]:
    """Yield the blocks of Python of a page, and the imports in its text."""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "fence" and token.info.split()[:1] == ["python"]:
            yield token.content
        for part in token.children or ():
            if part.type == "code_inline" and part.content.startswith("from ") and not part.content.endswith("..."):
                yield part.content


def _source(module: str) -> Path:
    path = repository.ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _is_module(module: str) -> bool:
    return _source(module).exists()


@functools.cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_source(module).read_text(encoding="utf-8"))


def docstring(module: str) -> str:
    """Return the docstring of a module; empty if it has none."""
    return ast.get_docstring(_tree(module)) or ""


def _all_of(module: str) -> tuple[str, ...]:
    """Return ``__all__`` of a module, in which every name must be written out; empty if there is none."""
    for node in _tree(module).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            return tuple(ast.literal_eval(node.value))
    return ()


def _defined(module: str) -> tuple[str, ...]:
    return tuple(node.name for node in _tree(module).body if isinstance(node, ast.ClassDef | ast.FunctionDef))


def _origin(module: str, name: str) -> str:
    """Return where a name of a module is defined.

    >>> _origin("nasbench_lab.tables", "load")
    'nasbench_lab.tables.catalogue.load'
    """
    for node in _imports_of(module) if _is_module(module) else ():
        for imported in node.names:
            # What a package imports from itself is a module.
            if (imported.asname or imported.name) == name and node.module != module:
                return _origin(str(node.module), imported.name)
    return f"{module}.{name}"


def _imports_of(module: str) -> Iterator[ast.ImportFrom]:
    """Yield the imports of names, also those for type checkers only: names that are imported when they are used."""
    for node in _tree(module).body:
        for each in node.body if isinstance(node, ast.If) else [node]:
            if isinstance(each, ast.ImportFrom):
                yield each
