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
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.files import atomic_path
from nasbench_lab.prediction import PredictorEvaluation
from nasbench_lab.report.incumbent_words import incumbents_in_words, kind_name
from nasbench_lab.report.local_tables import StudyLandscapes, StudyScores
from nasbench_lab.report.page import theme
from nasbench_lab.report.page.answers import MARKS, answers_by_task, main_answer
from nasbench_lab.report.page.chart_svg import draw_chart
from nasbench_lab.report.page.charts import DIGITS, Chart, chart_data, points_for
from nasbench_lab.report.page.curve_charts import study_charts
from nasbench_lab.report.page.differences import kinds_in_order, study_diagrams
from nasbench_lab.report.page.figure_commands import (
    commands,
    leaderboard_command,
    plot_command,
    results_in_shell,
)
from nasbench_lab.report.page.landscapes import landscapes_section
from nasbench_lab.report.page.leaderboard import standings_table
from nasbench_lab.report.page.masthead import page_facts, page_lead, page_title
from nasbench_lab.report.page.pairwise import BETTER, SAME, WORSE, PairMatrix, compare_all_pairs
from nasbench_lab.report.page.predictors import predictor_sections
from nasbench_lab.report.page.provenance import origin
from nasbench_lab.report.page.scores import scores_section
from nasbench_lab.report.page.svg import breakable, marker_path, swatch
from nasbench_lab.report.page.task_sections import task_details
from nasbench_lab.simulation.trace import RegretKind

_ASSETS = Path(__file__).parent / "assets"
_NO_LANDSCAPES, _NO_SCORES = StudyLandscapes(), StudyScores()
_STYLES = ("page.css", "chart.css", "tables.css", "print.css")
_SCRIPTS = (
    "dom.js", "visible.js", "scales.js", "steps.js", "axes.js", "numbers.js", "chart.js", "matrix.js", "tables.js",
    "scrolling.js", "page.js",
)  # fmt: skip


def write_page(
    study: Study,
    path: str | os.PathLike[str],
    *,
    source: str | Sequence[str] = "RESULTS",
    landscapes: StudyLandscapes = _NO_LANDSCAPES,
    scores: StudyScores = _NO_SCORES,
    predictors: Mapping[str, PredictorEvaluation] | None = None,
) -> None:
    """Write the page of a study to a file; the file appears complete or not at all.

    Args:
        study: the study.
        path: of the file.
        source: path of the results as a user would type it, for the commands on the page; several for combined results.
        landscapes: of the tables, from `nasbench_lab.report.local_tables.study_landscapes`.
        scores: of the tables, from `nasbench_lab.report.local_tables.study_scores`.
        predictors: evaluations of predictors that the page shows, too, by the paths of their folders.

    Raises:
        OutputError: the file cannot be written; an older file is left unchanged.
    """
    # The bytes of a path need not be UTF-8, those of a page must be.
    sources = [source] if isinstance(source, str) else source
    evaluated = {_shown_path(each): found for each, found in (predictors or {}).items()}
    shown = list(map(_shown_path, sources))
    text = render_page(study, source=shown, landscapes=landscapes, scores=scores, predictors=evaluated)
    with atomic_path(Path(path)) as temporary:
        temporary.write_bytes(text.encode())


def _shown_path(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "replace")


