"""All figures that are drawn from a study, by the names that ``nasbench-lab plot`` has for them."""

from nasbench_lab.report.figures.critical_difference import cd_figure
from nasbench_lab.report.figures.final_regret import final_figure
from nasbench_lab.report.figures.leaderboard import leaderboard_figure
from nasbench_lab.report.figures.pairwise import a12_figure
from nasbench_lab.report.figures.progress import normalised_figure, rank_figure
from nasbench_lab.report.figures.regret import regret_figure
from nasbench_lab.report.figures.targets import ecdf_figure, profile_figure

FIGURES = {
    "regret": regret_figure,
    "rank": rank_figure,
    "normalised": normalised_figure,
    "cd": cd_figure,
    "ecdf": ecdf_figure,
    "profile": profile_figure,
    "final": final_figure,
    "a12": a12_figure,
    "leaderboard": leaderboard_figure,
}
