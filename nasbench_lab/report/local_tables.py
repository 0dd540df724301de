"""The landscapes of the tables of a study, as far as the tables are on this machine."""

from __future__ import annotations

import dataclasses
import functools

from nasbench_lab.analysis.landscapes.landscape_results import Landscape
from nasbench_lab.analysis.landscapes.table_landscapes import landscape
from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.errors import NasbenchLabError
from nasbench_lab.tables import load
from nasbench_lab.tables.catalogue import is_named, is_present


@dataclasses.dataclass(frozen=True)
class StudyLandscapes:
    """Landscapes of the tables of a study.

    Attributes:
        found: one per table that is on this machine, in the order of the tasks.
        missing: names of the other tables.
    """

    found: tuple[Landscape, ...] = ()
    missing: tuple[str, ...] = ()


def study_landscapes(study: Study) -> StudyLandscapes:
    """Return the landscapes of the tables of a study.

    A table is used only if it is in the catalogue and on this machine, with the checksum that the results name. Nothing
    is downloaded.
    """
    checksums = {task.table: task.checksum for task in study.tasks}
    each = {name: _landscape(name, checksum) for name, checksum in checksums.items()}
    return StudyLandscapes(
        tuple(found for found in each.values() if found is not None),
        tuple(name for name, found in each.items() if found is None),
    )


@functools.lru_cache(maxsize=64)
def _landscape(name: str, checksum: str) -> Landscape | None:
    if not is_named(name) or not is_present(name):
        return None
    try:
        table = load(name)
        return landscape(table) if table.checksum == checksum else None
    except NasbenchLabError:  # a damaged table, or a space of a package that is not installed; the results are whole
        return None
