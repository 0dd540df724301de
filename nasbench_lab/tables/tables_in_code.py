"""Tables that are code: ``file.py:name`` or ``package.module:name`` names a table, or what makes one."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path
from typing import Any

from nasbench_lab.errors import NasbenchLabError, ParameterError
from nasbench_lab.messages import described
from nasbench_lab.tables.any_table import AnyTable
from nasbench_lab.user_code import import_name

_IN_CODE = re.compile(r"(.+\.py|[A-Za-z_]\w*(\.[A-Za-z_]\w*)*):[A-Za-z_][\w.]*", re.DOTALL)


def is_in_code(name: str) -> bool:
    """Return whether a name of a table names code.

    >>> is_in_code("mine.py:table"), is_in_code("package.module:Table"), is_in_code("digits/chain")
    (True, True, False)
    """
    return bool(_IN_CODE.fullmatch(name))


def code_file(name: str) -> str:
    """Return the file in a name such as ``"mine.py:table"``; empty if it names a module."""
    place = name.rpartition(":")[0]
    return place if place.endswith(".py") else ""


def refuse_code(name: str, reason: str) -> None:
    """Raise ParameterError if a name names code.

    >>> refuse_code("digits/chain", "it has no file")
    >>> refuse_code("mine.py:table", "it has no file")
    Traceback (most recent call last):
    nasbench_lab.errors.ParameterError: 'mine.py:table' is a table in code: it has no file
    """
    if is_in_code(name):
        raise ParameterError(f"{name!r} is a table in code: {reason}")


def load_from_code(name: str) -> AnyTable:
    """Return the table that a name such as ``"mine.py:table"`` names.

    That is a table, or a class or a function without arguments that makes one. A table without a checksum gets one of
    its file and its description, so that results of different versions of the file are told apart.

    Raises:
        ParameterError: the file, module or name does not exist, or it does not make a table.
    """
    found = import_name(name)
    made = found
    if not isinstance(found, AnyTable) and callable(found):
        try:
            made = found()
        except NasbenchLabError as error:
            raise ParameterError(f"{name} makes no table: {error}") from error
        except Exception as error:  # whatever the code of a user raises
            raise ParameterError(f"{name} makes no table: {described(error)}") from error
    if not isinstance(made, AnyTable):
        raise ParameterError(
            f"{name} must be a table, or a class or a function without arguments that makes one, "
            f"not {type(made).__name__}"
        )
    if not made.checksum:
        digest = hashlib.sha256(made.description.to_json().encode())
        digest.update(_content(name, type(made)))
        made.checksum = digest.hexdigest()
    return made


def _content(name: str, kind: Any) -> bytes:
    file = code_file(name) or getattr(sys.modules.get(name.rpartition(":")[0]), "__file__", None) or ""
    return Path(file).read_bytes() if file else kind.__qualname__.encode()
