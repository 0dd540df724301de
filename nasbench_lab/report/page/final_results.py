"""The table of what the runs of a task ended with, and verdicts on the strategies."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from nasbench_lab.analysis.run_summary import Summary
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.arrays import FloatArray
from nasbench_lab.report.axis_names import axis_words
from nasbench_lab.report.incumbent_words import kind_name
from nasbench_lab.report.page.answers import against_first
from nasbench_lab.report.page.numbers import decimals, fixed, short, with_unit
from nasbench_lab.report.page.tables import PageCell, PageColumn, PageTable, make_table, number_cells, sort_key
from nasbench_lab.simulation.trace import RegretKind

_BESIDE_BEST = "mean regret, compared with the lowest"
_INCONCLUSIVE = (
    "there may or may not be a difference that matters, and more runs make the interval shorter. It does not mean that "
    "the strategies are equal"
)


def final_table(
    study: Study, place: int, kind: RegretKind, members: Sequence[int], rows: Sequence[Summary]
) -> PageTable:
    """Return the table of final results, with a comparison with the best strategy."""
    final, seconds = study.final[kind][members, place], axis_words(study, "seconds", [place])
    levels = np.array([_quartiles(final[row, : rows[row].runs]) for row in range(len(rows))])
    columns = [
        *([against_first(study, kind, place, members)] if len(members) > 1 and kind in study.pairwise else []),
        _middle(study, place, kind, levels),
        (PageColumn("validation", "descending", "mean and standard deviation"), _means(rows, "valid")),
        (PageColumn("test", "descending", "mean and standard deviation"), _means(rows, "test")),
        (PageColumn("area under curve", "ascending", kind="wrapped"), _areas(study, kind, members, place)),
        _beside_best(study, place, kind, members),
        *(size for size in _sizes(rows, seconds) if len(rows) == 1 or not _same(size[1])),
        (PageColumn("without value", "descending", kind="wrapped"), _failures(rows)),
    ]
    shown = [(heading, cells) for heading, cells in columns if any(cell.value for cell in cells)]
    caption = "Final results of the runs. In brackets: quartiles of runs, or intervals of differences; ±: deviations."
    same = [
        f"{cells[0].text} {heading.title}"
        for heading, cells in _sizes(rows, seconds)
        if _same(cells) and cells[0].value
    ]
    if same and len(rows) > 1:
        caption += f" Each strategy: {', '.join(same)} (medians of runs)."
    if any(_counted(row, split) for row in rows for split in ("valid", "test")):
        caption += " In parentheses: the runs with a value, over which a mean is; the others are infinitely bad."
    labels = [(study.labels[number], number) for number in members]
    terms: list[tuple[str, str]] = []
    if any(heading.title == _BESIDE_BEST for heading, _ in shown):
        terms = _verdict_terms(study, place, kind)
        caption += f" {terms[0][1]}"
        if any(cell.text == "inconclusive" for heading, cells in shown for cell in cells):
            caption += " Inconclusive is not equal: with more runs, such a difference could turn out to matter or not."
    return make_table(caption, PageColumn("strategy", "ascending", kind="text"), shown, labels, terms)


def _middle(study: Study, place: int, kind: RegretKind, levels: FloatArray) -> tuple[PageColumn, list[PageCell]]:
    """Return the medians over runs: regrets, or values where the optimum is not known."""
    task, name = study.tasks[place], kind_name(study, kind, place)
    title = f"{name} ({task.unit(kind)}), median"
    if kind not in task.without_optimum:
        return PageColumn(title, "ascending", kind="wrapped"), _medians(levels)
    higher = task.direction(kind) == "maximize"
    values = task.value(kind, levels)
    return PageColumn(title, "descending" if higher else "ascending", kind="wrapped"), _medians(
        values[:, ::-1] if higher else values, best_of=max if higher else min
    )


def _sizes(rows: Sequence[Summary], seconds: str) -> list[tuple[PageColumn, list[PageCell]]]:
    """Return the columns that are often the same for all strategies."""
    columns = [
        (PageColumn("runs", "descending"), [float(row.runs) for row in rows]),
        (PageColumn("evaluations", "descending", "median of runs"), [row.evaluations for row in rows]),
        (PageColumn(seconds, "descending", "median of runs"), [row.seconds for row in rows]),
    ]
    return [(heading, number_cells(values)) for heading, values in columns]


def _same(cells: Sequence[PageCell]) -> bool:
    return len({cell.text for cell in cells}) == 1


def _verdict_terms(study: Study, place: int, kind: RegretKind) -> list[tuple[str, str]]:
    """Return the meanings of the margin and of the verdicts of a task."""
    task, margin = study.tasks[place], float(study.pairwise[kind].margin[place])
    size, scale = with_unit(short(margin), task.unit(kind)), task.scale.get(kind, math.nan)
    usual = math.isclose(margin, scale / 100, rel_tol=1e-6)
    why = " (a hundredth of the regret of the average random architecture)" if usual else ""
    interval = f"the {100 * (2 * study.level - 1):g} % interval of the difference of mean regrets"
    return [
        ("margin", f"Differences of mean regrets up to the margin of {size}{why} do not matter."),
        ("equivalent", f"{interval} lies within the margin on both sides of 0"),
        ("worse, better", f"{interval} lies wholly beyond the margin"),
        ("inconclusive", f"{interval} reaches across the margin: {_INCONCLUSIVE}"),
    ]


def _quartiles(values: FloatArray) -> tuple[float, float, float]:
    from nasbench_lab.analysis.quantiles import run_quantiles

    low, middle, high = run_quantiles(values)
    return float(low), float(middle), float(high)


def _medians(levels: FloatArray, best_of: Callable[..., float] = min) -> list[PageCell]:
    places = decimals(levels[np.isfinite(levels)].tolist())
    best = best_of((value for value in levels[:, 1].tolist() if math.isfinite(value)), default=math.nan)
    return [
        PageCell(
            fixed(middle, places),
            sort_key(middle),
            f"[{fixed(low, places)} to {fixed(high, places)}]",
            "best" if middle == best else "",
        )
        for low, middle, high in levels.tolist()
    ]


def _means(rows: Sequence[Summary], split: str) -> list[PageCell]:
    means = [float(getattr(row, f"{split}_mean")) for row in rows]
    deviations = [float(getattr(row, f"{split}_std")) for row in rows]
    places = max(0, decimals(deviations) - 1) if any(map(math.isfinite, deviations)) else decimals(means)
    spreads = ["" if math.isnan(deviation) else f"±{fixed(deviation, places)}" for deviation in deviations]
    counts = [_counted(row, split) for row in rows]
    return [
        PageCell(fixed(mean, places), sort_key(mean), f"{spread} {count}".strip(), below=False)
        for mean, spread, count in zip(means, spreads, counts, strict=True)
    ]


def _counted(row: Summary, split: str) -> str:
    """Return which runs a mean counts, if some of them have no value."""
    known = int(getattr(row, f"{split}_runs"))
    return "" if known in (0, row.runs) else f"({known} of {row.runs})"


def _areas(study: Study, kind: RegretKind, members: Sequence[int], place: int) -> list[PageCell]:
    if kind not in study.auc:
        return [PageCell() for _ in members]
    return number_cells(study.auc[kind][members, place].tolist(), "low")


def _failures(rows: Sequence[Summary]) -> list[PageCell]:
    if not any(row.without_value for row in rows):
        return [PageCell() for _ in rows]
    return number_cells([float(row.without_value) for row in rows])


def _beside_best(
    study: Study, place: int, kind: RegretKind, members: Sequence[int]
) -> tuple[PageColumn, list[PageCell]]:
    """Return verdicts on all strategies, compared with the one of the smallest mean regret."""
    empty = PageColumn(_BESIDE_BEST), [PageCell() for _ in members]
    if kind not in study.pairwise or not np.isfinite(study.pairwise[kind].margin[place]):
        return empty
    pairs = study.pairwise[kind]
    means = [float(np.mean(_without_value_as_infinite(study, kind, number, place))) for number in members]
    if not np.isfinite(means).any():
        return empty
    best = members[int(np.argmin(means))]
    differences = [pairs.difference[number, best, place] for number in members]
    places = decimals(float(each.estimate) for each in differences)
    cells = []
    for number, each in zip(members, differences, strict=True):
        if number == best:
            cells.append(PageCell("the lowest", "0", kind="text best"))
            continue
        estimate, low, high = float(each.estimate), float(each.low), float(each.high)
        spread = fixed(estimate, places)
        if not math.isnan(low):
            spread += f" [{fixed(low, places)} to {fixed(high, places)}]"
        cells.append(PageCell(str(pairs.verdict[number, best, place]), sort_key(estimate), spread, "text"))
    about = f"difference of the mean regret to that of {study.labels[best]}, with its interval and the verdict on it"
    return PageColumn(_BESIDE_BEST, "ascending", about, kind="text"), cells


def _without_value_as_infinite(study: Study, kind: RegretKind, strategy: int, place: int) -> FloatArray:
    values = study.final[kind][strategy, place, : study.runs[strategy, place]]
    return np.where(np.isnan(values), np.inf, values)
