"""``nasbench-lab search``: search with real trainings on the data of the user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasbench_lab.checks import one_of
from nasbench_lab.cli.condition_options import parse_limits
from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.options import Precision, Threads, needs_torch, parse_repeat
from nasbench_lab.cli.search_lines import best_rows, print_best, print_retrained, searching, tell_retried, write_report
from nasbench_lab.cli.training_options import dataset_option, network_options
from nasbench_lab.cli.verbosity import note, tell
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import as_command
from nasbench_lab.simulation import Budget, Conditions

if TYPE_CHECKING:
    from nasbench_lab.train.datasets import Dataset
    from nasbench_lab.train.live_search.search_folder import LiveSearchPlan, StoredSearch
    from nasbench_lab.train.live_search.search_run import SearchOutcome

_NEW = ("space", "dataset", "strategy", "out")
"""The options that a new search needs."""


def search(
    space: Annotated[
        str | None, typer.Option(help="Search space: a name, a TOML file, or a table whose space is searched.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Data set: a name, with options as digits:versions=6, or path of an .npz file.")
    ] = None,
    strategy: Annotated[
        str | None, typer.Option(help="Name of a strategy, with parameters as NAME:key=value,..., or file.py:Class.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the trainings and the result.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Folder of a search to continue.")] = None,
    hours: Annotated[float | None, typer.Option(help="Budget in hours of real time.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Budget in minutes of real time, besides hours.")] = None,
    evaluations: Annotated[int | None, typer.Option(help="Budget in evaluations.")] = None,
    training: Annotated[
        str | None, typer.Option("--recipe", help="Name of a training recipe. [default: depends on the data set]")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs of a training. [default: the recipe's]")] = None,
    budgets: Annotated[
        str | None, typer.Option(help="Epochs of separate trainings, such as 4,12, instead of one that is resumed.")
    ] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="Network option as key=value, e.g. channels=16; may be repeated.")
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(min=1, help="Networks per architecture, trained side by side. [default: 1]")
    ] = None,
    folder: Annotated[Path | None, typer.Option(help="Folder with the official files of the data set.")] = None,
    fidelity: Annotated[int | None, typer.Option(help="Epochs per evaluation. [default: those of a training]")] = None,
    repeat: Annotated[
        str | None, typer.Option(help="What an evaluation observes: sample, mean, or a number. [default: mean]")
    ] = None,
    objective: Annotated[
        list[str] | None, typer.Option(help="A further metric that the strategy receives; may be repeated.")
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="METRIC=NUMBER", help="Largest allowed value of a metric; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Root seed of the search.")] = 0,
    trainings: Annotated[
        Path | None, typer.Option(help="Folder of another search, whose trainings are used and added to.")
    ] = None,
    device: Annotated[list[str] | None, typer.Option(help="cpu, cuda, cuda:1, ...; may be repeated.")] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Trainings at the same time. [default: one per processor or GPU]")
    ] = None,
    threads: Threads = 1,
    precision: Precision = "float32",
    longest: Annotated[
        float | None, typer.Option("--training-limit", help="Seconds after which a training counts as failed.")
    ] = None,
    inherit: Annotated[
        bool, typer.Option("--inherit", help="Children start from the weights of their parents, where layers match.")
    ] = False,
    inherit_rule: Annotated[
        str | None, typer.Option(help="Which weights: overlapping, equal or net2net. [default: overlapping]")
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="With --resume: train again what failed, see --retry-reason.")
    ] = False,
    retry_reason: Annotated[
        list[str] | None,
        typer.Option(help="memory, time, process, loss or error; may be repeated. [default: memory, time, process]"),
    ] = None,
    retrain: Annotated[
        int | None, typer.Option(min=0, help="Number of best architectures to retrain at the end. [default: 3]")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Seeds from which each is retrained. [default: 3]")] = None,
    export: Annotated[
        str | None, typer.Option(help="Format of retrained networks: torch-export, onnx or none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Search with real trainings, in parallel, until the time is up; a search that was stopped can be resumed."""
    needs_torch()
    from nasbench_lab.train.live_search.exported_networks import check_export
    from nasbench_lab.train.live_search.live_table import devices_of

    budget = _budget(hours, minutes, evaluations)
    changes = {"retrain": retrain, "seeds": seeds, "export": None if export is None else check_export(export)}
    changes = {name: value for name, value in changes.items() if value is not None}
    fixed = {
        "space": space, "dataset": dataset, "out": out, "recipe": training, "epochs": epochs, "budgets": budgets,
        "network": network, "repeats": repeats, "folder": folder, "fidelity": fidelity, "repeat": repeat,
        "objective": objective, "limit": limit, "trainings": trainings,
        "inherit": _rule(inherit, inherit_rule) or None,
    }  # fmt: skip
    retried = _retried(retry_failed, retry_reason, resume)
    devices = devices_of(device or "cpu", processes)
    if resume is not None:
        found, data = _resumed(resume, strategy, budget, changes, fixed)
    else:
        found, data = _new(fixed, strategy, budget, changes, devices, seed=seed, precision=precision)
    _run(found, data, devices, threads=threads, longest=longest, retried=retried, as_json=as_json)


