"""Networks as files that run without this package: with torch alone, or in any runtime of ONNX."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from nasbench_lab.errors import OutputError, ParameterError
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import first_line, unknown

NO_EXPORT = "none"
_ONNX_PACKAGES = ("onnx", "onnxscript")
_MOST_IMAGES = 2**16


def check_export(name: str) -> str:
    """Return the name of a format, or "none".

    Raises:
        UnknownNameError: there is no such format.
        ParameterError: a package that it needs is not installed.

    >>> check_export("torch-export")
    'torch-export'
    """
    if name not in (*EXPORTS, NO_EXPORT):
        raise unknown("format of networks", name, (*EXPORTS, NO_EXPORT))
    missing = [each for each in _ONNX_PACKAGES if importlib.util.find_spec(each) is None]
    if name == "onnx" and missing:
        raise ParameterError(f"an export to ONNX needs {' and '.join(missing)}: pip install 'nasbench-lab[onnx]'")
    return name


def export_network(network: nn.Module, image: tuple[int, int, int], path: Path, name: str) -> Path:
    """Write a network, ready to predict, for batches of any size, and return the path with the suffix of the format.

    ``torch-export`` writes a ``.pt2`` file: ``torch.export.load(path).module()(images)``.

    Args:
        network: from images, shape (batch, channels, height, width).
        image: channels, height and width.
        path: file without a suffix.
        name: of the format, see `EXPORTS`.

    Raises:
        OutputError: torch cannot export the network, or the file cannot be written.
    """
    suffix, write = EXPORTS[name]
    network = network.cpu().eval()
    example = torch.zeros(2, *image)
    with torch.no_grad():
        network(example)  # what layers compute once must not be computed while torch traces the network
    target = path.with_name(path.name + suffix)
    with atomic_path(target) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces its plans
        try:
            write(network, example, temporary)
        except OSError:
            raise
        except Exception as error:  # torch raises all kinds
            raise OutputError(f"torch cannot export the network to {name}: {first_line(error)}") from error
    return target


def _torch_export(network: nn.Module, example: torch.Tensor, path: Path) -> None:
    batch = torch.export.Dim("batch", min=1, max=_MOST_IMAGES)
    torch.export.save(torch.export.export(network, (example,), dynamic_shapes=({0: batch},)), path)


def _onnx(network: nn.Module, example: torch.Tensor, path: Path) -> None:
    options: dict[str, Any] = {
        "input_names": ["images"],
        "output_names": ["scores"],
        "dynamic_shapes": ({0: torch.export.Dim("batch", min=1, max=_MOST_IMAGES)},),
        "external_data": False,  # otherwise the weights are in a second file beside the temporary one
        "verbose": False,
    }
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it names every operation of torchvision where that is not installed
    try:
        torch.onnx.export(network, (example,), str(path), dynamo=True, **options)
    finally:
        logger.setLevel(level)


EXPORTS: Mapping[str, tuple[str, Callable[[nn.Module, torch.Tensor, Path], None]]] = {
    "torch-export": (".pt2", _torch_export),
    "onnx": (".onnx", _onnx),
}
"""The formats by name: the suffix of the files, and what writes them."""
