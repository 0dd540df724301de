"""The bars of the critical-difference diagram, compared with groups that are found pair by pair."""

import dataclasses
import functools
import itertools
import re

import numpy as np
import pytest
from made_up_studies import made_up_study
from scipy.stats import rankdata, studentized_range

from nasbench_lab.analysis.friedman import cliques, critical_difference
from nasbench_lab.analysis.ranks import mean_ranks
from nasbench_lab.report.figures.critical_difference import cd_figure
from nasbench_lab.report.figures.paper_styles import STYLES
from nasbench_lab.report.page.critical_difference import cd_diagram

STUDIES = {"single": 20, "double": 10, "page": 100}  # per size
PAGE_EM = 12  # pixels


def random_study(random, strategies, tasks):
    """Make a study with random ranks; return it, the groups that no test tells apart, and the ranks."""
    quality = np.sort(random.normal(0, random.uniform(0, 1.5), strategies))
    losses = (quality + random.normal(0, 1, (tasks, strategies)))[:, random.permutation(strategies)]
    if random.random() < 0.5:
        losses = losses.round()  # ties
    study = template(strategies)
    ranks, limit = mean_ranks(losses), critical_difference(strategies, tasks)
    average = ranks.mean(axis=0)
    compared = dataclasses.replace(
        study.ranks["test"],
        tasks=tuple(range(tasks)),
        task_ranks=ranks,
        ranks=average,
        critical_difference=limit,
        cliques=cliques(average, limit),
    )
    return dataclasses.replace(study, ranks={"test": compared}), *groups_pair_by_pair(losses)


def groups_pair_by_pair(losses):
    """Return the largest sets in which no two strategies differ by the critical difference or more, and the ranks."""
    tasks, strategies = losses.shape
    ranks = np.mean([rankdata(row) for row in losses], axis=0)
    difference = quantile(strategies) * np.sqrt(strategies * (strategies + 1) / (6 * tasks))
    alike = np.abs(ranks[:, None] - ranks) < difference
    between = {
        frozenset(np.flatnonzero((ranks >= ranks[a]) & (ranks <= ranks[b])).tolist())
        for a, b in itertools.permutations(range(strategies), 2)
        if alike[a, b] and ranks[a] <= ranks[b]
    }
    return {each for each in between if not any(each < other for other in between)}, ranks


@functools.cache
def quantile(strategies):
    return studentized_range.ppf(0.95, strategies, np.inf) / np.sqrt(2)


@functools.cache
def template(strategies):
    return made_up_study(strategies, 2, runs=2, kinds=("observed", "test"))


def drawn_in_figure(study, style):
    """Return bars (start, end, y, thickness) and the x of strategies in rank order as drawn, in points."""
    figure = cd_figure(study, style=style)
    (panel,) = figure.axes
    points = panel.transData.transform
    bars, stems = [], []
    for line in panel.lines:
        x, y = (points(line.get_xydata()) * 72 / figure.dpi).T
        if line.get_gid() == "group":
            bars.append((x.min(), x.max(), y[0], line.get_linewidth()))
        elif len(x) == 3:
            stems.append(x[0])
    return bars, stems


def drawn_on_page(study, _style):
    """Return the same of the page, in pixels."""
    text = str(cd_diagram(study.ranks["test"], study.labels))
    number = r'"([-0-9.]+)"'
    bars = [
        tuple(map(float, found))
        for found in re.findall(rf'class="clique" x1={number} y1={number} x2={number} y2={number}', text)
    ]
    stems = [float(x) for x in re.findall(r'class="leader" d="M([-0-9.]+),', text)]
    return [(x1, x2, y1, 4.0) for x1, y1, x2, _ in bars], stems


DRAWN = {"single": drawn_in_figure, "double": drawn_in_figure, "page": drawn_on_page}


@pytest.mark.parametrize(("strategies", "tasks"), [(30, 100), (12, 10), (4, 40)])
@pytest.mark.parametrize("where", DRAWN)
def test_every_bar_joins_exactly_one_group(where, strategies, tasks):
    random = np.random.default_rng(strategies)
    several = 0
    for _ in range(STUDIES[where]):
        study, groups, ranks = random_study(random, strategies, tasks)
        bars, stems = DRAWN[where](study, STYLES.get(where))
        order = np.argsort(study.ranks["test"].ranks, kind="stable")
        np.testing.assert_allclose(study.ranks["test"].ranks, ranks)
        covered = [frozenset(int(s) for s, x in zip(order, stems, strict=True) if a <= x <= b) for a, b, _, _ in bars]
        assert len(covered) == len(groups)
        assert set(covered) == groups
        for (a, b, y, thick), (c, d, other, _) in itertools.combinations(bars, 2):
            assert abs(y - other) > 1.5 * thick or b + 1.5 < c or d + 1.5 < a, "two groups look like one"
        several += len(groups) > 1
    assert several > STUDIES[where] / 4
