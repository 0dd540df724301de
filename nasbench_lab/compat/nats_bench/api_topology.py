"""The module ``nats_bench.api_topology``: the topology space."""

from __future__ import annotations

from typing import Any, cast, final

from nasbench_lab.compat.nats.texts import Style, information_printer
from nasbench_lab.compat.nats_bench.api_utils import NASBenchMetaAPI
from nasbench_lab.spaces.topology import TopologySpace

ALL_BASE_NAMES = ["NATS-tss-v1_0-3ffb9"]
"""Names of the official releases; the last one is opened by default."""

_STYLE = Style(" & ", shows_test=False)

print_information = information_printer(_STYLE)


@final
class NATStopology(NASBenchMetaAPI):
    """The topology space, as ``nats_bench.NATStopology``."""

    space_name = "topology"
    text_style = _STYLE
    default_name = ALL_BASE_NAMES[-1]
    full_epochs_in_paper = 200
    is_size = False

    def get_unique_str(self, arch: Any) -> str:
        """Return the published text that isomorphic architectures share.

        Raises:
            ArgumentError: there is no such architecture.
        """
        return cast("TopologySpace", self._archive.space).unique_string(self._place_of(arch))
