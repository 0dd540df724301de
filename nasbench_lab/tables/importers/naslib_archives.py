"""Zip archives of NASLib: members with a JSON list of architectures, their accuracy and a zero-cost score."""

from __future__ import annotations

import io
import itertools
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from nasbench_lab.errors import DataError
from nasbench_lab.messages import first_line

NO_SCORE = -1e8
"""Marks a zero-cost score that is not finite."""

_MOST_MEMBERS = 1_000
_MOST_BYTES = 2**20  # of one member; the largest has 148,029

SUITE_ZERO_CITATION = """@inproceedings{krishnakumar2022nasbenchsuitezero,
  title     = {{NAS-Bench-Suite-Zero}: Accelerating Research on Zero Cost Proxies},
  author    = {Krishnakumar, Arjun and White, Colin and Zela, Arber and Tu, Renbo and Safari, Mahmoud and
               Hutter, Frank},
  booktitle = {Advances in Neural Information Processing Systems 35 (Datasets and Benchmarks Track)},
  year      = {2022}
}"""


def rows(data: bytes, wanted: re.Pattern[str]) -> Iterator[Any]:
    """Yield the items of the JSON lists in the members whose names match.

    Raises:
        DataError: the archive is damaged, too large, or a member is not a list.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > _MOST_MEMBERS:
                raise DataError(f"the archive has {len(members)} members; at most {_MOST_MEMBERS} are expected")
            yield from itertools.chain.from_iterable(
                _list(archive, member) for member in members if wanted.fullmatch(member.filename)
            )
    except DataError:
        raise
    except Exception as error:  # a damaged archive or text can raise almost any exception
        raise DataError(f"the archive is damaged: {type(error).__name__}: {first_line(error)}") from error


def _list(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> list[Any]:
    with archive.open(member) as file:
        text = file.read(_MOST_BYTES + 1)
    if len(text) > _MOST_BYTES:
        raise DataError(f"{member.filename!r} in the archive has more than {_MOST_BYTES} bytes")
    content = json.loads(text)
    if not isinstance(content, list):
        raise DataError(f"{member.filename!r} in the archive is not a list of architectures")
    return content
