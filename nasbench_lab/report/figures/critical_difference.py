"""The critical-difference diagram: average task ranks, and which of them do not differ significantly."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nasbench_lab.analysis.studies.results import RankComparison
from nasbench_lab.report.figures.fonts import drawing
from nasbench_lab.report.figures.highlight import Highlight, looks_of
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.figures.text_fit import line_count, text_width, wrap_label
from nasbench_lab.report.incumbent_words import mark_note, regret_in_words
from nasbench_lab.report.layout.critical_difference import TICK, CriticalDifferenceDiagram, DifferenceBar, lay_out_ranks
from nasbench_lab.report.rank_tests import tests_in_words
from nasbench_lab.report.study_selection import chosen_kind, in_words, names_in, part_of
from nasbench_lab.report.study_source import StudySource, study_of
from nasbench_lab.simulation.trace import RegretKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINE = 1.3  # height of a line of the note above, em
_CAP = 0.35  # half of the height of the ends of the bar of the critical difference, em
_INK, _LIGHT = "#222222", "#666666"


def cd_figure(
    results: StudySource,
    kind: RegretKind | None = None,
    *,
    highlight: Highlight = None,
    style: PaperStyle | str = "single",
) -> Figure:
    """Draw the critical-difference diagram of the average task ranks, see `lay_out_ranks`.

    The note above gives the p-values of Friedman's test and of Iman and Davenport's. If they do not reject, it says
    that no difference is proven, whatever the bars are. Two strategies are compared by the sign test, without a
    critical difference. With one strategy or one task there is no test: the ranks are drawn without bars, and the note
    says so.

    Args:
        results: a study, one trace or several, results, or the path of a folder of results or of a traces file.
        kind: of regret; by default the most informative one.
        highlight: names of strategies, as in legends; the names of the others are grey.
        style: ``"single"``, ``"double"``, ``"slide"``, or a style.

    Raises:
        UnknownNameError: there is no such kind, strategy or style.
        MissingDataError: no task has that kind of regret.
    """
    from nasbench_lab.report.figures.shown_figure import ShownFigure

    study = study_of(results, resamples=0)
    chosen, kind = paper_style(style), chosen_kind(study, kind)
    looks = looks_of(study, highlight, kind)
    ranks = part_of(study.ranks, kind, "ranks")
    em = chosen.font_size / 72  # inches
    diagram = lay_out_ranks(
        ranks, looks.labels, chosen.width / em, lambda text: text_width(text, chosen.font_size) / em
    )
    note = _note(ranks, regret_in_words(study, kind), mark_note(study, kind), chosen)
    above = _LINE * line_count(note) + 0.7
    settings: Any = {**chosen.rc, "figure.constrained_layout.use": False}
    with drawing(settings, names_in(study)):
        figure = ShownFigure(figsize=(chosen.width, (diagram.height + above) * em))
        # One unit is an em; y is counted downwards from the top of the diagram.
        panel = figure.add_axes((0, 0, 1, 1), xlim=(0, diagram.width), ylim=(diagram.height, -above))
        panel.axis("off")
        panel.text(0.5, -above + 0.4, note, va="top", fontsize=chosen.font_size)
        _draw_axis(panel, diagram)
        if diagram.difference is not None:
            _draw_difference(panel, diagram.difference)
        for bar in diagram.bars:
            look: dict[str, Any] = {
                "color": _INK,
                "linewidth": 2.4 * chosen.scale,
                "solid_capstyle": "butt",
                "gid": "group",
            }
            panel.plot([bar.start, bar.end], [bar.y, bar.y], **look)
        for label in diagram.labels:
            picked = looks.some and looks.shown[label.strategy]
            stem: dict[str, Any] = {"color": looks.color(label.strategy) if picked else _LIGHT}
            stem["linewidth"] = (1.4 if picked else 0.6) * chosen.scale
            panel.plot([label.x, label.x, label.edge], [diagram.axis_y, label.y, label.y], **stem)
            align: dict[str, Any] = {"ha": "right" if label.side == "left" else "left", "va": "center"}
            panel.text(label.text_x, label.y, "\n".join(label.lines), color=looks.ink(label.strategy), **align)
    return figure


def _note(ranks: RankComparison, regret: str, mark: str, style: PaperStyle) -> str:
    """Return what the diagram shows and which tests were made, in one line or in one line each."""
    over = f"average task ranks by {regret} over {in_words(len(ranks.tasks), 'task')};"
    test = tests_in_words(ranks)
    if math.isfinite(ranks.critical_difference):
        test += f"; bars: Nemenyi at {1 - ranks.level:.2g}"
    test += mark
    room, size = style.width - 0.1, style.font_size
    if text_width(f"{over} {test}", size) <= room:
        return f"{over} {test}"
    return "\n".join(wrap_label(part, room, size) for part in (over, test))


def _draw_axis(panel: Axes, diagram: CriticalDifferenceDiagram) -> None:
    y = diagram.axis_y
    panel.plot([diagram.left, diagram.right], [y, y], color=_INK, linewidth=0.8)
    for tick in diagram.ticks:
        panel.plot([tick.x, tick.x], [y, y - TICK], color=_INK, linewidth=0.8)
        panel.text(tick.x, y - TICK - 0.15, str(tick.rank), ha="center", va="bottom")


def _draw_difference(panel: Axes, difference: DifferenceBar) -> None:
    panel.text(difference.text_x, difference.text_y, difference.text, ha="left", va="center", color=_LIGHT)
    if difference.end is None:
        return
    y = difference.y
    panel.plot([difference.start, difference.end], [y, y], color=_LIGHT, linewidth=0.8)
    for x in (difference.start, difference.end):
        panel.plot([x, x], [y - _CAP, y + _CAP], color=_LIGHT, linewidth=0.8)
