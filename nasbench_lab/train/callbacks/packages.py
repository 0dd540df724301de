"""Importing the packages of loggers when they are used."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import first_line


def package(module: str, extra: str, logger: str) -> Any:
    """Import the module of a logger.

    Args:
        module: name of the module.
        extra: the extra of nasbench-lab that installs its package.
        logger: name of the logger, for the message.

    Raises:
        ParameterError: it is not installed, or cannot be imported.

    >>> package("no_such_module", "mlflow", "MLflow")
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: MLflow needs a package: pip install 'nasbench-lab[mlflow]' (No module named ...
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecations inside these packages
            return importlib.import_module(module)
    except ImportError as error:
        raise ParameterError(
            f"{logger} needs a package: pip install 'nasbench-lab[{extra}]' ({first_line(error)})"
        ) from error
