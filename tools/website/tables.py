"""Pages about tables, from the catalogue: a list of all, and one page each."""

from __future__ import annotations

import itertools

from nasbench_lab.spaces import make_space
from nasbench_lab.tables import Description
from nasbench_lab.tables.catalogue import find_recipe, list_tables
from nasbench_lab.tables.fetching.manual_downloads import MANUAL_DOWNLOADS
from nasbench_lab.tables.recipe import AbstractRecipe, Recipe, StreamedRecipe
from website.repository import fenced

FOLDER = "tables"
_ABOUT = """\
A table has the measurements of the networks of a search space. Every table of the catalogue has a page. [Getting
tables](../docs/fetch.md) says how to download them, and [adding a table](../docs/adding-a-table.md) how to use your own
measurements."""


def names() -> list[str]:
    """Return the names of all tables in the catalogue."""
    return list_tables()


def publications() -> dict[str, list[str]]:
    """Return the names of all tables by publication."""
    grouped = itertools.groupby(names(), lambda name: name.partition("/")[0])
    return {publication: list(members) for publication, members in grouped}


def place(name: str) -> str:
    """Return the place of a table's page in the site."""
    return f"{FOLDER}/{name}.md"


def index() -> str:
    """Return the page with all tables."""
    parts = [
        "# Tables",
        _ABOUT,
    ]
    for publication, members in publications().items():
        rows = []
        for name in members:
            found = find_recipe(name).description
            epochs = ", ".join(map(str, found.fidelities))
            rows.append(
                f"| [`{name}`]({name}.md) | {_space(found, '../spaces')} | {make_space(found.space).size:,} "
                f"| {epochs} | {len(found.repeats)} | {found.licence} |"
            )
        head = ["| table | space | architectures | epochs | repeats | licence |", "|---|---|---|---|---|---|"]
        parts.append("\n".join([f"## {publication}", "", *head, *rows]))
    parts += [
        "## Tables that need a manual download",
        "Their official files are behind web pages. Download them, then import them with the command.",
        "\n".join(
            [
                "| name | content | download | command |",
                "|---|---|---|---|",
                *(
                    f"| `{each.name}` | {each.what} | {each.file}, from <{each.page}> "
                    f"| `nasbench-lab tables import {each.source}` |"
                    for each in MANUAL_DOWNLOADS
                ),
            ]
        ),
    ]
    return "\n\n".join(parts) + "\n"


def page(name: str) -> str:
    """Return the page of a table."""
    recipe = find_recipe(name)
    found = recipe.description
    up = "../" * (1 + name.count("/"))
    facts = {
        "Space": f"{_space(found, f'{up}spaces')}, {make_space(found.space).size:,} architectures",
        "Fidelities": ", ".join(map(str, found.fidelities)) + f" epochs{_resumable(found)}",
        "Repeats": ", ".join(found.repeats),
        "A search observes": f"`{found.objective.name}`",
        "Test metric": f"`{found.test}`" if found.test else "none was published",
        "Cost of an evaluation": " + ".join(f"`{name}`" for name in found.cost) or "unknown: no times were published",
        "Download": _download(recipe),
        "Licence": found.licence,
    }
    metrics = [
        f"| `{metric.name}` | {metric.unit} | {'' if metric.direction == 'none' else metric.direction} "
        f"| {', '.join(metric.axes)} | {metric.description} |"
        for metric in found.metrics
    ]
    notes = [f"- {note}" for note in found.notes]
    parts = [
        f"# {name}",
        found.title,
        "\n".join(["| | |", "|---|---|", *(f"| **{key}** | {value} |" for key, value in facts.items())]),
        "## Use it",
        fenced(
            f"nasbench-lab tables info {name}\n"
            f"nasbench-lab run --table {name} --strategy random-search --runs 100 --evaluations 100",
            "sh",
        ),
        fenced(f'import nasbench_lab as nl\n\ntable = nl.load("{name}")', "python"),
        "## Metrics",
        "\n".join(["| metric | unit | better | by | description |", "|---|---|---|---|---|", *metrics]),
        *(["## Notes", "\n".join(notes)] if notes else []),
        "## Source",
        "\n".join(f"- `{part}`" for part in found.source.split("; ")),
        "## Citation",
        fenced(found.citation, "bibtex"),
    ]
    return "\n\n".join(parts) + "\n"


def _space(found: Description, folder: str) -> str:
    return f"[{found.space['name']}]({folder}/{found.space['name']}.md)"


def _resumable(found: Description) -> str:
    if len(found.fidelities) == 1:
        return ""
    return "; a training can be resumed" if found.resumable else "; separate trainings"


def _download(recipe: AbstractRecipe) -> str:
    name = recipe.description.name
    if name.startswith("digits/"):
        return "none: the table comes with the package"
    if isinstance(recipe, StreamedRecipe):
        size = f"{recipe.file.size / 1e6:,.0f} MB" if recipe.file.size else "large"
        return f"{size}; on request: `nasbench-lab tables fetch {name}`"
    sizes = [getattr(file, "size", None) for file in recipe.files] if isinstance(recipe, Recipe) else []
    known = [size for size in sizes if size]
    return (f"{sum(known) / 1e6:,.1f} MB, " if known and len(known) == len(sizes) else "") + "on first use"
