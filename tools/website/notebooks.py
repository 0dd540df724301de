"""Notebooks as Markdown, with the outputs that they are stored with."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import nbformat


def markdown(path: Path) -> tuple[str, dict[str, bytes]]:
    """Return a notebook as Markdown, and its pictures by the names that the text has for them.

    >>> folder = getfixture("tmp_path")
    >>> cell = nbformat.v4.new_code_cell("1 + 1", outputs=[nbformat.v4.new_output("stream", text="2")])
    >>> nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / "sums.ipynb")
    >>> print(markdown(folder / "sums.ipynb")[0])
    ```python
    1 + 1
    ```
    <BLANKLINE>
    ```text
    2
    ```
    """
    parts: list[str] = []
    pictures: dict[str, bytes] = {}
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for output in cell.outputs:
            name = f"{path.stem}-{len(pictures) + 1}.png"
            picture = _picture(output)
            if picture:
                pictures[name] = picture
                parts.append(f"![Figure that the code above draws]({name})")
            else:
                parts.append(_output(output))
    return "\n\n".join(parts), pictures


def _picture(output: Any) -> bytes | None:
    data = output.get("data", {})
    return base64.b64decode(data["image/png"]) if "image/png" in data else None


def _output(output: Any) -> str:
    data = output.get("data", {})
    if "text/html" in data:
        # Styles of a data frame would override those of the site.
        shown = re.sub(r"<style.*?</style>", "", data["text/html"], flags=re.S)
        lines = (line.strip() for line in shown.splitlines())
        return f'<div class="notebook-output">\n{chr(10).join(line for line in lines if line)}\n</div>'
    return f"```text\n{output.get('text', data.get('text/plain', '')).rstrip()}\n```"
