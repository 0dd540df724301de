"""The file format of surrogates: one HDF5 file of plain arrays and JSON. Nothing in it is code.

Layout, format version 1::

    /                     attributes: format, format_version, checksum
    /description          JSON of the description
    /surrogate            JSON: encoding, columns with their models, noise, optima, verdict
    /arrays/<name>        the arrays of the models, the noise and the scores, compressed

The checksum is the SHA-256 of both texts and all arrays. It finds damage. A file that someone made on purpose can have
a right checksum and wrong content, so everything is checked when it is read: trees have no circles and few levels,
numbers are finite and in range, shapes fit.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab import spaces
from nasbench_lab.arrays import FloatArray
from nasbench_lab.errors import DataError, NasbenchLabError
from nasbench_lab.files import atomic_path
from nasbench_lab.messages import described
from nasbench_lab.plain_files import is_plain
from nasbench_lab.spaces import Space
from nasbench_lab.tables.description import Description
from nasbench_lab.tables.hdf5_writing import writable_file
from nasbench_lab.tables.reading.hdf5_file import Hdf5Group, open_hdf5
from nasbench_lab.tables.surrogates.columns import SurrogateColumn
from nasbench_lab.tables.surrogates.encoder import Encoder
from nasbench_lab.tables.surrogates.models.notation import from_notation, to_notation
from nasbench_lab.tables.surrogates.models.stored import Given
from nasbench_lab.tables.surrogates.noise import RepeatNoise
from nasbench_lab.tables.surrogates.surrogate import Surrogate, SurrogateParts

FORMAT = "nasbench-lab surrogate"
FORMAT_VERSION = 1

_KEYS = ("encoding", "columns", "seed", "optima", "verdict")
_COLUMN_KEYS = {"metric", "epochs", "is_log", "low", "high", "model", "variance"}
_COMPRESSED = {"compression": "gzip", "compression_opts": 4, "shuffle": True, "track_times": False}
_MOST_COLUMNS = 10_000
_MOST_NOISE = 1_000
_MOST_KNOTS = 10_000
_MOST_SEED = 2**63 - 1
_ROUNDING = 1e-6

Arrays = dict[str, NDArray[Any]]


def write_surrogate(surrogate: Surrogate, path: str | os.PathLike[str]) -> None:
    """Write a surrogate to an HDF5 file, atomically.

    Raises:
        OutputError: the file cannot be written; an older file stays unchanged.
    """
    description = surrogate.description.to_json()
    text, arrays = _content(surrogate.parts)
    with atomic_path(Path(path)) as temporary, writable_file(temporary, "w", libver="v110") as file:
        file.attrs["format"] = np.bytes_(FORMAT)
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["checksum"] = np.bytes_(_checksum(description, text, arrays))
        texts = {"description": description, "surrogate": text}
        named = {name: np.frombuffer(content.encode(), np.uint8) for name, content in texts.items()}
        named |= {f"arrays/{name}": array for name, array in arrays.items()}
        for name, array in named.items():
            file.create_dataset(name, data=array, **_COMPRESSED)


def is_surrogate_file(path: str | os.PathLike[str]) -> bool:
    """Return whether a file says that it is a surrogate."""
    where = Path(path)
    if not is_plain(where):
        return False
    try:
        with open_hdf5(where) as file:
            return file.is_of_format(FORMAT)
    except DataError:
        return False


def read_surrogate(path: str | os.PathLike[str]) -> Surrogate:
    """Read a surrogate from a file that may be damaged or hostile.

    Raises:
        DataError: the file is missing, damaged, of another format version, or no surrogate.
    """
    where = Path(path)
    if not is_plain(where):
        raise DataError(f"there is no file {where}")
    try:
        with open_hdf5(where) as file:
            description, text, arrays, checksum = _read(file)
        return _surrogate(Description.from_json(description), _parsed(text), arrays, checksum)
    except NasbenchLabError as error:
        raise DataError(f"{where} is not a readable surrogate: {error}") from error
    except Exception as error:  # whatever else a hostile file can cause
        raise DataError(f"{where} is not a readable surrogate: {described(error)}") from error


def _content(parts: SurrogateParts) -> tuple[str, Arrays]:
    """Return the JSON and the arrays of a surrogate."""
    arrays: Arrays = {f"score.{place}": ranks for place, ranks in enumerate(parts.encoder.scores.values())}
    arrays |= {f"known.{place}": values for place, values in enumerate(parts.known.values())}
    if len(parts.noise.factor):
        arrays |= {f"noise.{name}": getattr(parts.noise, name) for name in ("factor", "knots", "quantiles")}
    columns = []
    for place, column in enumerate(parts.columns):
        model, more = to_notation(column.model, f"column{place}.model")
        arrays |= more
        variance = None
        if column.variance is not None:
            variance, more = to_notation(column.variance, f"column{place}.variance")
            arrays |= more
        bounds = {name: _finite_or_none(getattr(column, name)) for name in ("low", "high")}
        facts = {"metric": column.metric, "epochs": column.epochs, "is_log": column.is_log, **bounds}
        columns.append({**facts, "model": model, "variance": variance})
    content = {
        "encoding": parts.encoder.encoding,
        "scores": list(parts.encoder.scores),
        "known": list(parts.known),
        "columns": columns,
        "seed": parts.noise.seed,
        "optima": dict(parts.optima),
        "verdict": dict(parts.verdict),
    }
    return json.dumps(content, sort_keys=True, allow_nan=False), {
        name: np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")) for name, array in arrays.items()
    }


def _finite_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _read(file: Hdf5Group) -> tuple[str, str, Arrays, str]:
    """Return both texts, all arrays and the checksum, which is verified."""
    if not file.is_of_format(FORMAT):
        raise DataError("it is not a surrogate of nasbench-lab")
    version = file.whole("format_version")
    if version != FORMAT_VERSION:
        raise DataError(f"it has format version {version}; this release reads version {FORMAT_VERSION}")
    description, text = (file.array(name).tobytes().decode() for name in ("description", "surrogate"))
    arrays = file.group("arrays").arrays()
    checksum = file.text("checksum")
    if checksum != _checksum(description, text, arrays):
        raise DataError("it does not match its checksum")
    return description, text, arrays, checksum


def _parsed(text: str) -> dict[str, Any]:
    content = json.loads(text)
    if not isinstance(content, dict) or not set(_KEYS) <= set(content):
        raise DataError(f"its content is not an object with {', '.join(_KEYS)}")
    return content


def _surrogate(description: Description, content: dict[str, Any], arrays: Arrays, checksum: str) -> Surrogate:
    """Make a surrogate of what a file stores, which may be anything."""
    if description.kind != "surrogate":
        raise DataError(f"its description is of a table of kind {description.kind!r}")
    space = spaces.make_space(description.space)
    scores = _of_architectures(content.get("scores"), arrays, space, "score")
    known = _of_architectures(content.get("known"), arrays, space, "known")
    if not isinstance(content["encoding"], str):
        raise DataError("its encoding is not a text")
    encoder = Encoder(space, content["encoding"], {name: array.astype(np.float32) for name, array in scores.items()})
    inputs = encoder.inputs
    stored = content["columns"]
    if not isinstance(stored, list) or not 1 <= len(stored) <= _MOST_COLUMNS:
        raise DataError(f"it must have 1 to {_MOST_COLUMNS:,} columns")
    columns = [_column(each, arrays, f"column{place}", inputs) for place, each in enumerate(stored)]
    noise = _noise(content["seed"], arrays, sum(column.variance is not None for column in columns))
    verdict = content["verdict"]
    if not isinstance(verdict, dict):
        raise DataError("its verdict is not an object")
    values = {name: array.astype(np.float64) for name, array in known.items()}
    parts = SurrogateParts(encoder, columns, noise, values, _optima(content["optima"]), verdict)
    return Surrogate(description, parts, checksum=checksum)


def _of_architectures(names: Any, arrays: Arrays, space: Space, key: str) -> dict[str, FloatArray]:
    """Return arrays with one number per architecture, by name."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError(f"its names of {key} are not texts")
    found = {}
    for place, name in enumerate(names):
        array = arrays.get(f"{key}.{place}")
        if array is None or array.shape != (space.size,) or array.dtype.kind != "f":
            raise DataError(f"it has no {key} {name!r} of {space.size:,} architectures")
        if key == "score" and not (array.min() >= 0 and array.max() <= 1):
            raise DataError(f"the ranks of its {key} {name!r} are not from 0 to 1")
        found[name] = array
    return found


