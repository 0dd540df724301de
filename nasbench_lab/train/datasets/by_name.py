"""Loading a data set by its name and options, given as plain data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import first_line, unknown
from nasbench_lab.train.datasets.cifar import cifar10, cifar100
from nasbench_lab.train.datasets.dataset import Dataset
from nasbench_lab.train.datasets.handwritten_digits import Hardening, digits
from nasbench_lab.train.datasets.imagenet16 import imagenet16_120
from nasbench_lab.train.datasets.user_arrays import arrays


def _digits(hardening: Mapping[str, Any] | None = None, versions: int = 1) -> Dataset:
    return digits(Hardening(**hardening) if hardening else None, versions)


_DATASETS: dict[str, Callable[..., Dataset]] = {
    "ImageNet16-120": imagenet16_120,
    "arrays": arrays,
    "cifar10": cifar10,
    "cifar100": cifar100,
    "digits": _digits,
}


def load(spec: Mapping[str, Any] | str) -> Dataset:
    """Load a data set.

    Args:
        spec: name of the data set, or a mapping with its ``name`` (see `names`) and options, for example
            ``{"name": "cifar10", "folder": "data"}``. With the option ``file``, the default name is ``"arrays"``.

    Raises:
        UnknownNameError: no data set has this name.
        ParameterError: the data set does not take these options, or needs others.
        DataError: files are missing or damaged.

    >>> load("digits").classes
    10
    >>> names()
    ['ImageNet16-120', 'arrays', 'cifar10', 'cifar100', 'digits']
    """
    options = {"name": spec} if isinstance(spec, str) else dict(spec)
    name = options.pop("name", "arrays" if "file" in options else None)
    if not isinstance(name, str) or name not in _DATASETS:
        raise unknown("data set", name, _DATASETS)
    parameters = inspect.signature(_DATASETS[name]).parameters
    missing = [each for each, parameter in parameters.items() if parameter.default is parameter.empty]
    if missing and not options.keys() - parameters.keys() and not options.keys() >= {*missing}:
        example = {"name": name, **dict.fromkeys(missing, "...")}
        raise ParameterError(f"data set {name!r} needs the option {' and '.join(missing)}, as in {example}")
    try:
        return _DATASETS[name](**options)
    except TypeError as error:
        raise ParameterError(f"data set {name!r} does not take these options: {first_line(error)}") from error


def names() -> list[str]:
    """Return the names of all data sets."""
    return sorted(_DATASETS)
