"""The text of the pages of the reference."""

from __future__ import annotations

from website import api, docstrings


def markdown(page: api.Page) -> str:
    """Return the text of a page for mkdocstrings."""
    parts = [f"# {page.module}", docstrings.markdown(api.docstring(page.module))]
    if page.elsewhere:
        parts += ["| name | documentation |\n|---|---|"]
        parts[-1] += "".join(
            f"\n| <span id='{page.module}.{name}'></span>`{page.module}.{name}` | [{path}][] |"
            for name, path in page.elsewhere
        )
    parts += [f"::: {page.module}.{name}" for name in page.names]
    return "\n\n".join(parts) + "\n"
