"""Tables for papers, in LaTeX (booktabs) and Markdown: the leaderboard, and all strategies on all tasks."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.quantiles import run_quantiles
from nasbench_lab.analysis.studies.leaders import first_group
from nasbench_lab.analysis.studies.results import RankComparison, Study
from nasbench_lab.analysis.studies.standings import Standing
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import MissingDataError
from nasbench_lab.messages import unknown
from nasbench_lab.report.incumbent_words import caption_notes, regret_in_words, shows_values, table_kinds_note
from nasbench_lab.report.leaderboard_columns import TASK_RANK, LeaderboardColumn, columns_of
from nasbench_lab.report.paper.table_cells import TableCell, table_html
from nasbench_lab.report.rank_tests import tests_in_words
from nasbench_lab.report.regret_words import REGRETS, VALUES
from nasbench_lab.report.study_selection import (
    chosen_kind,
    chosen_tasks,
    in_words,
    optimum_note,
    part_of,
    runs_in_words,
)
from nasbench_lab.report.study_source import StudySource, study_of
from nasbench_lab.simulation.trace import RegretKind

TableStatistic = Literal["mean", "median"]
TABLE_STATISTICS: tuple[TableStatistic, ...] = ("mean", "median")

_MISSING, _INFINITE = "–", "∞"  # noqa: RUF001 - a dash stands for a missing number in a table
_COLUMN, _PAGE = 56, 112  # characters of a table in small type that fit into a column and a page of two
_GAP = 3  # between columns, characters
_MOST_DECIMALS = 6
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "∞": r"$\infty$",
    "–": "--",  # noqa: RUF001
}
_LATEX_ARGUMENTS = ("[", "*")  # after a line break, these begin an argument of it
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|~#$&])")


@dataclass(frozen=True, repr=False)
class ResultTable:
    """A table as plain data.

    Attributes:
        name: for files and labels.
        caption: content, numbers of runs, budgets and tests.
        headings: of all columns; the first is that of the row names.
        rows: cells of each row; the first is the name.
        marked: whether the best cells are marked, which the caption then explains.
    """

    name: str
    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    marked: bool = True

    def __repr__(self) -> str:
        return f"<ResultTable {self.name}: {len(self.rows)} rows, {len(self.headings)} columns>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the table below its caption."""
        return table_html(self.caption, self.headings, self.rows, marked=self.marked)

    def to_latex(self) -> str:
        """Return a LaTeX table that needs the package booktabs. Text is escaped.

        A table that is too wide for one column spans both columns. A table that is too wide for both is cut into
        several blocks below each other.
        """
        widths = [self._width(place) for place in range(len(self.headings))]
        environment = "table" if sum(widths) <= _COLUMN else "table*"
        blocks = [self._block(places) for places in _cut(widths, _COLUMN if environment == "table" else _PAGE)]
        lines = [
            rf"\begin{{{environment}}}",
            r"  \centering",
            rf"  \caption{{{latex(self.caption)}{' Best in bold, not significantly worse underlined.' * self.marked}}}",
            rf"  \label{{tab:{self.name}}}",
            r"  \small",
            "\n\n  \\medskip\n\n".join(blocks),
            rf"\end{{{environment}}}",
        ]
        return "\n".join(lines) + "\n"

    def to_markdown(self) -> str:
        """Return a Markdown table, with the caption above it."""
        rule = ["---", *["---:"] * (len(self.headings) - 1)]
        lines = [
            f"{markdown(self.caption)}{' Best in **bold**, not significantly worse in *italics*.' * self.marked}",
            "",
            _markdown_row(map(markdown, self.headings)),
            _markdown_row(rule),
            *(_markdown_row(map(_markdown_cell, row)) for row in self.rows),
        ]
        return "\n".join(lines) + "\n"

    def _width(self, place: int) -> int:
        """Return the width of a column with its spacing, characters."""
        heading = max(map(len, _heading_parts(self.headings[place])))
        return max([heading, *(len(row[place].text) for row in self.rows)]) + _GAP

    def _block(self, places: Sequence[int]) -> str:
        """Return some columns together with the names."""
        wanted = [0, *places]
        lines = [
            rf"  \begin{{tabular}}{{l{'r' * len(places)}}}",
            r"    \toprule",
            f"    {_latex_row([_latex_heading(self.headings[place]) for place in wanted])}",
            r"    \midrule",
            *(f"    {_latex_row([_latex_cell(row[place]) for place in wanted])}" for row in self.rows),
            r"    \bottomrule",
            r"  \end{tabular}",
        ]
        return "\n".join(lines)


