"""The mathematics of model-based strategies: one model per run, all runs at once."""
