"""Manifests: what is known of the traces of a finished shard, beside the traces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasbench_lab.suites.planned_simulations import parse_shard_name, simulation_key
from nasbench_lab.suites.sealed_json import unsealed

_KINDS: dict[str, type | tuple[type, ...]] = {
    "shard": str,
    "spec_hash": str,
    "reference": str,
    "setting": dict,
    "first_run": int,
    "runs": int,
    "evaluations": int,
    "bytes": int,
    "sha256": str,
    "wall_seconds": (int, float),
    "versions": dict,
    "platform": str,
}
"""The keys of a manifest, and the types of their values."""

_NEWER = {"arithmetic": str, "code": str}
"""Keys that older manifests lack."""


def read_manifest(path: Path) -> dict[str, Any] | None:
    """Return a manifest; None if there is none, or it is damaged."""
    try:
        data = unsealed(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    kinds = {**_KINDS, **{key: kind for key, kind in _NEWER.items() if key in data}}
    complete = set(data) == set(kinds) and all(isinstance(data[key], kind) for key, kind in kinds.items())
    if not complete or not all(isinstance(each, str) for each in data["versions"].values()):
        return None
    return data if data["shard"] == path.stem else None


def proves_its_name(manifest: Mapping[str, Any]) -> bool:
    """Return whether a manifest is of the simulation and the runs that its name says."""
    named = parse_shard_name(manifest["shard"])
    if named is None or named[1:] != (manifest["first_run"], manifest["runs"]):
        return False
    if manifest["setting"].get("first_run") != manifest["first_run"]:
        return False
    try:
        return simulation_key(manifest["setting"], manifest.get("code", "")) == named[0]
    except (KeyError, TypeError, ValueError):
        return False