def results_table(
    results: StudySource,
    kind: RegretKind | None = None,
    *,
    statistic: TableStatistic = "mean",
    tasks: Sequence[int | str] | None = None,
) -> ResultTable:
    """Return the table of final results of all strategies on all tasks.

    The best result of a task is in bold. Results are marked if a test of the same statistic over runs does not
    distinguish them from the best: Welch's test of means or Mood's test of medians, Holm-adjusted over all pairs on the
    task. Strategies are rows, unless there are more tasks than strategies.

    A mean over runs of which some have no value is infinitely bad. The table shows the mean over the other runs with
    their number, as in "83.22 ± 0.41 (144 of 200)", but such a mean is neither bold nor marked.

    Args:
        results: a study, one trace or several, results, or the path of a folder of results or of a traces file.
        kind: of values, or of regret; by default the most informative one.
        statistic: ``"mean"`` and standard deviation over runs of the final incumbents' mean value, in the metric's
            unit, or ``"median"`` with quartiles of their regret (of their value where the optimum is not
            known). Runs without a value are infinitely bad.
        tasks: their positions or names; by default all with that kind.

    Raises:
        UnknownNameError: there is no such kind, statistic or task.
        MissingDataError: no task has that kind.
    """
    study = study_of(results, resamples=0)
    kind = chosen_kind(study, kind)
    if statistic not in TABLE_STATISTICS:
        raise unknown("statistic", statistic, TABLE_STATISTICS)
    places = [place for place in chosen_tasks(study, tasks) if kind in study.tasks[place].kinds]
    if not places:
        raise MissingDataError(f"none of these tables has {kind} measurements")
    columns = [_task_cells(study, kind, place, statistic) for place in places]
    names = [study.tasks[place].name for place in places]
    caption = _results_caption(study, kind, places, statistic)
    if len(places) > len(study.labels):
        rows = tuple((TableCell(name), *cells) for name, cells in zip(names, columns, strict=True))
        return ResultTable(f"results-{kind}-{statistic}", caption, ("table", *study.labels), rows)
    rows = tuple((TableCell(label), *(cells[s] for cells in columns)) for s, label in enumerate(study.labels))
    return ResultTable(f"results-{kind}-{statistic}", caption, ("strategy", *names), rows)


def leaderboard_table(results: StudySource, kind: RegretKind | None = None) -> ResultTable:
    """Return the leaderboard over all tasks, see `Standing`.

    The best of each column is in bold. Average task ranks are marked if a test over tasks does not distinguish them
    from the best one, see `first_group`.

    Raises:
        UnknownNameError: there is no such kind.
        MissingDataError: no task has that kind of regret.
    """
    study = study_of(results)
    kind = chosen_kind(study, kind)
    standings = part_of(study.leaderboard, kind, "leaderboard")
    names = [TableCell(standing.strategy) for standing in standings]
    shown = _shown_columns(study, kind, standings)
    cells = {column.short: _leaderboard_cells(column, standings) for column in shown}
    if TASK_RANK in shown:
        same = {study.labels[s] for s in first_group(study, kind).same}
        marked = zip(cells[TASK_RANK.short], standings, strict=True)
        cells[TASK_RANK.short] = [replace(cell, tied=not cell.best and row.strategy in same) for cell, row in marked]
    columns = [names, *cells.values()]
    headings = ["strategy", *cells]
    rows = tuple(zip(*columns, strict=True))
    return ResultTable(f"leaderboard-{kind}", _leaderboard_caption(study, kind), tuple(headings), rows)


