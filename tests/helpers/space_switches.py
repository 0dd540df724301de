"""Finding code that asks of which kind a space is: by its class, or by its name."""

import ast

from nasbench_lab import spaces

CLASSES = {
    name
    for name, each in vars(spaces).items()
    if isinstance(each, type) and issubclass(each, spaces.Space) and each is not spaces.Space
}
"""Whether something is a space at all, ``isinstance(x, Space)``, is another question."""


def space_switches(nodes):
    """Return the lines of code that ask which space it has, ascending.

    They are ``isinstance`` with a class of spaces, ``type(space)`` and ``space.__class__``, comparisons with the name
    of a space or of its description, functions chosen from a dictionary by that name, and ``match``. The name of the
    class in a message, ``type(space).__name__``, is not one of them.
    """
    shown = {node.value for node in nodes if isinstance(node, ast.Attribute) and node.attr == "__name__"}
    return sorted(node.lineno for node in nodes if node not in shown and _asks(node))


def _asks(node):
    match node:
        case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, classes]):
            return any(_last_name(part) in CLASSES for part in ast.walk(classes))
        case ast.Call(func=ast.Name(id="type"), args=[one]) | ast.Attribute(attr="__class__", value=one):
            return _is_space(one)
        case ast.Compare():
            return any(map(_is_name, (node.left, *node.comparators)))
        case ast.Match():
            return _is_space(node.subject) or _is_name(node.subject)
        case ast.Subscript():
            return _is_name(node.slice)
    return False


def _is_name(node):
    """Whether this is ``space.name``, ``space["name"]``, ``spec["name"]`` or ``spec.get("name")``."""
    match node:
        case ast.Attribute(attr="name", value=one):
            return _is_space(one)
        case ast.Subscript(value=one, slice=ast.Constant(value="name")):
            return _is_description(one)
        case ast.Call(func=ast.Attribute(attr="get", value=one), args=[ast.Constant(value="name"), *_]):
            return _is_description(one)
    return False


def _is_description(node):
    """``description.space`` is one, too."""
    return _is_space(node) or _last_name(node.func if isinstance(node, ast.Call) else node) == "spec"


def _is_space(node):
    if isinstance(node, ast.Call):
        return _last_name(node.func) == "make_space"
    return _last_name(node) == "space" or _last_name(node).endswith("_space")


def _last_name(node):
    """``ChainSpace`` of ``spaces.ChainSpace``; empty for what is no name."""
    return getattr(node, "attr", getattr(node, "id", ""))
