"""What becomes of stored shards when the plan of a suite changes, and the changes in words."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from nasbench_lab.suites.planned_simulations import Plan, Simulation

Stored = Mapping[str, Collection[tuple[int, int]]]
"""The stored shards of each simulation, by its key: the first run and the end of each."""


def fit_to_stored(plan: Plan, stored: Stored) -> Plan:
    """Return a plan whose shards are cut where stored shards end, so that the stored ones are kept.

    The result depends on which shards are stored, not on their order.
    """
    fitted = [
        dataclasses.replace(each, cuts=_cuts(each.shard_runs, plan.runs, stored.get(each.key, ())))
        for each in plan.simulations
    ]
    return dataclasses.replace(plan, simulations=tuple(fitted))


def _cuts(size: int, runs: int, stored: Collection[tuple[int, int]]) -> tuple[int, ...]:
    """Return where shards end besides at multiples of their size.

    >>> _cuts(4, 20, [(0, 4), (4, 8), (8, 10)]), _cuts(4, 20, [(8, 10), (8, 12)]), _cuts(4, 20, [(18, 20)])
    ((10,), (), (18,))
    """
    ends: dict[int, list[int]] = {}
    for first, end in stored:
        if end <= min(first // size * size + size, runs):
            ends.setdefault(first, []).append(end)
    cuts = set()
    for block in sorted({first // size * size for first in ends}):
        place, last = block, min(block + size, runs)
        while place < last:
            later = (one for one in ends if place < one < last)
            place = max(ends[place]) if place in ends else min(later, default=last)
            cuts.add(place)
    return tuple(sorted(cut for cut in cuts if cut % size and cut != runs))


def keep_sizes(plan: Plan, before: Plan) -> Plan:
    """Return a plan whose simulations have the sizes of shards that they had before."""
    sizes = {each.key: each.shard_runs for each in before.simulations}
    kept = [dataclasses.replace(each, shard_runs=sizes.get(each.key, each.shard_runs)) for each in plan.simulations]
    return dataclasses.replace(plan, simulations=tuple(kept))


def share_a_task(one: Plan, other: Plan) -> bool:
    """Return whether two plans have a table under the same conditions."""
    tasks = [{_conditions(plan, number) for number in range(len(plan.tables))} for plan in (one, other)]
    keys = [{each.key for each in plan.simulations} for plan in (one, other)]  # defaults can be given or left out
    return bool(tasks[0] & tasks[1] or keys[0] & keys[1])


def changes_in_words(before: Plan, after: Plan) -> list[str]:
    """Return what changed between two plans of a suite, and what becomes of the results, one sentence each."""
    old, new = _by_label(before), _by_label(after)
    added, removed = [label for label in new if label not in old], [label for label in old if label not in new]
    changed = [label for label in new if label in old and _changed(old[label], new[label], before, after)]
    more, fewer = _other_tables(before, after)
    found: list[str] = []
    if added or more:
        found.append(f"new in the suite: {', '.join([*added, *more])}; only what is new is simulated")
    for label in added:
        others = [each for each in removed if _names(old[each]) & _names(new[label])]
        if others:
            found.append(f"{label} is not the same strategy as {', '.join(others)}: it is simulated from the first run")
    if changed:
        found.append(f"{', '.join(changed)} changed (the file or version of the strategy), and is simulated again")
    if after.runs > before.runs:
        found.append(f"{after.runs:,} runs instead of {before.runs:,}: only the new runs are simulated")
    if removed or fewer or changed or after.runs < before.runs:
        parts = [*removed, *fewer, *(f"{label} before the change" for label in changed)]
        parts += [f"runs from {after.runs:,}"] if after.runs < before.runs else []
        found.append(f"results that are kept in the folder, but are no longer part of the suite: {', '.join(parts)}")
    return found


def _other_tables(before: Plan, after: Plan) -> tuple[list[str], list[str]]:
    """Return the tables that only the later plan has, and those that only the earlier plan has."""
    names = [[table.label for table in plan.tables] for plan in (before, after)]
    more = [name for name in names[1] if name not in names[0]]
    fewer = [name for name in names[0] if name not in names[1]]
    for name in (name for name in names[1] if name in names[0]):
        places = names[0].index(name), names[1].index(name)
        keys = [
            {each.key for each in plan.simulations if each.table == place}
            for plan, place in zip((before, after), places, strict=True)
        ]
        if _conditions(before, places[0]) != _conditions(after, places[1]) and not keys[0] & keys[1]:
            more.append(f"{name} under other conditions")
            fewer.append(f"{name} under the earlier conditions")
    return more, fewer


def _by_label(plan: Plan) -> dict[str, list[Simulation]]:
    found: dict[str, list[Simulation]] = {}
    for simulation in plan.simulations:
        found.setdefault(simulation.label, []).append(simulation)
    return found


def _names(simulations: Iterable[Simulation]) -> set[str]:
    return {each.strategy for each in simulations}


def _changed(old: Iterable[Simulation], new: Iterable[Simulation], before: Plan, after: Plan) -> bool:
    """Return whether a strategy is another on some table that both plans have under the same conditions."""
    keys = {_conditions(before, each.table): each.key for each in old}
    return any(keys.get(_conditions(after, each.table), each.key) != each.key for each in new)


def _conditions(plan: Plan, table: int) -> tuple[str, str]:
    return plan.tables[table].checksum, repr(plan.tables[table].conditions)


def first_difference(old: Any, new: Any, where: str = "") -> str:
    """Return the first difference between two specifications, in words."""
    pairs = list(_pairs(old, new, where))
    for one, two, place in pairs:
        if one != two:
            return first_difference(one, two, place)
    if isinstance(old, list) and isinstance(new, list) and len(old) != len(new):
        return f"it lists {len(old)} {where}, and this one {len(new)}"
    return f"{where} is {_short(old)} there and {_short(new)} here"


def _pairs(old: Any, new: Any, where: str) -> Iterator[tuple[Any, Any, str]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            if key not in ("title", "published"):
                yield old.get(key), new.get(key), f"{where}.{key}" if where else key
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, two) in enumerate(zip(old, new, strict=True)):
            yield one, two, f"{where}[{number}]"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
