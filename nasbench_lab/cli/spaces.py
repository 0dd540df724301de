"""``nasbench-lab spaces``: list the search spaces, describe one, or sample architectures of one."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from nasbench_lab.arrays import IntArray
from nasbench_lab.checks import AtLeast, require, whole
from nasbench_lab.cli.commands import Commands
from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.options import make_grid, print_grid
from nasbench_lab.cli.verbosity import tell
from nasbench_lab.errors import DataError
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import as_command
from nasbench_lab.report import architecture_figure, save_figure_as
from nasbench_lab.spaces import Space, find_space, list_spaces, make_space, space_class

_MOST_NEIGHBORS = 3
_LONGEST_CARDINALITIES = 12
_MOST_SAMPLED = 1_000_000

SpaceName = Annotated[
    str, typer.Argument(metavar="SPACE", help="Name of a space without parameters, or a TOML file that describes one.")
]

app = typer.Typer(
    cls=Commands, help="List search spaces, describe one, or sample one.", rich_markup_mode=None, no_args_is_help=True
)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List all search spaces, with the keys that a file about them needs."""
    found = [_overview(name) for name in list_spaces()]
    if as_json:
        print_json(found)
        return
    grid = make_grid("space", "architectures", "needs", "what it is")
    for each in found:
        size = "" if each["architectures"] is None else f"{each['architectures']:,}"
        grid.add_row(each["name"], size, ", ".join(each["needs"]), each["description"])
    print_grid(grid, fold=True)
    tell(f"\ndescribe one    {as_command('spaces', 'describe', 'darts')}")


def _overview(name: str) -> dict[str, Any]:
    kind = space_class(name)
    try:
        size = make_space({"name": name}).size
        needs: list[str] = []
    except DataError:
        size = None
        needs = [
            parameter.name
            for parameter in list(inspect.signature(kind.__init__).parameters.values())[1:]
            if parameter.default is parameter.empty
        ]
    description = (inspect.getdoc(kind) or "").partition("\n")[0]
    return {"name": name, "architectures": size, "needs": needs, "description": description}


@app.command()
def describe(
    name: SpaceName,
    architecture: Annotated[
        str | None,
        typer.Option(help="Show this architecture: an index, or its notation. By default a random one."),
    ] = None,
    figure: Annotated[Path | None, typer.Option(help="Draw the architecture into this PNG, PDF or SVG file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Describe a search space: its size, codes and encodings, and an architecture with its neighbours."""
    space = find_space(name)
    index = int(_drawn(space, 1, seed=0)[0]) if architecture is None else space.resolve(architecture)
    near = space.neighbors(index)
    if figure is not None:
        with atomic_path(figure) as temporary:
            save_figure_as(architecture_figure(space, index), temporary)
    if as_json:
        print_json(
            {
                "name": space.name,
                "spec": dict(space.spec()),
                "architectures": space.size,
                "is_listed": space.is_listed,
                "codes": list(space.cardinalities),
                "encodings": list(space.encodings),
                "example": {"index": index, "notation": space.format(index), "labels": space.labels(index)},
                "neighbors": {"count": len(near), "first": near[:_MOST_NEIGHBORS].tolist()},
                "figure": figure,
            }
        )
        return
    for key, value in _facts(space, index, near):
        typer.echo(f"{key:<15}{value}")
    if figure is not None:
        tell(f"{'figure':<15}{figure}")
    else:
        tell(f"\ndraw it    {as_command('spaces', 'describe', name, '--architecture', index, '--figure', 'space.png')}")


def _facts(space: Space, index: int, near: IntArray) -> list[tuple[str, str]]:
    """Return what is known of a space and one of its architectures, for people."""
    values = list(map(str, space.cardinalities[:_LONGEST_CARDINALITIES]))
    more = " x ..." if len(space.cardinalities) > len(values) else ""
    return [
        ("space", space.name),
        ("architectures", f"{space.size:,}" + ("" if space.is_listed else ", too many to list")),
        ("codes", f"{len(space.cardinalities)}, with {' x '.join(values)}{more} values"),
        ("encodings", ", ".join(space.encodings)),
        ("example", f"{index:,}"),
        ("notation", space.format(index)),
        ("neighbours", f"{len(near)}" + (", such as" if len(near) else "")),
        *(("", space.format(each)) for each in near[:_MOST_NEIGHBORS].tolist()),
    ]


def _drawn(space: Space, count: int, seed: int) -> IntArray:
    return np.random.Generator(np.random.Philox(seed)).choice(space.size, count, replace=False)


@app.command()
def sample(
    name: SpaceName,
    count: Annotated[int, typer.Option(help="How many architectures.")] = 10,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Draw different architectures uniformly, one per line: the index, a tab, and the notation."""
    space = find_space(name)
    whole("--count", count, AtLeast(1))
    whole("--seed", seed, AtLeast(0))
    require(
        count <= min(space.size, _MOST_SAMPLED),
        f"--count must be at most {min(space.size, _MOST_SAMPLED):,} for this space, got {count:,}",
    )
    chosen = _drawn(space, count, seed)
    notations = space.format(chosen)
    if as_json:
        print_json([{"index": i, "notation": text} for i, text in zip(chosen.tolist(), notations, strict=True)])
        return
    for index, text in zip(chosen.tolist(), notations, strict=True):
        typer.echo(f"{index}\t{text}")
