"""All published protocols by name."""

from __future__ import annotations

from nasbench_lab.messages import unknown
from nasbench_lab.train.one_shot.protocols.autodl import AUTODL
from nasbench_lab.train.one_shot.protocols.halves import HALVES
from nasbench_lab.train.one_shot.protocols.published_protocol import PublishedProtocol

_PROTOCOLS = {each.name: each for each in (*AUTODL, *HALVES)}


def list_protocols() -> list[str]:
    """Return the names of all protocols, sorted.

    >>> [name for name in list_protocols() if name.startswith("darts-pt")]
    ['darts-pt/darts-pt', 'darts-pt/darts-pt-fixed-alpha']
    """
    return sorted(_PROTOCOLS)


def protocol(name: str) -> PublishedProtocol:
    """Return a protocol by its name.

    Raises:
        UnknownNameError: no protocol has this name; the message suggests similar ones.

    >>> protocol("nas-bench-201/gdas").recipe.epochs
    250
    """
    if name not in _PROTOCOLS:
        raise unknown("protocol", name, list_protocols())
    return _PROTOCOLS[name]
