"""Other kernels and instructions for linear algebra and elementary functions, as environments of processes."""

import json
import os
import subprocess
import sys

import numpy as np
from paths import ROOT
from threadpoolctl import threadpool_info

SCRIPT = ROOT / "tests/helpers/traces_of_strategies.py"


def instructions():
    """The names of the instruction sets that NumPy uses here and can leave out."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]


def kernels():
    """The OpenBLAS kernel in use, or None where NumPy has another library or one for a single processor."""
    np.eye(2) @ np.eye(2)
    found = {info.get("architecture") for info in threadpool_info() if info.get("internal_api") == "openblas"}
    return found or None


def plain():
    """The fewest instructions, in OpenBLAS, NumPy and the C library."""
    return {
        "OPENBLAS_CORETYPE": "Prescott",
        "NPY_DISABLE_CPU_FEATURES": " ".join(instructions()),
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F",
    }


def traces(environment, what):
    """What `traces_of_strategies.py` prints in a process with other variables of the environment."""
    command = [sys.executable, str(SCRIPT), json.dumps(what)]
    where = os.pathsep.join([str(ROOT), str(SCRIPT.parent)])
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": where, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
