"""Reading a pickled dictionary item by item, for files whose content does not fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, final

from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line
from nasbench_lab.plain_files import open_plain
from nasbench_lab.tables.reading.pickle_stream import ItemMachine
from nasbench_lab.tables.reading.unpickle import ALLOWED, Allowed


def items(
    path: Path, allowed: Allowed = ALLOWED, *, progress: Callable[[int, int], None] | None = None
) -> Iterator[tuple[Any, Any]]:
    """Yield the items of a pickled dictionary in order, with one item in memory at a time.

    Args:
        path: the file, a pickle.
        allowed: (module, name) to the object that replaces it.
        progress: called with the number of bytes read, and the total.

    Raises:
        DataError: the file is truncated or corrupt, is not a dictionary, asks for another name, has an item of
            megabytes, or has an item that refers to a part of an earlier item.

    >>> import pickle, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "curves"
    ...     _ = file.write_bytes(pickle.dumps({1111: {"dur": [0.5, 0.25]}, 1112: {"dur": [0.5, 0.75]}}))
    ...     [(key, value["dur"]) for key, value in items(file)]
    [(1111, [0.5, 0.25]), (1112, [0.5, 0.75])]
    """
    try:
        with open_plain(path) as file:
            size, reported = path.stat().st_size, 0
            machine = _OutermostMachine(file, str(path.name), allowed, "utf-8", frozenset())
            for item in machine.items():
                yield item
                if progress is not None and file.tell() > reported:
                    reported = file.tell()
                    progress(reported, size)
            machine.check_end()
            machine.check_nothing_follows()
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or first_line(error)}") from error


@final
class _OutermostMachine(ItemMachine):
    """Yields the items of the outermost dictionary, not of a dictionary inside it."""

    def _is_items(self, depth: int) -> bool:
        return (
            not self._levels and self._batch is None and len(self._stack) == depth - 1 and type(self._stack[0]) is dict
        )

    def check_end(self) -> None:
        """Raise DataError unless the pickle is a dictionary, and all its items were yielded."""
        if self._stack != [{}]:
            raise DataError("the pickle is not a dictionary")
