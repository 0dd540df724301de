"""``nasbench-lab check``: compare strategies with their committed baselines, e.g. in continuous integration."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from nasbench_lab.cli.condition_options import GivenConditions, with_conditions
from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.verbosity import note
from nasbench_lab.errors import NOTED, NasbenchLabError, ParameterError
from nasbench_lab.testing.baselines.baseline import LEVEL, RUNS, TIERS
from nasbench_lab.testing.baselines.baseline_check import BaselineCheck, check_file
from nasbench_lab.testing.baselines.baseline_file import SUFFIX, baseline_files
from nasbench_lab.testing.baselines.check_outcome import ALLOWABLE, REGRESSIONS, CheckOutcome, check_allowed
from nasbench_lab.testing.baselines.outcome_reports import to_text, write_markdown

EXIT_REGRESSION, EXIT_ERROR, EXIT_INCONCLUSIVE = 1, 2, 3


@with_conditions
def check(
    baseline: Annotated[list[Path], typer.Argument(help="Baseline files, or folders of baseline files.")],
    summary: Annotated[Path | None, typer.Option(help="Markdown file for the outcomes of all checks.")] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(help=f"Verdicts that do not fail: {', '.join(ALLOWABLE)}. [default: none]"),
    ] = None,
    update: Annotated[bool, typer.Option("--update", help="Write new baselines instead of checking.")] = False,
    strategy: Annotated[
        str | None,
        typer.Option(
            help="Strategy to use instead of that in the file: NAME:key=value,..., file.py:Class or module:Class."
        ),
    ] = None,
    table: Annotated[str | None, typer.Option(help="Table to use instead of that in the file: name, or path.")] = None,
    *,
    given: GivenConditions,
    runs: Annotated[int | None, typer.Option(help=f"Number of runs of a new baseline. [default: {RUNS}]")] = None,
    margin: Annotated[
        float | None,
        typer.Option(
            help="Largest difference of mean regrets that does not matter, for a new baseline. "
            "[default: half of their standard deviation]"
        ),
    ] = None,
    level: Annotated[
        float | None,
        typer.Option(help=f"Probability of a false alarm in the folder, for a new baseline. [default: {LEVEL}]"),
    ] = None,
    tier: Annotated[
        list[str] | None,
        typer.Option(help="How checks against a new baseline can pass: exact, statistical. [default: both]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare strategies with their committed baselines.

    The exit code is 0 if all strategies are identical, equivalent or better, or if new baselines were written; 1 if
    there is a regression, even one that may be smaller than the margin ("likely worse"); 2 if a check cannot be made;
    and 3 if a check is inconclusive and none of these applies. Allowed verdicts (--allow) count as passed.
    The class that a baseline file names is imported: only check baselines of projects that you trust.

    To write a baseline file that does not exist yet, give --update, --strategy, --table and a budget.
    """
    new: dict[str, Any] = {
        "runs": runs,
        "margin": margin,
        "level": level,
        "tiers": tuple(tier) if tier else None,
    }
    protocol = {name: value for name, value in new.items() if value is not None}
    check_allowed(allow or ())
    paths = list(_files(baseline))
    _refuse_protocol_of_old(paths, [*given.options, *(f"--{_option(name)}" for name in protocol)])
    outcomes = []
    for path in paths:
        outcome = _outcome(path, functools.partial(_do, path, update, strategy, table, given, protocol))
        outcomes.append(outcome)
        if outcome.verdict == "error":
            typer.echo(f"nasbench-lab: {outcome.findings[0]}", err=True)
        elif not as_json:
            typer.echo(to_text(outcome))
    if as_json:
        print_json(outcomes)
    if summary is not None:
        write_markdown(outcomes, summary)
    raise typer.Exit(exit_code(outcomes, allow or ()))


def exit_code(outcomes: Sequence[CheckOutcome], allowed: Collection[str] = ()) -> int:
    """Return the exit code: that of an error, else of a regression, else of an inconclusive check, else 0.

    Checks with an allowed verdict count as passed.
    """
    verdicts = {outcome.verdict for outcome in outcomes if not outcome.passes(allowed)}
    if "error" in verdicts:
        return EXIT_ERROR
    if verdicts & REGRESSIONS:
        return EXIT_REGRESSION
    return EXIT_INCONCLUSIVE if "inconclusive" in verdicts else 0


def _files(places: Sequence[Path]) -> Iterator[Path]:
    """Yield the baseline files of all places, each once."""
    seen: set[Path] = set()
    for place in places:
        for path in baseline_files(place):
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _refuse_protocol_of_old(paths: Sequence[Path], options: Sequence[str]) -> None:
    """Refuse options for new baselines where the baseline exists, instead of ignoring them."""
    old = [path for path in paths if path.exists()]
    if options and old:
        raise ParameterError(
            f"{', '.join(options)} is for new baselines, but {old[0]} exists; delete it to write a new one"
        )


def _option(name: str) -> str:
    return {"tiers": "tier"}.get(name, name)


def _do(
    path: Path,
    update: bool,
    strategy: str | None,
    table: str | None,
    given: GivenConditions,
    protocol: dict[str, Any],
) -> CheckOutcome:
    if path.exists() or not update:
        return check_file(path, strategy=strategy, table=table, update=update)
    if path.suffix != SUFFIX:  # checks of its folder would not find it
        raise ParameterError(f"there is no baseline {path}; the name of a new one must end with {SUFFIX}")
    if strategy is None or table is None:
        raise ParameterError(f"there is no baseline {path}; to write it, give --strategy, --table and a budget")
    fields = {"tiers": TIERS, **protocol}
    return BaselineCheck(strategy, table, given.conditions(), **fields).write(path)


def _outcome(path: Path, do: Callable[[], CheckOutcome]) -> CheckOutcome:
    """Run a check. An error of this package becomes an outcome, so that the other baselines are still checked."""
    with warnings.catch_warnings(record=True) as caught:
        for category in NOTED:
            warnings.simplefilter("always", category)
        try:
            outcome = do()
        except NasbenchLabError as error:
            outcome = CheckOutcome(str(path), "", "", "error", findings=(str(error),))
    for text in sorted({str(w.message) for w in caught if issubclass(w.category, NOTED)}):
        note(text)
    return outcome
