"""Records: named columns of equal length, and their forms in other libraries: pandas, Arrow, CSV and Parquet."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, final

import numpy as np
from numpy.typing import NDArray

from nasbench_lab.arrays import IntArray
from nasbench_lab.displays import html_table, short_number
from nasbench_lab.errors import ParameterError
from nasbench_lab.files import atomic_path

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_ROWS_AT_ONCE = 2**16
_SHOWN_ROWS = 10


@final
@dataclass(frozen=True, eq=False)
class Categories:
    """A column of texts that repeat: texts for pandas, a dictionary for Arrow.

    Attributes:
        positions: of each row's text in ``values``; -1 for a missing text, shape (rows,).
        values: the different texts.
    """

    positions: IntArray
    values: tuple[str, ...]

    @classmethod
    def constant(cls, text: str, rows: int) -> Categories:
        """Return a column with the same text in every row."""
        return cls(np.zeros(rows, dtype=np.int64), (text,))

    @classmethod
    def of(cls, texts: Sequence[str]) -> Categories:
        """Return a column of texts, with different texts in order of appearance."""
        number = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        return cls(np.array([number[text] for text in texts], dtype=np.int64), tuple(number))

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, rows: slice) -> Categories:
        return Categories(self.positions[rows], self.values)

    def tolist(self) -> list[str | None]:
        """Return the texts, None for a missing text."""
        texts = (*self.values, None)
        return [texts[place] for place in self.positions.tolist()]


Column = NDArray[Any] | Categories
"""A column: numbers (NaN for a missing one), truth values, or texts."""


@final
@dataclass(frozen=True, eq=False)
class Records:
    """Named columns of equal length, in order.

    Attributes:
        columns: the columns by name, each of shape (rows,).
        units: units of the columns that have one, e.g. ``{"seconds": "s"}``.

    >>> records = Records({"run": np.array([0, 1]), "regret": np.array([0.5, np.nan])}, {"regret": "percent"})
    >>> len(records), records.to_dict()
    (2, {'run': [0, 1], 'regret': [0.5, nan]})
    >>> print(records.to_csv(), end="")
    run,regret
    0,0.5
    1,
    """

    columns: Mapping[str, Column]
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len({len(column) for column in self.columns.values()}) > 1:
            lengths = ", ".join(f"{name}: {len(column)}" for name, column in self.columns.items())
            raise ValueError(f"columns must have the same length ({lengths})")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    @classmethod
    def stack(cls, parts: Sequence[Records]) -> Records:
        """Return the rows of all parts, one part below the other.

        A column that a part lacks is missing in its rows: NaN (whole numbers become fractions), or no text.

        >>> one, other = Records({"a": np.array([1])}), Records({"b": Categories.of(["x"])})
        >>> Records.stack([one, other]).to_dict()
        {'a': [1.0, nan], 'b': [None, 'x']}
        """
        names = dict.fromkeys(name for part in parts for name in part.columns)
        units = {name: unit for part in parts for name, unit in part.units.items()}
        return cls({name: _joined([(part.columns.get(name), len(part)) for part in parts]) for name in names}, units)

    def to_dict(self) -> dict[str, list[Any]]:
        """Return the columns as lists."""
        return {name: column.tolist() for name, column in self.columns.items()}

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas data frame, with the units in ``frame.attrs["units"]``.

        Raises:
            ParameterError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ParameterError("data frames need pandas: pip install 'nasbench-lab[pandas]'") from error
        frame = pd.DataFrame(
            {
                # Not as categories: those have no order, and two frames with different ones do not compare.
                name: np.array([*column.values, None], dtype=object)[column.positions]
                if isinstance(column, Categories)
                else column
                for name, column in self.columns.items()
            }
        )
        frame.attrs["units"] = dict(self.units)
        return frame

    def to_arrow(self) -> pa.Table:
        """Return an Arrow table, without pandas. Repeating texts are dictionaries; units are in the fields' metadata.

        Raises:
            ParameterError: pyarrow is not installed.
        """
        try:
            import pyarrow as pa
        except ImportError as error:
            raise ParameterError("Arrow and Parquet need pyarrow: pip install 'nasbench-lab[parquet]'") from error
        arrays = [_arrow(column) for column in self.columns.values()]
        fields = [
            pa.field(name, array.type, metadata={"unit": self.units[name]} if name in self.units else None)
            for name, array in zip(self.columns, arrays, strict=True)
        ]
        return pa.Table.from_arrays(arrays, schema=pa.schema(fields))

    def to_parquet(self, path: str | os.PathLike[str]) -> Path:
        """Write a Parquet file, atomically, and return its path.

        Raises:
            ParameterError: pyarrow is not installed.
            OutputError: the file cannot be written.
        """
        table, target = self.to_arrow(), Path(path)
        from pyarrow import parquet

        with atomic_path(target) as temporary:
            parquet.write_table(table, temporary, compression="zstd")
        return target

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str | Path:
        """Write a CSV file, atomically, and return its path; without a path, return the text.

        Numbers are written so that reading them gives the same numbers. A missing value is empty.

        Raises:
            OutputError: the file cannot be written.
        """
        if path is None:
            text = io.StringIO()
            self._write_csv(text)
            return text.getvalue()
        target = Path(path)
        with atomic_path(target) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            self._write_csv(file)
        return target

    def _write_csv(self, file: TextIO) -> None:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(self.columns)
        for rows in self._batches():
            writer.writerows(zip(*(_cells(column[rows]) for column in self.columns.values()), strict=True))

    def _batches(self) -> Iterator[slice]:
        return (slice(first, first + _ROWS_AT_ONCE) for first in range(0, len(self), _ROWS_AT_ONCE))

    def __repr__(self) -> str:
        return f"<Records: {len(self):,} rows of {', '.join(self.columns)}>"

    def _repr_html_(self) -> str:
        """Return the first rows as an HTML table, as notebooks show it."""
        shown = {name: column[slice(_SHOWN_ROWS)] for name, column in self.columns.items()}
        rows = list(zip(*(column.tolist() for column in shown.values()), strict=True))
        more = f"{len(self):,} rows, of which {_SHOWN_ROWS} are shown" if len(self) > _SHOWN_ROWS else ""
        header = [f"{name} ({self.units[name]})" if name in self.units else name for name in self.columns]
        return html_table(header, [[short_number(value) for value in row] for row in rows], more)


def _joined(parts: Sequence[tuple[Column | None, int]]) -> Column:
    """Return columns below each other; a part that lacks the column has None and its number of rows."""
    known = [column for column, _ in parts if column is not None]
    if any(isinstance(column, Categories) for column in known):
        return _joined_texts([(column if isinstance(column, Categories) else None, rows) for column, rows in parts])
    dtype = np.result_type(*(column for column in known if not isinstance(column, Categories)))
    if len(known) < len(parts):
        dtype = np.result_type(dtype, np.float64)
    return np.concatenate(
        [np.full(rows, np.nan, dtype=dtype) if column is None else np.asarray(column, dtype) for column, rows in parts]
    )


def _joined_texts(parts: Sequence[tuple[Categories | None, int]]) -> Categories:
    values = dict.fromkeys(text for column, _ in parts if column is not None for text in column.values)
    number = {text: place for place, text in enumerate(values)}
    positions = [
        np.full(rows, -1)
        if column is None
        else np.array([*(number[text] for text in column.values), -1])[column.positions]
        for column, rows in parts
    ]
    return Categories(np.concatenate(positions), tuple(values))


def _cells(column: Column) -> list[Any]:
    """Return the cells of a column for CSV; empty where a value is missing."""
    cells = column.tolist()
    if isinstance(column, Categories):
        return ["" if cell is None else cell for cell in cells]
    return ["" if cell != cell else cell for cell in cells]  # NaN differs from itself


def _arrow(column: Column) -> Any:
    import pyarrow as pa

    if isinstance(column, Categories):
        missing = column.positions < 0
        return pa.DictionaryArray.from_arrays(
            pa.array(column.positions.astype(np.int32), mask=missing), pa.array(column.values, pa.string())
        )
    return pa.array(column)
