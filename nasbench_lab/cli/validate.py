"""``nasbench-lab validate``: train the final picks of a comparison, and check whether the winner still wins."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table as Grid

from nasbench_lab import spaces
from nasbench_lab.analysis import Pick, Validation, final_picks
from nasbench_lab.analysis.retraining import validate as compare
from nasbench_lab.analysis.studies.tasks import group as group_tasks
from nasbench_lab.cli.options import (
    Checkpoint,
    Device,
    Log,
    Precision,
    Processes,
    Threads,
    loggers,
    needs_torch,
    print_grid,
)
from nasbench_lab.cli.progress import training_progress
from nasbench_lab.cli.training_options import network_options
from nasbench_lab.cli.verbosity import note, tell
from nasbench_lab.errors import MissingDataError, ParameterError
from nasbench_lab.files import atomic_folder, file_names
from nasbench_lab.report import VALIDATION_FILES, write_validation
from nasbench_lab.report.retraining_folder import WEIGHTS
from nasbench_lab.simulation import Trace
from nasbench_lab.simulation.results import Results
from nasbench_lab.spaces import Space
from nasbench_lab.suites.stored_results import open_results
from nasbench_lab.tables import find_recipe, list_tables, load
from nasbench_lab.tables.description import Direction

if TYPE_CHECKING:
    from nasbench_lab.train.build import BuildSpec, ExecutionOptions
    from nasbench_lab.train.pick_training import Trained


def validate(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="Folder of results of `run` or of a suite.")],
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
    weights: Annotated[
        bool, typer.Option(help="Keep the weights of the trained networks, in the folder `weights`.")
    ] = True,
    log: Log = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an older validation in the folder.")] = False,
) -> None:
    """Train the best picks of every strategy with several seeds, and compare the results with the table."""
    needs_torch()
    from nasbench_lab.train.build import ExecutionOptions
    from nasbench_lab.train.devices import check_device, check_precision

    chosen = _tasks(open_results(results), table, top)
    target = out or results.with_name(f"{results.resolve().name}-validation")
    work = target.with_name(f"{target.name}.build")
    options = network_options(network or []) or {}
    data = {"file": dataset} if dataset.endswith(".npz") else {"name": dataset}
    if folder is not None:
        data["folder"] = str(folder)
    plans = {name: _plan(name, task.space, data, seeds, training, epochs, options) for name, task in chosen.items()}
    with atomic_folder(target, replace=VALIDATION_FILES if overwrite else None) as place:
        found = {}
        with training_progress(work) as progress:
            how = ExecutionOptions(
                processes, threads, check_device(device), check_precision(precision), checkpoint, progress, loggers(log)
            )
            for name, task in chosen.items():
                found[name] = _validate_table(name, task, plans[name], work, how, keep_weights=weights)
        validations = [validation for validation, _ in found.values()]
        write_validation(
            validations,
            place,
            dataset=Path(dataset).stem,
            notation={
                (name, pick.architecture): chosen[name].space.format(pick.architecture)
                for name, (validation, _) in found.items()
                for pick in validation.picks
            },
            details={name: _details(name, plans[name], trained) for name, (_, trained) in found.items()},
        )
        kept = [_copy_weights(name, trained, place) for name, (_, trained) in found.items()]
    for validation in validations:
        _print(validation)
    tell(f"\nsee {target}")
    _print_weights([path for paths in kept for path in paths], target)


@dataclasses.dataclass(frozen=True)
class _Task:
    """What is validated together: the picks of all strategies on one table under one setting."""

    space: Space
    picks: tuple[Pick, ...]
    direction: Direction


def _tasks(results: Results, wanted: Sequence[str] | None, top: int) -> dict[str, _Task]:
    """Return the tasks on the wanted tables, or on all, by name; traces are read one by one."""
    tables = list(dict.fromkeys(setting.table for setting in results.settings))
    # A table outside the catalogue is identified by its file.
    files = {load(each).name: each for each in wanted or () if Path(each).suffix in (".h5", ".hdf5")}
    asked = [next((name for name, file in files.items() if file == each), each) for each in wanted or tables]
    for name in asked:
        if name not in tables:
            raise ParameterError(f"the results have no table {name!r}; their tables are {', '.join(tables)}")
    found = {}
    for group in group_tasks(results.settings)[1]:
        numbers = [number for number in group.numbers if number is not None]
        table = results.settings[numbers[0]].table
        if table not in asked:
            continue
        traces = map(results.trace, numbers)
        try:
            found[group.name] = _task(group.name, traces, top, files.get(table))
        except _NoNetworksError as error:
            if wanted:
                raise
            note(f"{group.name} is left out: {error}")
    if not found:
        raise ParameterError(f"there are no networks for the spaces of {', '.join(tables)}")
    return found


class _NoNetworksError(ParameterError):
    """The space of a table has no networks."""


def _task(name: str, traces: Iterator[Trace], top: int, file: str | None) -> _Task:
    from nasbench_lab.train.networks import networks_of

    space, picks, direction, missing = None, [], None, []
    for trace in traces:
        if space is None:
            space = _space_of(trace, file)
            try:
                networks_of(space)
            except ParameterError as error:
                raise _NoNetworksError(str(error)) from error
            metrics = trace.reference.metrics
            direction = metrics["test" if "test" in metrics else "valid"].direction
        try:
            picks += [dataclasses.replace(pick, table=name) for pick in final_picks(trace, top)]
        except MissingDataError as error:
            missing.append(error)
    if not picks:
        raise missing[0]
    for each in missing:
        note(f"{each}; it is left out")
    assert space is not None  # noqa: S101 - there is at least one trace
    assert direction is not None  # noqa: S101
    return _Task(space, tuple(picks), direction)


def _space_of(trace: Trace, file: str | None) -> Space:
    name = trace.setting.table
    if file is not None:
        return load(file).space
    if trace.reference.space:
        return spaces.make_space(trace.reference.space)
    if name in list_tables():
        return spaces.make_space(find_recipe(name).description.space)
    raise ParameterError(f"table {name!r} is not in the catalogue; pass the path of its file with --table")


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
    from nasbench_lab.train.default_settings import default_network, default_recipe
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
    name: str, task: _Task, plan: BuildSpec, work: Path, how: ExecutionOptions, *, keep_weights: bool
) -> tuple[Validation, dict[int, Trained]]:
    from nasbench_lab.train.pick_training import train_picks

    architectures = [pick.architecture for pick in task.picks]
    folder = work / name.replace("/", "__")
    trained = train_picks(plan, architectures, folder, how, keep_weights=keep_weights)
    accuracy = {architecture: each.test_accuracy for architecture, each in trained.items()}
    same = {architecture: each.representative for architecture, each in trained.items()}
    return compare(task.picks, accuracy, task.direction, same), trained


def _weights_folder(name: str) -> str:
    return f"{WEIGHTS}/{file_names([name])[0]}"


def _copy_weights(name: str, trained: Mapping[int, Trained], place: Path) -> list[Path]:
    """Copy the weights of a task and their details into the folder of the validation, and return their paths there."""
    from nasbench_lab.train.saved_weights import details_path

    folder = place / _weights_folder(name)
    found = dict.fromkeys(path for each in trained.values() for path in each.weights)
    for path in found:
        folder.mkdir(parents=True, exist_ok=True)
        for each in (path, details_path(path)):
            try:
                (folder / each.name).hardlink_to(each)  # needs no space
            except OSError:
                shutil.copyfile(each, folder / each.name)
    return [Path(_weights_folder(name)) / path.name for path in found]


def _print_weights(paths: Sequence[Path], target: Path) -> None:
    if not paths:
        return
    size = sum((target / path).stat().st_size for path in paths) / 1e6
    tell(f"weights of {len(paths)} trainings ({size:,.1f} MB): {target / WEIGHTS}")
    tell(f'to load one: nasbench_lab.train.load("{(target / paths[0]).as_posix()}")')


def _details(name: str, plan: BuildSpec, trained: Mapping[int, Trained]) -> dict[str, Any]:
    """Return all measurements as plain data for JSON; missing numbers (NaN) become null."""
    plain = {
        str(architecture): {
            field.name: getattr(each, field.name) for field in dataclasses.fields(each) if field.name != "scores"
        }
        | {"scores": [dataclasses.asdict(score) for score in each.scores], "costs": dataclasses.asdict(each.costs)}
        for architecture, each in trained.items()
    }
    for each in plain.values():
        each["weights"] = [f"{_weights_folder(name)}/{path.name}" for path in each["weights"]]
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
    unknown = math.isnan(validation.correlation.estimate)
    correlation = "unknown" if unknown else str(validation.correlation)
    typer.echo(f"\n{validation.table}: rank correlation of promise and training {correlation}")
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
