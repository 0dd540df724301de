"""The report: figures, tables for papers, and the page."""

from nasbench_lab.report.figures.architecture import architecture_figure, draw_graph
from nasbench_lab.report.figures.critical_difference import cd_figure
from nasbench_lab.report.figures.final_regret import final_figure
from nasbench_lab.report.figures.landscape import landscape_figure
from nasbench_lab.report.figures.landscape_comparison import landscape_comparison_figure
from nasbench_lab.report.figures.leaderboard import leaderboard_figure
from nasbench_lab.report.figures.optima_network import optima_network_figure
from nasbench_lab.report.figures.pairwise import a12_figure
from nasbench_lab.report.figures.paper_styles import STYLES, PaperStyle
from nasbench_lab.report.figures.pareto import pareto_figure
from nasbench_lab.report.figures.predictor_map import predictor_map_figure
from nasbench_lab.report.figures.predictor_quality import predictor_quality_figure
from nasbench_lab.report.figures.progress import normalised_figure, rank_figure
from nasbench_lab.report.figures.ranking_curves import ranking_curves_figure
from nasbench_lab.report.figures.regret import regret_figure
from nasbench_lab.report.figures.retraining import validation_figure
from nasbench_lab.report.figures.save import save_figure, save_figure_as
from nasbench_lab.report.figures.score_scatter import score_figure
from nasbench_lab.report.figures.table import table_figure
from nasbench_lab.report.figures.targets import ecdf_figure, profile_figure
from nasbench_lab.report.landscape_folder import write_landscape
from nasbench_lab.report.layout.architecture import architecture_graph
from nasbench_lab.report.layout.graph import ArchitectureGraph
from nasbench_lab.report.paper.checklist import reproducibility_checklist
from nasbench_lab.report.paper.folder import write_paper_folder
from nasbench_lab.report.paper.landscapes import landscapes_table
from nasbench_lab.report.paper.published import published_table
from nasbench_lab.report.paper.scores import scores_table
from nasbench_lab.report.paper.tables import ResultTable, leaderboard_table, results_table
from nasbench_lab.report.retraining_folder import VALIDATION_FILES, write_validation
from nasbench_lab.report.run_folder import FILES, TRACES, write_result

__all__ = [
    "FILES",
    "STYLES",
    "TRACES",
    "VALIDATION_FILES",
    "ArchitectureGraph",
    "PaperStyle",
    "ResultTable",
    "a12_figure",
    "architecture_figure",
    "architecture_graph",
    "cd_figure",
    "draw_graph",
    "ecdf_figure",
    "final_figure",
    "landscape_comparison_figure",
    "landscape_figure",
    "landscapes_table",
    "leaderboard_figure",
    "leaderboard_table",
    "normalised_figure",
    "optima_network_figure",
    "pareto_figure",
    "predictor_map_figure",
    "predictor_quality_figure",
    "profile_figure",
    "published_table",
    "rank_figure",
    "ranking_curves_figure",
    "regret_figure",
    "reproducibility_checklist",
    "results_table",
    "save_figure",
    "save_figure_as",
    "score_figure",
    "scores_table",
    "table_figure",
    "validation_figure",
    "write_landscape",
    "write_paper_folder",
    "write_result",
    "write_validation",
]
