"""The search space of the architectures in a file, and the index of each architecture."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nasbench_lab import spaces
from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import DataError, OutOfSpaceError, ParameterError
from nasbench_lab.messages import unknown
from nasbench_lab.spaces.listed import ListedChoicesSpace
from nasbench_lab.spaces.named_choices import MOST_VALUES, Choices, label
from nasbench_lab.tables.importers.columns.hints import option
from nasbench_lab.tables.importers.columns.naslib import official_notations
from nasbench_lab.tables.importers.columns.options import ColumnOptions, KeyColumns
from nasbench_lab.tables.importers.columns.rows import Distinct

_BATCH = 4096
_FREE_COMBINATIONS = 2**22
_MOST_COMBINATIONS = 100  # per architecture of the file
_INDEX = re.compile(r"0|[1-9][0-9]{0,17}")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_RECOGNISED = {"|": {"name": "topology"}, "Arch([": {"name": "gnn"}}
_HASH = re.compile(r"[0-9a-fA-F]{32}")


@dataclasses.dataclass(frozen=True)
class Architectures:
    """The architectures of a file.

    Attributes:
        space: specification of the search space.
        index: index of every distinct cell, in the order of `Distinct`.
        from_naslib: whether the architectures are tuples of NASLib.
    """

    space: dict[str, Any]
    index: IntArray
    from_naslib: bool = False


def find_architectures(file: str, cells: Distinct, keys: KeyColumns, options: ColumnOptions) -> Architectures:
    """Find the space of the architectures of a file, and their indices in it.

    Args:
        file: name of the file, for messages.
        cells: the distinct architectures: tuples of one text, or of one text per choice.
        keys: the columns of the architecture.
        options: the options of the user; ``space`` is used.

    Raises:
        DataError: a cell is not an architecture of the space, or the space would be far larger than the file.
        ParameterError: the space must be named, or does not fit the columns.
        UnknownNameError: the space is unknown.
    """
    rows: list[tuple[str, ...]] = cells.values  # type: ignore[assignment]
    wanted = options.space
    spec = {"name": wanted} if isinstance(wanted, str) else dict(wanted) if wanted else _guess(rows, keys)
    if spec == {"name": "listed"} and len(keys.architecture) == 1:
        return _named([row[0] for row in rows])
    if spec in ({"name": "listed"}, {"name": "choices"}):
        return _chosen(rows, keys.architecture, listed=spec == {"name": "listed"})
    space = spaces.make_space(spec)
    if len(keys.architecture) == 1 and not _is_choice(space, keys.architecture[0]):
        texts = [row[0] for row in rows]
        official = official_notations(spec["name"], texts)
        return _sampled(space, _parsed(file, space, official or texts, cells.rows), from_naslib=bool(official))
    if space.named_choices is None:
        raise ParameterError(
            f"architectures of space {space.name!r} must be in one column, got {len(keys.architecture)}"
        )
    return _sampled(space, _combined(file, space, space.named_choices, rows, keys.architecture, cells.rows))


def _sampled(space: spaces.Space, index: IntArray, *, from_naslib: bool = False) -> Architectures:
    """Return architectures of a space; of a large one, the table is about those of the file only.

    They stay architectures of that space, so a surrogate that is fitted to them answers for all of it.
    """
    if space.size > max(_FREE_COMBINATIONS, _MOST_COMBINATIONS * len(index)):
        members, index = np.unique(index, return_inverse=True)
        space = spaces.SubsetSpace(space, members)
    return Architectures(dict(space.spec()), index.astype(np.int64), from_naslib)


def whole_number(text: str) -> int | None:
    """Return the whole number in a cell, in any notation, or None.

    >>> [whole_number(text) for text in ("12", "12.0", "1e2", "12.5", "a")]
    [12, 12, 100, None, None]
    """
    if _WHOLE.fullmatch(text):
        return int(text) if len(text) < 1000 else None
    number = _number(text)
    return int(number) if number is not None and number.is_integer() else None


def ordered(texts: Sequence[str]) -> list[str]:
    """Return distinct texts in the order in which spaces list them: by number if all are numbers, else as text.

    >>> ordered(["10", "9", "1"]), ordered(["b10", "b9"])
    (['1', '9', '10'], ['b10', 'b9'])
    """
    numbers = [_number(text) for text in texts]
    if any(number is None for number in numbers):
        return sorted(texts)
    # Compare whole numbers exactly, as large ones do not fit into floating point.
    exact = {text: whole_number(text) for text in texts}
    return sorted(texts, key=lambda text: (_number(text) if exact[text] is None else exact[text], text))


def _guess(rows: Sequence[tuple[str, ...]], keys: KeyColumns) -> dict[str, Any]:
    """Return the space of the architectures, judged by the texts alone."""
    if len(keys.architecture) > 1:
        return {"name": "choices"}
    texts = [row[0] for row in rows]
    for start, spec in _RECOGNISED.items():
        if all(text.startswith(start) for text in texts):
            return dict(spec)
    if all(map(_HASH.fullmatch, texts)):
        return {"name": "cell101"}
    if all(whole_number(text) is not None for text in texts):
        raise ParameterError(
            f"column {keys.architecture[0]!r} has numbers; if they are indices, name the search space, for example "
            f"{option('space', 'topology')}; if they are names, pass {option('space', 'listed')}"
        )
    return {"name": "listed"}


def _named(texts: Sequence[str]) -> Architectures:
    """Return architectures given by name only."""
    names = ordered(texts)
    place = {name: index for index, name in enumerate(names)}
    try:
        spec = dict(spaces.ListedSpace(names).spec())
    except ParameterError as error:
        raise DataError(f"the names of the architectures are not allowed: {error}") from error
    return Architectures(spec, np.array([place[text] for text in texts], dtype=np.int64))


def _chosen(rows: Sequence[tuple[str, ...]], names: Sequence[str], *, listed: bool) -> Architectures:
    """Return architectures given by choices; the values of a choice are the values in the file."""
    columns = [labels(column) for column in zip(*rows, strict=True)]
    values = [ordered(list(dict.fromkeys(column))) for column in columns]
    for name, different in zip(names, values, strict=True):
        if len(different) > MOST_VALUES:
            raise DataError(
                f"choice {name!r} has {len(different)} values; at most {MOST_VALUES} are allowed; "
                f"if it names architectures, give it as the only column, with {option('space', 'listed')}"
            )
    try:
        choices = Choices(list(zip(names, values, strict=True)))
    except ParameterError as error:
        raise DataError(f"the choices of the file are not allowed: {error}") from error
    codes = _codes(choices, columns)
    if listed:
        listing = ListedChoicesSpace.of(choices.spec(), codes)
        return Architectures(dict(listing.spec()), listing.index(codes))
    space = spaces.ChoicesSpace(choices.spec())
    return _sampled(space, space.index(codes))


def labels(column: Sequence[str]) -> list[str]:
    """Return the values of a choice; if all are numbers, different notations of a number are the same value."""
    numbers = {text: _number(text) for text in set(column)}
    if any(number is None for number in numbers.values()):
        return list(column)
    known = {text: str(exact) if (exact := whole_number(text)) is not None else label(float(text)) for text in numbers}
    return [known[text] for text in column]


def _codes(choices: Choices, columns: Sequence[Sequence[str]]) -> IntArray:
    """Return the codes of architectures given by columns of values, shape (architectures, choices)."""
    codes = np.empty((len(columns[0]), len(columns)), dtype=np.int64)
    for position, (values, column) in enumerate(zip(choices.values, columns, strict=True)):
        place = {value: code for code, value in enumerate(values)}
        codes[:, position] = [place[value] for value in column]
    return codes


def _is_choice(space: spaces.Space, column: str) -> bool:
    """Return whether a column has the values of a space's only choice, not architectures in its notation."""
    return space.named_choices is not None and space.named_choices.names == (column,)


