"""Drop-in replacements of the official APIs over the tables of this package: a script changes one import line."""
