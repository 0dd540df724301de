"""The module ``nats_bench.api_size``: the size space."""

from __future__ import annotations

from typing import final

from nasbench_lab.compat.nats.texts import Style, information_printer
from nasbench_lab.compat.nats_bench.api_utils import NASBenchMetaAPI

ALL_BASE_NAMES = ["NATS-sss-v1_0-50262"]
"""Names of the official releases; the last one is opened by default."""

_STYLE = Style(" & ", shows_test=True)

print_information = information_printer(_STYLE)


@final
class NATSsize(NASBenchMetaAPI):
    """The size space, as ``nats_bench.NATSsize``."""

    space_name = "size"
    text_style = _STYLE
    default_name = ALL_BASE_NAMES[-1]
    full_epochs_in_paper = 90
    is_size = True
