"""Print the lowest versions that `pyproject.toml` declares, as a requirements file for pip.

`make test-lowest` installs exactly these and runs the tests with them. They are read from `pyproject.toml` and written
nowhere else, so that they cannot disagree with it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

PROJECT = Path(__file__).parent.parent / "pyproject.toml"

_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)\s*(?P<extras>\[[^\]]*\])?\s*(?:>=|==)\s*(?P<lowest>[0-9][0-9.]*)"
    r"\s*(?:,[^;]*)?(?P<marker>;.*)?"
)


def lowest(requirements: Iterable[str]) -> list[str]:
    """Pin every requirement to its lower bound.

    Args:
        requirements: as in `pyproject.toml`. Each needs a lower bound, ``>=`` or ``==``, before any other.

    Returns:
        One pin per package, in alphabetical order. A package that occurs with two bounds gets the higher one.

    >>> lowest(["numpy>=2.0", "dask[distributed]>=2024.8,<2030", "Numpy>=2.1"])
    ['dask[distributed]==2024.8', 'numpy==2.1']
    """
    pins: dict[str, tuple[tuple[int, ...], str]] = {}
    for requirement in requirements:
        found = _REQUIREMENT.fullmatch(requirement)
        if found is None:
            raise SystemExit(f"{PROJECT.name}: {requirement!r} has no lower bound")
        name = re.sub(r"[-_.]+", "-", found["name"]).lower()
        version = tuple(int(part) for part in found["lowest"].strip(".").split("."))
        line = f"{name}{found['extras'] or ''}=={found['lowest']}{found['marker'] or ''}"
        pins[name] = max(pins.get(name, (version, line)), (version, line))
    return [line for _, (_, line) in sorted(pins.items())]


def declared(project: Path = PROJECT) -> list[str]:
    """Return all dependencies of the project: what builds it, what it needs, and every extra."""
    data = tomllib.loads(project.read_text(encoding="utf-8"))
    needed = [*data["build-system"]["requires"], *data["project"]["dependencies"]]
    return [*needed, *(each for extra in data["project"]["optional-dependencies"].values() for each in extra)]


if __name__ == "__main__":
    print("\n".join(lowest(declared())))
