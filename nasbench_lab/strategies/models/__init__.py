"""Models of the values of architectures, with one model per run, computed for all runs at once."""
