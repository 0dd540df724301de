"""The report as one HTML page."""

from nasbench_lab.report.page.html import render_page, write_page

__all__ = ["render_page", "write_page"]
