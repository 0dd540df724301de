"""Pages about search spaces: a list of all, and one page each with a drawn architecture."""

from __future__ import annotations

import inspect
from typing import Any

from nasbench_lab.spaces import Space, make_space, registry
from nasbench_lab.tables.catalogue import recipes
from website import docstrings, pictures
from website.repository import fenced

FOLDER = "spaces"
_ABOUT = """\
A space says what an architecture is: its index, codes, official notation and neighbours. [Adding a search
space](../docs/adding-a-space.md) shows how to add another one."""


_EXAMPLES = {
    "product": {
        "name": "product",
        "parts": [
            {"name": "topology", "label": "cell"},
            {"name": "choices", "label": "network", "choices": [["channels", [8, 16]], ["cells", [1, 3, 5]]]},
        ],
    },
}
"""Descriptions of spaces whose parameters must be given, and that no table of the catalogue has."""


def names() -> list[str]:
    """Return the names of the spaces of this package."""
    return sorted(registry._BUILT_IN)


def place(name: str) -> str:
    """Return the place of a space's page in the site."""
    return f"{FOLDER}/{name}.md"


def index() -> str:
    """Return the page with all spaces."""
    rows = [f"| [`{name}`]({name}.md) | {_first_sentence(name)} | {_tables(name)} |" for name in names()]
    return "\n".join(
        [
            "# Search spaces",
            "",
            _ABOUT,
            "",
            "| space | architectures | tables |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def page(name: str) -> pictures.Shown:
    """Return the page of a space."""
    kind = _class(name)
    text, meanings = docstrings.sections(kind)
    parameters = [f"| `{parameter}` | {meaning} |" for parameter, meaning in meanings.items()]
    parts = [f"# {name}", text]
    parts += ["\n".join(["| parameter | meaning |", "|---|---|", *parameters])] if parameters else []
    parts += [
        f"Tables of this space: {_tables(name)}" if _tables(name) else "No table of the catalogue has this space."
    ]
    space, drawn = example(name), pictures.Shown("")
    if space is not None:
        drawn = pictures.of_space(name, space, middle(space))
        notation = f"Architecture {middle(space):,} in the official notation:\n\n{fenced(space.format(middle(space)))}"
        facts = {
            "Architectures": f"{space.size:,}",
            "Codes": f"{len(space.cardinalities)}, with {_span(space.cardinalities)} values each",
            "Neighbours": "yes" if space.has_neighbors else "no",
            "Encodings for models": ", ".join(f"`{encoding}`" for encoding in space.encodings),
            "Class": f"[`{kind.__name__}`][nasbench_lab.spaces.{kind.__name__}]",
        }
        rows = [f"| **{key}** | {value} |" for key, value in facts.items()]
        parts += [
            "## Example",
            f"The space with the parameters `{dict(space.spec())}`:",
            "\n".join(["| | |", "|---|---|", *rows]),
            notation,
        ]
    return pictures.Shown("\n\n".join([*parts, drawn.markdown]) + "\n", drawn.pictures)


def example(name: str) -> Space | None:
    """Return the space of the first table that has it, or the one with default parameters; None without either."""
    if name in _EXAMPLES:
        return make_space(_EXAMPLES[name])
    specs = [recipe.description.space for recipe in recipes().values() if recipe.description.space["name"] == name]
    if specs:
        return make_space(specs[0])
    required = [
        parameter
        for parameter in inspect.signature(_class(name)).parameters.values()
        if parameter.default is parameter.empty
    ]
    return None if required else make_space({"name": name})


def middle(space: Space) -> int:
    """Return the architecture of a space that its page shows."""
    return space.size // 2


def _class(name: str) -> Any:
    return registry.space_class(name)


def _first_sentence(name: str) -> str:
    return (inspect.getdoc(_class(name)) or "").partition("\n")[0].replace("|", "\\|")


def _tables(name: str) -> str:
    tables = [table for table, recipe in recipes().items() if recipe.description.space["name"] == name]
    return ", ".join(f"[{table}](../tables/{table}.md)" for table in sorted(tables))


def _span(numbers: tuple[int, ...]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"
