"""The page: a study as one self-contained HTML file."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

import nasbench_lab
from nasbench_lab.analysis.studies.results import RankComparison, Study
from nasbench_lab.files import atomic_path
from nasbench_lab.report.page import theme
from nasbench_lab.report.page.chart_svg import draw_chart
from nasbench_lab.report.page.charts import DIGITS, Chart, chart_data, points_for
from nasbench_lab.report.page.critical_difference import cd_diagram
from nasbench_lab.report.page.curve_charts import KIND_TITLES, study_charts
from nasbench_lab.report.page.leaderboard import standings_table
from nasbench_lab.report.page.numbers import fixed
from nasbench_lab.report.page.pairwise import BETTER, SAME, WORSE, PairMatrix, compare_all_pairs
from nasbench_lab.report.page.provenance import commands, origin
from nasbench_lab.report.page.svg import breakable, swatch
from nasbench_lab.report.page.task_sections import task_details
from nasbench_lab.report.rank_tests import tests_in_words
from nasbench_lab.simulation.trace import RegretKind

_ASSETS = Path(__file__).parent / "assets"
_SCRIPTS = ("scales.js", "chart.js", "matrix.js", "tables.js", "page.js")


def write_page(study: Study, path: str | os.PathLike[str], *, source: str | Sequence[str] = "RESULTS") -> None:
    """Write the page of a study to a file; the file appears complete or not at all.

    Args:
        study: the study.
        path: of the file.
        source: path of the results as a user would type it, for the commands on the page; several for combined results.

    Raises:
        OutputError: the file cannot be written; an older file is left unchanged.
    """
    # The bytes of a path need not be UTF-8, those of a page must be.
    sources = [source] if isinstance(source, str) else source
    text = render_page(study, source=[os.fsencode(each).decode("utf-8", "replace") for each in sources])
    with atomic_path(Path(path)) as temporary:
        temporary.write_bytes(text.encode())


def render_page(study: Study, *, source: str | Sequence[str] = "RESULTS") -> str:
    """Return the page of a study as self-contained HTML. The same study gives the same text.

    Args:
        study: the study.
        source: path of the results as a user would type it, for the commands on the page; several for combined results.

    >>> from nasbench_lab import Budget, simulate
    >>> from nasbench_lab.analysis import study
    >>> from nasbench_lab.simulation import Results
    >>> from nasbench_lab.testing import synthetic_table
    >>> names = ("random-search", "local-search")
    >>> traces = [simulate(synthetic_table(), name, runs=5, budget=Budget(evaluations=9)) for name in names]
    >>> render_page(study(Results.of(traces))).splitlines()[0]
    '<!DOCTYPE html>'
    """
    charts = study_charts(study)
    points = points_for(charts)
    order = _order(study)
    pairs = compare_all_pairs(study, study.kind, order)
    data = _script_safe(_data(study, charts, pairs, points, order))
    style, script = _style(), _script()
    return _template().render(
        policy=_policy(style, script),
        version=nasbench_lab.__version__,
        title=_title(study),
        lead=_lead(study),
        headline=_headline(study),
        warnings=study.warnings,
        sections=_sections(study, charts, pairs),
        boards=_boards(study),
        charts={chart.name: draw_chart(chart, view) for chart in charts if (view := _shown_first(chart))},
        diagrams=list(_diagrams(study)),
        matrix=pairs,
        marks={BETTER: "better", WORSE: "worse", SAME: "same"},
        tasks=list(task_details(study)),
        origin=origin(study),
        commands=commands([source] if isinstance(source, str) else source, study),
        labels=study.labels,
        order=order,
        looks=theme.looks_in_all(),
        swatch=swatch,
        breakable=breakable,
        points=points,
        digits=DIGITS,
        style=Markup(style),  # noqa: S704 - of the package
        script=Markup(script),  # noqa: S704 - of the package
        data=Markup(data),  # noqa: S704 - escaped
    )


@functools.cache
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_ASSETS),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")


@functools.cache
def _style() -> str:
    return f"{theme.stylesheet()}{_asset('page.css')}"


@functools.cache
def _script() -> str:
    """Return the script, wrapped in its own scope."""
    return '(() => {\n"use strict";\n' + "\n".join(_asset(name) for name in _SCRIPTS) + "})();\n"


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy: nothing is loaded, and only this style and this script are allowed."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _script_safe(data: Mapping[str, Any]) -> str:
    """Return JSON that is safe inside a script element: no text in it can be read as HTML or as a line end."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)  # ASCII, so without U+2028
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _data(
    study: Study, charts: Sequence[Chart], pairs: PairMatrix | None, points: int, order: Sequence[int]
) -> dict[str, Any]:
    looks = theme.looks_in_all()
    return {
        "strategies": [{"label": label, "look": place % looks} for place, label in enumerate(study.labels)],
        "order": list(order),
        "charts": {chart.name: chart_data(chart, points) for chart in charts},
        "matrix": None if pairs is None else pairs.data(),
    }