def _combined(
    file: str,
    space: spaces.Space,
    choices: Choices,
    rows: Sequence[tuple[str, ...]],
    columns: Sequence[str],
    numbers: Sequence[int],
) -> IntArray:
    """Return the indices of architectures given by the values of the choices of a known space."""
    names = choices.names
    if sorted(columns) != sorted(names):
        raise ParameterError(
            f"the choices of the space are {', '.join(names)}, but the columns are {', '.join(columns)}"
        )
    codes = np.empty((len(rows), len(names)), dtype=np.int64)
    for position, (name, values) in enumerate(zip(names, choices.values, strict=True)):
        place = {_plain(value): code for code, value in enumerate(values)}
        column = [row[columns.index(name)] for row in rows]
        codes[:, position] = [place.get(_plain(cell), -1) for cell in column]
        if -1 in codes[:, position]:
            wrong = codes[:, position].tolist().index(-1)
            problem = unknown("value", column[wrong], values)
            raise DataError(f"row {numbers[wrong]} of {file}, column {name!r}: {problem}")
    try:
        return space.index(codes)
    except OutOfSpaceError:
        return _one_by_one(file, space.index, list(codes), numbers)


def _plain(value: str) -> str:
    """Return a normalised text of a value, the same for all notations of a number."""
    exact = whole_number(value)
    if exact is not None:
        return str(exact)
    number = _number(value)
    return value if number is None else label(number)


def _parsed(file: str, space: spaces.Space, texts: list[str], numbers: Sequence[int]) -> IntArray:
    """Return the indices of architectures in official notation; whole numbers are indices if no notation fits."""
    parts = []
    for first in range(0, len(texts), _BATCH):
        batch = texts[first : first + _BATCH]
        try:
            parts.append(np.asarray(space.parse(batch)))
        except OutOfSpaceError:
            if space.numbers_are_indices and all(map(_INDEX.fullmatch, texts)):
                return _indices(file, space, texts, numbers)
            _one_by_one(file, space.parse, batch, numbers[first:])
            raise
    return np.concatenate(parts)


def _indices(file: str, space: spaces.Space, texts: Sequence[str], numbers: Sequence[int]) -> IntArray:
    index = [int(text) for text in texts]
    for value, number in zip(index, numbers, strict=True):
        if value >= space.size:
            raise DataError(f"row {number} of {file}: architecture index {value} is not in 0..{space.size - 1}")
    return np.array(index, dtype=np.int64)


def _one_by_one(
    file: str, function: Callable[[Any], Any], architectures: Sequence[Any], numbers: Sequence[int]
) -> IntArray:
    """Apply a function to each architecture; DataError with the row number if it refuses one."""
    found = []
    for architecture, number in zip(architectures, numbers, strict=False):
        try:
            found.append(int(function(architecture)))
        except OutOfSpaceError as error:
            raise DataError(f"row {number} of {file}: {error}") from error
    return np.array(found, dtype=np.int64)


def _number(text: str) -> float | None:
    """Return the finite number in a cell, or None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None
