"""Measurements of proxies in a file, so that a killed scoring continues, and nothing is measured twice.

The file is one of HDF5 if its name ends in ``.h5``, otherwise one of `numpy.savez`. It belongs to one space, one data
set and one way to build the networks; the proxies, architectures and seeds may change.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_lab.errors import DataError
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import open_plain
from nasbench_lab.tables.hdf5_writing import writable_file
from nasbench_lab.tables.reading.hdf5_file import open_hdf5
from nasbench_lab.train.npz_files import read_npz
from nasbench_lab.train.proxies.base import FunctionProxy, Proxy
from nasbench_lab.train.proxies.measuring import Measurement

HDF5_SUFFIXES = (".h5", ".hdf5")

_VERSION = 1
_ABOUT = "about"
_HDF5 = b"\x89HDF\r\n\x1a\n"
"""The first bytes of an HDF5 file."""

Saved = dict[str, dict[tuple[int, int], Measurement]]
"""Measurements by `key_of` a proxy, and by architecture and seed."""


def key_of(proxy: Proxy) -> str:
    """Return the text that measurements of a proxy are saved under: it changes whenever they may change.

    >>> from nasbench_lab.train.proxies.registry import make_proxy
    >>> key_of(make_proxy("synflow"))
    'synflow version 1'
    """
    code = proxy.function if isinstance(proxy, FunctionProxy) else type(proxy)
    module = str(getattr(code, "__module__", ""))
    key = f"{proxy.label} version {proxy.version}"
    if module.startswith("nasbench_lab."):
        return key
    try:
        source = inspect.getsource(code)
    except (OSError, TypeError):  # e.g. typed at a prompt
        source = ""
    return f"{key} {module} {hashlib.sha256(source.encode()).hexdigest()[:16]}"


def read_measurements(path: Path, belongs_to: Mapping[str, Any]) -> Saved:
    """Return the measurements in a file; nothing if there is none.

    Args:
        path: of the file.
        belongs_to: what is scored, as JSON can hold it.

    Raises:
        DataError: the file is damaged, or belongs to something else.
    """
    try:
        content = _read_arrays(path)
        about = json.loads(content.pop(_ABOUT).item())
        if about.get("format") != "nasbench-lab proxies" or about["version"] != _VERSION:
            raise DataError("it has another format")
        saved = {key: _rows(content, place) for place, key in enumerate(about["proxies"])}
    except FileNotFoundError:
        return {}
    except Exception as error:  # a damaged zip archive or text can raise nearly anything
        raise DataError(
            f"{path} holds no scores of proxies, or is damaged; choose another file: {first_line(error)}"
        ) from error
    expected = json.loads(json.dumps(belongs_to))
    different = [name for name, value in expected.items() if about["belongs_to"].get(name) != value]
    if different:
        raise DataError(f"{path} belongs to another scoring (different {', '.join(different)}); choose another file")
    return saved


def write_measurements(path: Path, belongs_to: Mapping[str, Any], saved: Saved) -> None:
    """Write measurements to a file, which replaces an older one atomically.

    Raises:
        OutputError: the file cannot be written.
    """
    about = {"format": "nasbench-lab proxies", "version": _VERSION, "belongs_to": belongs_to, "proxies": list(saved)}
    content: dict[str, Any] = {_ABOUT: np.array(json.dumps(about))}
    for place, found in enumerate(saved.values()):
        rows = sorted(found.items())
        failures = {f"{index} {seed}": each.failure for (index, seed), each in rows if each.failure}
        content[f"{place}/places"] = np.array([where for where, _ in rows], dtype=np.int64).reshape(-1, 2)
        content[f"{place}/values"] = np.array([each.values for _, each in rows], dtype=np.float64)
        content[f"{place}/seconds"] = np.array([each.seconds for _, each in rows], dtype=np.float64)
        content[f"{place}/failures"] = np.array(json.dumps(failures))
    with atomic_path(path) as temporary:
        _write_arrays(temporary, content, hdf5=path.suffix in HDF5_SUFFIXES)


def _read_arrays(path: Path) -> dict[str, Any]:
    """Return the arrays of a file by name; texts are arrays without axes."""
    with open_plain(path) as stream:
        if stream.peek(len(_HDF5))[: len(_HDF5)] != _HDF5:
            return read_npz(stream)
    with open_hdf5(path) as file:
        about = file.array(_ABOUT).tobytes().decode()
        groups = {str(place): file.group(str(place)).arrays() for place in range(len(json.loads(about)["proxies"]))}
    content = {f"{place}/{name}": array for place, arrays in groups.items() for name, array in arrays.items()}
    texts = {name: array.tobytes().decode() for name, array in content.items() if array.dtype == np.uint8}
    return {**content, **{name: np.array(text) for name, text in {_ABOUT: about, **texts}.items()}}


def _write_arrays(path: Path, content: Mapping[str, Any], *, hdf5: bool) -> None:
    """Write arrays to a file. HDF5 has texts as their bytes."""
    if not hdf5:
        with path.open("wb") as stream:
            np.savez_compressed(stream, **content)
        return
    with writable_file(path, "w", libver="v110") as file:
        for name, array in content.items():
            data = np.frombuffer(array.item().encode(), np.uint8) if array.dtype.kind == "U" else array
            packed = {"compression": "gzip", "shuffle": True} if data.size else {}
            file.create_dataset(name, data=data, track_times=False, **packed)


def _rows(content: Mapping[str, Any], place: int) -> dict[tuple[int, int], Measurement]:
    places, values, seconds = (content[f"{place}/{name}"] for name in ("places", "values", "seconds"))
    if not len(places) == len(values) == len(seconds):
        raise DataError("it has arrays of different lengths")
    failures = json.loads(content[f"{place}/failures"].item())
    return {
        (index, seed): Measurement(tuple(numbers), taken, failures.get(f"{index} {seed}", ""))
        for (index, seed), numbers, taken in zip(places.tolist(), values.tolist(), seconds.tolist(), strict=True)
    }
