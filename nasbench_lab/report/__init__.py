"""The report: how results are shown."""

from nasbench_lab.report.regret_figure import regret_figure
from nasbench_lab.report.result_folder import FILES, write_result
from nasbench_lab.report.save import save_figure

__all__ = ["FILES", "regret_figure", "save_figure", "write_result"]
