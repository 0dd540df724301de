"""Logs: the files of other programs that searched a table, as results."""
