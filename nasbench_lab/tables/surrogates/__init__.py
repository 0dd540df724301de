"""Surrogate tables: models that answer for every architecture of a space, and the files that they are stored in."""
