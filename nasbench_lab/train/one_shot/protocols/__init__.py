"""Published protocols of one-shot searches, as frozen data, with the results that their papers give."""

from nasbench_lab.train.one_shot.protocols.published_protocol import PublishedProtocol
from nasbench_lab.train.one_shot.protocols.published_rows import (
    DATASETS,
    PUBLISHED,
    PublishedResult,
    published_results,
)
from nasbench_lab.train.one_shot.protocols.registry import list_protocols, protocol

__all__ = [
    "DATASETS",
    "PUBLISHED",
    "PublishedProtocol",
    "PublishedResult",
    "list_protocols",
    "protocol",
    "published_results",
]
