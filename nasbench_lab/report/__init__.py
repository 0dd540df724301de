"""The report: how results are shown."""

from nasbench_lab.report.regret_figure import regret_figure
from nasbench_lab.report.result_folder import FILES, TRACES, write_result
from nasbench_lab.report.save import save_figure, save_figure_as
from nasbench_lab.report.table_figure import table_figure
from nasbench_lab.report.validation_figure import validation_figure
from nasbench_lab.report.validation_result import VALIDATION_FILES, write_validation

__all__ = [
    "FILES",
    "TRACES",
    "VALIDATION_FILES",
    "regret_figure",
    "save_figure",
    "save_figure_as",
    "table_figure",
    "validation_figure",
    "write_result",
    "write_validation",
]
