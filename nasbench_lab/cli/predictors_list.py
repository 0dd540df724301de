"""``nasbench-lab predictors list``: all predictors, or one with its parameters; encodings of a table."""

from __future__ import annotations

from typing import Annotated

import typer

from nasbench_lab.analysis.table_encodings import encodings_of
from nasbench_lab.cli.described_classes import described_class, print_described
from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.options import make_grid, print_grid
from nasbench_lab.cli.verbosity import tell
from nasbench_lab.messages import as_command
from nasbench_lab.prediction import list_predictors
from nasbench_lab.prediction.registry import predictor_class
from nasbench_lab.strategies.models.regressors import regressor_facts
from nasbench_lab.tables import load


def list_command(
    name: Annotated[
        str | None, typer.Argument(metavar="PREDICTOR", help="Name of a predictor to show. [default: list all]")
    ] = None,
    table: Annotated[str | None, typer.Option(help="Also list the encodings of this table.")] = None,
    as_json: AsJson = False,
) -> None:
    """List all predictors and, for a table, the encodings of its architectures; or show one predictor."""
    if name is not None:
        _show(name, as_json=as_json)
        return
    rows = [(each, _kind(each), _summary(each)) for each in list_predictors()]
    encodings = [] if table is None else list(encodings_of(load(table)))
    if as_json:
        print_json(
            {
                "predictors": [dict(zip(("name", "kind", "summary"), row, strict=True)) for row in rows],
                "encodings": encodings,
            }
        )
        return
    for kind, heading in (("model", "MODELS OF ENCODED ARCHITECTURES"), ("other", "OTHERS")):
        grid = make_grid(heading, "")
        for each, own, summary in rows:
            if own == kind:
                grid.add_row(f"  {each}", summary)
        print_grid(grid, fold=True)
        typer.echo("")
    if table is not None:
        typer.echo(f"encodings of {table}, which + joins: {', '.join(encodings)}\n")
    command = ("predictors", "run", "--table", table or "digits/topology", "--predictor", "random-forest")
    tell(f"use one      {as_command(*command)}")
    tell("any other regressor with fit and predict: --predictor package.module:Class")


def _kind(name: str) -> str:
    return "model" if predictor_class(name) is None else "other"


def _summary(name: str) -> str:
    kind = predictor_class(name)
    if kind is None:
        return regressor_facts(name).summary
    return (kind.__doc__ or "").strip().splitlines()[0]


def _show(name: str, *, as_json: bool) -> None:
    kind = predictor_class(name)
    if kind is None:
        facts = regressor_facts(name)
        rows: dict[str, object] = {
            "name": name,
            "class": facts.place,
            "defaults": ", ".join(f"{key}={value}" for key, value in facts.defaults.items()) or "those of the class",
            "encoding": facts.encoding or "any",
            "scaled": facts.scaled,
            "needs": facts.package or "nothing more",
        }
        if as_json:
            print_json({**rows, "summary": facts.summary})
            return
        for key, value in rows.items():
            typer.echo(f"{key:<12} {value}")
        typer.echo(f"\n{facts.summary}")
        return
    described = described_class(kind)
    facts_of = {"name": name, "labels": "needed" if kind.needs_labels else "not needed"}
    if as_json:
        print_json({**facts_of, "description": described.text, "parameters": described.parameters})
        return
    print_described(facts_of, described)
