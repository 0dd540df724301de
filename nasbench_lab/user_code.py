"""Code of users: what a text such as ``"file.py:name"`` or ``"package.module:name"`` names."""

from __future__ import annotations

import hashlib
import importlib
import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from nasbench_lab.errors import NasbenchLabError, ParameterError
from nasbench_lab.messages import described, unknown
from nasbench_lab.plain_files import is_plain


def import_name(path: str) -> Any:
    """Import what ``file.py:name`` or ``module:name`` names. The code of the file or module runs.

    Raises:
        ParameterError: the file, module or name does not exist, or importing it raised an error.

    >>> import_name("nasbench_lab.tables.table:Table").__name__
    'Table'
    """
    place, _, names = path.rpartition(":")
    try:
        found: Any = _module_of_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
        for name in names.split("."):
            if not hasattr(found, name):
                raise unknown(f"name in {place}", name, [each for each in vars(found) if not each.startswith("_")])
            found = getattr(found, name)
    except NasbenchLabError as error:
        raise ParameterError(f"cannot import {path}: {error}") from error
    except (Exception, SystemExit) as error:  # whatever the module raises
        raise ParameterError(f"cannot import {path}: {described(error)}") from error
    return found


class FileLoader(importlib.machinery.SourceFileLoader):
    """Loads a file from its content. Compiled code in a cache can be that of an earlier content."""

    def __init__(self, name: str, path: str, content: bytes) -> None:
        super().__init__(name, path)
        self._content = content

    def get_code(self, fullname: str) -> Any:
        """Compile the content, which is not read again."""
        return self.source_to_code(self._content, self.path)


def _module_of_file(path: Path) -> Any:
    """Import a file once per process and content, under a name that depends on both.

    A file that was edited is imported again, as a user of a notebook expects. The file can import modules beside it,
    as a script can; these are imported once.
    """
    if not is_plain(path):
        raise ParameterError(f"there is no file {path}")
    where = path.resolve()
    content = where.read_bytes()
    name = f"{where.stem}_{hashlib.sha256(os.fsencode(where) + content).hexdigest()[:8]}"
    if name not in sys.modules:
        if str(where.parent) not in sys.path:
            sys.path.append(str(where.parent))
        spec = importlib.util.spec_from_file_location(name, where, loader=FileLoader(name, str(where), content))
        assert spec is not None  # noqa: S101 - there is a loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # before it runs, as dataclasses and pickle look it up
        try:
            spec.loader.exec_module(module)  # type: ignore[union-attr] # the one given above
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def file_of(kind: Any) -> str:
    """Return the path of the file that was given as ``file.py:Class`` and defines a class or function; else empty."""
    module = sys.modules.get(str(getattr(kind, "__module__", "")))
    return str(module.__file__) if isinstance(getattr(module, "__loader__", None), FileLoader) and module else ""
