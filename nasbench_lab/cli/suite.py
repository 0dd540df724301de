"""``nasbench-lab suite``: run many simulations, store them, and continue after an interruption."""

from __future__ import annotations

import contextlib
import enum
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich import filesize

from nasbench_lab.analysis import Summary, compare_with_published, to_csv
from nasbench_lab.analysis.run_summary import summarize_blocks
from nasbench_lab.cli.commands import Commands
from nasbench_lab.cli.json_output import AsJson, print_json
from nasbench_lab.cli.options import make_grid, print_grid
from nasbench_lab.cli.progress import shown_progress
from nasbench_lab.cli.run_summary import print_notes, print_summaries
from nasbench_lab.cli.verbosity import note, tell
from nasbench_lab.displays import counted
from nasbench_lab.errors import ChangedSuiteWarning, OutputError, ParameterError
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import as_command
from nasbench_lab.report import published_table
from nasbench_lab.report.study_selection import in_words
from nasbench_lab.simulation import Results
from nasbench_lab.simulation.training_notes import training_notes
from nasbench_lab.suites import (
    DaskExecutor,
    LocalProcesses,
    Suite,
    SuiteFolder,
    built_in,
    estimate_suite,
    merge_suites,
    read_suite,
    run_suite,
    runner,
)
from nasbench_lab.suites.cleaning import clean as clean_folder
from nasbench_lab.suites.folder import SUITE
from nasbench_lab.suites.forecast import SuiteEstimate
from nasbench_lab.suites.planned_simulations import Plan, Skipped
from nasbench_lab.suites.toml_files import EXAMPLE

SUMMARY = "summary.csv"
PUBLISHED = "published.md"

_MOST_ROWS = 60
"""A longer summary is only written to the file, not printed."""

_MOST_TABLES, _SHOWN_TABLES = 5, 3
"""A line about more tables than the first number shows as many as the second, and how many more there are."""

_MOST_ESTIMATES = 12
"""Number of strategies whose time `--estimate` prints; the others are added up."""

_SHORT = 90.0  # seconds

_LONG = 120.0
"""Seconds of processor time from which a suite says before it starts how long it takes."""

app = typer.Typer(
    cls=Commands, help="Run many simulations and store the results.", no_args_is_help=True, rich_markup_mode=None
)

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder that `suite run` wrote.")]


class Where(enum.StrEnum):
    """Where shards are simulated."""

    local = "local"
    dask = "dask"


