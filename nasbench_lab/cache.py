"""The folder for downloads, converted tables and enumerated spaces."""

from __future__ import annotations

import os
from pathlib import Path

CACHE_VARIABLE = "NASBENCH_LAB_CACHE"


def cache_folder() -> Path:
    """Return the cache folder.

    This is the folder in the environment variable ``NASBENCH_LAB_CACHE`` if it is set, otherwise a folder in the cache
    folder of the user.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("nasbench-lab"))
