"""Provenance of results: versions, licences, citations."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nasbench_lab.analysis.studies.name_lists import some_names
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.errors import NasbenchLabError
from nasbench_lab.report.page.numbers import NONE, duration
from nasbench_lab.report.page.tables import PageCell, PageColumn, PageTable, make_table
from nasbench_lab.strategies import registry
from nasbench_lab.tables.citations import entries

_KINDS = {
    "suite": "a suite",
    "traces": "a traces file",
    "memory": "simulations in memory",
    "combined": "several folders or files",
}


@dataclasses.dataclass(frozen=True)
class Origin:
    """The provenance of results.

    Attributes:
        facts: names and values.
        specification: of the suite, as JSON; empty without a suite.
        inputs: the results that were combined; None for results of one folder or file.
        tables: with licences and checksums.
        notes: name of a table, its source and the notes of its publishers.
        skipped: simulations that a suite skipped: strategy, table, reason.
        bibtex: of the tables.
        references: strategy and its publication.
    """

    facts: tuple[tuple[str, str], ...]
    specification: str
    inputs: PageTable | None
    tables: PageTable | None
    notes: tuple[tuple[str, tuple[str, ...]], ...]
    skipped: tuple[tuple[str, str, str], ...]
    bibtex: str
    references: tuple[tuple[str, str], ...]


def origin(study: Study) -> Origin:
    """Return the provenance of the results of a study."""
    given = study.provenance
    described = list(given.get("tables", ()))
    inputs = list(given.get("inputs") or ())
    spec = {each["source"]: each["spec"] for each in inputs if each["spec"] is not None} or given.get("spec")
    return Origin(
        facts=tuple(_facts(study)),
        specification="" if spec is None else json.dumps(spec, indent=2, ensure_ascii=False, default=str),
        inputs=_inputs(inputs),
        tables=_tables(described),
        notes=tuple(_notes(described)),
        skipped=tuple((str(s["strategy"]), str(s["table"]), str(s["reason"])) for s in given.get("skipped", ())),
        bibtex=_bibtex(str(table.get("citation", "")) for table in described),
        references=tuple(_references(study.strategies)),
    )


def _facts(study: Study) -> Iterable[tuple[str, str]]:
    given = study.provenance
    if given.get("kind"):
        yield "results of", _content(given)
    versions: Mapping[str, Any] = given.get("versions") or {}
    for package, found in versions.items():
        yield f"{package}, version", ", ".join(map(str, found)) if isinstance(found, list | tuple) else str(found)
    for platform in given.get("platforms") or ():
        yield "platform", str(platform)
    for arithmetic in given.get("arithmetic") or ():
        yield "arithmetic", str(arithmetic)
    if given.get("wall_seconds") is not None:
        yield "time of simulation", f"{duration(float(given['wall_seconds']))}, summed over processes"
    if given.get("spec_hash"):
        yield "hash of the specification", str(given["spec_hash"])
    seeds = sorted({summary.seed for summary in study.summaries})
    yield ("root seed" if len(seeds) == 1 else "root seeds"), ", ".join(map(str, seeds))
    if study.resamples:
        text = f"{study.resamples:,} bootstrap resamples, seed {study.seed}, level {100 * study.level:g} %"
        yield "intervals", text
    if given.get("missing"):
        yield "missing", f"{given['missing']} shards"
    for each in given.get("imported") or ():
        files = "; ".join(f"{file['name']}, SHA-256 {file['sha256']}" for file in each["files"])
        yield "imported", f"{each['strategy']} on {each['table']}, {each['format']}{f': {files}' if files else ''}"

    for each in given.get("trained") or ():
        facts = {name: _short(value) for name, value in each.items() if name not in ("strategy", "table", "format")}
        listed = ", ".join(f"{name.replace('_', ' ')} {text}" for name, text in facts.items() if text)
        yield "training", f"{each['strategy']} on {each['table']}{f': {listed}' if listed else ''}"


def _short(value: Any) -> str:
    """Return a fact of a training in a few words; of several measurements the range, and nothing of details."""
    if isinstance(value, list):
        if len(value) > 1 and all(isinstance(each, float) for each in value):
            return f"{min(value):.4g} to {max(value):.4g}"
        return some_names(filter(None, map(_short, value)))
    if value is None or isinstance(value, Mapping):
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _content(given: Mapping[str, Any]) -> str:
    kind = str(given["kind"])
    return "imported results" if kind == "traces" and given.get("imported") else _KINDS.get(kind, kind)


def _inputs(inputs: Sequence[Mapping[str, Any]]) -> PageTable | None:
    if not inputs:
        return None
    values: dict[str, list[str]] = {
        "label": [str(each["label"]) for each in inputs],
        "content": [_content(each) for each in inputs],
        "title": [str(each["title"]) for each in inputs],
        "simulations": [f"{each['simulations']:,}" for each in inputs],
        "nasbench-lab": [", ".join(each["versions"].get("nasbench-lab", ())) for each in inputs],
        "platform": [", ".join(each["platforms"]) for each in inputs],
        "time of simulation": [
            "" if each["wall_seconds"] is None else duration(float(each["wall_seconds"])) for each in inputs
        ],
        "missing shards": [f"{each['missing']:,}" if each["missing"] else "" for each in inputs],
        "specification": [str(each["spec_hash"])[:12] for each in inputs],
    }
    columns = [
        (PageColumn(name, kind="text"), [PageCell(text or NONE, kind="text") for text in texts])
        for name, texts in values.items()
        if any(texts)
    ]
    rows = [(str(each["source"]), None) for each in inputs]
    return make_table("Results that were combined", PageColumn("source", kind="text"), columns, rows)


def _tables(described: list[Mapping[str, Any]]) -> PageTable | None:
    if not described:
        return None

    def cells(key: str, kind: str = "text") -> list[PageCell]:
        return [PageCell(str(table.get(key) or NONE), kind=kind) for table in described]

    columns = [
        (PageColumn("title", kind="text"), cells("title", "wide")),
        (PageColumn("licence", kind="text"), cells("licence")),
        (PageColumn("checksum", kind="text"), cells("checksum", "text notation")),
    ]
    rows = [(str(table["name"]), None) for table in described]
    return make_table("Tables of measurements", PageColumn("table", kind="text"), columns, rows)


def _notes(described: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, tuple[str, ...]]]:
    for table in described:
        notes = [str(note) for note in table.get("notes", ())]
        if table.get("source"):
            notes.insert(0, f"Source: {table['source']}")
        if notes:
            yield str(table["name"]), tuple(notes)


def _bibtex(citations: Iterable[str]) -> str:
    """Return the BibTeX entries, each once."""
    found: dict[str, str] = {}
    for citation in filter(str.strip, citations):
        try:
            for key, entry in entries(citation):
                found.setdefault(key, entry)
        except (NasbenchLabError, ValueError):  # the citation of a user's own table may be any text
            found.setdefault(citation, citation)
    return "\n\n".join(found.values())


def _references(strategies: Iterable[str]) -> Iterable[tuple[str, str]]:
    for name in dict.fromkeys(strategies):
        try:
            reference = registry.reference(name)
        except NasbenchLabError:  # an author's own strategy is not registered here
            continue
        if reference:
            yield name, reference
