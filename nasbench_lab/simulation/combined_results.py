"""Several results as one: equal runs count once, runs of a simulation are joined, labels tell strategies apart."""

from __future__ import annotations

import bisect
import dataclasses
import functools
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nasbench_lab.errors import ParameterError
from nasbench_lab.simulation.provenance import imported_results, provenance
from nasbench_lab.simulation.results import Results
from nasbench_lab.simulation.setting import Setting, joined_setting, same_but_runs
from nasbench_lab.simulation.stored_runs import StoredRuns, first_difference
from nasbench_lab.simulation.trace_files import setting_text
from nasbench_lab.simulation.zero_cost_scores import parameters_of_all_tables

REMEDY = "to show both, give each of the results a label: with --label once for each, or in Python with a dictionary"

_OF_ALL = ("tables", "skipped", "inputs", "repeated")
"""Parts of a provenance that are not repeated for each input."""


class ResultsInput(NamedTuple):
    """Results that are combined with others.

    Attributes:
        results: the results.
        source: what they are called in messages, such as their path.
        label: added to the labels of strategies whose results differ between inputs; empty to refuse such results.
    """

    results: Results
    source: str
    label: str = ""


def combine_results(inputs: Sequence[ResultsInput]) -> Results:
    """Combine results, without reading more than what is in several of them.

    - Runs that are in several inputs are compared, and count once.
    - Other runs of a simulation are joined: runs 0 to 499 of one input, and runs 500 to 999 of another.
    - A strategy can have the same label in several inputs and still be another: with another version, the label gets
      the version. With other parameters, another seed, another content of the file that defines it, or other runs
      under the same setting, it gets the labels of the inputs; so it does if it is imported in one and simulated in
      another.

    Args:
        inputs: the results, at least one. Simulations are in order of appearance.

    Raises:
        ParameterError: labels cannot tell strategies apart, or runs of a simulation are in no input.
        DataError: a file is damaged.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.testing import synthetic_table
    >>> options = {"table": synthetic_table(), "budget": nl.Budget(evaluations=3)}
    >>> first = Results.of([nl.simulate(strategy="random-search", runs=4, **options)])
    >>> later = Results.of([nl.simulate(strategy="random-search", runs=4, first_run=2, **options)])
    >>> both = combine_results([ResultsInput(first, "first"), ResultsInput(later, "later")])
    >>> both.trace(0).runs, both.provenance["repeated"]
    (6, ['2 runs of random-search on synthetic/chain'])
    """
    if not inputs:
        raise ParameterError("there are no results")
    repeated: dict[str, int] = {}
    simulations: dict[str, list[_Variant]] = {}
    for place, given in enumerate(inputs):
        for key, parts in _by_simulation(given.results.parts()).items():
            what = f"{parts[0].setting.label} on {parts[0].setting.table}"
            variants = simulations.setdefault(key, [])
            count = sum(part.runs for part in parts)
            kept = _once(parts)
            if kept is None:
                raise ParameterError(f"{given.source} has different runs of {what} under one setting")
            found = next((one for one in variants if one.agrees(kept)), None)
            if found is None:
                found = _Variant(place, [])
                variants.append(found)
            count -= found.add(kept)
            if count:
                repeated[what] = repeated.get(what, 0) + count
    every = [variant for variants in simulations.values() for variant in variants]
    for variant in every:
        variant.check_complete()
    labels = _labels(every, inputs)
    parts = [part.under(labels[place]) for place, variant in enumerate(every) for part in variant.parts]
    return Results(parts, _provenance(inputs, list(labels.values()), repeated))


class _Variant:
    """Runs of one simulation that agree with each other."""

    def __init__(self, owner: int, parts: list[StoredRuns]) -> None:
        self.owner, self.parts = owner, parts
        self.codes: set[str] = set()

    @property
    def setting(self) -> Setting:
        return dataclasses.replace(joined_setting([part.setting for part in self.parts]), first_run=0)

    def agrees(self, others: Iterable[StoredRuns]) -> bool:
        """Return whether runs that are here, too, are the same."""
        pairs = ((part, other) for other in others for part in _overlapping(self.parts, other))
        return all(first_difference(part, other) is None for part, other in pairs)

    def add(self, others: Iterable[StoredRuns]) -> int:
        """Add the runs that are not there yet, and return their number."""
        others = list(others)
        self.codes |= {other.code for other in others if other.code}
        new = [piece for other in others for piece in _missing(self.parts, other)]
        self.parts = sorted([*self.parts, *new], key=lambda part: part.first)
        return sum(piece.runs for piece in new)

    def check_complete(self) -> None:
        for one, other in zip(self.parts, self.parts[1:], strict=False):
            if one.end != other.first:
                what = f"{self.setting.label!r} on {self.setting.table!r}"
                raise ParameterError(f"runs {one.end} to {other.first - 1} of {what} are in none of the results")