def latex(text: str) -> str:
    r"""Return text with the special characters of LaTeX escaped, so that it can follow any command.

    >>> print(latex("50 % of a_b"), latex("[draft]"))
    50 \% of a\_b {}[draft]
    """
    escaped = "".join(_LATEX.get(character, character) for character in _one_line(text))
    return f"{{}}{escaped}" if escaped.lstrip().startswith(_LATEX_ARGUMENTS) else escaped


def markdown(text: str) -> str:
    r"""Return text with the special characters of Markdown escaped, and those of formulas.

    >>> print(markdown("a_b|c"))
    a\_b\|c
    """
    return _MARKDOWN.sub(r"\\\1", _one_line(text))


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())


def _task_cells(study: Study, kind: RegretKind, place: int, statistic: TableStatistic) -> list[TableCell]:
    """Return the cells of all strategies on a task."""
    task = study.tasks[place]
    runs = [study.final[kind][s, place, :count] for s, count in enumerate(study.runs[:, place])]
    pairs = part_of(study.pairwise, kind, "pairs")
    if statistic == "median":
        middle = np.array([_quartiles(values) for values in runs])
        shown = middle
        if kind in task.without_optimum:
            shown = np.sort(task.value(kind, middle), axis=1)
        order, texts, adjusted = middle[:, 1], _quartile_texts(shown), pairs.median_adjusted
    else:
        sign = 1.0 if task.direction(kind) == "minimize" else -1.0
        means = np.array([_mean(values) for values in runs])
        texts = _spread_texts(task.optimum[kind] + sign * means, np.array([_deviation(values) for values in runs]))
        texts = [_with_count(text, values) for text, values in zip(texts, runs, strict=True)]
        complete = [not np.isnan(values).any() for values in runs]
        order, adjusted = np.where(complete, means, np.inf), pairs.mean_adjusted
    known, best = np.isfinite(order), np.array(_best(order.tolist()))
    if not best.any():
        return [TableCell(text) for text in texts]
    winner = int(np.flatnonzero(best)[0])
    tied = ~best & known & (adjusted[winner, :, place] >= 1 - study.level)
    return [TableCell(text, bool(b), bool(t)) for text, b, t in zip(texts, best, tied, strict=True)]


def _with_count(text: str, regrets: FloatArray) -> str:
    """Return the text of a mean, with the number of runs that it counts if some have no value."""
    known = int((~np.isnan(regrets)).sum())
    return text if known == len(regrets) else f"{text} ({known} of {len(regrets)})"


def _mean(regrets: FloatArray) -> float:
    known = regrets[~np.isnan(regrets)]
    return float(known.mean()) if len(known) else float("nan")


def _deviation(regrets: FloatArray) -> float:
    known = regrets[~np.isnan(regrets)]
    return float(known.std(ddof=1)) if len(known) > 1 else float("nan")


def _quartiles(regrets: FloatArray) -> FloatArray:
    return run_quantiles(regrets) if len(regrets) else np.full(3, np.nan)


def _decimals(spreads: FloatArray) -> int:
    """Return the number of decimals that shows two digits of the smallest spread."""
    positive = spreads[np.isfinite(spreads) & (spreads > 0)]
    if not len(positive):
        return 3
    return int(np.clip(1 - math.floor(math.log10(float(positive.min()))), 0, _MOST_DECIMALS))


def _spread_texts(means: FloatArray, deviations: FloatArray) -> list[str]:
    places = _decimals(deviations)
    return [
        _number(mean, places) if math.isnan(deviation) else f"{_number(mean, places)} ± {_number(deviation, places)}"
        for mean, deviation in zip(means.tolist(), deviations.tolist(), strict=True)
    ]


