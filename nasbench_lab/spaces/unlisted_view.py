"""A space of any size as if it were too large to list, for tests and comparisons."""

from __future__ import annotations

import copy
from typing import TypeVar

from nasbench_lab.spaces.base import Space

AnySpace = TypeVar("AnySpace", bound=Space)


def unlisted(space: AnySpace) -> AnySpace:
    """Return the same space with `Space.is_listed` False: it keeps no tables and computes everything from the codes.

    Searches are the same in both, except for strategies that go through all architectures of a listed space. A space
    that knows its neighbours as a whole only, such as that of NAS-Bench-101, still looks them up.

    >>> from nasbench_lab.spaces import TopologySpace
    >>> space = TopologySpace()
    >>> unlisted(space).is_listed, (unlisted(space).neighbors(284) == space.neighbors(284)).all().item()
    (False, True)
    """
    view = copy.copy(space)
    view._is_unlisted_view = True
    return view
