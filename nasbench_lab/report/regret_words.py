"""The names of the kinds of regret and of value, the same in figures, in tables for papers and on the page."""

from __future__ import annotations

from nasbench_lab.simulation.trace import RegretKind

KIND_NAMES: dict[RegretKind, str] = {
    "observed": "observed regret",
    "valid": "validation regret",
    "test": "test regret",
}
"""Short names, for headings and where a full name stands nearby."""
KIND_WORDS: dict[RegretKind, str] = {
    "observed": "observed regret",
    "valid": "validation regret (mean over repeats)",
    "test": "test regret (mean over repeats)",
}
"""Full names in sentences: which regret it is, and the statistic over the repeats of a training."""
KIND_LABELS: dict[RegretKind, str] = {
    "observed": "observed regret",
    "valid": "validation regret, mean over repeats",
    "test": "test regret, mean over repeats",
}
"""Full names at axes."""
VALUE_NAMES: dict[RegretKind, str] = {
    "observed": "observed value",
    "valid": "validation value",
    "test": "test value",
}
"""Short names of what is shown where the optimum is not known, so that there is no regret."""
VALUE_WORDS: dict[RegretKind, str] = {
    "observed": "best observed value",
    "valid": "validation value (mean over repeats)",
    "test": "test value (mean over repeats)",
}
"""Full names of values in sentences."""
VALUE_LABELS: dict[RegretKind, str] = {
    "observed": "best observed value",
    "valid": "validation value, mean over repeats",
    "test": "test value, mean over repeats",
}
"""Full names of values at axes."""
