"""``nasbench-lab validate``: train the final picks of a comparison, and check whether the winner still wins."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table as Grid

from nasbench_lab import spaces
from nasbench_lab.analysis import Pick, Validation, final_picks
from nasbench_lab.analysis.retraining import validate as compare
from nasbench_lab.cli.options import (
    Checkpoint,
    Device,
    Precision,
    Processes,
    Threads,
    needs_torch,
    print_grid,
)
from nasbench_lab.cli.progress import training_progress
from nasbench_lab.cli.verbosity import note, tell
from nasbench_lab.errors import ParameterError
from nasbench_lab.files import atomic_folder
from nasbench_lab.report import TRACES, VALIDATION_FILES, write_validation
from nasbench_lab.simulation import Trace, load_traces
from nasbench_lab.spaces import Space
from nasbench_lab.tables import find_recipe, list_tables, load

if TYPE_CHECKING:
    from nasbench_lab.train.build import BuildSpec, ExecutionOptions
    from nasbench_lab.train.pick_training import Trained


def validate(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="Folder that `nasbench-lab run` wrote.")],
    top: Annotated[int, typer.Option(min=1, help="Number of picks to train per strategy.")] = 5,
    dataset: Annotated[str, typer.Option(help="Name of a data set, or path of an .npz file.")] = "digits",
    folder: Annotated[Path | None, typer.Option(help="Folder with the official files of the data set.")] = None,
    seeds: Annotated[int, typer.Option(min=2, help="Number of trainings per pick.")] = 3,
    training: Annotated[
        str | None, typer.Option("--recipe", help="Name of a training recipe. [default: depends on the data set]")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Number of epochs. [default: the recipe's]")] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="Network option as key=value, e.g. channels=16; may be repeated.")
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option(help="Table of the comparison, by name or file; may be repeated. [default: all tables]"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write. [default: RESULTS with -validation appended]")
    ] = None,
    processes: Processes = None,
    threads: Threads = 1,
    device: Device = "cpu",
    precision: Precision = "float32",
    checkpoint: Checkpoint = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an older validation in the folder.")] = False,
) -> None:
    """Train the best picks of every strategy with several seeds, and compare the results with the table."""
    needs_torch()
    from nasbench_lab.train.build import ExecutionOptions
    from nasbench_lab.train.devices import check_device, check_precision

    chosen = _by_table(load_traces(results / TRACES), table)
    target = out or results.with_name(f"{results.resolve().name}-validation")
    work = target.with_name(f"{target.name}.build")
    options = _network_options(network or [])
    data = {"file": dataset} if dataset.endswith(".npz") else {"name": dataset}
    if folder is not None:
        data["folder"] = str(folder)
    plans = {name: _plan(name, space, data, seeds, training, epochs, options) for name, (space, _) in chosen.items()}
    with atomic_folder(target, replace=VALIDATION_FILES if overwrite else None) as place:
        found = {}
        with training_progress(work) as progress:
            how = ExecutionOptions(
                processes, threads, check_device(device), check_precision(precision), checkpoint, progress
            )
            for name, (_, traces) in chosen.items():
                found[name] = _validate_table(name, traces, top, plans[name], work, how)
        validations = [validation for validation, _ in found.values()]
        write_validation(
            validations,
            place,
            dataset=Path(dataset).stem,
            notation={
                (name, pick.architecture): chosen[name][0].format(pick.architecture)
                for name, (validation, _) in found.items()
                for pick in validation.picks
            },
            details={name: _details(plans[name], trained) for name, (_, trained) in found.items()},
        )
    for validation in validations:
        _print(validation)
    tell(f"\nsee {target}")


def _by_table(traces: Sequence[Trace], wanted: Sequence[str] | None) -> dict[str, tuple[Space, list[Trace]]]:
    """Return table name to its space and traces, for the wanted tables or for all."""
    names = list(dict.fromkeys(trace.setting.table for trace in traces))
    # A table outside the catalogue is identified by its file.
    files = {load(each).name: each for each in wanted or () if Path(each).suffix in (".h5", ".hdf5")}
    asked = [next((name for name, file in files.items() if file == each), each) for each in wanted or names]
    found = {}
    for name in asked:
        if name not in names:
            raise ParameterError(f"the comparison has no table {name!r}; its tables are {', '.join(names)}")
        if name in files:
            space = load(files[name]).space
        elif name in list_tables():
            space = spaces.make_space(find_recipe(name).description.space)
        else:
            raise ParameterError(f"table {name!r} is not in the catalogue; pass the path of its file with --table")
        found[name] = (space, [trace for trace in traces if trace.setting.table == name])
    return found


def _network_options(texts: Sequence[str]) -> dict[str, int]:
    options = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not value.isascii() or not value.isdigit() or not key.isidentifier():
            raise ParameterError(f"a network option must be key=number, for example channels=16, got {text!r}")
        options[key] = int(value)
    return options


def _plan(
    name: str,
    space: Space,
    data: Mapping[str, str],
    seeds: int,
    training: str | None,
    epochs: int | None,
    options: Mapping[str, int],
) -> BuildSpec:
    from nasbench_lab.train.build import BuildSpec
    from nasbench_lab.train.pick_training import default_network, default_recipe
    from nasbench_lab.train.recipes import recipe as recipe_named

    dataset = data.get("name", "")
    chosen = recipe_named(training) if training else default_recipe(dataset)
    return BuildSpec(
        name=f"{name} validated",
        title="",
        space=space.spec(),
        dataset=data,
        recipe=dataclasses.replace(chosen, epochs=epochs) if epochs else chosen,
        seeds=tuple(range(seeds)),
        network={**default_network(space, dataset), **options},
    )


def _validate_table(
    name: str, traces: Sequence[Trace], top: int, plan: BuildSpec, work: Path, how: ExecutionOptions
) -> tuple[Validation, dict[int, Trained]]:
    from nasbench_lab.train.pick_training import train_picks

    found: list[Pick] = [pick for trace in traces for pick in final_picks(trace, top)]
    trained = train_picks(plan, [pick.architecture for pick in found], work / name.replace("/", "__"), how)
    accuracy = {architecture: each.test_accuracy for architecture, each in trained.items()}
    metrics = traces[0].reference.metrics
    same = {architecture: each.representative for architecture, each in trained.items()}
    direction = metrics["test" if "test" in metrics else "valid"].direction
    return compare(found, accuracy, direction, same), trained


def _details(plan: BuildSpec, trained: Mapping[int, Trained]) -> dict[str, Any]:
    """Return all measurements as plain data for JSON; missing numbers (NaN) become null."""
    plain = {
        str(architecture): {
            field.name: getattr(each, field.name) for field in dataclasses.fields(each) if field.name != "scores"
        }
        | {"scores": [dataclasses.asdict(score) for score in each.scores], "costs": dataclasses.asdict(each.costs)}
        for architecture, each in trained.items()
    }
    for each in plain.values():
        for key in ("valid_accuracy", "test_accuracy", "confusion", "seconds"):
            each[key] = json.loads(json.dumps(each[key].tolist()).replace("NaN", "null"))
    return {
        "recipe": dataclasses.asdict(plan.recipe),
        "dataset": dict(plan.dataset),
        "network": dict(plan.network),
        "seeds": list(plan.seeds),
        "architectures": plain,
    }


def _print(validation: Validation) -> None:
    typer.echo(f"\n{validation.table}: rank correlation of promise and training {validation.correlation}")
    grid = Grid(box=None, pad_edge=False)
    grid.add_column("strategy", no_wrap=True)
    for heading in ("promised", "trained test accuracy (%)", f"lead of {validation.winner}"):
        grid.add_column(heading, justify="right", no_wrap=True)
    for strategy, trained in validation.strategies.items():
        own = [pick.promised for pick in validation.picks if pick.strategy == strategy]
        lead = validation.lead.get(strategy)
        grid.add_row(strategy, f"{sum(own) / len(own):.4g}", str(trained), str(lead) if lead else "")
    print_grid(grid)
    if validation.failed:
        note(f"{validation.failed} trainings failed, so there is no verdict")
    typer.echo(f"{validation.winner}, which the table promised to win: {validation.verdict}")
