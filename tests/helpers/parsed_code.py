"""Files of code, parsed once per process."""

import ast
import functools


@functools.cache
def parsed(path):
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def nodes_of(path):
    """Return all nodes of the syntax tree of a file, as `ast.walk` yields them."""
    return tuple(ast.walk(parsed(path)))
