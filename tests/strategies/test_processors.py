"""Every strategy does the same on processors with other instructions, where linear algebra has other last bits.

Settings of OpenBLAS, NumPy and the C library stand for other processors. By default, one setting is tested, the one
that differs most from a new processor. ``--all-processors`` (``make test-processors``) tests all, with more runs.
"""

import platform

import pytest
from processor_settings import instructions, kernels, plain, traces
from traces_of_strategies import TABLES, everything, known

from nasbench_lab.strategies import registry

# Strategies that compute with real numbers, not only compare values; those with networks first.
NUMERICAL = ("bananas", "brp-nas", "npenas", "progressive-search", "recurrent-controller", "bohb", "smac", "tpe")
GAUSSIAN = "gp-bo"  # its linear algebra is in double precision: runs may differ, but hardly ever do

SETTINGS = {
    "plain": plain(),
    "no-avx": {"NPY_DISABLE_CPU_FEATURES": " ".join(instructions())},
    **{name: {"OPENBLAS_CORETYPE": name} for name in ("Haswell", "Zen", "Sandybridge", "Nehalem", "Prescott")},
}

if platform.machine().lower() not in ("x86_64", "amd64"):
    pytest.skip("the settings are those of x86 processors", allow_module_level=True)


@pytest.mark.parametrize("setting", SETTINGS)
def test_traces_do_not_depend_on_the_processor(setting, request):
    every = request.config.getoption("--all-processors")
    if setting != "plain" and not every:
        pytest.skip("needs --all-processors")
    names = registry.built_in() if every else (*NUMERICAL, GAUSSIAN)
    goldens = [[name, kind] for name in names for kind in TABLES]
    longer = (*NUMERICAL, GAUSSIAN) if every else NUMERICAL[:4]
    long = [[name, "digits/topology", 64 if every else 3, 150] for name in longer]
    found = traces(SETTINGS[setting], goldens + long)
    wanted = SETTINGS[setting].get("OPENBLAS_CORETYPE")
    if wanted and kernels():
        # As OpenBLAS calls it: a kernel may be the same as an older one.
        same = {"Prescott": ("Katmai", "Prescott"), "Zen": ("Haswell", "Zen")}.get(wanted, (wanted,))
        assert found["kernels"] in [[name] for name in same], "the setting had no effect"
    if "NPY_DISABLE_CPU_FEATURES" in SETTINGS[setting]:
        assert found["instructions"] == [], "the setting had no effect"
    expected = [known()[name][kind] for name, kind in goldens] + everything(long)
    compared = zip(goldens + long, expected, found["traces"], strict=True)
    assert [entry for entry, here, there in compared if here != there] == []
