"""The section of the page about predictors of performance: how well each predicts, by number of labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

from nasbench_lab.analysis.intervals import Interval
from nasbench_lab.analysis.ranking_curves import mean_over_runs
from nasbench_lab.displays import counted
from nasbench_lab.messages import as_command
from nasbench_lab.prediction import PredictorEvaluation, PredictorTrials
from nasbench_lab.prediction.evaluation_results import TOTAL
from nasbench_lab.report.page.numbers import duration, short
from nasbench_lab.report.page.tables import PageCell, PageColumn, PageTable, interval_cells, make_table, sort_key

_MOST_SIZES = 4  # columns of rank correlations


@dataclasses.dataclass(frozen=True)
class PredictorSection:
    """What the page says of one evaluation of predictors.

    Attributes:
        name: of the table.
        sentence: which predictor has the highest rank correlation.
        facts: names and values.
        table: of all predictors.
        commands: that draw the results.
    """

    name: str
    sentence: str
    facts: tuple[tuple[str, str], ...]
    table: PageTable
    commands: tuple[str, ...]


def predictor_sections(evaluations: Mapping[str, PredictorEvaluation]) -> Iterator[PredictorSection]:
    """Yield a section per evaluation.

    Args:
        evaluations: by the path of their folders, for the commands.
    """
    for path, found in evaluations.items():
        settings = found.settings
        trials = sorted({len(each.trials) for each in found.predictors})
        near = ", near good ones" if settings.test_from == "good" else ", from the whole space"
        facts = [
            ("test architectures", f"{settings.test} per trial{near}"),
            ("different networks", f"{found.networks:,}"),
            ("trials", f"{trials[0]}" if len(trials) == 1 else f"{trials[0]} to {trials[-1]}"),
            ("labels", "means over repeats" if settings.repeat == "mean" else "single trainings"),
        ]
        if settings.source is not None:
            source = settings.source
            facts.append(("learn also from", f"{source.labels} labels of {source.table}, {source.epochs} epochs"))
        draw = ("predictors", "plot", path, "--style", "double")
        commands = (as_command(*draw, "--out", "labels.pdf"), as_command(*draw, "--figure", "map", "--out", "map.pdf"))
        yield PredictorSection(settings.table, _sentence(found), tuple(facts), _table(found), commands)


def _sentence(found: PredictorEvaluation) -> str:
    (label, best), *others = found.ranked()
    many = counted(found.sizes[-1], "label")
    if np.isnan(best.estimate):
        return f"No predictor has a rank correlation with {many}."
    among = f" of {len(others) + 1} predictors" if others else ""
    tau = f"Kendall's correlation is {best.estimate:.2f}"
    return f"With {many}, {label} has the highest mean rank correlation{among}: {tau}."


def _table(found: PredictorEvaluation) -> PageTable:
    order = [found.predictor(label) for label, _ in found.ranked()]
    places = np.unique(np.linspace(0, len(found.sizes) - 1, _MOST_SIZES).round().astype(int))
    columns = [
        (
            PageColumn(f"Kendall, {found.sizes[place]} labels", "descending", sorted=place == places[-1]),
            interval_cells([_at(each, "kendall", place) for each in order]),
        )
        for place in places.tolist()
    ]
    last, unit = len(found.sizes) - 1, f" ({found.unit})" if found.unit else ""
    columns.append(
        (
            PageColumn(
                f"regret{unit}",
                "ascending",
                "How far the best predicted architecture is from the best test architecture, with "
                f"{found.sizes[-1]} labels.",
            ),
            [_short(each.intervals("regret_1").estimate[last]) for each in order],
        )
    )
    if found.has_seconds:
        seconds = [float(mean_over_runs(each.of(TOTAL)).estimate[last]) for each in order]
        about = f"Labels, fitting, and what is read of the test architectures, with {found.sizes[-1]} labels."
        cells = [PageCell("" if np.isnan(each) else duration(each), sort_key(each)) for each in seconds]
        columns.append((PageColumn("seconds", "ascending", about), cells))
    caption = "Mean over trials, with the 95 % interval of the mean (Student's t)"
    return make_table(
        caption, PageColumn("predictor", "ascending", kind="text"), columns, [(each.label, None) for each in order]
    )


def _at(each: PredictorTrials, measure: str, place: int) -> Interval:
    return each.intervals(measure).at(place)


def _short(value: float) -> PageCell:
    return PageCell("" if np.isnan(value) else short(float(value), 3), sort_key(float(value)))