def _quartile_texts(quartiles: FloatArray) -> list[str]:
    finite = quartiles[np.isfinite(quartiles).all(axis=1)]
    places = _decimals(np.concatenate([finite[:, 1], finite[:, 2] - finite[:, 0]]))
    return [
        _MISSING
        if math.isnan(middle)
        else f"{_number(middle, places)} [{_number(low, places)}, {_number(high, places)}]"
        for low, middle, high in quartiles.tolist()
    ]


def _number(value: float, places: int) -> str:
    if math.isnan(value):
        return _MISSING
    return _INFINITE if math.isinf(value) else f"{value:.{places}f}"


def _has_values(column: LeaderboardColumn, standings: Sequence[Standing]) -> bool:
    """Whether a column has any number or estimate."""
    values = [column.value(standing) for standing in standings]
    return any(math.isfinite(value.estimate if isinstance(value, Interval) else value) for value in values)


def _leaderboard_cells(column: LeaderboardColumn, standings: Sequence[Standing]) -> list[TableCell]:
    sign = 1 if column.best == "low" else -1
    values = [column.value(standing) for standing in standings]
    intervals = [value for value in values if isinstance(value, Interval)]
    if intervals:
        return _marked_intervals(intervals, sign)
    losses = [sign * value for value in values if not isinstance(value, Interval)]
    return _marked(losses, lambda loss: f"{sign * loss:.{column.decimals}f}")


def _marked(values: Sequence[float], write: Callable[[float], str]) -> list[TableCell]:
    """Return cells of numbers; the smallest is the best."""
    texts = [write(value) if math.isfinite(value) else _number(value, 0) for value in values]
    return [TableCell(text, best) for text, best in zip(texts, _best(values), strict=True)]


def _marked_intervals(intervals: Sequence[Interval], sign: int) -> list[TableCell]:
    """Return cells of intervals; the best has the smallest estimate for a sign of 1, the largest for -1."""
    places = min(_decimals(np.array([interval.high - interval.low for interval in intervals])), 4)
    texts = [
        _number(each.estimate, 0)
        if not math.isfinite(each.estimate)
        else f"{_number(each.estimate, places)} [{_number(each.low, places)}, {_number(each.high, places)}]"
        if not math.isnan(each.low)
        else _number(each.estimate, places)
        for each in intervals
    ]
    best = _best([sign * each.estimate for each in intervals])
    return [TableCell(text, one) for text, one in zip(texts, best, strict=True)]


def _best(losses: Sequence[float]) -> list[bool]:
    """Return which losses are the smallest; none if all losses are equal, or none is finite."""
    known = [loss for loss in losses if math.isfinite(loss)]
    if not known or (len(set(known)) < 2 and len(losses) > 1 and not any(map(math.isinf, losses))):
        return [False] * len(losses)
    return [loss == min(known) for loss in losses]


def _shown_columns(study: Study, kind: RegretKind, standings: Sequence[Standing]) -> list[LeaderboardColumn]:
    tasks = len(part_of(study.ranks, kind, "ranks").tasks)
    return [column for column in columns_of(standings, tasks) if column.short and _has_values(column, standings)]


def _results_caption(study: Study, kind: RegretKind, places: Sequence[int], statistic: TableStatistic) -> str:
    units = {study.tasks[place].unit(kind) for place in places}
    unit = f" ({units.pop()})" if len(units) == 1 else ""
    values = all(shows_values(study, kind, place) for place in places)
    label = (VALUES if values else REGRETS)[kind].at_axes
    what = {
        "mean": f"{_SPLITS[kind]}{unit} of the architectures found: mean ± standard deviation",
        "median": f"{_capitalised(label)}{unit}, at the end: median [quartiles]",
    }[statistic]
    name = {"mean": "Welch's test of means", "median": "Mood's median test"}[statistic]
    test = f"Test: {name} over runs, Holm-adjusted over all pairs, p < {1 - study.level:.2g}."
    if statistic == "mean" and _some_failed(study, kind, places):
        test += " In parentheses: the runs with a value, where others have none; such means are not compared."
    words = f"{what} of {runs_in_words(study, places)}, {_budgets(study, places)}. {test}"
    if notes := (table_kinds_note(study, places) + optimum_note(study, places, kind)).removeprefix("; "):
        words += f" Note: {notes}."
    return " ".join([words, *caption_notes(study, kind)])


