"""Objects that are sent to other processes: strategies, tables, results, errors and warnings."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import importlib.machinery
import io
import marshal
import operator
import os
import sys
from collections.abc import Callable, Iterator
from types import CodeType, ModuleType
from typing import Any

from nasbench_lab.errors import ParameterError
from nasbench_lab.messages import described
from nasbench_lab.strategies.base import Strategy
from nasbench_lab.strategies.plain import PlainStrategy
from nasbench_lab.tables.any_table import AnyTable
from nasbench_lab.tables.table import Table

_OWN = __name__.partition(".")[0]


def packed(value: Any) -> bytes:
    """Return an object as bytes, which `pickle.loads` reads, also where classes of a notebook are in it."""
    content = io.BytesIO()
    _packer()(content).dump(value)
    return content.getvalue()


@functools.cache
def _packer() -> Any:
    """Return the class of cloudpickle, but with the file names of code, which messages of errors need."""
    import cloudpickle

    own = {CodeType: _reduced_code, type(_packer): _reduced_cache, functools.cached_property: _reduced_property}
    table = collections.ChainMap(own, cloudpickle.Pickler.dispatch_table)
    return type("Packer", (cloudpickle.Pickler,), {"dispatch_table": table})


def _reduced_code(code: CodeType) -> tuple[Any, ...]:
    return marshal.loads, (marshal.dumps(code),)


def _reduced_cache(function: Any) -> str | tuple[Any, ...]:
    """Reduce a function with `functools.lru_cache`: cloudpickle sends all of them by name, also those of a notebook."""
    import cloudpickle

    by_value = {"__main__", *cloudpickle.list_registry_pickle_by_value()}
    if function.__module__ not in by_value:
        with contextlib.suppress(AttributeError):
            module = sys.modules.get(function.__module__)
            if operator.attrgetter(function.__qualname__)(module) is function:
                return str(function.__qualname__)
    return _cached_again, (function.__wrapped__, function.cache_parameters())


def _cached_again(function: Callable[..., Any], parameters: dict[str, Any]) -> Callable[..., Any]:
    return functools.lru_cache(**parameters)(function)


def _reduced_property(cached: functools.cached_property[Any]) -> tuple[Any, ...]:
    """Reduce a `functools.cached_property` without its lock, which Python 3.11 has."""
    return _property_again, (cached.func, cached.attrname)


def _property_again(function: Callable[[Any], Any], name: str | None) -> functools.cached_property[Any]:
    again = functools.cached_property(function)
    again.attrname = name
    return again


def packed_strategy(strategy: Strategy[Any]) -> bytes:
    """Return a strategy as bytes, with its code if another process could not import it.

    That is so for classes of notebooks, of scripts, and of files that are given as ``"file.py:Class"``.

    Raises:
        ParameterError: it contains something that cannot be sent to another process, such as an open file.
    """
    try:
        return packed_with_code(_with_name(strategy), _kind_of(strategy))
    except Exception as error:  # whatever the pickling of a user's object raises
        raise ParameterError(
            f"strategy {strategy.label!r} cannot be sent to other processes: {described(error)}; "
            "use one process, or create what cannot be sent when a run starts"
        ) from error


def packed_table(table: AnyTable) -> bytes:
    """Return a table as bytes: of a table file its path, of a table in memory its numbers, of a computed one its code.

    Raises:
        ParameterError: it contains something that cannot be sent to another process.
    """
    if isinstance(table, Table):
        return packed(table)
    try:
        return packed_with_code(table, type(table))
    except Exception as error:  # whatever the pickling of a user's object raises
        raise ParameterError(
            f"table {table.name!r} cannot be sent to other processes: {described(error)}; use one process, or define "
            "__getstate__"
        ) from error


def packed_with_code(value: Any, kind: Any) -> bytes:
    """Return an object as bytes, with the code of a class or function in it that another process could not import.

    Args:
        value: the object.
        kind: the class or function.
    """
    with _with_code(_modules(kind)):
        return packed(value)


def _with_name(strategy: Strategy[Any]) -> Strategy[Any]:
    """Return a strategy that keeps its name: cloudpickle shortens those of classes inside functions."""
    return dataclasses.replace(strategy, title=strategy.name) if isinstance(strategy, PlainStrategy) else strategy


def _kind_of(strategy: Strategy[Any]) -> Any:
    """Return the class of a strategy, or the class or function that makes the runs of a plain one."""
    if not isinstance(strategy, PlainStrategy):
        return type(strategy)
    return getattr(strategy.factory, "func", strategy.factory)


def _modules(kind: Any) -> Iterator[ModuleType]:
    """Yield the modules of a class and its bases, or of a function, that another process could not import."""
    for each in getattr(kind, "__mro__", (kind,)):
        name = str(getattr(each, "__module__", ""))
        module = sys.modules.get(name)
        if module is not None and name != "__main__" and name.partition(".")[0] != _OWN and not _importable(module):
            yield module


def _importable(module: ModuleType) -> bool:
    """Return whether another process that looks where this one looks would import the same file for a module."""
    place: Any = None
    spec = None
    parts = module.__name__.split(".")
    for count in range(1, len(parts) + 1):
        spec = _found(".".join(parts[:count]), place)
        if spec is None:
            return False
        place = spec.submodule_search_locations
    file = getattr(module, "__file__", None)
    if spec is None or file is None or spec.origin is None:
        return file is None  # built-in modules have none
    if spec.origin == "frozen":  # of the standard library, such as abc, although there is a file, too
        return getattr(module.__spec__, "origin", None) == "frozen"
    return os.path.realpath(spec.origin) == os.path.realpath(file)


def _found(name: str, place: Any) -> importlib.machinery.ModuleSpec | None:
    for finder in sys.meta_path:
        with contextlib.suppress(Exception):
            if (spec := finder.find_spec(name, place, None)) is not None:
                return spec
    return None


@contextlib.contextmanager
def _with_code(modules: Iterator[ModuleType]) -> Iterator[None]:
    """Put the code of classes of some modules into what is packed inside the block, instead of their names."""
    import cloudpickle

    with contextlib.ExitStack() as stack:
        for module in {each.__name__: each for each in modules}.values():
            if module.__name__ not in cloudpickle.list_registry_pickle_by_value():
                cloudpickle.register_pickle_by_value(module)
                stack.callback(cloudpickle.unregister_pickle_by_value, module)
        yield
