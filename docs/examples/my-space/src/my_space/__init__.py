"""Multilayer perceptrons as a search space for nasbench-lab."""