def _some_failed(study: Study, kind: RegretKind, places: Sequence[int]) -> bool:
    counts = (~np.isnan(study.final[kind][:, list(places)])).sum(axis=2)
    return bool((counts < study.runs[:, list(places)]).any())


def _leaderboard_caption(study: Study, kind: RegretKind) -> str:
    tasks = part_of(study.progress, kind, "tasks").tasks
    standings, ranks = part_of(study.leaderboard, kind, "leaderboard"), part_of(study.ranks, kind, "ranks")
    reference = study.labels[study.reference]
    explained = [
        f"{column.short.partition(' (')[0]}: {column.explanation.format(reference=reference)}."
        for column in _shown_columns(study, kind, standings)
    ]
    words = " ".join(map(_capitalised, explained))
    ignored = sorted({place for standing in standings for place in standing.ignored})
    if ignored:
        names = ", ".join(study.tasks[place].name for place in ignored)
        words += f" The interquartile mean ignores all runs of some strategies on {names}."
    about = (
        f"Leaderboard by {regret_in_words(study, kind)} at the end of {runs_in_words(study, tasks)} on each of "
        f"{in_words(len(tasks), 'table')}, {_budgets(study, tasks)}. {words} Brackets: "
        f"{100 * study.level:g} % stratified bootstrap intervals. {_rank_test(ranks)}"
    )
    return " ".join([about, *caption_notes(study, kind)])


def _rank_test(ranks: RankComparison) -> str:
    """Return which test the marks of task ranks come from, in sentences."""
    if math.isnan(ranks.p):
        return "Ranks are not tested: that takes two strategies and two tables."
    tested = len(ranks.ranks) > 2 and ranks.rejects
    marks = f" Marks of task ranks: Nemenyi over tables, p < {1 - ranks.level:.2g}." if tested else ""
    return f"{_capitalised(tests_in_words(ranks))}.{marks}"


def _capitalised(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


_SPLITS: dict[RegretKind, str] = {
    "observed": "Observed value",
    "valid": "Mean validation value",
    "test": "Mean test value",
}


def _budgets(study: Study, places: Sequence[int]) -> str:
    budgets = list(dict.fromkeys(str(study.tasks[place].conditions.budget) for place in places))
    return f"budget {budgets[0]}" if len(budgets) == 1 else f"budgets {'; '.join(budgets)}"


def _cut(widths: Sequence[int], most: int) -> list[list[int]]:
    """Cut the columns after the column of names into groups that fit beside it, with at least one column each."""
    groups: list[list[int]] = [[]]
    for place in range(1, len(widths)):
        taken = widths[0] + sum(widths[other] for other in groups[-1])
        if groups[-1] and taken + widths[place] > most:
            groups.append([])
        groups[-1].append(place)
    return groups


def _heading_parts(heading: str) -> list[str]:
    """Return the name of a table, cut after the slash."""
    first, slash, second = heading.partition("/")
    return [first + slash, second] if second else [heading]


def _latex_heading(heading: str) -> str:
    parts = [latex(part) for part in _heading_parts(heading)]
    return parts[0] if len(parts) == 1 else rf"\shortstack[r]{{{(chr(92) * 2).join(parts)}}}"


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _latex_cell(cell: TableCell) -> str:
    text = latex(cell.text)
    if cell.best:
        return rf"\textbf{{{text}}}"
    return rf"\underline{{{text}}}" if cell.tied else text


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown_cell(cell: TableCell) -> str:
    text = markdown(cell.text)
    if cell.best:
        return f"**{text}**"
    return f"*{text}*" if cell.tied else text
