"""Regression tests of strategies: a baseline records what a strategy did; a check compares a new run with it."""
