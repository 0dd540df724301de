"""The columns of steps: their names, and their cells as numbers or texts, whatever holds them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import FloatArray, IntArray
from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import shortened, unknown
from nasbench_lab.simulation.steps.options import RowName, row_number
from nasbench_lab.tables.importers.columns.cells import Cells, NotANumberError, numbers
from nasbench_lab.tables.importers.columns.cells import texts as texts_of
from nasbench_lab.tables.importers.columns.space import whole_number

NAMES = (
    "strategy",
    "table",
    "run",
    "step",
    "architecture",
    "notation",
    "value",
    "seconds",
    "fidelity",
    "repeat",
    "training",
)
"""Names of the columns of steps, in the order of the documentation."""

_SYNONYMS = {"observed": "value"}
"""Other names, as `Trace.records` writes them."""

_DERIVED = frozenset({"incumbent", "regret_observed", "regret_valid", "regret_test"})
"""Columns of `Trace.records` that follow from the others; they are computed again."""

MISSING_TEXTS = frozenset({"", "na", "n/a", "nan", "none", "null", "<na>"})


@dataclasses.dataclass(frozen=True)
class StepColumns:
    """The columns of steps.

    Attributes:
        cells: of each column, texts or numbers, shape (rows,).
        row: names a row in messages.
        ignored: columns of the source that are not used, except those that follow from others.
    """

    cells: Mapping[str, Cells]
    row: RowName = row_number
    ignored: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.cells.values()), ()))

    def __contains__(self, name: str) -> bool:
        return name in self.cells

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> StepColumns:
        """Return some of the rows."""
        chosen = np.asarray(rows, dtype=np.int64)
        cells: dict[str, Cells] = {
            name: column[chosen] if isinstance(column, np.ndarray) else [column[place] for place in chosen.tolist()]
            for name, column in self.cells.items()
        }
        return StepColumns(cells, lambda position: self.row(int(chosen[position])), self.ignored)

    def without(self, *names: str) -> StepColumns:
        """Return the other columns."""
        return dataclasses.replace(self, cells={key: cell for key, cell in self.cells.items() if key not in names})

    def numbers(self, name: str) -> FloatArray:
        """Return a column as finite numbers, NaN where a cell is empty.

        Raises:
            ParameterError: a cell is something else.
        """
        try:
            return numbers(self.cells[name])
        except NotANumberError as error:
            where = self.row(error.position)
            raise ParameterError(f"{where}: {name} must be a finite number, got {shortened(error.cell)}") from None

    def distinct(self, name: str) -> tuple[list[str], IntArray]:
        """Return the different texts of a column in order of appearance, and the position of each row's text.

        The text of a missing cell is empty.
        """
        column = self.cells[name]
        if isinstance(column, np.ndarray):
            _, first, place = np.unique(column, return_index=True, return_inverse=True)
            order = np.argsort(first)
            rank = np.empty(len(order), dtype=np.int64)
            rank[order] = np.arange(len(order))
            return texts_of(column[first[order]]), rank[place.reshape(-1)]
        known: dict[str, int] = {}
        found = np.fromiter((known.setdefault(cell, len(known)) for cell in column), np.int64, len(column))
        cleaned = ["" if cell.strip().lower() in MISSING_TEXTS else cell.strip() for cell in known]
        different = {text: place for place, text in enumerate(dict.fromkeys(cleaned))}
        return list(different), np.array([different[text] for text in cleaned], dtype=np.int64)[found]

    def whole_numbers(self, name: str) -> tuple[list[int], IntArray]:
        """Return the different whole numbers of a column, ascending and of any size, and the position of each row's.

        Raises:
            ParameterError: a cell is something else.
        """
        texts, place = self.distinct(name)
        numbers = [whole_number(text) for text in texts]
        for position, (text, number) in enumerate(zip(texts, numbers, strict=True)):
            if number is None:
                row = self.row(first_row(place, position))
                raise ParameterError(f"{row}: {name} must be a whole number, got {shortened(text)}")
        known = [number for number in numbers if number is not None]
        rank = {number: position for position, number in enumerate(sorted(set(known)))}
        return list(rank), np.array([rank[number] for number in known], dtype=np.int64)[place]

    def texts(self, name: str) -> list[str]:
        """Return a column as texts; empty where a cell is missing."""
        texts, place = self.distinct(name)
        return [texts[position] for position in place.tolist()]

    def is_empty(self, name: str) -> bool:
        """Return whether a column is missing, or has no value in any row."""
        column = self.cells.get(name, [])
        if isinstance(column, np.ndarray):
            return bool((column != column).all())
        return all(cell.strip().lower() in MISSING_TEXTS for cell in column)


def first_row(place: IntArray, position: int) -> int:
    """Return the first row of a distinct text, see `StepColumns.distinct`."""
    return int(np.argmax(place == position))


def step_columns(steps: Any, renamed: Mapping[str, str] | None = None, row: RowName = row_number) -> StepColumns:
    """Return the columns of a mapping, a data frame of pandas or Polars, an Arrow table, or `Records`.

    Args:
        steps: the source. Columns of shape (runs, steps) give the run and the step by their axes; there, the
            architecture is -1, or an empty text, after the end of a run.
        renamed: for some names of `NAMES`, the name of the column in the source.
        row: names a row in messages.

    Raises:
        ParameterError: there are no columns, or they do not fit together.
        UnknownNameError: a renamed column does not exist.
    """
    names = [str(name) for name in _names(steps)]
    given = {name: _as_array(steps, name) for name in names}
    matrix = any(array.ndim == 2 for array in given.values())
    arrays = _flattened(given) if matrix else given
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ParameterError(
            f"the columns have different lengths: {', '.join(f'{n}: {k}' for n, k in lengths.items())}"
        )
    places = columns_by_name(list(arrays), renamed or {})
    cells = {name: _cells(place, arrays[place]) for name, place in places.items()}
    return StepColumns(cells, row, ignored_of(list(arrays), places))


def columns_by_name(names: Sequence[str], renamed: Mapping[str, str]) -> dict[str, str]:
    """Return for each known name of a column its name in the source.

    Raises:
        UnknownNameError: a renamed column does not exist, or is renamed to an unknown name.
        ParameterError: two columns have one meaning.
    """
    for name, source in renamed.items():
        if name not in NAMES:
            raise unknown("column", name, NAMES)
        if source not in names:
            raise unknown("column of the log", source, names)
    found = dict(renamed)
    for name in names:
        known = _SYNONYMS.get(name, name)
        if known in NAMES and known not in renamed and name not in renamed.values():
            if known in found:
                raise ParameterError(f"columns {found[known]!r} and {name!r} mean the same; remove one of them")
            found[known] = name
    return found


def ignored_of(names: Iterable[str], places: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of a source that are not used."""
    used = set(places.values())
    return tuple(name for name in names if name and name not in used and name not in _DERIVED)


