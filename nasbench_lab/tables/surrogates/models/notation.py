"""Models as JSON and named arrays, and back: what a file stores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from nasbench_lab.errors import DataError
from nasbench_lab.messages import shortened
from nasbench_lab.tables.surrogates.models.combined import Average, ScaledModel
from nasbench_lab.tables.surrogates.models.kernels import Kernels
from nasbench_lab.tables.surrogates.models.linear import Constant, Linear
from nasbench_lab.tables.surrogates.models.neighbors import Neighbors
from nasbench_lab.tables.surrogates.models.perceptron import Perceptron
from nasbench_lab.tables.surrogates.models.stored import StoredModel
from nasbench_lab.tables.surrogates.models.trees import StoredTrees

KINDS: Mapping[str, type[StoredModel]] = {
    model.kind: model for model in (Average, Constant, Kernels, Linear, Neighbors, Perceptron, ScaledModel, StoredTrees)
}
"""The kinds of models that files can store, by name."""

_MOST_DEPTH = 8  # models inside models
_MOST_PARTS = 1000


def to_notation(model: StoredModel, name: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return a model as JSON can hold it, and its arrays by name.

    Args:
        model: the model.
        name: what the names of its arrays start with.

    >>> to_notation(Constant(2, 7.0), "accuracy")
    ({'kind': 'constant', 'settings': {'inputs': 2, 'value': 7.0}, 'parts': []}, {})
    """
    arrays = {f"{name}.{key}": array for key, array in model.arrays().items()}
    parts = []
    for place, part in enumerate(model.parts()):
        inner, more = to_notation(part, f"{name}.{place}")
        parts.append(inner)
        arrays |= more
    return {"kind": model.kind, "settings": model.settings(), "parts": parts}, arrays


def from_notation(notation: Any, arrays: Mapping[str, NDArray[Any]], name: str, depth: int = 0) -> StoredModel:
    """Return the model that `to_notation` described; what a file stores may be anything.

    Args:
        notation: of the model.
        arrays: of all models of the file, by name.
        name: what the names of its arrays start with.
        depth: how many models this one is inside of.

    Raises:
        DataError: this is no model.
    """
    if not isinstance(notation, dict) or set(notation) != {"kind", "settings", "parts"}:
        raise DataError("one of its models is not an object with kind, settings and parts")
    kind, settings, parts = notation["kind"], notation["settings"], notation["parts"]
    if not isinstance(kind, str) or kind not in KINDS:
        raise DataError(f"it has a model of the unknown kind {shortened(kind)}; known are {', '.join(KINDS)}")
    if not isinstance(settings, dict) or not isinstance(parts, list):
        raise DataError(f"its model of kind {kind!r} has no settings and parts")
    if depth >= _MOST_DEPTH or len(parts) > _MOST_PARTS:
        raise DataError("it has too many models inside models")
    inner = [from_notation(part, arrays, f"{name}.{place}", depth + 1) for place, part in enumerate(parts)]
    own = {key: arrays[f"{name}.{key}"] for key in _keys(arrays, name)}
    return KINDS[kind].restored(own, settings, inner)


def _keys(arrays: Mapping[str, NDArray[Any]], name: str) -> list[str]:
    """Return the names of the arrays of one model, without those of models inside it."""
    rest = [key[len(name) + 1 :] for key in arrays if key.startswith(f"{name}.")]
    return [key for key in rest if "." not in key]
