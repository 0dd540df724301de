"""The top of the page: what was compared."""

from __future__ import annotations

from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.report.incumbent_words import regret_in_words


def page_title(study: Study) -> str:
    """Return the title: that of the suite, or how many strategies and tables there are."""
    given = str(study.provenance.get("title") or "")
    if given:
        return given
    tables = list(dict.fromkeys(task.table for task in study.tasks))
    where = tables[0] if len(tables) == 1 else f"{len(tables)} tables"
    what = study.labels[0] if len(study.labels) == 1 else f"{len(study.labels)} strategies"
    return f"{what} on {where}"


def page_lead(study: Study) -> str:
    """Return the sentence below the title."""
    shown = list(study.labels[:4])
    rest = len(study.labels) - len(shown)
    names = ", ".join(shown) + (f" and {rest} more" if rest else "")
    return f"A comparison of {names}, by {regret_in_words(study, study.kind)}."


def page_facts(study: Study) -> list[tuple[str, str]]:
    """Return the size of the comparison: names and values."""
    budgets = list(dict.fromkeys(str(task.conditions.budget) for task in study.tasks))
    counts = sorted({int(count) for count in study.runs.ravel() if count})
    each = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    return [
        ("strategies" if len(study.labels) > 1 else "strategy", f"{len(study.labels)}"),
        ("tasks" if len(study.tasks) > 1 else "task", f"{len(study.tasks)}"),
        ("runs each", each),
        ("runs in total", f"{int(study.runs.sum()):,}"),
        ("budget per run", budgets[0] if len(budgets) == 1 else f"{len(budgets)} different ones"),
    ]