def _names(steps: Any) -> Iterable[Any]:
    """Return the names of the columns of a source."""
    for attribute in ("column_names", "columns"):  # Arrow; pandas, Polars and Records
        if hasattr(steps, attribute):
            return list(getattr(steps, attribute))
    if isinstance(steps, Mapping):
        return list(steps)
    raise ParameterError(f"steps must be columns by name, such as a dictionary or a data frame, got {shortened(steps)}")


def _as_array(steps: Any, name: str) -> NDArray[Any]:
    columns = steps.columns if isinstance(getattr(steps, "columns", None), Mapping) else steps  # of Records
    column = columns[name]
    try:
        array = np.asarray(column.tolist() if hasattr(column, "positions") else column)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"column {name!r} is not an array: {error}") from error
    if array.ndim not in (1, 2):
        raise ParameterError(f"column {name!r} must be an array with one or two axes, got shape {array.shape}")
    return array


def _flattened(given: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return columns of shape (runs, steps) as columns of shape (rows,), with run and step."""
    shapes = {name: array.shape for name, array in given.items()}
    if len(set(shapes.values())) > 1:
        raise ParameterError(f"the columns have different shapes: {', '.join(f'{n}: {k}' for n, k in shapes.items())}")
    if "architecture" not in given or {"run", "step"} & given.keys():
        raise ParameterError("columns of shape (runs, steps) must include architecture, and neither run nor step")
    architecture = given["architecture"]
    numeric = architecture.dtype.kind in "iuf"
    there = np.vectorize(lambda cell: bool(_text(cell)), otypes=[bool])
    happened = architecture >= 0 if numeric else there(architecture)
    gaps = (~happened[:, :-1] & happened[:, 1:]).any(axis=1)
    if gaps.any():
        raise ParameterError(f"run {int(gaps.argmax())} has an evaluation after a step without an architecture")
    runs, steps = np.nonzero(happened)
    return {"run": runs, "step": steps, **{name: array[happened] for name, array in given.items()}}


def _cells(name: str, array: NDArray[Any]) -> Cells:
    """Return the cells of an array: numbers, or texts."""
    if array.dtype.kind in "iuf":
        return array
    if array.dtype.kind in "OSU":
        return [_text(cell) for cell in array.tolist()]
    raise ParameterError(f"column {name!r} must have numbers or texts, not {array.dtype}")


def _text(cell: Any) -> str:
    """Return a cell of an array of objects as text; empty where it is missing."""
    if isinstance(cell, str):
        return "" if cell.strip().lower() in MISSING_TEXTS else cell.strip()
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return ""
    if isinstance(cell, float | np.floating):
        return "" if cell != cell else repr(float(cell))
    if isinstance(cell, bytes):
        return cell.decode(errors="replace")
    return _whole_text(cell)


def _whole_text(cell: Any) -> str:
    try:
        return str(cell)
    except ValueError:  # Python refuses to write integers of more than some thousand digits
        return "an integer with thousands of digits"
