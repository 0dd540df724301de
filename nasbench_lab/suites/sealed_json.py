"""JSON files that end with a seal, the SHA-256 of their other content, so that any damage is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasbench_lab.errors import DataError
from nasbench_lab.files import atomic_path

_SEAL = "seal"


def json_bytes(data: Mapping[str, Any]) -> bytes:
    """Return data as the content of a JSON file; the same data gives the same bytes."""
    return (json.dumps(data, indent=1, sort_keys=True) + "\n").encode()


def sealed(data: Mapping[str, Any]) -> bytes:
    """Return data as the content of a JSON file with a seal."""
    return json_bytes({**data, _SEAL: hashlib.sha256(json_bytes(data)).hexdigest()})


def unsealed(content: bytes) -> dict[str, Any]:
    """Return the data in a JSON file, without its seal. Older files have none.

    Raises:
        ValueError: it is no JSON, no dictionary, or does not match its seal.

    >>> unsealed(sealed({"runs": 10}))
    {'runs': 10}
    """
    data = json.loads(content)
    if not isinstance(data, dict):
        raise DataError("it is damaged")
    rest = {key: value for key, value in data.items() if key != _SEAL}
    if _SEAL in data and data[_SEAL] != hashlib.sha256(json_bytes(rest)).hexdigest():
        raise DataError("it is damaged: it does not match its seal")
    return rest


def write_file(path: Path, content: bytes) -> None:
    """Write a file atomically.

    Raises:
        OutputError: it cannot be written; an older file is unchanged.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
