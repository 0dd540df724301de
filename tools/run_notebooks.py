"""Execute the notebooks of the documentation, and store their outputs in them."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

NOTEBOOKS = Path(__file__).parents[1] / "docs" / "notebooks"

_MOST_SECONDS = 300  # of a cell


def execute(path: Path) -> nbformat.NotebookNode:
    """Return a notebook with new outputs, executed in an empty kernel; the file is unchanged.

    Raises:
        CellExecutionError: a cell raised an error.
    """
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    sockets = Config({"KernelManager": {"transport": "ipc"}})  # unlike TCP, not open to other users
    NotebookClient(
        notebook, kernel_name="python3", timeout=_MOST_SECONDS, record_timing=False, config=sockets
    ).execute()
    notebook.metadata["language_info"] = {"name": "python"}  # not the version of this Python
    return notebook


def main() -> int:
    """Execute all notebooks and write their outputs."""
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        nbformat.write(execute(path), path)  # type: ignore[no-untyped-call]
        print(path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
