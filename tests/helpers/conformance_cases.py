"""Conformance cases for several settings of each strategy."""

import pytest

from nasbench_lab.testing import CASES

LONG = "a_long_run_does_not_depend_on_its_company"


def cases_of(variants):
    """Return all cases of all variants, but the long search only for the first variant of each strategy.

    A long search costs seconds where a model is fitted, and the short ones of other variants reach all of their phases:
    these variants begin with fewer evaluations, or differ from the first in what happens from the beginning.
    """
    found, seen = [], set()
    for number, (name, parameters) in enumerate(variants):
        for label, case in CASES.items():
            if label != LONG or name not in seen:
                found.append(pytest.param(case, name, parameters, id=f"{name}-parameters{number}-{label}"))
        seen.add(name)
    return found