def _column(stored: Any, arrays: Arrays, name: str, inputs: int) -> SurrogateColumn:
    if not isinstance(stored, dict) or set(stored) != _COLUMN_KEYS:
        raise DataError(f"one of its columns is not an object with {', '.join(sorted(_COLUMN_KEYS))}")
    metric, epochs, is_log = stored["metric"], stored["epochs"], stored["is_log"]
    if not isinstance(metric, str) or type(epochs) not in (int, type(None)) or type(is_log) is not bool:
        raise DataError("the metric or the epochs of one of its columns are not valid")
    low, high = (_bound(stored[key], side) for key, side in (("low", -math.inf), ("high", math.inf)))
    model = from_notation(stored["model"], arrays, f"{name}.model")
    variance = None
    if stored["variance"] is not None:
        variance = from_notation(stored["variance"], arrays, f"{name}.variance")
    if model.inputs != inputs or (variance is not None and variance.inputs != inputs + 1):
        raise DataError(f"its model of {metric!r} takes vectors of {model.inputs} numbers, not {inputs}")
    if low > high:
        raise DataError(f"the bounds of {metric!r} are not in order")
    return SurrogateColumn(metric, epochs, model, is_log, low, high, variance)


def _bound(value: Any, missing: float) -> float:
    if value is None:
        return missing
    if type(value) not in (int, float) or not math.isfinite(value):
        raise DataError("a bound of one of its columns is not a number")
    return float(value)


