"""The sizes of published tables, known before they are fetched.

A test compares them with the files, where the published files are at hand. The two large tables of NAS-Bench-101 are
computed from their axes: eight bytes per number.
"""

from __future__ import annotations

from typing import NamedTuple


class KnownSize(NamedTuple):
    """The size of a table.

    Attributes:
        download: bytes of the published files that are downloaded.
        table: bytes of the table file that is made of them, within one percent.
    """

    download: int
    table: int


_TRANS = ("autoencoder", "class_object", "class_scene", "jigsaw", "normal", "room_layout", "segmentsemantic")
_GRAPH = ("arxiv", "citeseer", "computers", "cora", "cs", "photo", "physics", "pubmed")
_SUITE_ZERO = ("ninapro", "scifar100", "svhn")
_GRAPH_WHEEL = 5_868_117

KNOWN_SIZES: dict[str, KnownSize] = {
    "ec-nas/4v9e": KnownSize(893_556, 250_700),
    "ec-nas/4v9e-estimate": KnownSize(297_784, 88_500),
    "ec-nas/5v9e": KnownSize(2_136_916, 569_600),
    "nas-bench-101/full": KnownSize(2_085_986_016, 328_740_000),
    "nas-bench-101/means": KnownSize(5_950_155, 6_782_000),
    "nas-bench-101/only108": KnownSize(522_767_376, 84_730_000),
    **{f"nas-bench-graph/{dataset}": KnownSize(_GRAPH_WHEEL, 843_200) for dataset in _GRAPH},
    "nas-bench-graph/proteins": KnownSize(_GRAPH_WHEEL, 69_300),
    "nas-bench-macro/cifar10": KnownSize(1_178_821, 266_600),
    "nas-bench-nlp/wikitext-2": KnownSize(879_000, 5_954_000),
    **{f"nas-bench-suite-zero-darts/{dataset}": KnownSize(989_757, 66_920) for dataset in _SUITE_ZERO},
    **{f"nas-bench-suite-zero-micro/{dataset}": KnownSize(989_757, 63_560) for dataset in _SUITE_ZERO},
    **{f"nas-bench-suite-zero-topology/{dataset}": KnownSize(989_757, 65_340) for dataset in _SUITE_ZERO},
    "nats-bench-tss/ImageNet16-120": KnownSize(15_426_953, 5_774_000),
    "nats-bench-tss/cifar10": KnownSize(17_874_852, 7_792_000),
    "nats-bench-tss/cifar100": KnownSize(15_456_147, 5_774_000),
    **{f"trans-nas-bench-101-macro/{task}": KnownSize(870_234, 82_550) for task in _TRANS},
    **{f"trans-nas-bench-101-micro/{task}": KnownSize(1_016_797, 102_700) for task in _TRANS},
}
"""Table name to its size."""
