"""The command line."""

from nasbench_lab.cli.main import main

__all__ = ["main"]
