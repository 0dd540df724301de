"""Pages about strategies, from the registry: a list of all, and one page each with a picture."""

from __future__ import annotations

import dataclasses
from typing import Any

from nasbench_lab.checks import domains
from nasbench_lab.strategies import registry
from website import docstrings, pictures
from website.repository import fenced

UNSAID = "other"
_ABOUT = """\
Every strategy has a page with its publication, parameters and requirements. [Adding a
strategy](../docs/adding-a-strategy.md) shows how to write another one, and [bridges](../docs/bridges.md) how to run
optimisers of Optuna, Nevergrad and other packages.

The column *needs* names what a strategy uses besides observed values: *neighbours* of architectures, several
*fidelities* of a table, or zero-cost *scores*."""
FOLDER = "strategies"


def names() -> list[str]:
    """Return the names of the strategies of this package; those of other installed packages have no pages."""
    return list(registry.built_in())


def families() -> dict[str, list[str]]:
    """Return the names of all strategies by family."""
    found: dict[str, list[str]] = {}
    for name in sorted(names(), key=lambda name: (registry.family(name) or UNSAID, name)):
        found.setdefault(registry.family(name) or UNSAID, []).append(name)
    return found


def place(name: str) -> str:
    """Return the place of a strategy's page in the site."""
    return f"{FOLDER}/{name}.md"


def index() -> str:
    """Return the page with all strategies."""
    parts = [
        "# Strategies",
        _ABOUT,
    ]
    for family, members in families().items():
        rows = [
            f"| [`{name}`]({name}.md) | {', '.join(registry.needs(name))} | {registry.reference(name)} |"
            for name in members
        ]
        parts.append(
            "\n".join([f"## {title(family)}", "", "| strategy | needs | publication |", "|---|---|---|", *rows])
        )
    return "\n\n".join(parts) + "\n"


def title(family: str) -> str:
    """Return the name of a family as a heading.

    >>> title("model-free")
    'Model-free'
    """
    return family[:1].upper() + family[1:]


def page(name: str) -> pictures.Shown:
    """Return the page of a strategy."""
    kind = registry.strategy_class(name)
    text, meanings = docstrings.sections(kind)
    parts = [f"# {name}", text, _facts(name, kind)]
    parameters, drawn = _parameters(kind, meanings), pictures.of_strategy(name)
    if parameters:
        parts += ["## Parameters", parameters]
    parts += ["## Use it", _use(name), "## What to expect", drawn.markdown]
    return pictures.Shown("\n\n".join(parts) + "\n", drawn.pictures)


def _facts(name: str, kind: Any) -> str:
    family = registry.family(name) or UNSAID
    facts = {
        "Family": f"[{family}](index.md#{family.replace(' ', '-')})",
        "Publication": registry.reference(name),
        "Needs": ", ".join(registry.needs(name)) or "only observed values",
        "Several workers": "asynchronous" if kind.asynchronous else "waits for the slowest worker",
        "Also called": ", ".join(kind.aliases),
        "Version": f"{registry.version(name)} ([versions](../docs/stability.md#versions-of-strategies))",
        "Class": f"`{kind.__module__}.{kind.__qualname__}`",
    }
    return "\n".join(["| | |", "|---|---|", *(f"| **{key}** | {value} |" for key, value in facts.items() if value)])


def _parameters(kind: Any, meanings: dict[str, str]) -> str:
    allowed = domains(kind)
    rows = []
    for field in dataclasses.fields(kind):
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        meaning = meanings.get(field.name, "")
        words = str(allowed[field.name]) or str(field.type)
        rows.append("| " + " | ".join(map(_cell, (f"`{field.name}`", f"`{default}`", words, meaning))) + " |")
    return "\n".join(["| parameter | default | allowed | meaning |", "|---|---|---|---|", *rows]) if rows else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _use(name: str) -> str:
    table = "nats-bench-tss/cifar10" if "scores" in registry.needs(name) else pictures.TABLE
    objective = " --objective parameters" if registry.family(name) == "multi-objective" else ""
    return fenced(
        f"nasbench-lab run --table {table} --strategy {name}{objective} --runs 100 --evaluations 100\n"
        f"nasbench-lab strategies info {name}",
        "sh",
    )