def _by_simulation(parts: Iterable[StoredRuns]) -> dict[str, list[StoredRuns]]:
    found: dict[str, list[StoredRuns]] = {}
    for part in parts:
        found.setdefault(_text(part.setting), []).append(part)
    return found


def _once(parts: Sequence[StoredRuns]) -> list[StoredRuns] | None:
    """Return the parts of one input without repeated runs; None if they disagree."""
    kept: list[StoredRuns] = []
    for part in sorted(parts, key=lambda part: (part.first, -part.runs)):
        if any(first_difference(other, part) is not None for other in _overlapping(kept, part)):
            return None
        kept += _missing(kept, part)
    return kept


def _overlapping(kept: Sequence[StoredRuns], part: StoredRuns) -> Iterator[StoredRuns]:
    """Yield those of disjoint, sorted parts that have runs of another part."""
    place = bisect.bisect_right(kept, part.first, key=lambda each: each.end)
    return itertools.takewhile(lambda each: each.first < part.end, itertools.islice(kept, place, None))


def _missing(kept: Sequence[StoredRuns], part: StoredRuns) -> Iterator[StoredRuns]:
    """Yield the pieces of a part that none of the kept parts has. These are disjoint, in order."""
    start = part.first
    for other in _overlapping(kept, part):
        if other.first > start:
            yield part.only(start, other.first)
        start = other.end
    if start < part.end:
        yield part.only(start, part.end)


def _labels(variants: Sequence[_Variant], inputs: Sequence[ResultsInput]) -> dict[int, Setting]:
    """Return the setting of each variant, with a label that tells it from others."""
    settings = {place: variant.setting for place, variant in enumerate(variants)}
    imported = {setting.label for setting in settings.values() if setting.origin}  # their versions mean nothing
    named: dict[tuple[str, int | None], list[int]] = {}
    for place, setting in settings.items():
        named.setdefault((setting.label, None if setting.label in imported else setting.version), []).append(place)
    for places in named.values():
        conflict = _conflict([variants[place] for place in places])
        if conflict is None:
            continue
        owners = {variants[place].owner for place in places}
        labels = [inputs[owner].label for owner in owners]
        if not all(labels) or len(set(labels)) < len(labels):
            one, other, why = conflict
            sources = " and ".join(dict.fromkeys(inputs[variant.owner].source for variant in (one, other)))
            tables = dict.fromkeys(variant.setting.table for variant in (one, other))
            where = "" if len(tables) > 1 else f" on {one.setting.table!r}"
            raise ParameterError(f"{one.setting.label!r}{where} {why} in {sources}; {REMEDY}")
        for place in places:
            label = f"{settings[place].label} ({inputs[variants[place].owner].label})"
            settings[place] = dataclasses.replace(settings[place], label=label)
    return settings


def _conflict(variants: Sequence[_Variant]) -> tuple[_Variant, _Variant, str] | None:
    """Return two variants of different inputs with one label that must not be mistaken for one strategy, and why."""
    first = variants[0]
    for variant in variants[1:]:
        if variant.owner != first.owner and bool(variant.setting.origin) != bool(first.setting.origin):
            one, other = sorted((first, variant), key=lambda each: bool(each.setting.origin))
            return one, other, "is simulated and imported, respectively,"
        if variant.owner != first.owner and not _may_be_one_code(first, variant, variants):
            return first, variant, "is defined by files with different contents"
    tasks: dict[str, _Variant] = {}
    for variant in variants:
        setting = variant.setting
        if variant.owner != first.owner and _identity(setting) != _identity(first.setting):
            return first, variant, "has different parameters"
        other = tasks.setdefault(_task(setting), variant)
        if other.owner != variant.owner:
            return other, variant, _how_different(other.setting, setting)
    return None


