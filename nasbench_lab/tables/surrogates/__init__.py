"""Surrogate tables: models that answer for every architecture of a space, and the files that they are stored in."""

from nasbench_lab.tables.surrogates.file import is_surrogate_file, read_surrogate, write_surrogate
from nasbench_lab.tables.surrogates.surrogate import Surrogate

__all__ = ["Surrogate", "is_surrogate_file", "read_surrogate", "write_surrogate"]
