"""Data sets by name, from plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nasbench_lab.errors import ParameterError, first_line, unknown
from nasbench_lab.train.datasets.dataset import Dataset
from nasbench_lab.train.datasets.digits import Hardening, digits


def _digits(hardening: Mapping[str, Any] | None = None) -> Dataset:
    return digits(Hardening(**hardening) if hardening else None)


_DATASETS: dict[str, Callable[..., Dataset]] = {"digits": _digits}


def load(spec: Mapping[str, Any] | str) -> Dataset:
    """Load a data set.

    Args:
        spec: its name, or plain data: ``name`` (see `names`) and its options.

    Raises:
        UnknownNameError: no data set has that name.
        ParameterError: it does not take these options.
        DataError: its files are missing or damaged.

    >>> load("digits").classes
    10
    """
    options = {"name": spec} if isinstance(spec, str) else dict(spec)
    name = options.pop("name", None)
    if name not in _DATASETS:
        raise unknown("data set", name, _DATASETS)
    try:
        return _DATASETS[name](**options)
    except TypeError as error:
        raise ParameterError(f"data set {name!r} does not take these options: {first_line(error)}") from error


def names() -> list[str]:
    """Return the names of all data sets."""
    return sorted(_DATASETS)
