"""Warnings about files that should be published ones, but are not as published."""

from __future__ import annotations

import functools
import hashlib
import warnings
from collections.abc import Iterable
from pathlib import Path

from nasbench_lab.errors import PublishedFileWarning
from nasbench_lab.plain_files import is_plain, open_plain
from nasbench_lab.tables import store
from nasbench_lab.tables.known_answers import check_known_answers


@functools.cache
def digests() -> dict[str, str]:
    """Return the names of published files that users import, and their SHA-256.

    >>> digests()["anb_dataset_jsons.tar.gz"][:8]
    '3520992d'
    """
    from nasbench_lab.tables.importers import accel_nasbench, ec_nas, nas_bench_101

    return {**accel_nasbench.PUBLISHED, **ec_nas.PUBLISHED, **nas_bench_101.tables.PUBLISHED}


def warn_of_other_content(source: Path) -> None:
    """Warn if a file has the name of a published file but another SHA-256."""
    known = digests().get(source.name)
    if known is None or not is_plain(source):
        return
    with open_plain(source) as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != known:
        _warn(f"{source.name} is not as published, or damaged: its SHA-256 is {found[:12]}..., not {known[:12]}...")


def warn_of_other_numbers(tables: Iterable[Path]) -> None:
    """Warn if tables do not have the numbers that are published about tables of their names."""
    for path in tables:
        for check in check_known_answers(store.open_table(path)):
            if not check.ok:
                _warn(f"{path.name} is not as published: {check.what}: {check.found}")


def _warn(message: str) -> None:
    warnings.warn(message, PublishedFileWarning, stacklevel=4)