@app.command()
def run(
    suite: Annotated[
        str,
        typer.Argument(metavar="SUITE", help="A TOML file, a built-in suite, or the folder of a suite."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the results: new, empty, or that of the suite. [default: SUITE, if it is a folder]"
        ),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Processes on this machine. [default: one per processor]")
    ] = None,
    executor: Annotated[Where, typer.Option(help="Where to simulate.")] = Where.local,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address of a dask scheduler. [default: start workers here]")
    ] = None,
    estimate: Annotated[
        bool,
        typer.Option(
            "--estimate",
            help="Simulate a small part of every strategy, print how long the whole suite takes, and stop. "
            "What was simulated is kept.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a suite, or continue it. Only what is not finished yet, or new in the suite, is simulated."""
    if scheduler is not None and executor is not Where.dask:
        raise ParameterError("--scheduler can only be used with --executor dask")
    wanted, out = _suite_and_folder(suite, out)
    if estimate:
        with _progress(out, notes=False) as report, warnings.catch_warnings():
            warnings.simplefilter("always", ChangedSuiteWarning)
            found = estimate_suite(wanted, out, executor=_executor(executor, processes, scheduler), progress=report)
        _print_estimate(found, out, as_json=as_json)
        return
    with _progress(out) as report, warnings.catch_warnings():
        warnings.simplefilter("always", ChangedSuiteWarning)  # printed as notes
        results = run_suite(wanted, out, executor=_executor(executor, processes, scheduler), progress=report)
    summaries = [summarize_blocks(results.blocks(number)) for number in range(len(results))]
    with atomic_path(out / SUMMARY) as temporary:
        temporary.write_text(to_csv(summaries), encoding="utf-8")
    beside = compare_with_published(results, wanted.published)
    if beside:
        with atomic_path(out / PUBLISHED) as temporary:
            temporary.write_text(published_table(beside, wanted.title), encoding="utf-8")
    skipped = SuiteFolder.open(out).plan.skipped
    if as_json:
        _print_notes(results, summaries, skipped)
        seconds = results.provenance["wall_seconds"]
        print_json({"folder": out, "seconds": seconds, "summaries": summaries, "skipped": skipped})
        return
    _print_results(results, summaries, skipped)
    if beside:
        tell(f"\ncomparison with published numbers: {out / PUBLISHED}")
    tell(f"\nsee {out}; for figures, statistics and a page to share: {as_command('report', out)}")


def _suite_and_folder(suite: str, out: Path | None) -> tuple[Suite, Path]:
    """Return the suite to run, and the folder for its results."""
    if (Path(suite) / SUITE).is_file() or (Path(suite).is_dir() and suite not in built_in()):
        return SuiteFolder.open(Path(suite)).suite, out or Path(suite)
    wanted = read_suite(suite)
    if out is None:
        raise ParameterError(
            f"give the folder for the results: {as_command('suite', 'run', suite, '--out', 'results/NAME')}"
        )
    return wanted, out


@app.command()
def merge(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Folders that `suite run` wrote.")],
    out: Annotated[Path, typer.Option(help="New folder for the merged suite.")],
    as_json: AsJson = False,
) -> None:
    """Merge suites that ran in several folders: each finished shard once, in a new folder that can be continued."""
    merged = merge_suites(folders, out)
    for path in merged.damaged:
        note(f"{path} is damaged, and was left out")
    plan = merged.folder.plan
    finished = sum(map(merged.folder.is_finished, plan.shards))
    if as_json:
        print_json(
            {
                "folder": out,
                "simulations": len(plan.simulations),
                "runs": plan.runs,
                "shards": len(plan.shards),
                "finished": finished,
                "not_planned": _open_pairs(plan),
                "damaged": merged.damaged,
            }
        )
        return
    size = f"{in_words(len(plan.simulations), 'simulation')}, {in_words(plan.runs, 'run')} each"
    tell(f"wrote {out}: {size}; {finished} of {len(plan.shards)} shards are finished")
    for line in _open_lines(plan):
        tell(line)
    if finished < len(plan.shards) or plan.open_pairs:
        tell(f"to simulate the rest: {as_command('suite', 'run', out)}")


def _open_pairs(plan: Plan) -> list[dict[str, str]]:
    """Return, for JSON, the pairs of a strategy and a table for which nothing is planned, as in merged suites."""
    return [{"strategy": label, "table": table} for label, table in plan.open_pairs]


def _open_lines(plan: Plan) -> Iterator[str]:
    """Yield one line per strategy about tables on which it is not planned yet."""
    tables: dict[str, list[str]] = {}
    for label, table in plan.open_pairs:
        tables.setdefault(label, []).append(table)
    for label, names in tables.items():
        yield f"not simulated yet: {label} on {', '.join(names)}"


@app.command()
def init(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="File to write. [default: print it]")] = None,
) -> None:
    """Write a commented example of a suite."""
    text = EXAMPLE.read_text(encoding="utf-8")
    if file is None:
        typer.echo(text, nl=False)
        return
    if file.exists():
        raise OutputError(f"{file} already exists; choose another file")
    with atomic_path(file) as temporary:
        temporary.write_text(text, encoding="utf-8")
    command = as_command("suite", "run", file, "--out", f"results/{file.stem}")
    tell(f"wrote {file}; edit it, then run: {command}")


@app.command("list")
def list_suites(as_json: AsJson = False) -> None:
    """List the built-in suites."""
    suites = {name: read_suite(name) for name in built_in()}
    if as_json:
        print_json([{"name": name, "runs": suite.runs, "title": suite.title} for name, suite in suites.items()])
        return
    grid = make_grid("suite", "runs", "title")
    for name, suite in suites.items():
        grid.add_row(name, f"{suite.runs:,}", suite.title)
    print_grid(grid, fold=True)
    tell("\nTo start a suite file: nasbench-lab suite init mine.toml")


