"""One table from several with architectures of the same space, such as samples that were trained in turn."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.spaces import Space, SubsetSpace
from nasbench_lab.tables.description import AXES, Description, Metric
from nasbench_lab.tables.table import Table

_Values = NDArray[np.generic]

# What `nasbench_lab.train` writes into the source of every table of its trainings.
_TRAINING = re.compile(r"(Recipe\(.*?\); networks )(.*?)(; data: .*? \(sha256 [0-9a-f]{64}\))", re.DOTALL)
_OPTION = re.compile(r"'\w+': \d+")

_EQUAL = ("fidelities", "metrics", "valid", "test", "cost", "resumable")


def merge(tables: Sequence[Table], *, name: str | None = None, same_training: bool = False) -> Table:
    """Return a table with all architectures and repeats of several tables, in memory.

    The tables have parts of the same space, or all of it. The merged table has the architectures that are in any of
    them; its space is a `nasbench_lab.spaces.SubsetSpace` unless these are all. Repeats with the same name are the
    same repeat. Values that no table has are NaN. An architecture may be in several tables if its values are equal
    there; of metrics in seconds, which differ whenever the same training is done again, the first table's count.

    Args:
        tables: at least two.
        name: name of the merged table; by default that of the first.
        same_training: whether to trust that all were measured with the same recipe and data. By default, their sources
            must say so.

    Raises:
        ParameterError: the tables have different spaces, fidelities, metrics, recipes or data, or different values of
            the same training; or they were not measured.

    >>> import nasbench_lab as nl
    >>> from nasbench_lab.tables import subset
    >>> table = nl.load("digits/chain")
    >>> both = merge([subset(table, range(30)), subset(table, range(20, 60))], name="both")
    >>> both.space.size, bool(np.array_equal(both.values("valid_accuracy"), table.values("valid_accuracy")[:60]))
    (60, True)
    """
    if len(tables) < 2:
        raise ParameterError(f"at least two tables are needed to merge them, got {len(tables)}")
    _check_alike(tables, same_training=same_training)
    members = np.unique(np.concatenate([_members(table) for table in tables]))
    repeats = tuple(dict.fromkeys(repeat for table in tables for repeat in table.description.repeats))
    lengths = dict(zip(AXES, (len(members), len(tables[0].fidelities), len(repeats)), strict=True))
    parts = [_Part(table, np.searchsorted(members, _members(table)), repeats) for table in tables]
    space = _parent(tables[0])

    def joined(metric: Metric, axes: tuple[str, ...], values: Callable[[Table, str], _Values | None]) -> _Values | None:
        given = [(part, array) for part in parts if (array := values(part.table, metric.name)) is not None]
        if not given:
            return None
        kind = np.result_type(*(array.dtype for _, array in given))
        shape = [lengths[axis] for axis in axes]
        result = np.full(shape, np.nan, kind if kind.kind == "f" else np.float64)
        for part, array in given:
            _enter(result, part, array, axes, metric, lambda row: space.format(int(members[row])))
        return result

    metrics = tables[0].description.metrics
    arrays = {metric.name: joined(metric, metric.axes, Table.values) for metric in metrics}
    means = {metric.name: joined(metric, AXES[:2], Table.published_means) for metric in metrics}
    whole = len(members) == space.size
    described = dataclasses.replace(
        _described(tables, name), space=space.spec() if whole else SubsetSpace(space, members).spec(), repeats=repeats
    )
    return Table(described, _present(arrays.items()), _present(means.items()))


@dataclasses.dataclass(frozen=True)
class _Part:
    """One of the tables, its rows in the merged table, and the names of the repeats there."""

    table: Table
    rows: IntArray
    all_repeats: tuple[str, ...]

    @property
    def repeats(self) -> list[int]:
        """Positions of the repeats in the merged table."""
        return [self.all_repeats.index(repeat) for repeat in self.table.description.repeats]


def _enter(
    result: _Values, part: _Part, array: _Values, axes: tuple[str, ...], metric: Metric, label: Callable[[int], str]
) -> None:
    """Enter the values of one table; those that are there already must be equal, or seconds."""
    every = [part.rows]
    if "fidelity" in axes:
        every.append(np.arange(array.shape[1]))
    if "repeat" in axes:
        every.append(np.array(part.repeats))
    place = np.ix_(*every)
    before = result[place]
    there = ~np.isnan(before)
    if metric.unit != "s":
        differs = there & ~np.isnan(array) & (before != array)
        if differs.any():
            first = tuple(np.argwhere(differs)[0])
            raise ParameterError(
                f"{metric.name} of {label(int(part.rows[first[0]]))} is {before[first]:.6g} in an earlier table and "
                f"{array[first]:.6g} in {part.table.name!r}; the same training must have the same values"
            )
    result[place] = np.where(there, before, array)


def _parent(table: Table) -> Space:
    return table.space.parent or table.space


def _members(table: Table) -> IntArray:
    """Return the indices in the whole space of the architectures of a table, ascending."""
    return table.space.in_parent(np.arange(table.space.size))


def _present(arrays: Iterable[tuple[str, _Values | None]]) -> dict[str, _Values]:
    return {name: array for name, array in arrays if array is not None}


def _check_alike(tables: Sequence[Table], *, same_training: bool) -> None:
    """Raise ParameterError unless all tables can be parts of one."""
    first = tables[0]
    for table in tables:
        if table.kind != "measured":
            raise ParameterError(f"only measured tables can be merged; {table.name!r} is a {table.kind} table")
    for other in tables[1:]:
        if _parent(first).spec() != _parent(other).spec():
            raise _different("spaces", first, other, *(_parent(each).name for each in (first, other)))
        for field, one, two in _differences(first.description, other.description):
            raise _different(field, first, other, one, two)
        if not same_training:
            _check_training(first, other)


def _differences(first: Description, other: Description) -> Iterator[tuple[str, str, str]]:
    for field in _EQUAL:
        one, two = getattr(first, field), getattr(other, field)
        if one == two:
            continue
        if field == "metrics":
            differing = sorted({metric.name for metric in set(one) ^ set(two)}) or ["their order"]
            yield f"metrics ({', '.join(differing)})", "", ""
        else:
            yield field, str(one), str(two)


def _different(what: str, first: Table, other: Table, one: str, two: str) -> ParameterError:
    details = f": {one} and {two}" if one != two else ""
    return ParameterError(f"tables {first.name!r} and {other.name!r} have different {what}{details}")


def _check_training(first: Table, other: Table) -> None:
    one, two = (training_of(table.description) for table in (first, other))
    if one is None or two is None:
        silent = first if one is None else other
        if first.description.source == other.description.source != "":
            return
        raise ParameterError(
            f"the source of table {silent.name!r} does not say how it was trained; give same_training "
            "(--same-training) if recipe and data of all tables are equal"
        )
    if one != two:
        pieces = [text.split("; networks ") for text in (one, two)]
        what = "recipes" if pieces[0][0] != pieces[1][0] else "networks or data"
        raise _different(what, first, other, "", "")


def training_of(description: Description) -> str | None:
    """Return what the source of a table says about recipe, networks and data; None if it does not say it.

    The options of networks are sorted, as builds and live searches write them in the order in which they were given.

    >>> import nasbench_lab as nl
    >>> training_of(nl.load("digits/chain").description)[:22]
    "Recipe(name='digits', "
    """
    found = _TRAINING.search(description.source)
    if found is None:
        return None
    recipe, networks, data = found.groups()
    options = sorted(_OPTION.findall(networks))
    listed = ", ".join(options)
    return f"{recipe}{f'with {{{listed}}}' if options else networks}{data}"


def _described(tables: Sequence[Table], name: str | None) -> Description:
    """Return the description of the merged table, apart from its space and repeats."""
    every = [table.description for table in tables]

    def texts(field: str, separator: str) -> str:
        return separator.join(dict.fromkeys(text for each in every if (text := getattr(each, field))))

    return dataclasses.replace(
        every[0],
        name=every[0].name if name is None else name,
        licence=texts("licence", " AND "),
        citation=texts("citation", "\n"),
        source=texts("source", " | "),
        notes=tuple(dict.fromkeys(note for each in every for note in each.notes)),
    )
