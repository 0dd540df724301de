"""The command line."""

from nasbench_lab.cli.app import main

__all__ = ["main"]
