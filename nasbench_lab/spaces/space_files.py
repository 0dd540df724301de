"""Spaces in TOML files, which a user writes for a search of their own."""

from __future__ import annotations

import os

from nasbench_lab.errors import DataError, NasbenchLabError
from nasbench_lab.messages import first_line, unknown
from nasbench_lab.plain_files import is_plain, read_toml
from nasbench_lab.spaces.base import Space
from nasbench_lab.spaces.registry import list_spaces, make_space

_WRAPPER = "space"
_SUFFIX = ".toml"


def read_space(path: str | os.PathLike[str]) -> Space:
    """Return the space that a TOML file describes.

    The file has ``name``, the name of the space, and its parameters, as `Space.spec` returns them. They may stand in a
    table ``[space]``, so that the specification of a table to build is the description of a space, too
    (docs/space-files.md).

    Raises:
        DataError: the file is missing, not TOML, or describes no space; the message names the wrong entry.

    >>> from pathlib import Path
    >>> _ = Path("my-space.toml").write_text('name = "chain"; choices = "012"; length = 39'.replace("; ", chr(10)))
    >>> read_space("my-space.toml").size == 3**39
    True
    """
    data = read_toml(path)
    inner = data.get(_WRAPPER)
    spec = inner if isinstance(inner, dict) and "name" in inner else data
    try:
        if "name" not in spec:
            raise DataError(f"the description of a space needs a name, such as name = {'layer-chain'!r}")
        return make_space(spec)
    except NasbenchLabError as error:
        raise DataError(f"{os.fspath(path)}: {first_line(error)}") from error


def find_space(text: str) -> Space:
    """Return a space by its name, if it has no parameters that must be given, or from a TOML file.

    Raises:
        DataError: the file describes no space, or the space needs parameters.
        UnknownNameError: there is no space and no file with this name.

    >>> find_space("darts").summary
    'darts, 1,076,746,950,455,072,400 architectures'
    """
    if text in list_spaces():
        try:
            return make_space({"name": text})
        except DataError as error:
            raise DataError(f"{first_line(error)}: write a file with name = {text!r} and its parameters") from error
    if is_plain(text) or text.endswith(_SUFFIX) or os.sep in text:
        return read_space(text)
    raise unknown("space", text, list_spaces())
