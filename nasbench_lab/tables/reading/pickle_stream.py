"""Reading a pickle that is larger than memory: a dictionary of dictionaries, item by item.

The published archives are single pickles of ``{..., "arch2infos": {index: {...}, ...}, ...}``. As Python objects they
take tens of gigabytes. `PickleStream` yields the items of the inner dictionary one by one and forgets each afterwards.

The difficulty is the memo. A pickle writes an object that is used several times only once, gives it a number, and
refers to this number later, possibly gigabytes later. Forgetting an item means forgetting its numbered objects. Other
items refer to few of them, nearly always to texts that Python stores once, such as the keys of dictionaries, and names.
Therefore, these objects of a complete item are kept: functions and classes, and every text that had not occurred before
in the file. If a later reference still finds nothing, a second pass (`_Scan`) reads the whole file without making
objects and notes every number that is referred to after its item. A third pass reads the file again and keeps these
objects. The result is correct in any case; one pass suffices if objects were shared as Python shares them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, BinaryIO

import numpy as np

from nasbench_lab.errors import DataError
from nasbench_lab.tables.reading.pickle_machine import WINDOW, Allowed, PickleMachine

MOST_PENDING = 2**21
"""Largest number of bytes of one item, and of everything before the first item."""

_MOST_KEPT = 2**20  # objects that are kept across items
_MOST_KEPT_TEXT = 2**26  # characters of all kept texts
_FORGETTABLE = (dict, list, tuple, set, frozenset, bytes, bytearray, float, int, type(None), np.generic, np.ndarray)


OpenStream = Callable[[], AbstractContextManager[BinaryIO]]


class PickleStream:
    """The items of one dictionary inside a pickled dictionary.

    Args:
        open_stream: opens the pickle at its beginning; called up to three times.
        key: key of the dictionary of items.
        allowed: (module, name) to the object that replaces it, see `nasbench_lab.tables.reading.unpickle`.
        encoding: encoding of texts written by Python 2.
        followed: whether other data may follow the pickle in its stream. If not, the stream is read to its end, which
            verifies the checksum of a compressed one.

    >>> import io, pickle
    >>> data = pickle.dumps({"names": ["a", "b"], "items": {0: {"x": 1.5}, 1: {"x": 2.5}}, "more": 3})
    >>> stream = PickleStream(lambda: io.BytesIO(data), "items", {})
    >>> list(stream)
    [(0, {'x': 1.5}), (1, {'x': 2.5})]
    >>> stream.rest
    {'names': ['a', 'b'], 'items': {}, 'more': 3}
    """

    def __init__(
        self, open_stream: OpenStream, key: str, allowed: Allowed, encoding: str = "utf-8", *, followed: bool = False
    ) -> None:
        self._open, self._key, self._allowed, self._encoding = open_stream, key, allowed, encoding
        self._followed = followed
        self.rest: dict[Any, Any] = {}
        """The outer dictionary, without the items; complete after the last item."""

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """Yield (key, value) of every item. If a second pass is needed, all items are yielded again from the first.

        Raises:
            DataError: the pickle is truncated or corrupt, asks for a name that is not allowed, or has an item of more
                than `MOST_PENDING` bytes.
        """
        try:
            yield from self._pass(frozenset())
        except _ForgottenError:
            yield from self._pass(self._scan())

    def _pass(self, needed: frozenset[int]) -> Iterator[tuple[Any, Any]]:
        with self._open() as stream:
            machine = ItemMachine(stream, self._key, self._allowed, self._encoding, needed)
            yield from machine.items()
            if not self._followed:
                machine.check_nothing_follows()
            self.rest = machine.result()

    def _scan(self) -> frozenset[int]:
        """Return the numbers of all objects that are referred to after their item."""
        with self._open() as stream:
            scan = _Scan(stream, self._key, self._allowed, self._encoding)
            for _ in scan.items():
                pass
            return frozenset(scan.needed)


class _ForgottenError(DataError):
    """The pickle refers to an object that was not kept."""


class _BoundedMachine(PickleMachine):
    """Detects the items, and limits the size of an item.

    The items of the dictionary come in batches of up to a thousand: a mark, then keys and values, then one operation
    that sets all of them.
    """

    def __init__(self, stream: BinaryIO, key: str, allowed: Allowed, encoding: str) -> None:
        super().__init__(b"", allowed, encoding=encoding, read=stream.read)
        self._most_copied = 4 * MOST_PENDING
        self._key = key
        self._pending = 0  # bytes since the last complete item
        self._boundary = 0  # objects of the memo with smaller numbers belong to complete items
        self._batch: list[Any] | None = None  # the stack of the batch that is being read

    def _consumed(self, count: int) -> None:
        self._pending += count
        if self._pending > MOST_PENDING + 2 * WINDOW:
            raise DataError(f"the pickle has more than {MOST_PENDING} bytes in one item of {self._key!r}")

    def _check_length(self, count: int) -> None:
        if count > MOST_PENDING:
            raise DataError(f"the pickle has an object of {count} bytes, more than the {MOST_PENDING} that are allowed")

    def _mark(self) -> None:
        begins = self._is_items(2)
        if self._stack is self._batch:
            self._between()
        super()._mark()
        if begins:
            self._batch = self._stack

    def _set_items(self) -> None:
        if self._stack is self._batch:
            self._complete(len(self._stack), self._next_memo)
            self._batch = None
        super()._set_items()

    def _set_item(self) -> None:
        if self._is_items(4):  # a batch of one has no mark
            below, self._stack = self._stack[:-2], self._stack[-2:]
            self._complete(2, self._next_memo)
            self._stack = below
        else:
            super()._set_item()

    def _between(self) -> None:
        """Called inside a batch, whenever a container in it begins to be filled."""
        raise NotImplementedError

    def _complete(self, count: int, boundary: int) -> None:
        """Note that the first ``count`` keys and values of the current batch, the stack, are complete.

        Args:
            count: number of keys and values.
            boundary: objects of the memo with smaller numbers belong to complete items.
        """
        if count % 2:
            raise DataError("the pickle is corrupt: it sets items of an object that is not a dictionary")
        self._deliver(self._stack[:count])
        del self._stack[:count]
        self._forget(boundary)
        self._boundary = max(self._boundary, boundary)
        self._pending = len(self._buffer) - self._at
        self._copied = 0
        self._alike.clear()

    def _deliver(self, flat: list[Any]) -> None:
        raise NotImplementedError

    def _forget(self, boundary: int) -> None:
        raise NotImplementedError

    def _is_items(self, depth: int) -> bool:
        """Return whether the key of the dictionary of items is at this depth; items may contain the same key."""
        position = len(self._stack) - depth
        if self._batch is not None or position < 0 or not self._is_key(self._stack[position]):
            return False
        if not self._levels:  # the outer dictionary has one item, which is set without a mark
            return position == 1
        return len(self._levels) == 1 == len(self._levels[0]) and not any(map(self._is_key, self._stack[:position]))

    def _is_key(self, value: Any) -> bool:
        return type(value) is str and value == self._key

    def _remember(self, number: int) -> None:
        if number > self._next_memo + 1:  # Python 2 begins with 1; other gaps would make the numbers meaningless
            raise DataError("the pickle is corrupt: it does not number its objects in order")
        super()._remember(number)


class ItemMachine(_BoundedMachine):
    """Makes the items, and forgets objects that are no longer needed.

    An item is yielded as soon as the next item begins. In general, this is ambiguous: ``0, {"x": 1}, 1, {}`` on the
    stack is two items, or one item whose value becomes a triple. So an item is only yielded if its value is a
    dictionary with items, and the next object looks like another key. If this guess is wrong, the next operation takes
    objects that are gone, which raises DataError; no result is made from half an item.
    """

    def __init__(self, stream: BinaryIO, key: str, allowed: Allowed, encoding: str, needed: frozenset[int]) -> None:
        super().__init__(stream, key, allowed, encoding)
        self._needed = needed
        self._kept: dict[int, Any] = {}  # objects of complete items; the memo has those of the current one
        self._texts: set[str] = set()
        self._kept_text = 0

    def result(self) -> dict[Any, Any]:
        """Return the outer dictionary."""
        whole = self._stack.pop()
        if not isinstance(whole, dict) or not isinstance(whole.get(self._key), dict):
            raise DataError(f"the pickle is not a dictionary with a dictionary {self._key!r}")
        return whole

    def _between(self) -> None:
        stack = self._stack
        count = 0
        while (
            len(stack) > count + 2
            and isinstance(stack[count + 1], dict)
            and stack[count + 1]
            and type(stack[count + 2]) is type(stack[count])
        ):
            count += 2
        if count:  # each object that is left may have one number in the memo
            self._complete(count, self._next_memo - (len(stack) - count))

    def _deliver(self, flat: list[Any]) -> None:
        self._ready += zip(flat[::2], flat[1::2], strict=True)

    def _forget(self, boundary: int) -> None:
        texts, needed = self._texts, self._needed
        notable = [
            (number, made)
            for number, made in self._memo.items()
            if (made not in texts if type(made) is str else not isinstance(made, _FORGETTABLE)) or number in needed
        ]
        for number, made in notable:
            if isinstance(made, str) and made not in texts:
                texts.add(made)
                self._kept_text += len(made)
            elif isinstance(made, str) and number not in needed:
                continue  # the text occurred a second time in this item
            self._kept[number] = made
        self._memo = {number: self._memo[number] for number in range(boundary, self._next_memo) if number in self._memo}
        if len(self._kept) > _MOST_KEPT or self._kept_text > _MOST_KEPT_TEXT:
            raise DataError("the pickle has more shared objects than an honest one")

    def _recall(self, number: int) -> Any:
        if number in self._memo:
            return self._memo[number]
        if number in self._kept:
            return self._kept[number]
        if number < self._boundary and not self._needed:
            raise _ForgottenError("the pickle refers to a forgotten object")
        return super()._recall(number)


class _Scan(_BoundedMachine):
    """Reads the pickle without making containers or calling functions, to find the objects that are referred to."""

    def __init__(self, stream: BinaryIO, key: str, allowed: Allowed, encoding: str) -> None:
        super().__init__(stream, key, allowed, encoding)
        self.needed: set[int] = set()

    def _between(self) -> None:
        self._complete(0, self._next_memo)  # early, so that some references inside items are counted, too

    def _deliver(self, flat: list[Any]) -> None: ...

    def _forget(self, boundary: int) -> None:
        self._memo.clear()

    def _recall(self, number: int) -> Any:
        if number >= self._boundary:
            return super()._recall(number)
        self.needed.add(number)
        if len(self.needed) > _MOST_KEPT:
            raise DataError("the pickle has more shared objects than an honest one")
        return None

    def _find(self, module: Any, name: Any) -> None:
        super()._find(module, name)  # a name that is not allowed is an error in any pass

    def _update(self, flat: list[Any]) -> None: ...

    def _extend(self, values: list[Any]) -> None: ...

    def _add_items(self) -> None:
        self._above_mark()

    def _reduce(self) -> None:
        self._stack[-2:] = [None]

    def _new_object(self) -> None:
        self._stack[-2:] = [None]

    def _build(self) -> None:
        self._stack.pop()
