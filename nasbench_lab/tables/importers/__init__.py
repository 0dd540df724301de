"""Importers, one module or package per publication: the recipes of its tables and the readers of its files."""
