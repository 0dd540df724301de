"""The gallery: the blocks of ``gallery.md``, executed, with the figures that they write."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from markdown_it import MarkdownIt
from markdown_it.token import Token

from nasbench_lab.cli import main
from website import pictures
from website.pictures import Shown

PLACE = "gallery.md"
FOLDER = "gallery"
"""The folder of the figures in the site."""

_SOURCE = Path(__file__).with_suffix(".md")
_WIDTH = 480  # of a single-column figure on the page


class GalleryError(Exception):
    """A command of the gallery fails."""


def text() -> str:
    """Return the gallery as it is written, without figures."""
    return _SOURCE.read_text(encoding="utf-8")


def page() -> Shown:
    """Return the gallery with its figures, executed now if the package has changed since."""
    names = json.loads(pictures.kept("gallery.json", lambda: json.dumps(_draw()).encode()))
    lines = text().splitlines()
    for line, drawn in sorted(((int(line), drawn) for line, drawn in names.items()), reverse=True):
        lines[line:line] = ["", *(f"![{alt(name)}]({FOLDER}/{name})" + _size(name) for name in drawn), ""]
    drawn = [name for each in names.values() for name in each]
    return Shown("\n".join(lines), {f"{FOLDER}/{name}": pictures.kept(name, _missing) for name in drawn})


def alt(name: str) -> str:
    """Return what a figure is called where it cannot be seen.

    >>> alt("regret-seconds.png")
    'Figure: regret seconds'
    """
    return f"Figure: {Path(name).stem.replace('-', ' ')}"


def _size(name: str) -> str:
    """Return the width of a narrow figure; others are as wide as the page."""
    width = int.from_bytes(pictures.kept(name, _missing)[16:20], "big")  # of a PNG, in pixels
    return f"{{ width={_WIDTH} }}" if width < 1200 else ""


def _missing() -> bytes:
    raise GalleryError(f"a figure of the gallery is not stored any more; delete {pictures.folder()}")


def _draw() -> dict[int, list[str]]:
    """Execute all blocks; store their figures, and return the names of the figures by the last line of their block."""
    found: dict[int, list[str]] = {}
    with tempfile.TemporaryDirectory(prefix="nasbench-lab-") as folder, contextlib.chdir(folder):
        seen: set[Path] = set()
        variables: dict[str, Any] = {"__name__": "gallery"}
        for block in _blocks():
            try:
                _execute(block, variables)
            except Exception as error:
                raise GalleryError(f"{_SOURCE.name}, line {(block.map or [0])[0] + 1}: {error}") from error
            new = [path for path in sorted(Path.cwd().glob("*.png")) if path not in seen]
            seen.update(new)
            for path in new:
                data = path.read_bytes()
                pictures.kept(path.name, lambda data=data: data)  # type: ignore[misc]
            if new:
                found[(block.map or [0, 0])[1]] = [path.name for path in new]
    return found


def _blocks() -> Iterator[Token]:
    yield from (token for token in MarkdownIt().parse(text()) if token.type == "fence")


def _execute(block: Token, variables: dict[str, Any]) -> None:
    if block.info == "python":
        exec(compile(block.content, _SOURCE.name, "exec"), variables)  # noqa: S102 - a file of this folder
        return
    for line in block.content.replace("\\\n", " ").splitlines():
        program, *words = shlex.split(line)
        if program != "nasbench-lab":
            raise GalleryError(f"the gallery runs nasbench-lab and Python, not {program!r}")
        _run(words)


def _run(words: list[str]) -> None:
    """Run the command line in this process."""
    said = io.StringIO()
    code: Any = 0
    with mock.patch.object(sys, "argv", ["nasbench-lab", *words]), mock.patch.dict(os.environ, {"COLUMNS": "100"}):
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                main()
        except SystemExit as end:
            code = end.code
    if code:
        raise GalleryError(f"{shlex.join(['nasbench-lab', *words])} ended with {code}: {said.getvalue()}")
