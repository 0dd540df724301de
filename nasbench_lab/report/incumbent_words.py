"""What the regret of a figure, a table or the page is that of: the best observed architecture, or a recommended one."""

from __future__ import annotations

from collections.abc import Sequence

from nasbench_lab.analysis.studies.name_lists import some_names
from nasbench_lab.analysis.studies.recommended_incumbents import clock_notes, recommendation_warnings
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.report.regret_words import REGRETS, VALUES, KindWords
from nasbench_lab.simulation.trace import RegretKind

_OF_RECOMMENDED = "of the recommended architecture"
_MARK = " *"


def all_recommend(study: Study, kind: RegretKind) -> bool:
    """Return whether all regrets are those of recommended architectures; observed regret never is."""
    return kind != "observed" and all(study.recommending)


def some_recommend(study: Study, kind: RegretKind) -> bool:
    """Return whether the regrets of some strategies, but not of all, are those of recommended architectures."""
    return kind != "observed" and any(study.recommending) and not all(study.recommending)


def shows_values(study: Study, kind: RegretKind, place: int | None = None) -> bool:
    """Return whether a report shows values instead of regrets, as the optimum is not known.

    Args:
        study: the study.
        kind: of regret.
        place: position of a task; None for all tasks that have the kind.
    """
    tasks = study.tasks if place is None else [study.tasks[place]]
    having = [task for task in tasks if kind in task.kinds]
    return bool(having) and all(kind in task.without_optimum for task in having)


def kind_name(study: Study, kind: RegretKind, place: int | None = None) -> str:
    """Return the short name of a regret, or of a value where the optimum is not known; see `shows_values`."""
    return _words(kind, shows_values(study, kind, place)).name


def regret_label(study: Study, kind: RegretKind, *, values: bool | None = None) -> str:
    """Return the name of a regret at an axis, or of a value where that is shown; by default see `shows_values`."""
    as_values = shows_values(study, kind) if values is None else values
    return _with_recommended(_words(kind, as_values).at_axes, study, kind)


def regret_in_words(study: Study, kind: RegretKind) -> str:
    """Return the name of a regret in a sentence, or of a value where the optimum is not known."""
    return _with_recommended(_words(kind, shows_values(study, kind)).in_sentences, study, kind)


def table_kinds_note(study: Study, places: Sequence[int]) -> str:
    """Return what a caption says of tables that are not measured, with a semicolon before; nothing where all are.

    >>> from types import SimpleNamespace
    >>> task = SimpleNamespace(table="mine", table_kind="surrogate")
    >>> table_kinds_note(SimpleNamespace(tasks=[task]), [0])
    '; mine: surrogate table'
    """
    found = {study.tasks[place].table: study.tasks[place].table_kind for place in places}
    notes = [f"{table}: {kind} table" for table, kind in found.items() if kind != "measured"]
    return f"; {', '.join(notes)}" if notes else ""


def marked_labels(study: Study, kind: RegretKind) -> tuple[str, ...]:
    """Return the names of the strategies in a figure, with a mark at those that recommend, if others do not."""
    if not some_recommend(study, kind):
        return study.labels
    pairs = zip(study.labels, study.recommending, strict=True)
    return tuple(f"{label}{_MARK}" if recommends else label for label, recommends in pairs)


def mark_note(study: Study, kind: RegretKind, drawn: Sequence[int] | None = None) -> str:
    """Return what a caption says of the mark, with a semicolon before; nothing where no drawn strategy has it."""
    marked = some_recommend(study, kind) and (drawn is None or any(study.recommending[each] for each in drawn))
    return f";{_MARK} regret {_OF_RECOMMENDED}" if marked else ""


def left_out_note(study: Study, axis: str) -> str:
    """Return what a caption says of searches without evaluations, with a semicolon before; nothing over seconds."""
    trained = _trained(study)
    return f"; without evaluations, so left out: {some_names(trained)}" if trained and axis != "seconds" else ""


def drawn_places(study: Study, axis: str) -> list[int]:
    """Return the positions of the strategies that have a line over an axis: over evaluations, those that evaluate.

    All of them where none does, as figures name at least one.
    """
    trained = _trained(study) if axis == "evaluations" else ()
    return [n for n, label in enumerate(study.labels) if label not in trained] or [*range(len(study.labels))]


def incumbents_in_words(study: Study) -> str:
    """Return what the incumbents of a study are."""
    observed = "the architecture with the best observed value so far"
    named = [label for label, recommends in zip(study.labels, study.recommending, strict=True) if recommends]
    if not named:
        return observed
    verb = "recommends" if len(named) == 1 else "recommend"
    own = f"the architecture that {'it' if len(named) == 1 else 'they'} {verb}"
    return f"for {some_names(named)} {own}" + ("" if len(named) == len(study.labels) else f", for others {observed}")


def caption_notes(study: Study, kind: RegretKind) -> list[str]:
    """Return the sentences that the caption of a table adds: whose architectures are recommended, and scaled clocks."""
    recommended = recommendation_warnings(study.labels, study.recommending) if kind != "observed" else ()
    return [*recommended, *clock_notes(study.provenance.get("trained") or ())]


def _trained(study: Study) -> tuple[str, ...]:
    """Return the labels of the searches that train networks themselves, and so have no evaluations."""
    return tuple(dict.fromkeys(search["strategy"] for search in study.provenance.get("trained") or ()))


def _with_recommended(text: str, study: Study, kind: RegretKind) -> str:
    if not all_recommend(study, kind):
        return text
    for name in (REGRETS[kind].name, VALUES[kind].name):
        text = text.replace(name, f"{name} {_OF_RECOMMENDED}", 1)
    return text


def _words(kind: RegretKind, as_value: bool) -> KindWords:
    return (VALUES if as_value else REGRETS)[kind]
