"""What a notebook shows for a suite and for its folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from nasbench_lab.displays import counted, html_card, html_notes, html_table
from nasbench_lab.simulation.conditions import Conditions

_MOST_NAMED = 3


def suite_line(title: str, strategies: Sequence[str], tables: Sequence[str], runs: int) -> str:
    """Return a suite in one line.

    >>> suite_line("", ["umda", "tpe", "asha", "bohb"], ["digits/chain"], 1000)
    '<Suite: umda, tpe, asha and 1 more on digits/chain, 1,000 runs each>'
    """
    shown = f" {title!r}" if title else ""
    return f"<Suite{shown}: {_named(strategies)} on {_named(tables)}, {counted(runs, 'run')} each>"


def suite_card(
    title: str,
    conditions: Conditions,
    runs: int,
    strategies: Sequence[tuple[str, Mapping[str, Any]]],
    tables: Sequence[tuple[str, object, object]],
    variants: Sequence[tuple[str, Mapping[str, Any]]] = (),
) -> str:
    """Return a suite as HTML: the conditions, the strategies and the tables.

    Args:
        title: its title.
        conditions: its conditions.
        runs: number of runs of every strategy on every table.
        strategies: names, with parameters and lists of parameters.
        tables: names, with the budget and the fidelity that replace those of the conditions; None if nothing does.
        variants: names, with the conditions that they replace.
    """
    facts = {
        "runs": f"{runs:,} of every strategy on every table",
        "budget": str(conditions.budget or ""),
        "workers": str(conditions.workers if conditions.workers > 1 else ""),
        "fidelity": str(conditions.fidelity or ""),
        "repeat": str("" if conditions.repeat == "sample" else conditions.repeat),
        "objectives": ", ".join(conditions.objectives),
        "limits": ", ".join(f"{name} {limit:g}" for name, limit in conditions.limits.items()),
        "seed": str(conditions.seed or ""),
    }
    settings = [[name, ", ".join(f"{key}={value}" for key, value in given.items())] for name, given in strategies]
    under = [[name, ", ".join(f"{key}: {value}" for key, value in given.items())] for name, given in variants]
    replaced = [[name, str(budget or ""), str(fidelity or "")] for name, budget, fidelity in tables]
    return html_card(
        title or "Suite",
        facts,
        _table(["strategy", "parameters"], settings),
        _table(["table", "own budget", "own fidelity"], replaced),
        *([_table(["variant", "conditions"], under)] if under else []),
    )


def folder_card(
    path: str, title: str, runs: int, tables: Sequence[str], shards: Sequence[tuple[str, bool]], notes: Sequence[str]
) -> str:
    """Return the folder of a suite as HTML: what is finished, and what failed or was skipped.

    Args:
        path: its path.
        title: title of the suite.
        runs: number of runs of every simulation.
        tables: the table of every simulation.
        shards: the table of every shard, and whether the shard is finished.
        notes: what failed or was skipped.
    """
    all_of, finished = Counter(table for table, _ in shards), Counter(table for table, done in shards if done)
    rows = [[name, str(count), f"{finished[name]} of {all_of[name]} shards"] for name, count in Counter(tables).items()]
    table = html_table(["table", "simulations", "finished"], rows)
    return html_card(path, {"suite": title, "runs": f"{runs:,} each"}, table, html_notes(list(dict.fromkeys(notes))))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table without columns that are empty.

    >>> _table(["table", "own budget"], [["digits/chain", ""]])
    '<table><thead><tr><th>table</th></tr></thead><tbody><tr><td>digits/chain</td></tr></tbody></table>'
    """
    kept = [place for place in range(len(header)) if any(row[place] for row in rows)]
    return html_table([header[place] for place in kept], [[row[place] for place in kept] for row in rows])


def _named(names: Sequence[str]) -> str:
    """Return the first names as text, and how many follow."""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
