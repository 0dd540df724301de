"""The report: how results are shown."""

from nasbench_lab.report.anytime_figure import anytime_figure
from nasbench_lab.report.architecture_figure import architecture_figure, draw_graph
from nasbench_lab.report.architecture_graph import architecture_graph
from nasbench_lab.report.cd_figure import cd_figure
from nasbench_lab.report.checklist import checklist
from nasbench_lab.report.final_figure import final_figure
from nasbench_lab.report.graph_parts import ArchitectureGraph
from nasbench_lab.report.leaderboard_figure import leaderboard_figure
from nasbench_lab.report.pairwise_figure import a12_figure
from nasbench_lab.report.paper import STYLES, PaperStyle
from nasbench_lab.report.paper_folder import write_paper_folder
from nasbench_lab.report.pareto_figure import pareto_figure
from nasbench_lab.report.progress_figure import normalised_figure, rank_figure
from nasbench_lab.report.published_table import published_table
from nasbench_lab.report.regret_figure import regret_figure
from nasbench_lab.report.result_folder import FILES, TRACES, write_result
from nasbench_lab.report.result_tables import ResultTable, leaderboard_table, results_table
from nasbench_lab.report.save import save_figure, save_figure_as
from nasbench_lab.report.table_figure import table_figure
from nasbench_lab.report.target_figures import ecdf_figure, profile_figure
from nasbench_lab.report.validation_figure import validation_figure
from nasbench_lab.report.validation_result import VALIDATION_FILES, write_validation

__all__ = [
    "FILES",
    "STYLES",
    "TRACES",
    "VALIDATION_FILES",
    "ArchitectureGraph",
    "PaperStyle",
    "ResultTable",
    "a12_figure",
    "anytime_figure",
    "architecture_figure",
    "architecture_graph",
    "cd_figure",
    "checklist",
    "draw_graph",
    "ecdf_figure",
    "final_figure",
    "leaderboard_figure",
    "leaderboard_table",
    "normalised_figure",
    "pareto_figure",
    "profile_figure",
    "published_table",
    "rank_figure",
    "regret_figure",
    "results_table",
    "save_figure",
    "save_figure_as",
    "table_figure",
    "validation_figure",
    "write_paper_folder",
    "write_result",
    "write_validation",
]
