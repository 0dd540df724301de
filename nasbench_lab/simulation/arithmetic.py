"""What computes: on it depend the last bits of linear algebra."""

from __future__ import annotations

import functools
import importlib
from typing import Any

from nasbench_lab.simulation.threads import blas_libraries


@functools.cache
def arithmetic() -> str:
    """Return the libraries of linear algebra with their kernels, and NumPy's instruction sets, as one line of text.

    For example ``"openblas 0.3.31 SkylakeX; NumPy X86_V2 X86_V3 X86_V4"``. Only `gp-bo` among the built-in strategies
    depends on it, see the design page about processors.
    """
    umath: Any = importlib.import_module("numpy._core._multiarray_umath")  # as np.show_runtime does
    libraries = sorted({" ".join(str(info.get(key) or "") for key in _DESCRIBED).strip() for info in blas_libraries()})
    sets = [*umath.__cpu_baseline__, *(name for name in umath.__cpu_dispatch__ if umath.__cpu_features__.get(name))]
    return "; ".join([*libraries, f"NumPy {' '.join(sets)}".strip()])


_DESCRIBED = ("internal_api", "version", "architecture")
