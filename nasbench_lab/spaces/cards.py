"""What a notebook shows of a space."""

from __future__ import annotations

from typing import Any

from nasbench_lab.displays import html_card


def space_card(space: Any) -> str:
    """Return HTML with the size of a `Space`, its choices, its first and last architecture, and its encodings."""
    values = list(map(str, space.cardinalities))
    facts = {
        "architectures": f"{space.size:,}",
        "choices": f"{len(values)}, with {' x '.join(values)} values",
        "first": space.format(0),
        "last": space.format(space.size - 1),
        "encodings": ", ".join(space.encodings),
    }
    return html_card(f"Space {space.name}", facts)
