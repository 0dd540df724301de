"""Reading pickles that somebody else made, without giving them a chance to run code.

A pickle is a program: it may import any function and call it. `load` lets it import a short list of harmless names
and stops at the first other one, before anything is called.
"""

from __future__ import annotations

import collections
import io
import pickle
from collections.abc import Mapping
from typing import Any

from nasbench_lab.errors import DataError
from nasbench_lab.tables import pickled_arrays

Allowed = Mapping[tuple[str, str], Any]


def _numpy_names() -> dict[tuple[str, str], Any]:
    """What NumPy arrays, scalars and dtypes need. Old and new releases name the same functions differently."""
    names: dict[tuple[str, str], Any] = {
        ("numpy", "ndarray"): pickled_arrays.NDARRAY,
        ("numpy", "dtype"): pickled_arrays.PickledDtype,
    }
    for package in ("numpy.core", "numpy._core"):
        names[f"{package}.multiarray", "_reconstruct"] = pickled_arrays.reconstruct
        names[f"{package}.multiarray", "scalar"] = pickled_arrays.scalar
        names[f"{package}.numeric", "_frombuffer"] = pickled_arrays.from_buffer
    return names


def _encode_latin1(text: str, encoding: str) -> bytes:
    """How Python 2 and the oldest protocols wrote bytes. Other encodings would be looked up among modules."""
    if encoding != "latin1":
        raise DataError(f"the pickle asks for the text encoding {encoding!r}, which is not allowed")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """How the oldest protocols wrote empty bytes; with arguments it would make bytes of any length."""
    return b""


ALLOWED: Allowed = {
    **_numpy_names(),
    ("__builtin__", "bytes"): _no_bytes,
    ("builtins", "bytes"): _no_bytes,
    ("collections", "OrderedDict"): collections.OrderedDict,
    **{(module, kind.__name__): kind for module in ("builtins", "__builtin__") for kind in (set, frozenset, slice)},
    ("_codecs", "encode"): _encode_latin1,
}
"""Names that are harmless in any pickle."""


class _AllowListUnpickler(pickle.Unpickler):
    def __init__(self, data: bytes, allowed: Allowed, encoding: str) -> None:
        super().__init__(io.BytesIO(data), encoding=encoding)
        self._allowed = allowed

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._allowed:
            raise DataError(f"the pickle asks for {module}.{name}, which is not allowed; nothing was run")
        return self._allowed[module, name]


def load(data: bytes, allowed: Allowed = ALLOWED, *, encoding: str = "ASCII") -> Any:
    r"""Read a pickle that may import the ``allowed`` names only.

    Args:
        data: the content of the file.
        allowed: (module, name) to what stands for it.
        encoding: of the texts that Python 2 wrote; ``"latin1"`` is what its NumPy arrays need.

    Raises:
        DataError: the pickle asks for another name, or is truncated or corrupt.

    >>> load(b"cos\nsystem\n(S'echo hello'\ntR.")
    Traceback (most recent call last):
    nasbench_lab.errors.DataError: the pickle asks for os.system, which is not allowed; nothing was run
    """
    try:
        return _AllowListUnpickler(data, allowed, encoding).load()
    except DataError:
        raise
    except Exception as error:  # a corrupt pickle can raise nearly anything
        raise DataError(f"the pickle is truncated or corrupt: {type(error).__name__}: {error}") from error
