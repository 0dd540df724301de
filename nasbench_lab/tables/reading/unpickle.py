"""Reading pickles from other people without running their code.

A pickle is a program: it may import any function and call it. `load` allows a short list of safe names and stops at the
first other name, before anything is called. Its memory and its time are bounded by the size of the file.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable
from typing import Any

from nasbench_lab.errors import DataError
from nasbench_lab.tables.reading import pickled_arrays
from nasbench_lab.tables.reading.pickle_machine import Allowed, PickleMachine, check_keys
from nasbench_lab.tables.reading.untrusted_values import described

__all__ = ["ALLOWED", "Allowed", "load"]


def _numpy_names() -> dict[tuple[str, str], Any]:
    """Return the names for arrays, scalars and dtypes of NumPy. Old and new releases use different modules."""
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
    """Replace ``_codecs.encode``, which Python 2 and old protocols call; other encodings could import modules."""
    if encoding != "latin1":
        raise DataError(f"the pickle asks for the text encoding {described(encoding)}, which is not allowed")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """Replace ``bytes``, which old protocols call for empty bytes; arguments could ask for any length."""
    return b""


def _of_keys(kind: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    """Replace a container that hashes its members."""

    def make(values: Iterable[Any] = ()) -> Any:
        members = list(values)
        check_keys(members)
        return kind(members)

    return make


def _ordered_dict(pairs: Iterable[Any] = ()) -> Any:
    """Replace ``OrderedDict``, which Python 2 made from a list of pairs."""
    content = [(key, value) for key, value in pairs]
    check_keys([key for key, _ in content])
    return collections.OrderedDict(content)


ALLOWED: Allowed = {
    **_numpy_names(),
    ("__builtin__", "bytes"): _no_bytes,
    ("builtins", "bytes"): _no_bytes,
    ("collections", "OrderedDict"): _ordered_dict,
    ("_codecs", "encode"): _encode_latin1,
    **{(module, "slice"): slice for module in ("builtins", "__builtin__")},
    **{(module, kind.__name__): _of_keys(kind) for module in ("builtins", "__builtin__") for kind in (set, frozenset)},
}
"""Names that are safe in any pickle."""


def load(data: bytes, allowed: Allowed = ALLOWED, *, encoding: str = "ASCII") -> Any:
    r"""Read a pickle that may import only the ``allowed`` names.

    Args:
        data: the content of the file.
        allowed: (module, name) to the object that replaces it.
        encoding: encoding of texts written by Python 2; its NumPy arrays need ``"latin1"``.

    Raises:
        DataError: the pickle asks for another name, or is truncated or corrupt.

    >>> load(b"cos\nsystem\n(S'echo hello'\ntR.")
    Traceback (most recent call last):
    nasbench_lab.errors.DataError: the pickle asks for os.system, which is not allowed; nothing was run
    """
    machine = PickleMachine(data, allowed, encoding=encoding)
    content = machine.load()
    machine.check_nothing_follows()
    return content