def render_page(
    study: Study,
    *,
    source: str | Sequence[str] = "RESULTS",
    landscapes: StudyLandscapes = _NO_LANDSCAPES,
    scores: StudyScores = _NO_SCORES,
    predictors: Mapping[str, PredictorEvaluation] | None = None,
) -> str:
    """Return the page of a study as self-contained HTML. The same study gives the same text.

    Args:
        study: the study.
        source: path of the results as a user would type it, for the commands on the page; several for combined results.
        landscapes: of the tables, from `nasbench_lab.report.local_tables.study_landscapes`.
        scores: of the tables, from `nasbench_lab.report.local_tables.study_scores`.
        predictors: evaluations of predictors that the page shows, too, by the paths of their folders.

    >>> from nasbench_lab import Budget, simulate
    >>> from nasbench_lab.analysis import study
    >>> from nasbench_lab.simulation import Results
    >>> from nasbench_lab.testing import synthetic_table
    >>> names = ("random-search", "local-search")
    >>> traces = [simulate(synthetic_table(), name, runs=5, budget=Budget(evaluations=9)) for name in names]
    >>> render_page(study(Results.of(traces))).splitlines()[0]
    '<!DOCTYPE html>'
    """
    where = results_in_shell([source] if isinstance(source, str) else source, study)
    charts = study_charts(study)
    points = points_for(charts)
    order = _order(study)
    pairs = compare_all_pairs(study, study.kind, order)
    data = _script_safe(_data(study, charts, pairs, points, order, where))
    style, script = _style(), _script()
    return _template().render(
        policy=_policy(style, script),
        version=nasbench_lab.__version__,
        title=page_title(study),
        lead=page_lead(study),
        headline=page_facts(study),
        warnings=study.warnings,
        incumbents=incumbents_in_words(study),
        sections=_sections(study, charts, pairs, landscapes, scores, predictors=bool(predictors)),
        answer=main_answer(study),
        by_task=answers_by_task(study),
        mark_texts=MARKS,
        boards=_boards(study, where),
        charts={
            chart.name: draw_chart(chart, view, len(study.labels)) for chart in charts if (view := _shown_first(chart))
        },
        chart_commands={chart.name: chart.command(where) for chart in charts},
        diagrams=list(study_diagrams(study, where)),
        matrix=pairs,
        matrix_command="" if pairs is None else plot_command(where) + pairs.figure + pairs.choices[0].start_argument,
        marks={BETTER: "better", WORSE: "worse", SAME: "same"},
        landscapes=landscapes_section(landscapes.found),
        without_landscape=landscapes.missing,
        scores=scores_section(scores.found),
        without_scores=scores.missing,
        tasks=list(task_details(study, where)),
        predictors=list(predictor_sections(predictors or {})),
        origin=origin(study),
        commands=commands(where, study),
        labels=study.labels,
        order=order,
        looks=theme.looks_in_all(),
        swatch=functools.partial(swatch, strategies=len(study.labels)),
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
    return theme.stylesheet() + "\n".join(map(_asset, _STYLES))


@functools.cache
def _script() -> str:
    """Return the script, wrapped in its own scope."""
    return '(() => {\n"use strict";\n' + "\n".join(map(_asset, _SCRIPTS)) + "})();\n"


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
    study: Study, charts: Sequence[Chart], pairs: PairMatrix | None, points: int, order: Sequence[int], source: str
) -> dict[str, Any]:
    looks, count = theme.looks_in_all(), len(study.labels)
    return {
        "strategies": [
            {"label": label, "look": place % looks, "marker": marker_path(place, count)}
            for place, label in enumerate(study.labels)
        ],
        "plot": plot_command(source),
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


def _sections(
    study: Study,
    charts: Sequence[Chart],
    pairs: PairMatrix | None,
    landscapes: StudyLandscapes,
    scores: StudyScores,
    *,
    predictors: bool,
) -> list[tuple[str, str]]:
    names = {chart.name for chart in charts}
    listed = [
        ("leaderboard", "Leaderboard", True),
        ("curves", "Curves", "regret" in names),
        ("progress", "Progress", bool(names & {"rank", "progress"})),
        ("differences", "Differences", pairs is not None or bool(list(study_diagrams(study, "")))),
        ("targets", "Targets", "targets" in names),
        ("landscapes", "Landscapes", bool(landscapes.found)),
        ("scores", "Scores", bool(scores.found)),
        ("tasks", "Tasks", True),
        ("predictors", "Predictors", predictors),
        ("provenance", "Provenance", True),
        ("citations", "Citations", True),
    ]
    return [(anchor, name) for anchor, name, there in listed if there]


def _boards(study: Study, source: str) -> list[tuple[str, Any, str]]:
    """Return the leaderboards by kind of regret, the most informative kind first, with their commands."""
    made = [(kind, standings_table(study, kind)) for kind in kinds_in_order(study)]
    return [
        (kind_name(study, kind), board, leaderboard_command(source, study, kind) if _is_drawn(study, kind) else "")
        for kind, board in made
        if board is not None
    ]


def _is_drawn(study: Study, kind: RegretKind) -> bool:
    """Return whether the figure of the leaderboard has anything to draw."""
    return any(math.isfinite(row.iqm.estimate) for row in study.leaderboard[kind])
