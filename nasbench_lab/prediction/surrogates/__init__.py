"""Surrogate tables: fitting models to a sample of trainings, and checking what they are good for."""