def _order(study: Study) -> tuple[int, ...]:
    """Return the positions of the strategies, best first; those outside the leaderboard last."""
    listed = [study.labels.index(standing.strategy) for standing in study.leaderboard.get(study.kind, ())]
    return (*listed, *(place for place in range(len(study.labels)) if place not in listed))


def _shown_first(chart: Chart) -> Any:
    """Return the view that a chart starts with, or its first view if that does not exist."""
    return chart.start or next(iter(chart.views.values()), None)


def _title(study: Study) -> str:
    given = str(study.provenance.get("title") or "")
    if given:
        return given
    tables = list(dict.fromkeys(task.table for task in study.tasks))
    where = tables[0] if len(tables) == 1 else f"{len(tables)} tables"
    what = study.labels[0] if len(study.labels) == 1 else f"{len(study.labels)} strategies"
    return f"{what} on {where}"


def _lead(study: Study) -> str:
    shown = list(study.labels[:4])
    rest = len(study.labels) - len(shown)
    names = ", ".join(shown) + (f" and {rest} more" if rest else "")
    return f"A comparison of {names}, by {KIND_TITLES[study.kind]}."


def _headline(study: Study) -> list[tuple[str, str]]:
    budgets = list(dict.fromkeys(str(task.conditions.budget) for task in study.tasks))
    counts = sorted({int(count) for count in study.runs.ravel() if count})
    each = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    facts = [
        ("strategies" if len(study.labels) > 1 else "strategy", f"{len(study.labels)}"),
        ("tasks" if len(study.tasks) > 1 else "task", f"{len(study.tasks)}"),
        ("runs each", each),
        ("runs in total", f"{int(study.runs.sum()):,}"),
        ("budget per run", budgets[0] if len(budgets) == 1 else f"{len(budgets)} different ones"),
    ]
    boards = study.leaderboard.get(study.kind, ())
    if len(boards) > 1:
        best = [standing.strategy for standing in boards if standing.place == 1]
        facts.append(("best average rank", best[0] if len(best) == 1 else f"shared by {len(best)}"))
    return facts


def _sections(study: Study, charts: Sequence[Chart], pairs: PairMatrix | None) -> list[tuple[str, str]]:
    names = {chart.name for chart in charts}
    listed = [
        ("leaderboard", "Leaderboard", True),
        ("curves", "Curves", "regret" in names),
        ("progress", "Ranks", bool(names & {"rank", "progress"})),
        ("differences", "Differences", pairs is not None or bool(list(_diagrams(study)))),
        ("targets", "Targets", "targets" in names),
        ("tasks", "Tasks", True),
        ("provenance", "Provenance", True),
        ("citations", "Citations", True),
    ]
    return [(anchor, name) for anchor, name, there in listed if there]


def _boards(study: Study) -> list[tuple[str, Any]]:
    """Return the leaderboards by kind of regret, the most informative kind first."""
    made = [(KIND_TITLES[kind], standings_table(study, kind)) for kind in _kinds(study)]
    return [(name, board) for name, board in made if board is not None]


def _kinds(study: Study) -> list[RegretKind]:
    return [study.kind, *(kind for kind in study.kinds if kind != study.kind)]


def _diagrams(study: Study) -> Any:
    """Yield the critical-difference diagrams: the kind of regret, the drawing, and an explanation."""
    for kind in _kinds(study):
        ranks = study.ranks.get(kind)
        if ranks is not None and len(study.labels) > 1 and len(ranks.tasks):
            yield KIND_TITLES[kind], cd_diagram(ranks, study.labels), _about(ranks)


def _about(ranks: RankComparison) -> str:
    tasks = len(ranks.tasks)
    text = (
        f"Average ranks over {tasks} {'task' if tasks == 1 else 'tasks'}; on each, strategies are ranked by the "
        "average rank of their runs. The unit is the task, never the run. "
    )
    words = tests_in_words(ranks)
    tests = f"{text}{words[0].upper()}{words[1:]}."
    if math.isnan(ranks.critical_difference):
        return tests
    return (
        f"{tests} Strategies under one bar do not differ significantly (Nemenyi, level {1 - ranks.level:.2g}, critical "
        f"difference {fixed(ranks.critical_difference, 2)})."
    )
