"""The size space of NATS-Bench: how many channels each of the five stages of a fixed network has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

from numpy.typing import ArrayLike

from nasbench_lab.errors import OutOfSpaceError
from nasbench_lab.spaces.encodings import COUNTS, Vectors, counts
from nasbench_lab.spaces.product import ProductSpace

CHANNELS = (8, 16, 24, 32, 40, 48, 56, 64)
"""The possible numbers of channels of a layer, in the order of the codes."""
LAYERS = 5


@final
class SizeSpace(ProductSpace):
    """All 8**5 = 32,768 choices of channels (Dong et al., "NATS-Bench", TPAMI 2021).

    The codes are positions in `CHANNELS`, from the first layer to the last; the notation is the numbers of channels
    with ``:`` between them. The official order is that of the published archives: the last layer turns fastest.

    >>> space = SizeSpace()
    >>> space.size, space.format(284), space.parse("8:8:40:32:40")
    (32768, '8:8:40:32:40', 284)
    """

    encodings: ClassVar[tuple[str, ...]] = (*ProductSpace.encodings, COUNTS)
    _one_code: ClassVar[str] = "layer"

    def __init__(self) -> None:
        super().__init__("size", (len(CHANNELS),) * LAYERS)

    def channels(self, index: int) -> tuple[int, ...]:
        """Return the numbers of channels of one architecture, from the first layer to the last.

        >>> SizeSpace().channels(284)
        (8, 8, 40, 32, 40)
        """
        return tuple(CHANNELS[code] for code in self.codes(index).tolist())

    def make_encoding(self, index: ArrayLike, encoding: str) -> Vectors:
        """Return architectures as vectors for models; ``"counts"``: how often each of `CHANNELS` occurs.

        >>> SizeSpace().encode(284, "counts").tolist()
        [2.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0]
        """
        if encoding == COUNTS:
            return counts(self.codes(index), len(CHANNELS))
        return super().make_encoding(index, encoding)

    def labels(self, index: int) -> tuple[str, ...]:
        """Return the numbers of channels in words."""
        return tuple(f"{channels} channels" for channels in self.channels(index))

    def parse_one(self, text: str) -> tuple[int, ...]:
        """Return the codes of an architecture in official notation."""
        parts = text.strip().split(":")
        if len(parts) != LAYERS:
            raise OutOfSpaceError(f"{text!r} has {len(parts)} layers; write the channels of {LAYERS}, as 8:16:24:32:64")
        return tuple(_code(part, layer, text) for layer, part in enumerate(parts))

    def format_one(self, codes: Sequence[int]) -> str:
        """Return the official notation of an architecture."""
        return ":".join(str(CHANNELS[code]) for code in codes)


_CODES = {str(channels): code for code, channels in enumerate(CHANNELS)}


def _code(part: str, layer: int, text: str) -> int:
    if part not in _CODES:
        raise OutOfSpaceError(f"layer {layer} of {text!r} has {part!r} channels; allowed: {', '.join(_CODES)}")
    return _CODES[part]