def _budget(hours: float | None, minutes: float | None, evaluations: int | None) -> Budget | None:
    seconds = None if hours is None and minutes is None else 3600 * (hours or 0.0) + 60 * (minutes or 0.0)
    return None if seconds is None and evaluations is None else Budget(evaluations=evaluations, seconds=seconds)


def _resumed(
    folder: Path, strategy: str | None, budget: Budget | None, changes: Mapping[str, Any], fixed: Mapping[str, Any]
) -> tuple[StoredSearch, Dataset]:
    """Return the search to continue, and its data set."""
    from nasbench_lab.train.live_search.search_folder import find_search

    given = [f"--{name}" for name, value in fixed.items() if value not in (None, [])]
    if given:
        raise ParameterError(f"a search is resumed with its own settings, so --resume cannot be used with {given[0]}")
    found = find_search(folder, strategy)
    found = found._replace(plan=found.plan.extended(budget, changes))
    return found, found.plan.spec.dataset.load()


def _new(
    fixed: Mapping[str, Any],
    strategy: str | None,
    budget: Budget | None,
    changes: Mapping[str, Any],
    devices: Sequence[str],
    *,
    seed: int,
    precision: str,
) -> tuple[StoredSearch, Dataset]:
    """Return a search of these settings, which are checked before anything is trained, and its data set."""
    from nasbench_lab.strategies.lookup import find_strategy
    from nasbench_lab.train.live_search.network_numbers import wanted_metrics
    from nasbench_lab.train.live_search.search_folder import LiveSearchPlan, new_search, portable
    from nasbench_lab.train.live_search.search_run import check_plan
    from nasbench_lab.train.live_search.settings import live_spec

    needed = {**fixed, "strategy": strategy}
    missing = [f"--{name}" for name in _NEW if not needed[name]]
    if missing:
        raise ParameterError(f"a new search needs {', '.join(missing)}; to continue one, give --resume FOLDER")
    if budget is None:
        raise ParameterError("a search needs a budget: --hours, --minutes or --evaluations")
    spec, data = live_spec(
        fixed["space"],
        dataset_option(fixed["dataset"], fixed["folder"], None),
        fixed["recipe"],
        epochs=fixed["epochs"],
        budgets=_numbers(fixed["budgets"]),
        seeds=fixed["repeats"],
        precision=precision,
        name=None,
        **(network_options(fixed["network"] or []) or {}),
    )
    limits = parse_limits(fixed["limit"] or [])
    objectives = tuple(fixed["objective"] or ())
    conditions = Conditions(
        budget,
        fixed["fidelity"],
        parse_repeat(fixed["repeat"]) if fixed["repeat"] else "mean",
        len(devices),
        objectives,
        limits,
        seed,
    )
    assert strategy is not None  # noqa: S101 - checked above
    plan = LiveSearchPlan(
        strategy=portable(strategy),
        conditions=conditions,
        spec=spec,
        trainings="" if fixed["trainings"] is None else str(fixed["trainings"].resolve()),
        inherit=fixed["inherit"] or "",
        metrics=wanted_metrics(find_strategy(strategy), (*objectives, *limits)),
        **{"retrain": 3, "seeds": 3, "export": "torch-export", **changes},
    )
    check_plan(plan, data)
    return new_search(fixed["out"], plan), data


