"""Classes for every kind of space, by the name of the space: built-in ones and those of installed packages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from nasbench_lab.errors import ParameterError
from nasbench_lab.plugins import added_names, describe, load_entry_point, warn_of_ignored
from nasbench_lab.spaces import Space

ClassT = TypeVar("ClassT")


@dataclass(frozen=True)
class ClassesBySpace(Generic[ClassT]):
    """The classes of one purpose, one per kind of space.

    Attributes:
        group: entry points with which packages add classes; their names are names of spaces.
        base: class that all of them extend.
        none: what an error says of a space without one, as ``"there are no networks"``.
        built_in: built-in classes by the name of their space.
    """

    group: str
    base: type[Any]
    none: str
    built_in: Mapping[str, type[ClassT]]

    def names(self) -> list[str]:
        """Return the names of the spaces that have a class, sorted."""
        return sorted([*self.built_in, *added_names(self.group, self.built_in)])

    def of(self, space: Space) -> type[ClassT]:
        """Return the class of a space.

        Raises:
            ParameterError: the space has none, or an installed package adds something else.
        """
        if space.name in self.built_in:
            warn_of_ignored(self.group, space.name)
            return self.built_in[space.name]
        if space.name not in self.names():
            raise ParameterError(f"{self.none} for the space {space.name!r}; there are for {', '.join(self.names())}")
        found = load_entry_point(self.group, space.name)
        if not isinstance(found, type) or not issubclass(found, self.base):
            what = describe(self.group, space.name)
            raise ParameterError(f"{what} must name a {self.base.__name__}, but it names {found!r}")
        return found
