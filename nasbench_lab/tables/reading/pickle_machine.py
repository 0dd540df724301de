r"""A safe pickle machine: it reads data of every protocol and calls names of an allow-list, nothing else.

A pickle is a program for a stack machine. Python's own machine (`pickle.Unpickler`) can restrict the names to import,
but not the memory: a few bytes can make it reserve gigabytes for a memo or a text that does not exist. This machine
uses memory in proportion to the file: sizes are compared with the available bytes before memory is reserved, the memo
is a dictionary, and copies (an array, a set made from a list) are limited in proportion to the size of the file. So is
the time: keys are plain values, few of which may have one hash, and long keys cannot be used again and again.
"""

from __future__ import annotations

import codecs
import collections
import itertools
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line
from nasbench_lab.tables.reading import pickle_float_dicts

Allowed = Mapping[tuple[str, str], Any]
Read = Callable[[int], bytes]
"""Returns up to the given number of bytes; none at the end of the file."""

WINDOW = 2**18
"""Number of bytes that are read ahead from a stream."""

_OWN = "nasbench_lab."
_HEADROOM = 2**4  # bytes; more than any fixed-size operation takes
_RUN_HEADROOM = 2**16  # enough for most sequences of numbers
_HIGHEST_PROTOCOL = 5
_MOST_SHOWN = 80  # characters of a name in an error message
_LEAST_COPIED = 2**20
_MOST_WORK_PER_BYTE = 64
_LEAST_WORK = 2**22
_MOST_ALIKE = 64  # keys of one dictionary with the same hash
_DISTINCT_HASHES = 2**61 - 1  # different whole numbers below this have different hashes
_BYTES_OF_SET = 216


