"""Entry points: objects that installed packages add to this package under a name."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from nasbench_lab.errors import ParameterError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


@functools.cache
def entry_points(group: str) -> dict[str, tuple[EntryPoint, ...]]:
    """Return the entry points of a group by name. A name has several if several packages add it."""
    from importlib.metadata import entry_points as installed  # slow to import, and rarely needed

    found: dict[str, tuple[EntryPoint, ...]] = {}
    for entry in installed(group=group):
        found[entry.name] = (*found.get(entry.name, ()), entry)
    return found


def added_names(group: str, built_in: Collection[str] = ()) -> list[str]:
    """Return the names that packages add to a group, without built-in names, which cannot be replaced."""
    return [name for name in entry_points(group) if name not in built_in]


def warn_of_ignored(group: str, name: str) -> None:
    """Warn if a package adds a built-in name, which cannot be replaced."""
    for message in ignored(group, [name]):
        warnings.warn(message, stacklevel=3)


def ignored(group: str, built_in: Collection[str]) -> list[str]:
    """Return one message for each entry point that adds a built-in name."""
    return [
        f"{describe(group, name)} is ignored, as {name!r} is a built-in name; its package must choose another"
        for name in entry_points(group)
        if name in built_in
    ]


def load_entry_point(group: str, name: str) -> Any:
    """Import and return the object that a package adds under a name.

    Raises:
        ParameterError: the object cannot be imported, or several packages add the name.
    """
    first, *others = entry_points(group)[name]
    if any(other.value != first.value for other in others):
        packages = ", ".join(sorted({entry.dist.name if entry.dist else entry.value for entry in (first, *others)}))
        raise ParameterError(f"several packages add {name!r} to group {group!r}: {packages}")
    try:
        return first.load()
    except (Exception, SystemExit) as error:  # the other package may raise anything
        raise ParameterError(f"{describe(group, name)} cannot be loaded: {error!r}") from error


def describe(group: str, name: str) -> str:
    """Return the description of an entry point for messages.

    >>> describe("nasbench_lab.spaces", "no-such-space")
    "the entry point 'no-such-space' in group 'nasbench_lab.spaces'"
    """
    package = next((entry.dist.name for entry in entry_points(group).get(name, ()) if entry.dist), None)
    return f"the entry point {name!r} in group {group!r}" + (f" (package {package})" if package else "")