def _noise(seed: Any, arrays: Arrays, count: int) -> RepeatNoise:
    if type(seed) is not int or not 0 <= seed <= _MOST_SEED:
        raise DataError("the seed of its noise is not a whole number in range")
    if not count:
        return RepeatNoise(seed, np.zeros((0, 0)), np.zeros(1), np.zeros((0, 1)))
    if count > _MOST_NOISE:
        raise DataError(f"more than {_MOST_NOISE:,} of its columns have noise")
    own = {name: arrays[f"noise.{name}"] for name in ("factor", "knots", "quantiles") if f"noise.{name}" in arrays}
    given = Given("noise", own, {})
    factor, knots = given.floats("factor", (count, count)), given.floats("knots", (None,))
    quantiles = given.floats("quantiles", (count, len(knots)))
    if len(knots) > _MOST_KNOTS or (np.diff(knots) <= 0).any() or (np.diff(quantiles, axis=1) < 0).any():
        raise given.wrong("knots and quantiles must ascend")
    if np.triu(factor, 1).any() or (np.abs((factor**2).sum(axis=1) - 1) > _ROUNDING).any():
        raise given.wrong("factor must be a lower triangle with rows of length 1")
    return RepeatNoise(seed, factor, knots, quantiles)


def _optima(stored: Any) -> dict[str, float]:
    if not isinstance(stored, dict) or not set(stored) <= {"valid", "test"}:
        raise DataError("its optima are not those of valid and test")
    return {split: _bound(value, math.nan) for split, value in stored.items()}


def _checksum(description: str, text: str, arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(f"{len(description)} {description}\n{text}".encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