def _rule(inherit: bool, rule: str | None) -> str:
    """Return how children inherit; empty for not at all."""
    if rule is None:
        return "overlapping" if inherit else ""
    if not inherit:
        raise ParameterError("--inherit-rule needs --inherit")
    from nasbench_lab.train.inheritance.children import RULES

    return str(one_of("--inherit-rule", rule, RULES))


def _numbers(text: str | None) -> tuple[int, ...]:
    """Return numbers of epochs, parsed from a text like ``4,12``.

    >>> _numbers("4,12"), _numbers(None)
    ((4, 12), ())
    """
    parts = text.split(",") if text else []
    if not all(part.strip().isascii() and part.strip().isdigit() for part in parts):
        raise ParameterError(f"--budgets must be numbers of epochs, such as 4,12, got {text!r}")
    return tuple(map(int, parts))


def _retried(given: bool, reasons: Sequence[str] | None, resume: Path | None) -> tuple[str, ...]:
    """Return the kinds of failures that are trained again; none without ``--retry-failed``."""
    if reasons and not given:
        raise ParameterError("--retry-reason needs --retry-failed")
    if not given:
        return ()
    if resume is None:
        raise ParameterError("--retry-failed needs --resume FOLDER: in a new search, nothing has failed yet")
    from nasbench_lab.train.live_search.failures import KINDS, RETRIED

    return tuple(one_of("--retry-reason", each, tuple(KINDS)) for each in reasons or RETRIED)


def _run(
    found: StoredSearch,
    data: Dataset,
    devices: Sequence[str],
    *,
    threads: int,
    longest: float | None,
    retried: Sequence[str],
    as_json: bool,
) -> None:
    from nasbench_lab.train.live_search.retries import retry_failed
    from nasbench_lab.train.live_search.search_run import best_steps, open_table, run_search

    plan, folder = found.plan, found.folder
    again = as_command("search", "--resume", folder)
    with searching(plan, f"finished trainings are kept; to continue: {again}") as report, found.locked():
        found.stored()
        with open_table(found, devices, threads=threads, longest=longest, dataset=data) as table:
            if retried:
                tell_retried(retry_failed(found, table, retried))
            outcome = run_search(found, table, report)
    if outcome.note:
        note(outcome.note)
    if outcome.trace is not None:
        write_report(folder)
    best = best_steps(outcome.steps, max(plan.retrain, 3))
    retrained = _retrained(found, outcome, data, devices, threads) if best and plan.retrain else []
    rows = best_rows(plan, best)
    if as_json:
        print_json(
            {
                "folder": folder,
                "strategy": plan.label,
                "evaluations": len(outcome.steps),
                "trainings": sum(step.fresh for step in outcome.steps),
                "failed": dict(outcome.failed),
                "seconds": outcome.steps[-1].clock if outcome.steps else 0.0,
                "best": rows,
                "retrained": retrained,
            }
        )
        return
    print_best(found, outcome, rows)
    print_retrained(found, retrained)
    more = "--hours" if plan.conditions.stated_budget.evaluations is None else "--evaluations"
    tell(f"\nsee {folder}; to search on: {again} {more} ...")


def _retrained(
    found: StoredSearch, outcome: SearchOutcome, data: Dataset, devices: Sequence[str], threads: int
) -> list[Any]:
    """Train the best architectures from several seeds."""
    from nasbench_lab.cli.progress import training_progress
    from nasbench_lab.train.build import ExecutionOptions
    from nasbench_lab.train.live_search.best_networks import retrain_best
    from nasbench_lab.train.live_search.search_run import best_steps

    plan: LiveSearchPlan = found.plan
    with training_progress(found.folder) as progress:
        how = ExecutionOptions(
            len(devices), threads, devices[0], plan.spec.precision, checkpoint=True, progress=progress
        )
        return retrain_best(found, best_steps(outcome.steps, plan.retrain), data.image, how)
