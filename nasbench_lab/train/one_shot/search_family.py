"""The one-shot methods as searches that suites find by name, such as ``one-shot/darts``. Does not import torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, final

from nasbench_lab.messages import unknown
from nasbench_lab.train.one_shot.methods.registry import list_methods

if TYPE_CHECKING:
    from nasbench_lab.train.one_shot.suite_search import OneShotSearch


@final
class OneShotFamily:
    """The one-shot methods; see `nasbench_lab.simulation.table_searches.SearchFamily`.

    >>> "spos" in OneShotFamily().names()
    True
    """

    needs = "it needs torch: pip install 'nasbench-lab[torch]'"
    """What is needed, and how to install it."""

    def is_available(self) -> bool:
        """Return whether torch is installed."""
        return importlib.util.find_spec("torch") is not None

    def names(self) -> Sequence[str]:
        """Return the names of all methods, sorted."""
        return list_methods()

    def make(self, name: str, parameters: Mapping[str, Any]) -> OneShotSearch:
        """Return the search of a method.

        Args:
            name: of the method.
            parameters: of the method, and ``epochs``.

        Raises:
            UnknownNameError: no method has that name, or it has no such parameter.
            ParameterError: a parameter has a value that is not allowed.
        """
        from nasbench_lab.train.one_shot.suite_search import OneShotSearch

        if name not in list_methods():
            raise unknown("one-shot method", name, list_methods())
        return OneShotSearch.of(name, parameters)
