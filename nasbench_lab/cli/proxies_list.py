"""``nasbench-lab proxies list``: all zero-cost proxies, or one with its parameters."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nasbench_lab.cli.described_classes import described_class, print_described
from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.options import make_grid, needs_torch, print_grid
from nasbench_lab.cli.verbosity import note, tell
from nasbench_lab.errors import NasbenchLabError
from nasbench_lab.messages import as_command

_NOTHING = "-"


def list_command(
    name: Annotated[
        str | None, typer.Argument(metavar="PROXY", help="Name of a proxy to show. [default: list all]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List all zero-cost proxies with what they need and where they were published; or show one."""
    needs_torch()
    if name is None:
        _list(as_json=as_json)
    else:
        _show(name, as_json=as_json)


def _list(*, as_json: bool) -> None:
    from nasbench_lab.train.proxies.registry import list_proxies, proxy_class

    kinds = []
    for name in list_proxies():
        try:
            kinds.append(proxy_class(name))
        except NasbenchLabError as error:  # an entry point of another package
            note(f"{name}: {error}")
    if as_json:
        print_json([_facts(kind) for kind in kinds])
        return
    grid = make_grid("proxy", "needs", "seed", "reference")
    for kind in kinds:
        facts = _facts(kind)
        grid.add_row(kind.name, _needs(kind), "yes" if facts["depends_on_seed"] else "", kind.reference)
    print_grid(grid, fold=True)
    tell("\nseed: whether the score depends on initial weights, images or random numbers")
    tell("show one with its parameters    nasbench-lab proxies list PROXY")
    command = as_command("proxies", "run", "--table", "digits/topology", "--proxy", "synflow,naswot")
    tell(f"score networks                  {command}")


def _facts(kind: Any) -> dict[str, Any]:
    return {
        "name": kind.name,
        "needs": list(kind.needs),
        "batches": kind.batches,
        "depends_on_seed": kind.depends_on_seed,
        "ranks_a_set": bool(kind.components),
        "version": kind.version,
        "reference": kind.reference,
    }


def _needs(kind: Any) -> str:
    return ", ".join(kind.needs) or _NOTHING


def _show(name: str, *, as_json: bool) -> None:
    from nasbench_lab.train.proxies.registry import proxy_class

    kind = proxy_class(name)
    described, facts = described_class(kind), _facts(kind)
    if as_json:
        print_json({**facts, "description": described.text, "parameters": described.parameters})
        return
    rows: dict[str, object] = {
        "name": kind.name,
        "version": kind.version,
        "needs": _needs(kind),
        "batches": kind.batches,
        "seed": "matters" if kind.depends_on_seed else "does not matter",
        "scores": "a set of networks" if kind.components else "each network",
        "reference": kind.reference,
    }
    print_described(rows, described)
    tell(f"\nuse it       {as_command('proxies', 'run', '--table', 'digits/topology', '--proxy', kind.name)}")
