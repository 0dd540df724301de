"""All figures with few and many strategies and tables, in all sizes: nothing is cut, names do not overlap.

A run covers each figure in each size, with numbers of strategies and tables in turn. ``--all-figures`` covers all.
"""

import itertools

import pytest
from figure_checks import check_direct_labels, check_fonts, check_nothing_is_cut
from made_up_studies import made_up_study
from study_figures import FIGURES

from nasbench_lab.report.figures.final_regret import final_figure
from nasbench_lab.report.figures.leaderboard import leaderboard_figure
from nasbench_lab.report.figures.pairwise import a12_figure
from nasbench_lab.report.figures.paper_styles import STYLES
from nasbench_lab.report.figures.progress import normalised_figure, rank_figure
from nasbench_lab.report.figures.regret import regret_figure
from nasbench_lab.report.figures.targets import ecdf_figure

SIZES = [*itertools.product((3, 9, 24), (1, 4, 12))]


def pytest_generate_tests(metafunc):
    if "strategies" in metafunc.fixturenames:
        every = [*itertools.product(FIGURES, STYLES)]
        if metafunc.config.getoption("--all-figures"):
            cases = [(*each, *size) for each in every for size in SIZES]
        else:  # in turn, so that over all figures each style has each size
            cases = [(*each, *SIZES[4 * place % len(SIZES)]) for place, each in enumerate(every)]
        metafunc.parametrize(("name", "style", "strategies", "tasks"), cases)


@pytest.fixture(scope="module")
def studies():
    return {}


def test_figures_of_all_sizes(name, style, strategies, tasks, studies):
    key = strategies, tasks
    if key not in studies:
        studies[key] = made_up_study(strategies, tasks)
    figure = FIGURES[name](studies[key], style=style)
    check_nothing_is_cut(figure, style)
    check_fonts(figure, style)
    check_direct_labels(figure, style)


def test_a_slide_is_filled_and_not_exceeded():
    slide = STYLES["slide"]
    for figure in (regret_figure, rank_figure, normalised_figure, ecdf_figure):
        size = figure(made_up_study(9, 1), style="slide").get_size_inches()
        assert size == pytest.approx((slide.width, slide.height)), figure
    for figure in (final_figure, leaderboard_figure, a12_figure):
        assert figure(made_up_study(24, 1), style="slide").get_size_inches()[1] <= slide.height * 1.15, figure


def test_twelve_tables_fit_a_page():
    for style in ("single", "double"):
        assert regret_figure(made_up_study(3, 12), style=style).get_size_inches()[1] <= STYLES[style].height
