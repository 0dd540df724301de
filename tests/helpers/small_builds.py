"""The specification of a small table that is trained in seconds, and what its journal has."""

import sqlite3

SPEC = """
name = "mine/topology"
title = "A small one"
seeds = 2
recipe = { base = "digits", epochs = 2, batch = 100 }
sample = 7
licence = "CC0-1.0"
notes = ["for tests"]

[space]
name = "topology"

[network]
channels = 2
cells = 1

[dataset]
name = "digits"
"""


def recorded(journal):
    """Every finished unit with its content."""
    if not journal.exists():
        return {}
    try:
        with sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=10) as connection:
            return {row[0]: row[1] for row in connection.execute("SELECT architecture, arrays FROM units")}
    except sqlite3.OperationalError:  # the tables are not there yet
        return {}
