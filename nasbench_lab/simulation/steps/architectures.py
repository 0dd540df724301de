"""The architectures of steps: indices in the table's space, given by index or in any notation that is in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nasbench_lab.arrays import IntArray
from nasbench_lab.errors import OutOfSpaceError, ParameterError
from nasbench_lab.messages import shortened, unknown
from nasbench_lab.simulation.steps.columns import StepColumns, first_row
from nasbench_lab.simulation.steps.options import RowName
from nasbench_lab.spaces import Space
from nasbench_lab.tables.importers.columns.naslib import official_notations
from nasbench_lab.tables.importers.columns.space import whole_number
from nasbench_lab.tables.table import Table

_LONGEST_NOTATION = 4096


def find_architectures(table: Table, columns: StepColumns) -> IntArray:
    """Return the index of the architecture of every row.

    Where there are an index and a notation, both must be the same architecture.

    Raises:
        ParameterError: an architecture is missing, not in the space, or given twice differently.
    """
    if "architecture" in columns and "notation" in columns:
        index, noted = _indices(table, columns, "architecture"), _indices(table, columns, "notation")
        different = np.flatnonzero(index != noted)
        if len(different):
            first = int(different[0])
            raise ParameterError(
                f"{columns.row(first)}: architecture {index[first]} of {table.name!r} is not "
                f"{shortened(columns.texts('notation')[first])}; the log numbers architectures in another way, "
                "so leave out the numbers"
            )
        return index
    for name in ("architecture", "notation"):
        if name in columns:
            return _indices(table, columns, name)
    raise ParameterError("there is no column 'architecture' (an index, or the official notation)")


def _indices(table: Table, columns: StepColumns, name: str) -> IntArray:
    space, cells = table.space, columns.cells[name]
    if isinstance(cells, np.ndarray) and cells.dtype.kind in "iu":
        outside = np.flatnonzero((cells < 0) | (cells >= space.size))
        if len(outside):
            first = int(outside[0])
            raise ParameterError(f"{columns.row(first)}: {_not_in(space, int(cells[first]))}")
        return cells.astype(np.int64)
    texts, place = columns.distinct(name)
    found = []
    for position, text in enumerate(texts):
        try:
            found.append(_resolved(space, text))
        except OutOfSpaceError as error:
            raise ParameterError(f"{columns.row(first_row(place, position))}{error}") from None
    return np.array(found, dtype=np.int64)[place]


def _resolved(space: Space, text: str) -> int:
    """Return the index of an architecture; the message of an OutOfSpaceError continues the name of its row."""
    if not text:
        raise OutOfSpaceError(" has no architecture")
    if len(text) > _LONGEST_NOTATION:
        raise OutOfSpaceError(f": {shortened(text)} is no architecture")
    other = official_notations(str(space.spec()["name"]), [text])
    try:
        return space.resolve(other[0] if other else text)
    except OutOfSpaceError as error:
        number = whole_number(text) if space.numbers_are_indices else None
        if number is None:
            raise OutOfSpaceError(f": {error}") from None
        if not 0 <= number < space.size:
            raise OutOfSpaceError(f": {_not_in(space, number)}") from None
        return number  # such as 12.0


def _not_in(space: Space, number: object) -> str:
    return f"architecture {shortened(number)[:40]} is not in 0..{space.size - 1} of space {space.name!r}"


def from_choices(space: Space, choices: Mapping[str, Sequence[str]], row: RowName) -> IntArray | None:
    """Return the architectures of configurations; None if their names are not those of the space's choices.

    Understood are the named choices of the space, and its codes as ``code_0``, ``code_1``, ....

    Args:
        space: the space.
        choices: of each choice, the chosen value in every row.
        row: names a row in messages.

    Returns:
        Indices, shape (rows,); -1 where the codes describe no architecture.

    Raises:
        ParameterError: a value is not one of its choice.
    """
    named = space.named_choices
    codes = [f"code_{number}" for number in range(len(space.cardinalities))]
    if named is not None and set(named.names) <= choices.keys():
        names, values = named.names, named.values
    elif set(codes) <= choices.keys():
        names, values = tuple(codes), tuple(tuple(map(str, range(number))) for number in space.cardinalities)
    else:
        return None
    rows = len(choices[names[0]])
    found = np.empty((rows, len(names)), dtype=np.int64)
    for place, (name, allowed) in enumerate(zip(names, values, strict=True)):
        number = {value: code for code, value in enumerate(allowed)}
        for position, text in enumerate(choices[name]):
            code = number.get(text, number.get(str(whole_number(text)), -1))
            if code < 0:
                raise ParameterError(f"{row(position)}: {unknown(f'value of {name}', text, allowed)}")
            found[position, place] = code
    return space.find(found)