@app.command()
def status(
    folder: Folder,
    check: Annotated[bool, typer.Option("--check", help="Compare every file with its checksum.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the progress, failures and skipped simulations of a suite. Exit code 1 if --check finds a damaged file."""
    found = SuiteFolder.open(folder)
    finished = {shard for shard in found.plan.shards if found.is_finished(shard)}
    problems = found.damaged() if check else []
    names = [found.plan.tables[simulation.table].label for simulation in found.plan.simulations]
    shards = Counter(names[shard.simulation] for shard in found.plan.shards)
    there = Counter(names[shard.simulation] for shard in finished)
    failures = list(filter(None, map(found.failure, found.plan.shards)))
    unused = sum(path.suffix == ".json" for path in found.unused())
    if as_json:
        print_json(
            {
                "title": found.suite.title,
                "hash": found.suite.hash,
                "runs": found.suite.runs,
                "shards": len(found.plan.shards),
                "finished": len(finished),
                "tables": [
                    {"table": name, "simulations": count, "shards": shards[name], "finished": there[name]}
                    for name, count in Counter(names).items()
                ],
                "failures": [{key: each[key] for key in ("strategy", "table", "error")} for each in failures],
                "skipped": found.plan.skipped,
                "not_planned": _open_pairs(found.plan),
                "unused": unused,
                "damaged": problems,
            }
        )
        raise typer.Exit(1 if problems else 0)
    typer.echo(f"{found.suite.title or 'suite'}\n{found.suite.hash[:12]}, {found.suite.runs:,} runs each\n")
    grid = make_grid("table", "simulations", "shards", "finished")
    for name, count in Counter(names).items():
        grid.add_row(name, str(count), str(shards[name]), str(there[name]))
    print_grid(grid)
    typer.echo(f"\n{len(finished)} of {len(found.plan.shards)} shards are finished")
    for failure in failures:
        typer.echo(f"failed: {failure['strategy']} on {failure['table']}: {failure['error']}")
    for line in (*_open_lines(found.plan), *_skipped_lines(found.plan.skipped)):
        typer.echo(line)
    if unused:
        typer.echo(
            f"{unused} finished shards are no longer part of the suite; "
            f"to remove them: {as_command('suite', 'clean', '--unused', folder)}"
        )
    for problem in problems:
        typer.echo(f"damaged: {problem}")
    if problems:
        typer.echo(f"{as_command('suite', 'clean', folder)} removes damaged files; then run the suite again")
        raise typer.Exit(1)


@app.command()
def clean(
    folder: Folder,
    results: Annotated[bool, typer.Option("--results", help="Remove all results too, permanently.")] = False,
    unused: Annotated[
        bool, typer.Option("--unused", help="Remove results that are no longer part of the suite, permanently.")
    ] = False,
) -> None:
    """Remove leftovers of killed processes, damaged files and reports of failures. The next run makes them again."""
    count = clean_folder(folder, results=results, unused=unused)
    if results:
        for name in (SUMMARY, PUBLISHED):
            (folder / name).unlink(missing_ok=True)
    tell(f"removed {count} file{'' if count == 1 else 's'} from {folder}")


def _executor(where: Where, processes: int | None, scheduler: str | None) -> runner.Executor:
    if where is Where.dask:
        return DaskExecutor(scheduler, processes)
    executor = LocalProcesses(processes)
    return runner.InThisProcess() if executor.slots == 1 else executor


def _print_estimate(found: SuiteEstimate, out: Path, *, as_json: bool) -> None:
    """Print how long the rest of a suite takes, the dearest strategies first."""
    dearest = sorted(found.left.items(), key=lambda each: -each[1])
    if as_json:
        parts = [{"strategy": label, "seconds": seconds} for label, seconds in dearest]
        print_json({"folder": out, "seconds": found.seconds, "bytes": found.size, "strategies": parts})
        return
    grid = make_grid("strategy", "processor time left")
    for label, seconds in dearest[:_MOST_ESTIMATES]:
        grid.add_row(label, _duration(seconds))
    if len(dearest) > _MOST_ESTIMATES:
        rest = sum(seconds for _, seconds in dearest[_MOST_ESTIMATES:])
        grid.add_row(f"{len(dearest) - _MOST_ESTIMATES} others", _duration(rest))
    print_grid(grid)
    tell(f"\nin all: {_duration(found.seconds)} of processor time, {filesize.decimal(int(found.size))} of traces")
    tell(f"to run it: {as_command('suite', 'run', out)}")


@contextlib.contextmanager
def _progress(out: Path, *, notes: bool = True) -> Iterator[Callable[[runner.SuiteProgress], None]]:
    """Show the progress in shards, with the remaining time; after Ctrl-C, say how to continue.

    Args:
        out: folder of the suite.
        notes: whether to say how long a long suite takes.
    """
    with shown_progress(f"finished shards are kept in {out}; run the same command again to continue") as tell:
        said: bool | None = None  # whether what was said last rests on measurements

        def report(progress: runner.SuiteProgress) -> None:
            nonlocal said
            left = progress.total - progress.seconds
            if notes and said is not True and said is not progress.is_measured and left >= _LONG:
                size = f", and {filesize.decimal(int(progress.size))} of traces" if progress.is_measured else ""
                how = "measured on one shard of every strategy" if progress.is_measured else "a rough estimate"
                note(f"this takes about {_duration(left)} of processor time{size} ({how})")
            said = progress.is_measured
            tell("simulating", round(1000 * progress.seconds), round(1000 * progress.total), said=progress.in_words)

        yield report


def _duration(seconds: float) -> str:
    """Return a duration in words.

    >>> _duration(20), _duration(150), _duration(5400)
    ('20 seconds', '2 minutes', '1.5 hours')
    """
    if seconds < _SHORT:
        return counted(max(1, round(seconds)), "second")
    return f"{seconds / 3600:.2g} hours" if seconds >= 5400 else in_words(round(seconds / 60), "minute")


def _print_notes(results: Results, summaries: Sequence[Summary], skipped: Sequence[Skipped]) -> None:
    on_test = {setting.table for setting in results.settings if setting.objective.split == "test"}
    notes = [f"{name} publishes no validation measurements: searches observe the test's" for name in sorted(on_test)]
    trained = [text for setting in results.settings for text in training_notes(setting)]
    print_notes(summaries, [*notes, *trained, *_skipped_lines(skipped)])


def _print_results(results: Results, summaries: Sequence[Summary], skipped: Sequence[Skipped]) -> None:
    _print_notes(results, summaries, skipped)
    runs = sum(row.runs for row in summaries)
    seconds = results.provenance["wall_seconds"]
    typer.echo(f"{runs:,} runs of {len(results)} simulations, {seconds:,.1f} s of all processes together")
    if len(summaries) <= _MOST_ROWS:
        print_summaries(summaries)
    else:
        typer.echo(f"{len(summaries)} rows are in {SUMMARY}")


def _skipped_lines(skipped: Sequence[Skipped]) -> list[str]:
    """Return one line per strategy and reason, with the tables."""
    tables: dict[tuple[str, str], list[str]] = {}
    for skip in skipped:
        tables.setdefault((skip.strategy, skip.reason), []).append(skip.table)
    who = {strategy: "all strategies" if strategy == "*" else strategy for strategy, _ in tables}
    return [f"skipped {who[name]} on {_some(where)}: {reason}" for (name, reason), where in tables.items()]


def _some(names: Sequence[str]) -> str:
    """Return names as text: all of a few, or the first ones and how many others there are.

    >>> _some(["a", "b"]), _some(list("abcdefgh"))
    ('a, b', 'a, b, c and 5 more')
    """
    if len(names) <= _MOST_TABLES:
        return ", ".join(names)
    return f"{', '.join(names[:_SHOWN_TABLES])} and {len(names) - _SHOWN_TABLES} more"
