"""Where what was downloaded or computed once is kept for the next time."""

from __future__ import annotations

import os
from pathlib import Path

CACHE_VARIABLE = "NASBENCH_LAB_CACHE"


def cache_folder() -> Path:
    """Return the folder for converted tables, downloads and enumerated spaces.

    The one that the environment variable ``NASBENCH_LAB_CACHE`` names, or the user's cache folder.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("nasbench-lab"))
