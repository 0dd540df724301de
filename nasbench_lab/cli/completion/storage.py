"""The file of the snapshot in the cache, and whether it is up to date. Imports nothing heavy."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parents[2]
_SOURCES = ("cli", "cli/completion", "strategies", "suites", "suites/builtin", "tables", "tables/importers")
"""Folders with files that decide what can be completed."""


def read() -> dict[str, Any] | None:
    """Return the snapshot, or None if there is none or it is out of date."""
    try:
        snapshot = json.loads(_path().read_bytes())
        return snapshot if snapshot["key"] == _key() else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def store(snapshot: dict[str, Any]) -> None:
    """Write the snapshot. If that fails, the next answer is slow again."""
    with contextlib.suppress(OSError):
        path = _path()
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps({**snapshot, "key": _key()}))
        part.replace(path)


def _path() -> Path:
    """Return the path of the snapshot: each copy of the package in each environment has its own."""
    from nasbench_lab.cache import cache_folder

    place = hashlib.sha256(f"{_PACKAGE}\n{sys.prefix}".encode()).hexdigest()[:16]
    return cache_folder() / "completion" / f"{place}.json"


def _key() -> str:
    """Return what changes when an edit of the package, or an installation, may change the completions."""
    return hashlib.sha256("\n".join(_times()).encode()).hexdigest()


def _times() -> Iterator[str]:
    yield sys.version
    for folder in _SOURCES:
        with contextlib.suppress(OSError), os.scandir(_PACKAGE / folder) as entries:
            yield from sorted(f"{each.path} {each.stat().st_mtime_ns}" for each in entries if each.is_file())
    for folder in sys.path:  # an installation changes the folder of packages
        if folder.endswith("-packages"):
            with contextlib.suppress(OSError):
                yield f"{folder} {os.stat(folder).st_mtime_ns}"  # noqa: PTH116 - faster than a path
