"""The names of the kinds of regret, the same in figures, in tables for papers and on the page."""

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
