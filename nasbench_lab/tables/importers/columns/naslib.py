"""Architectures as NASLib and zc_combine write them: tuples of numbers, such as ``(4, 0, 3, 1, 4, 3)``.

DARTS cells are pairs of numbers: ``(((0, 5), (1, 3), ...), (...))``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import cast

from nasbench_lab.spaces.darts import OPERATIONS as DARTS_OPERATIONS

_NUMBERS = re.compile(r"[(\[]\s*([0-9](?:\s*,\s*[0-9])*)\s*,?\s*[)\]]")
_PAIR = r"\(\s*[0-9]\s*,\s*[0-9]\s*\)"
_DARTS_CELL = rf"\(\s*{_PAIR}(?:\s*,\s*{_PAIR}){{7}}\s*,?\s*\)"
_DARTS = re.compile(rf"\(\s*{_DARTS_CELL}\s*,\s*{_DARTS_CELL}\s*,?\s*\)", re.ASCII)
_CELL_201 = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")


def _topology(digits: str) -> str | None:
    """Return a cell of NAS-Bench-201; its edges are ordered by their source, in official notation by their target."""
    if len(digits) != 6 or max(digits) > "4":
        return None
    to_1, to_2, to_3, from_1_to_2, from_1_to_3, from_2_to_3 = (_CELL_201[int(digit)] for digit in digits)
    return f"|{to_1}~0|+|{to_2}~0|{from_1_to_2}~1|+|{to_3}~0|{from_1_to_3}~1|{from_2_to_3}~2|"


def _trans_micro(digits: str) -> str | None:
    return f"64-41414-{digits[:1]}_{digits[1:3]}_{digits[3:]}" if len(digits) == 6 else None


def _trans_macro(digits: str) -> str | None:
    return f"64-{digits.rstrip('0')}-basic"


def _genotype(text: str) -> str | None:
    """Return a pair of DARTS cells: pairs of an input and an operation, two per node, the normal cell first."""
    if _DARTS.fullmatch(text) is None:
        return None
    digits = re.findall("[0-9]", text)
    if max(digits[1::2]) >= str(len(DARTS_OPERATIONS)):
        return None
    edges = [
        (DARTS_OPERATIONS[int(operation)], int(source))
        for source, operation in zip(digits[::2], digits[1::2], strict=True)
    ]
    concat = "range(2, 6)"
    return f"Genotype(normal={edges[:8]}, normal_concat={concat}, reduce={edges[8:]}, reduce_concat={concat})"


_NOTATIONS: dict[str, Callable[[str], str | None]] = {
    "topology": _topology,
    "trans-micro": _trans_micro,
    "trans-macro": _trans_macro,
}


def official_notations(space: str, texts: Sequence[str]) -> list[str] | None:
    """Return architectures in official notation; None if they are not tuples of NASLib.

    Args:
        space: name of the search space.
        texts: the architectures.

    >>> official_notations("topology", ["(4, 0, 3, 1, 4, 3)"])
    ['|avg_pool_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_1x1~2|']
    >>> official_notations("topology", ["(0, 1)"])
    """
    if space == "darts":
        genotypes = [_genotype(text) for text in texts]
        return None if None in genotypes else cast("list[str]", genotypes)
    convert = _NOTATIONS.get(space)
    if convert is None:
        return None
    found = []
    for text in texts:
        match = _NUMBERS.fullmatch(text)
        official = convert(re.sub(r"[^0-9]", "", match[1])) if match else None
        if official is None:
            return None
        found.append(official)
    return found