class PickleMachine:
    """Reads one pickle from a buffer, optionally continued by a stream.

    Args:
        data: the pickle, or its beginning.
        allowed: (module, name) to the object that replaces it.
        encoding: encoding of texts written by Python 2; ``"bytes"`` keeps them as bytes.
        read: reads more bytes of the pickle; None if ``data`` is complete.
        persistent: returns the object for a persistent id; None to refuse persistent ids.
    """

    def __init__(
        self,
        data: bytes,
        allowed: Allowed,
        *,
        encoding: str = "ASCII",
        read: Read | None = None,
        persistent: Callable[[Any], Any] | None = None,
    ) -> None:
        self._buffer, self._at, self._read = data, 0, read
        self._allowed, self._encoding, self._persistent = allowed, encoding, persistent
        self._callable = {id(value) for value in allowed.values()}
        self._stack: list[Any] = []
        self._levels: list[list[Any]] = []  # the stacks below the open marks
        self._memo: dict[int, Any] = {}
        self._next_memo = 0
        self._running = True
        self._copied, self._most_copied = 0, 4 * len(data) + _LEAST_COPIED
        self._work, self._most_work = 0, _MOST_WORK_PER_BYTE * len(data) + _LEAST_WORK
        self._alike: dict[int, tuple[Any, collections.Counter[int]]] = {}  # by the id of a container: it, its hashes
        self._float_items = pickle_float_dicts.FloatItemReader()
        self._ready: list[tuple[Any, Any]] = []
        named = {code[0]: operation.__name__ for code, operation in _OPERATIONS.items()}
        self._operations = [getattr(self, named.get(code, "_refuse")) for code in range(256)]

    def load(self) -> Any:
        """Run the program and return the object that it makes.

        Raises:
            DataError: the pickle asks for a name that is not allowed, or is truncated or corrupt.
        """
        for _ in self.items():
            raise AssertionError("only streams yield items")
        return self._stack.pop()

    @property
    def position(self) -> int:
        """Position in ``data`` after the pickle."""
        return self._at

    def check_nothing_follows(self) -> None:
        """Raise DataError if there is something after the pickle.

        Reading a compressed stream to its end verifies its checksum.
        """
        self._refill(1)
        if self._at < len(self._buffer):
            raise DataError("the pickle is corrupt: something follows it")

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Run the program, and yield the items of the streamed dictionary as they become complete."""
        try:
            while self._running:
                if self._at + _HEADROOM > len(self._buffer):
                    self._refill(_HEADROOM)
                code = self._buffer[self._at]
                self._at += 1
                self._operations[code]()
                if self._ready:
                    yield from self._ready
                    self._ready.clear()
            if len(self._stack) != 1 or self._levels:
                raise DataError("the pickle is corrupt: it does not make one object")
        except DataError:
            raise
        except (IndexError, struct.error) as error:
            raise DataError("the pickle is truncated or corrupt: it ends early, or uses an empty stack") from error
        except Exception as error:  # a corrupt pickle can raise almost any exception
            raise DataError(
                f"the pickle is truncated or corrupt: {type(error).__name__}: {first_line(error)[:_MOST_SHOWN]}"
            ) from error

    # Bytes

    def _refill(self, wanted: int) -> None:
        """Fill the buffer up to ``wanted`` bytes, or to the end of the stream."""
        if self._read is None:
            return
        parts = [self._buffer[self._at :]]
        have = len(parts[0])
        while have < wanted:
            part = self._read(max(WINDOW, wanted - have))
            if not part:
                self._read = None
                break
            parts.append(part)
            have += len(part)
            self._most_work += _MOST_WORK_PER_BYTE * len(part)
            self._consumed(len(part))
        self._buffer, self._at = b"".join(parts), 0

    def _consumed(self, count: int) -> None:
        """Note that ``count`` bytes were read from the stream."""

    def _take(self, count: int) -> bytes:
        """Return the next bytes; if the file has fewer, raise DataError before memory is reserved."""
        end = self._at + count
        if end > len(self._buffer):
            self._check_length(count)
            self._refill(count)
            end = self._at + count
        if count < 0 or end > len(self._buffer):
            raise DataError("the pickle is truncated or corrupt: it ends early")
        taken = self._buffer[self._at : end]
        self._at = end
        return taken

    def _check_length(self, count: int) -> None:
        """Raise DataError if a stream must not return an object of ``count`` bytes."""

    def _line(self) -> bytes:
        end = self._buffer.find(b"\n", self._at)
        if end < 0:
            self._refill(len(self._buffer) - self._at + WINDOW)
            end = self._buffer.find(b"\n", self._at)
        line = self._take((end if end >= 0 else len(self._buffer)) - self._at)
        self._take(1)
        return line

    def _u1(self) -> int:
        self._at += 1
        return self._buffer[self._at - 1]

    def _fixed(self, layout: struct.Struct) -> Any:
        (value,) = layout.unpack_from(self._buffer, self._at)
        self._at += layout.size
        return value

    # Plain values

    def _none(self) -> None:
        self._stack.append(None)

    def _true(self) -> None:
        self._stack.append(True)

    def _false(self) -> None:
        self._stack.append(False)

    def _int1(self) -> None:
        self._stack.append(self._buffer[self._at])
        self._at += 1

    def _int2(self) -> None:
        self._stack.append(self._fixed(_U2))

    def _int4(self) -> None:
        self._stack.append(self._fixed(_I4))

    def _int_line(self) -> None:
        line = self._line()
        self._stack.append(line == b"01" if line in (b"00", b"01") else int(line))

    def _long_line(self) -> None:
        self._stack.append(int(self._line().removesuffix(b"L")))

    def _long1(self) -> None:
        self._stack.append(int.from_bytes(self._take(self._u1()), "little", signed=True))

    def _long4(self) -> None:
        self._stack.append(int.from_bytes(self._take(self._fixed(_I4)), "little", signed=True))

    def _float(self) -> None:
        self._stack.append(_F8.unpack_from(self._buffer, self._at)[0])
        self._at += 8

    def _float_line(self) -> None:
        self._stack.append(float(self._line()))

    def _text1(self) -> None:
        self._stack.append(str(self._take(self._u1()), "utf-8", "surrogatepass"))

    def _text4(self) -> None:
        self._stack.append(str(self._take(self._fixed(_U4)), "utf-8", "surrogatepass"))

    def _text8(self) -> None:
        self._stack.append(str(self._take(self._fixed(_U8)), "utf-8", "surrogatepass"))

    def _text_line(self) -> None:
        self._stack.append(str(self._line(), "raw-unicode-escape"))

    def _bytes1(self) -> None:
        self._stack.append(self._take(self._u1()))

    def _bytes4(self) -> None:
        self._stack.append(self._take(self._fixed(_U4)))

    def _bytes8(self) -> None:
        self._stack.append(self._take(self._fixed(_U8)))

    def _bytearray8(self) -> None:
        self._stack.append(bytearray(self._take(self._fixed(_U8))))

    def _string1(self) -> None:
        self._stack.append(self._decoded(self._take(self._u1())))

    def _string4(self) -> None:
        self._stack.append(self._decoded(self._take(self._fixed(_I4))))

    def _string_line(self) -> None:
        line = self._line().strip()
        if len(line) < 2 or line[:1] not in (b'"', b"'") or line[-1:] != line[:1]:
            raise DataError("the pickle is corrupt: it has a text without quotation marks")
        self._stack.append(self._decoded(codecs.escape_decode(line[1:-1])[0]))

    def _decoded(self, data: bytes) -> Any:
        return data if self._encoding == "bytes" else str(data, self._encoding)

    # The stack

    def _mark(self) -> None:
        self._levels.append(self._stack)
        self._stack = []
        self._read_runs()

    def _above_mark(self) -> list[Any]:
        above, self._stack = self._stack, self._levels.pop()
        return above

    def _pop(self) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._above_mark()

    def _pop_mark(self) -> None:
        self._above_mark()

    def _duplicate(self) -> None:
        self._stack.append(self._stack[-1])

    def _refuse(self) -> None:
        code = self._buffer[self._at - 1 : self._at]
        raise DataError(f"the pickle is corrupt, or has the operation {code!r}, which is not allowed")

    def _stop(self) -> None:
        self._running = False

    def _protocol(self) -> None:
        if self._u1() > _HIGHEST_PROTOCOL:
            raise DataError("the pickle has a newer protocol than this release reads")

    def _frame(self) -> None:
        self._at += 8  # frames help readers of sockets; their lengths are not needed here

    # Containers

    def _empty_dict(self) -> None:
        self._stack.append({})

    def _empty_list(self) -> None:
        self._stack.append([])

    def _empty_tuple(self) -> None:
        self._stack.append(())

    def _empty_set(self) -> None:
        self._spend(_BYTES_OF_SET)  # takes far more memory than any other object of one byte
        self._stack.append(set())

    def _tuple(self) -> None:
        above = self._above_mark()
        self._stack.append(tuple(above))

    def _tuple1(self) -> None:
        self._stack[-1:] = [(self._stack[-1],)]

    def _tuple2(self) -> None:
        self._stack[-2:] = [(self._stack[-2], self._stack[-1])]

    def _tuple3(self) -> None:
        self._stack[-3:] = [(self._stack[-3], self._stack[-2], self._stack[-1])]

    def _list(self) -> None:
        above = self._above_mark()
        self._stack.append(above)

    def _dict(self) -> None:
        above = self._above_mark()
        self._stack.append({})
        self._update(above)

    def _frozen_set(self) -> None:
        above = self._above_mark()
        self._stack.append(frozenset(self._keys(above, ())))

    def _append(self) -> None:
        value = self._stack.pop()
        self._extend([value])

    def _appends(self) -> None:
        self._extend(self._above_mark())

    def _extend(self, values: list[Any]) -> None:
        if type(self._stack[-1]) is not list:
            raise DataError("the pickle is corrupt: it appends to an object that is not a list")
        self._stack[-1].extend(values)

    def _add_items(self) -> None:
        values = self._above_mark()
        if type(self._stack[-1]) is not set:
            raise DataError("the pickle is corrupt: it adds to an object that is not a set")
        self._stack[-1].update(self._keys(values, self._stack[-1]))

    def _set_item(self) -> None:
        pair = self._stack[-2:]
        del self._stack[-2:]
        self._update(pair)

    def _set_items(self) -> None:
        self._update(self._above_mark())

    def _update(self, flat: list[Any]) -> None:
        """Put alternating keys and values into the dictionary on top of the stack."""
        target = self._stack[-1]
        if type(target) not in _DICTIONARIES or len(flat) % 2:
            raise DataError("the pickle is corrupt: it sets items of an object that is not a dictionary")
        target.update(zip(self._keys(flat[::2], target), flat[1::2], strict=True))

    def _keys(self, values: list[Any], target: Collection[Any]) -> list[Any]:
        """Return the values after checking that they may become keys of a container."""
        kinds = set(map(type, values))
        if kinds <= _TEXTS:
            self._spend(sum(map(len, values)))  # equal keys are compared in full
        elif kinds != _WHOLE or max(values) >= _DISTINCT_HASHES or min(values) <= -_DISTINCT_HASHES:
            self._spend(sum(map(_length_of_key, values)))
            check_keys(values)
            if target and len(values) + len(target) > _MOST_ALIKE:
                self._check_alike(values, target)
        return values

    def _check_alike(self, values: list[Any], target: Collection[Any]) -> None:
        """Raise DataError if a container would have many keys with one hash."""
        if id(target) not in self._alike:
            self._spend(len(target))
            self._alike[id(target)] = target, _hashes(target)
        _, hashes = self._alike[id(target)]
        hashes.update(_hashes(values))
        _check_hashes(hashes)

    def _spend(self, work: int) -> None:
        """Limit the time that operations of few bytes can take. Honest pickles need little more than their size."""
        self._work += work
        if self._work > self._most_work:
            raise DataError("the pickle takes more work than an honest one")

    # The memo

    def _memoize(self) -> None:
        self._memo[self._next_memo] = self._stack[-1]
        self._next_memo += 1

    def _remember(self, number: int) -> None:
        self._memo[number] = self._stack[-1]
        self._next_memo = max(self._next_memo, number + 1)

    def _put1(self) -> None:
        self._remember(self._u1())

    def _put4(self) -> None:
        self._remember(self._fixed(_U4))

    def _put_line(self) -> None:
        number = int(self._line())
        if not 0 <= number < _MOST_MEMO:
            raise DataError("the pickle is corrupt: it numbers an object with a number that is too large")
        self._remember(number)

    def _recall(self, number: int) -> Any:
        if number not in self._memo:
            raise DataError("the pickle is corrupt: it refers to an object that does not exist")
        return self._memo[number]

    def _get1(self) -> None:
        self._stack.append(self._recall(self._u1()))

    def _get4(self) -> None:
        self._stack.append(self._recall(self._fixed(_U4)))

    def _get_line(self) -> None:
        self._stack.append(self._recall(int(self._line())))

    # Names and calls

    def _global(self) -> None:
        module, name = str(self._line(), "utf-8"), str(self._line(), "utf-8")
        self._stack.append(self._find(module, name))

    def _stack_global(self) -> None:
        name = self._stack.pop()
        module = self._stack.pop()
        self._stack.append(self._find(module, name))

    def _find(self, module: Any, name: Any) -> Any:
        if type(module) is not str or type(name) is not str:
            raise DataError("the pickle is corrupt: it asks for an object without a name")
        if (module, name) not in self._allowed:
            asked = f"{module}.{name}"
            shown = asked if asked.isprintable() and len(asked) <= _MOST_SHOWN else ascii(asked[:_MOST_SHOWN])
            raise DataError(f"the pickle asks for {shown}, which is not allowed; nothing was run")
        return self._allowed[module, name]

    def _reduce(self) -> None:
        arguments = self._stack.pop()
        function = self._stack[-1]
        self._check_call(function, arguments)
        self._stack[-1] = function(*arguments)

    def _new_object(self) -> None:
        arguments = self._stack.pop()
        kind = self._stack[-1]
        self._check_call(kind, arguments)
        self._stack[-1] = kind.__new__(kind, *arguments)

    def _build(self) -> None:
        state = self._stack.pop()
        target = self._stack[-1]
        # Only replacements of classes on the allow-list may take a state; plain data has none.
        set_state = getattr(type(target), "__setstate__", None)
        self._charge(state if type(state) is tuple else (state,))
        if set_state is not None and type(target).__module__.startswith(_OWN):
            set_state(target, state)
        elif (
            type(target) is not collections.OrderedDict
        ):  # torch stores versions of modules there, which are not needed
            raise DataError("the pickle is corrupt: it gives a state to an object that has none")

    def _check_call(self, function: Any, arguments: Any) -> None:
        if id(function) not in self._callable or not callable(function) or type(arguments) is not tuple:
            raise DataError("the pickle is corrupt: it calls an object that is not a function")
        self._charge(arguments)

    def _charge(self, arguments: tuple[Any, ...]) -> None:
        """Limit the copies that calls can make. Honest pickles copy each object once; a bomb copies one repeatedly."""
        self._copied += sum(map(_length_of_argument, arguments))
        if self._copied > self._most_copied:
            raise DataError("the pickle makes more copies of its objects than an honest one")

    def _persistent_id(self) -> None:
        if self._persistent is None:
            raise DataError("the pickle refers to objects outside of it, which are not allowed here")
        self._stack.append(self._persistent(self._stack.pop()))

    # Sequences of ``key: float``

    def _read_runs(self) -> None:
        """Read complete items ``key: float`` in the buffer together; then continue operation by operation."""
        if self._at + _RUN_HEADROOM > len(self._buffer):
            self._refill(_RUN_HEADROOM)
        # Bytes that only look like items could be scanned again and again.
        while self._float_items.wasted < self._most_work // 8 and (run := self._run()) is not None:
            self._stack += itertools.chain.from_iterable(zip(run.keys, run.values, strict=True))
            self._at = run.end

    def _run(self) -> pickle_float_dicts.FloatItems | None:
        """Read the sequence of items that begins here, if there is one."""
        buffer, at = self._buffer, self._at
        operation = buffer[at : at + 1]
        if operation == b"K":
            return self._float_items.numbered(buffer, at)
        if operation in (b"h", b"j"):
            run = self._float_items.fetched(buffer, at)
            return None if run is None else run._replace(keys=[self._recall(number) for number in run.keys])
        if operation == b"\x8c":
            run = self._float_items.named(buffer, at)
        elif operation == b"X":
            run = self._float_items.old_named(buffer, at, self._next_memo)
        else:
            return None
        if run is not None:
            numbers = range(self._next_memo, self._next_memo + len(run.keys))
            self._memo.update(zip(numbers, run.keys, strict=True))
            self._next_memo = numbers.stop
        return run


def check_keys(values: Collection[Any]) -> None:
    """Raise DataError unless all values may be keys: plain values, and tuples of plain values, with different hashes.

    Hashing or comparing nested tuples, frozen sets or slices that share their parts would take exponential time, and
    keys with one hash quadratic time.
    """
    for value in values:
        if type(value) is tuple:
            if not _PLAIN.issuperset(map(type, value)):
                raise DataError("the pickle has a key or a set member that is a tuple of other than plain values")
        elif type(value) not in _PLAIN and not isinstance(value, np.generic):
            raise DataError(f"the pickle has a key or a set member that is a {type(value).__name__}")
    if len(values) > _MOST_ALIKE:
        _check_hashes(_hashes(values))


def _hashes(values: Iterable[Any]) -> collections.Counter[int]:
    """Count the hashes of values whose hashes are predictable; those of texts and bytes are not."""
    return collections.Counter(hash(value) for value in values if type(value) not in _TEXTS)


def _check_hashes(hashes: collections.Counter[int]) -> None:
    if max(hashes.values(), default=0) > _MOST_ALIKE:
        raise DataError("the pickle has more keys with the same hash than an honest one")


def _length_of_key(value: Any) -> int:
    """Return about how many bytes are compared if two keys are equal."""
    if type(value) is tuple:
        return len(value) + sum(map(_plain_length, value))
    return 1 + _plain_length(value)


def _plain_length(value: Any) -> int:
    """Return the length of a text, or the number of bytes of a number; 0 for anything else."""
    if type(value) is int:
        return value.bit_length() // 8
    if isinstance(value, np.generic):
        return value.nbytes
    return len(value) if type(value) in _TEXTS else 0


def _length_of_argument(value: Any) -> int:
    """Return about how many elements and characters a function goes through that gets this argument."""
    if isinstance(value, np.ndarray):
        return value.size + (_length_of_argument(value.ravel().tolist()) if value.dtype.kind == "O" else value.nbytes)
    if isinstance(value, _CONTAINERS):
        return len(value) + sum(_length_of_pair(part) for part in value)
    return len(value) if isinstance(value, str | bytes | bytearray) else 0


def _length_of_pair(value: Any) -> int:
    is_pair = isinstance(value, tuple | list) and len(value) == 2
    return sum(map(_plain_length, value)) if is_pair else _plain_length(value)


_TEXTS, _WHOLE = {str, bytes}, {int}
_PLAIN = {str, int, float, bool, bytes, type(None)}
_DICTIONARIES = (dict, collections.OrderedDict)
_CONTAINERS = (list, tuple, dict, set, frozenset)
_MOST_MEMO = 2**32

_U1, _U2, _U4, _U8 = (struct.Struct(f"<{kind}") for kind in "BHIQ")
_I4, _F8 = struct.Struct("<i"), struct.Struct(">d")

_OPERATIONS: Mapping[bytes, Callable[[PickleMachine], None]] = {
    b"N": PickleMachine._none,
    b"\x88": PickleMachine._true,
    b"\x89": PickleMachine._false,
    b"K": PickleMachine._int1,
    b"M": PickleMachine._int2,
    b"J": PickleMachine._int4,
    b"I": PickleMachine._int_line,
    b"L": PickleMachine._long_line,
    b"\x8a": PickleMachine._long1,
    b"\x8b": PickleMachine._long4,
    b"G": PickleMachine._float,
    b"F": PickleMachine._float_line,
    b"\x8c": PickleMachine._text1,
    b"X": PickleMachine._text4,
    b"\x8d": PickleMachine._text8,
    b"V": PickleMachine._text_line,
    b"C": PickleMachine._bytes1,
    b"B": PickleMachine._bytes4,
    b"\x8e": PickleMachine._bytes8,
    b"\x96": PickleMachine._bytearray8,
    b"U": PickleMachine._string1,
    b"T": PickleMachine._string4,
    b"S": PickleMachine._string_line,
    b"(": PickleMachine._mark,
    b"0": PickleMachine._pop,
    b"1": PickleMachine._pop_mark,
    b"2": PickleMachine._duplicate,
    b".": PickleMachine._stop,
    b"\x80": PickleMachine._protocol,
    b"\x95": PickleMachine._frame,
    b"}": PickleMachine._empty_dict,
    b"]": PickleMachine._empty_list,
    b")": PickleMachine._empty_tuple,
    b"\x8f": PickleMachine._empty_set,
    b"t": PickleMachine._tuple,
    b"\x85": PickleMachine._tuple1,
    b"\x86": PickleMachine._tuple2,
    b"\x87": PickleMachine._tuple3,
    b"l": PickleMachine._list,
    b"d": PickleMachine._dict,
    b"\x91": PickleMachine._frozen_set,
    b"a": PickleMachine._append,
    b"e": PickleMachine._appends,
    b"\x90": PickleMachine._add_items,
    b"s": PickleMachine._set_item,
    b"u": PickleMachine._set_items,
    b"\x94": PickleMachine._memoize,
    b"q": PickleMachine._put1,
    b"r": PickleMachine._put4,
    b"p": PickleMachine._put_line,
    b"h": PickleMachine._get1,
    b"j": PickleMachine._get4,
    b"g": PickleMachine._get_line,
    b"c": PickleMachine._global,
    b"\x93": PickleMachine._stack_global,
    b"R": PickleMachine._reduce,
    b"\x81": PickleMachine._new_object,
    b"b": PickleMachine._build,
    b"Q": PickleMachine._persistent_id,
}
"""The supported operations. Other forms of calls, registered extensions and out-of-band buffers are not needed."""
