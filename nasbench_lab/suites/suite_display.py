"""What a notebook shows for a suite and for its folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nasbench_lab.displays import html_card, html_notes, html_table

if TYPE_CHECKING:
    from nasbench_lab.suites.folder import SuiteFolder
    from nasbench_lab.suites.spec import Suite

_MOST_NAMED = 3


def suite_line(suite: Suite) -> str:
    """Return a suite in one line: strategies, tables and runs."""
    title = f" {suite.title!r}" if suite.title else ""
    strategies, tables = (_named([entry.name for entry in entries]) for entries in (suite.strategies, suite.tables))
    return f"<Suite{title}: {strategies} on {tables}, {suite.runs:,} runs each>"


def suite_card(suite: Suite) -> str:
    """Return a suite as HTML: the conditions, the strategies and the tables."""
    given = suite.conditions
    facts = {
        "runs": f"{suite.runs:,} of every strategy on every table",
        "budget": str(given.budget or ""),
        "workers": str(given.workers if given.workers > 1 else ""),
        "fidelity": str(given.fidelity or ""),
        "repeat": str(given.repeat if given.repeat != "sample" else ""),
        "objectives": ", ".join(given.objectives),
        "limits": ", ".join(f"{name} {limit:g}" for name, limit in given.limits.items()),
        "seed": str(given.seed or ""),
    }
    strategies = [
        [entry.name, ", ".join(f"{name}={value}" for name, value in {**entry.parameters, **entry.grid}.items())]
        for entry in suite.strategies
    ]
    tables = [[entry.name, str(entry.budget or ""), str(entry.fidelity or "")] for entry in suite.tables]
    return html_card(
        suite.title or "Suite",
        facts,
        html_table(["strategy", "parameters"], strategies),
        html_table(["table", "own budget", "own fidelity"], tables),
    )


def folder_line(folder: SuiteFolder) -> str:
    """Return the folder of a suite in one line, without looking at its shards."""
    plan = folder.plan
    size = f"{len(plan.simulations)} simulations, {len(plan.shards)} shards"
    return f"<SuiteFolder {folder.path}: {size}, {plan.runs:,} runs each>"


def folder_card(folder: SuiteFolder) -> str:
    """Return the folder of a suite as HTML: what is finished, and what failed or was skipped."""
    plan = folder.plan
    names = [plan.tables[simulation.table].name for simulation in plan.simulations]
    shards = Counter(names[shard.simulation] for shard in plan.shards)
    finished = Counter(names[shard.simulation] for shard in plan.shards if folder.is_finished(shard))
    rows = [[name, str(count), f"{finished[name]} of {shards[name]} shards"] for name, count in Counter(names).items()]
    failures = [failure for shard in plan.shards if (failure := folder.failure(shard)) is not None]
    notes = [f"failed: {each['strategy']} on {each['table']}: {each['error']}" for each in failures]
    notes += [f"skipped {each.strategy} on {each.table}: {each.reason}" for each in plan.skipped]
    facts = {"suite": folder.suite.title, "runs": f"{plan.runs:,} each"}
    table = html_table(["table", "simulations", "finished"], rows)
    return html_card(str(folder.path), facts, table, html_notes(list(dict.fromkeys(notes))))


def _named(names: Sequence[str]) -> str:
    """Return the first names as text, and how many follow.

    >>> _named(["a", "b"]), _named(list("abcde"))
    ('a, b', 'a, b, c and 2 more')
    """
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
