"""Building blocks of several strategies: selection, variation, rungs, distributions, sets of visited architectures."""
