"""What ``nasbench-lab search`` shows: the progress of the search, and what it found."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from nasbench_lab.cli.options import make_grid, print_grid
from nasbench_lab.cli.progress import shown_progress
from nasbench_lab.cli.verbosity import note, tell
from nasbench_lab.displays import counted
from nasbench_lab.errors import NasbenchLabError
from nasbench_lab.messages import as_command
from nasbench_lab.report.run_folder import TRACES

if TYPE_CHECKING:
    from nasbench_lab.train.live_search.best_networks import BestNetwork
    from nasbench_lab.train.live_search.retries import Retried
    from nasbench_lab.train.live_search.search_folder import LiveSearchPlan, StoredSearch
    from nasbench_lab.train.live_search.search_run import SearchOutcome
    from nasbench_lab.train.live_search.search_steps import LiveStep, SearchState

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 16
_LONGEST = 24


@contextlib.contextmanager
def searching(plan: LiveSearchPlan, stopped: str) -> Iterator[Callable[[SearchState], None]]:
    """Show the progress of a search inside the block.

    Args:
        plan: of the search.
        stopped: message after Ctrl-C.
    """
    budget, space = plan.conditions.stated_budget, plan.spec.made_space
    with shown_progress(stopped) as show:
        show("search", 0, 0)

        def report(state: SearchState) -> None:
            if budget.seconds is not None:
                done, total = min(state.clock, budget.seconds), budget.seconds
            else:
                done, total = float(len(state.steps)), float(budget.evaluations or 0)
            show("search", done, total, said=progress_text(state.steps, len(state.running), space.format))

        yield report


def progress_text(steps: Sequence[LiveStep], training: int, named: Callable[[int], str]) -> str:
    """Return how far a search is, with the best value so far and its curve.

    Args:
        steps: the evaluations that have ended.
        training: number of trainings that are being done.
        named: notation of an architecture.

    >>> progress_text([], 2, str)
    '0 evaluations, 2 training'
    """
    counted = f"{len(steps):,} evaluation{'' if len(steps) == 1 else 's'}"
    curve = incumbents(steps)
    if not curve:
        return f"{counted}, {training} training"
    best = next(step for step in steps if step.observed == curve[-1] and step.feasible)
    name = named(best.architecture)
    name = name if len(name) <= _LONGEST else f"index {best.architecture}"
    return f"{counted}, best {curve[-1]:.4g} % ({name}) {spark_line(curve)}, {training} training"


def incumbents(steps: Sequence[LiveStep]) -> list[float]:
    """Return the best value so far after every evaluation from the first value on, at the highest fidelity so far."""
    found: list[float] = []
    highest = 0
    for step in steps:
        if math.isnan(step.observed) or not step.feasible or step.epochs < highest:
            if found:
                found.append(found[-1])
            continue
        better = step.epochs > highest or not found or step.observed > found[-1]
        found.append(step.observed if better else found[-1])
        highest = step.epochs
    return found


def spark_line(values: Sequence[float]) -> str:
    """Return a curve as one line of blocks.

    >>> spark_line([1.0, 2.0, 4.0]), spark_line([3.0])
    ('▁▃█', '▁')
    """
    if len(values) > _WIDTH:
        values = [values[round(place * (len(values) - 1) / (_WIDTH - 1))] for place in range(_WIDTH)]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return "".join(_BARS[round((value - low) / span * (len(_BARS) - 1))] for value in values)


def write_report(folder: Path) -> None:
    """Write the traces of all searches in a folder, and the report page."""
    from nasbench_lab.analysis.studies.pipeline import study
    from nasbench_lab.report.local_tables import StudyLandscapes, StudyScores
    from nasbench_lab.report.page import write_page
    from nasbench_lab.simulation.trace_files import save_traces
    from nasbench_lab.suites.stored_results import open_results
    from nasbench_lab.train.live_search.search_run import finished_traces

    save_traces(finished_traces(folder), folder / TRACES)
    try:
        found = study(open_results(folder))
        write_page(
            found,
            folder / "report.html",
            source=[str(folder)],
            landscapes=StudyLandscapes(),
            scores=StudyScores(),
            predictors={},
        )
    except NasbenchLabError as error:  # the search is not lost with its page
        note(f"no report page: {error}")


def best_rows(plan: LiveSearchPlan, best: Sequence[LiveStep]) -> list[dict[str, Any]]:
    """Return the best architectures as plain data."""
    space = plan.spec.made_space
    return [
        {
            "rank": rank,
            "index": step.architecture,
            "architecture": space.format(step.architecture),
            "observed": step.observed,
            "epochs": step.epochs,
            "inherited_from": step.parent if step.parent >= 0 else None,
        }
        for rank, step in enumerate(best, start=1)
    ]


def tell_retried(retried: Retried) -> None:
    """Say what is trained again."""
    if not retried.evaluations:
        note("nothing failed for these reasons, so nothing is tried again")
        return
    from nasbench_lab.train.live_search.failures import in_words

    why = f" ({in_words(retried.failed)})" if retried.failed else ""
    note(
        f"{counted(retried.evaluations, 'evaluation')} whose training failed{why}: trained again; the search goes on "
        f"after evaluation {retried.kept:,} of {retried.ended:,}, and all other trainings are kept"
    )


def print_best(found: StoredSearch, outcome: SearchOutcome, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print what a search found."""
    from nasbench_lab.train.live_search.failures import RETRIED, in_words

    plan, steps = found.plan, outcome.steps
    fresh, beyond = sum(step.fresh for step in steps), sum(not step.feasible for step in steps)
    taken = steps[-1].clock if steps else 0.0
    text = f"{plan.label}: {counted(len(steps), 'evaluation')}, {counted(fresh, 'training')}, {taken:,.0f} s"
    text += f", {beyond:,} not trained (beyond a limit)" if beyond else ""
    failed = sum(outcome.failed.values())
    typer.echo(text + (f", {failed:,} failed ({in_words(outcome.failed)})" if failed else ""))
    if any(kind in outcome.failed for kind in RETRIED):
        note(f"failed trainings can be tried again: {as_command('search', '--resume', found.folder, '--retry-failed')}")
    if not rows:
        note("no evaluation gave a value")
        return
    inherits = ["weights"] if plan.inherit else []
    grid = make_grid("rank", "index", "observed (%)", "epochs", *inherits, "architecture")
    for row in rows:
        parent = row["inherited_from"]
        start = ["random" if parent is None else f"of evaluation {parent}"] if inherits else []
        numbers = (str(row["rank"]), str(row["index"]), f"{row['observed']:.4g}", str(row["epochs"]))
        grid.add_row(*numbers, *start, row["architecture"])
    print_grid(grid)
    if any(row["inherited_from"] is not None for row in rows):
        note("values with inherited weights come from the training of all ancestors, not of these epochs alone")


def print_retrained(found: StoredSearch, retrained: Sequence[BestNetwork]) -> None:
    """Print the retrained architectures, and how to load their weights."""
    if not retrained:
        return
    from nasbench_lab.train.live_search.best_networks import shown_mean

    typer.echo(f"\nretrained from {len(retrained[0].seeds)} seeds, means in percent:")
    grid = make_grid("rank", "valid", "test", "precision", "recall", "F1", "parameters", "index")
    for each in retrained:
        scores = (each.valid_accuracy, each.test_accuracy, each.test_precision, each.test_recall, each.test_f1)
        grid.add_row(str(each.rank), *map(shown_mean, scores), f"{each.parameters:,}", str(each.architecture))
    print_grid(grid)
    for text in dict.fromkeys(each.note for each in retrained if each.note):
        note(text)
    path = (found.folder / retrained[0].weights[0]).as_posix()
    tell(f'to load the weights of the best: from nasbench_lab import train; train.load("{path}")')
