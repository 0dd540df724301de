"""``nasbench-lab one-shot methods`` and ``one-shot protocols``: list them, or show one with its settings."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasbench_lab.cli.described_classes import described_class, print_described
from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.one_shot_published import plain_row, print_published
from nasbench_lab.cli.options import make_grid, needs_torch, print_grid
from nasbench_lab.cli.verbosity import note, tell
from nasbench_lab.errors import NasbenchLabError
from nasbench_lab.messages import as_command

if TYPE_CHECKING:
    from nasbench_lab.train.one_shot.methods.base import Method
    from nasbench_lab.train.one_shot.protocols import PublishedProtocol

_UNSAID = "other"
"""Family of methods without one, such as those of users."""


def methods(
    name: Annotated[
        str | None, typer.Argument(metavar="METHOD", help="Name of a method to show. [default: list all]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List all one-shot methods by family, with their publications; or show one with its parameters."""
    needs_torch()
    if name is None:
        _list_methods(as_json=as_json)
    else:
        _show_method(name, as_json=as_json)


def _list_methods(*, as_json: bool) -> None:
    from nasbench_lab.train.one_shot.methods.registry import list_methods, method_class

    families: dict[str, list[type[Method[Any]]]] = {}
    for name in list_methods():
        try:
            kind = method_class(name)
        except NasbenchLabError as error:  # an entry point of another package
            note(f"{name}: {error}")
            continue
        families.setdefault(kind.family or _UNSAID, []).append(kind)
    order = sorted(families, key=lambda family: (family == _UNSAID, family))
    if as_json:
        print_json(
            [
                {"name": kind.name, "family": family, "version": kind.version, "reference": kind.reference}
                for family in order
                for kind in families[family]
            ]
        )
        return
    grid = make_grid("method", "reference")
    for family in order:
        grid.add_row()
        grid.add_row(family.upper())
        for kind in families[family]:
            grid.add_row(f"  {kind.name}", kind.reference)
    print_grid(grid, fold=True)
    tell("\nshow one with its parameters    nasbench-lab one-shot methods METHOD")
    tell("settings of published runs      nasbench-lab one-shot protocols")


def _show_method(name: str, *, as_json: bool) -> None:
    from nasbench_lab.train.one_shot.methods.registry import list_methods, method_class

    kind = method_class(name)
    described = described_class(kind)
    rows: dict[str, object] = {
        "name": kind.name,
        "version": kind.version,
        "family": kind.family or _UNSAID,
        "epochs": kind.epochs,
        "reference": kind.reference,
    }
    if as_json:
        print_json({**rows, "description": described.text, "parameters": described.parameters})
        return
    print_described(rows, described)
    used = kind.name if kind.name in list_methods() else name  # a class of a file is used by its path
    tell(f"\nuse it       {as_command('one-shot', 'run', '--table', 'digits/topology', '--method', used)}")


def protocols(
    name: Annotated[
        str | None, typer.Argument(metavar="PROTOCOL", help="Name of a protocol to show. [default: list all]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the protocols of published one-shot searches, or show one with its settings and published results."""
    from nasbench_lab.train.one_shot.protocols import list_protocols, protocol

    if name is not None:
        _show_protocol(protocol(name), as_json=as_json)
        return
    known = [protocol(each) for each in list_protocols()]
    if as_json:
        print_json([_plain(each) for each in known])
        return
    grid = make_grid("protocol", "method", "epochs", "published on CIFAR-10")
    for each in known:
        row = each.published
        grid.add_row(each.name, each.method, str(each.recipe.epochs), f"{row.test['cifar10'][0]:.2f}" if row else "")
    print_grid(grid, fold=True)
    tell("\nshow one with its settings    nasbench-lab one-shot protocols PROTOCOL")


def _show_protocol(chosen: PublishedProtocol, *, as_json: bool) -> None:
    if as_json:
        print_json(_plain(chosen))
        return
    recipe = dataclasses.asdict(chosen.recipe)
    recipe = {key: value for key, value in recipe.items() if key not in ("name", "source")}
    rows = {
        "name": chosen.name,
        "method": _settings(chosen.method, chosen.parameters),
        "recipe": _settings("", recipe),
        "networks": _settings("", chosen.network) or "as in the benchmark",
        "images": f"split {chosen.split!r} of {', '.join(chosen.datasets)}",
        "tables": ", ".join(map(chosen.table, chosen.datasets)),
        "source": chosen.source,
        "differences": chosen.notes,
    }
    grid = make_grid("", "")
    grid.show_header = False
    for key, value in rows.items():
        grid.add_row(key, value)
    print_grid(grid, fold=True)
    if chosen.published is not None:
        typer.echo("")
        print_published([chosen.published])
    dataset = ("--dataset", "cifar10", "--folder", "FOLDER")
    tell(f"\nuse it       {as_command('one-shot', 'run', '--protocol', chosen.name, *dataset)}")


def _settings(name: str, values: Any) -> str:
    texts = [f"{key}={value}" for key, value in values.items()]
    return ", ".join([name, *texts] if name else texts)


def _plain(chosen: PublishedProtocol) -> dict[str, Any]:
    """Return a protocol as plain data."""
    return {
        "name": chosen.name,
        "method": chosen.method,
        "parameters": dict(chosen.parameters),
        "recipe": chosen.recipe,
        "network": dict(chosen.network),
        "split": chosen.split,
        "tables": {dataset: chosen.table(dataset) for dataset in chosen.datasets},
        "source": chosen.source,
        "notes": chosen.notes,
        "published": None if chosen.published is None else plain_row(chosen.published),
    }