def _task(setting: Setting) -> str:
    """Return what the simulations of a task share; see `studies.tasks.group`."""
    conditions = {**setting.conditions.to_data(), "seed": None}
    shared = [setting.table, setting.checksum, conditions, dataclasses.asdict(setting.objective)]
    return json.dumps(shared, sort_keys=True, default=str)


def _how_different(one: Setting, other: Setting) -> str:
    seeds = one.conditions.seed, other.conditions.seed
    if seeds[0] != seeds[1]:
        return f"has the seeds {seeds[0]} and {seeds[1]}"
    setting = "setting" if _text(one) == _text(other) else "conditions"
    return f"has different runs under the same {setting}"


def _may_be_one_code(one: _Variant, other: _Variant, variants: Sequence[_Variant]) -> bool:
    """Return whether nothing is known of one file, or its runs are also those of the other file somewhere."""
    same = set(one.codes)
    for _ in variants:
        same |= {code for variant in variants if variant.codes & same for code in variant.codes}
    return not one.codes or not other.codes or bool(same & other.codes)


def _identity(setting: Setting) -> tuple[str, str]:
    """Return what makes a strategy another one, if it has the same label and version."""
    same = dataclasses.replace(setting, parameters=parameters_of_all_tables(setting))
    return setting.strategy, json.dumps(json.loads(setting_text(same))["parameters"], sort_keys=True)


def _text(setting: Setting) -> str:
    return setting_text(same_but_runs(setting))


def _provenance(
    inputs: Sequence[ResultsInput], settings: Sequence[Setting], repeated: Mapping[str, int]
) -> dict[str, Any]:
    given = [each.results.provenance for each in inputs]
    if len(inputs) == 1:
        return {**given[0], "repeated": [*given[0]["repeated"], *_in_words(repeated)]}
    titles = {one["title"] for one in given}
    seconds = [one["wall_seconds"] for one in given]
    ran = {(setting.label, setting.table) for setting in settings}
    skipped = {(skip["strategy"], skip["table"], skip["reason"]): skip for one in given for skip in one["skipped"]}
    known = provenance([])
    more = dict.fromkeys(key for one in given for key in one if key not in known and isinstance(one[key], list))
    return provenance(
        [],
        **{key: _united([{key: (), **one} for one in given], key) for key in more},
        kind="combined",
        title=titles.pop() if len(titles) == 1 else "",
        versions=_united_versions(one["versions"] for one in given),
        platforms=_united(given, "platforms"),
        arithmetic=_united(given, "arithmetic"),
        wall_seconds=None if None in seconds else round(sum(seconds), 3),
        tables=list({(table["name"], table["checksum"]): table for one in given for table in one["tables"]}.values()),
        imported=imported_results(settings),
        skipped=[skip for skip in skipped.values() if (skip["strategy"], skip["table"]) not in ran],
        missing=sum(one["missing"] for one in given),
        unfinished=[each for one in given for each in one["unfinished"]],
        repeated=[*_united(given, "repeated"), *_in_words(repeated)],
        inputs=[record for each in inputs for record in _records(each)],
    )


def _records(given: ResultsInput) -> list[dict[str, Any]]:
    """Return where an input comes from; for combined results, where each of their inputs comes from."""
    known = given.results.provenance
    if known["inputs"]:
        return list(known["inputs"])
    rest = {key: value for key, value in known.items() if key not in _OF_ALL}
    return [{"source": given.source, "label": given.label, "simulations": len(given.results), **rest}]


def _in_words(repeated: Mapping[str, int]) -> list[str]:
    return [f"{count:,} run{'' if count == 1 else 's'} of {what}" for what, count in repeated.items()]


def _united(given: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    return list({json.dumps(value, default=str): value for one in given for value in one[key]}.values())


def _united_versions(given: Iterable[Mapping[str, Sequence[str]]]) -> dict[str, list[str]]:
    def join(found: dict[str, list[str]], more: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        packages = [*found, *(name for name in more if name not in found)]
        return {name: sorted({*found.get(name, ()), *more.get(name, ())}) for name in packages}

    return functools.reduce(join, given, {})
