"""Which architectures of a hierarchical space are the same network (docs/design/sharing.md)."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

from nasbench_lab.spaces.hierarchical.terms import Term
from nasbench_lab.spaces.hierarchical.topologies import Edges, edges_of

Form = tuple[str, ...]
"""Steps, one after the other: an operation by name, or a graph that is none of these, as text."""

IDENTITY: Form = ()
ZERO: Form = ("zero",)
_CONSTANT: Form = ("constant",)
_CONVOLUTIONS = (("conv3x3",), ("conv1x1",))
_INPUT = -1
_MOST_ORDERED = 6  # operations of one graph that are put into all orders

Value = Counter[int]
"""A node as a sum: how often the output of every operation occurs in it."""


def form_of(term: Term, shared: Mapping[str, Term]) -> Form:
    """Return what is equal for terms that are the same network, up to naming the weights.

    Sums are formed as in the cells of NAS-Bench-201 (docs/design/sharing.md): ``id`` copies, ``zero`` adds nothing, a
    convolution of nothing is a constant, operations that do not lead to the output are left out, and operations of one
    function are put into an order that does not depend on how they were written. Every function is treated on its own;
    networks that are the same in another arrangement of functions can have different forms.

    Args:
        term: the network.
        shared: what names in it stand for.
    """
    return _form(term, {name: _form(each, {}, shared) for name, each in shared.items()})


def _form(term: Term, known: Mapping[str, Form], shared: Mapping[str, Term] | None = None) -> Form:
    if term.arguments:
        forms = tuple(_form(argument, known, shared) for argument in term.arguments)
        return _joined(forms, edges_of(term.name, len(forms)))
    if term.name in known:
        return known[term.name]
    if shared is not None and term.name in shared:
        return _form(shared[term.name], known, shared)
    return IDENTITY if term.name == "id" else (term.name,)


@functools.lru_cache(maxsize=2**14)
def _joined(forms: tuple[Form, ...], edges: Edges) -> Form:
    """Return the form of a graph with these forms on its edges."""
    operations, output = _sums(forms, edges)
    live = _live(operations, output)
    chain = _as_chain(operations, output)
    if chain is not None:
        return chain
    orders = itertools.permutations(live) if len(live) <= _MOST_ORDERED else [tuple(live)]
    return (min(_numbered(operations, output, order) for order in orders),)


def _sums(forms: Sequence[Form], edges: Edges) -> tuple[list[tuple[Form, Value]], Value]:
    """Return the operations of a graph, each with the sum that it takes, and the sum that is the output."""
    operations: list[tuple[Form, Value]] = []
    nodes: list[Value] = [Counter({_INPUT: 1}), *(Counter() for _ in range(max(target for _, target in edges)))]
    for (source, target), form in sorted(zip(edges, forms, strict=True), key=lambda edge: edge[0][1]):
        value = nodes[source]
        if form == IDENTITY:
            nodes[target].update(value)
        elif form != ZERO:
            nodes[target][len(operations)] += 1
            # Of nothing, any convolution makes zeros, to which its normalisation adds a constant per channel.
            operations.append((_CONSTANT if not value and form in _CONVOLUTIONS else form, value))
    return operations, nodes[-1]


def _live(operations: Sequence[tuple[Form, Value]], output: Value) -> list[int]:
    """Return the operations that lead to the output."""
    live: set[int] = set()
    waiting = list(output)
    while waiting:
        which = waiting.pop()
        if which != _INPUT and which not in live:
            live.add(which)
            waiting += operations[which][1]
    return sorted(live)


def _as_chain(operations: Sequence[tuple[Form, Value]], output: Value) -> Form | None:
    """Return the form of operations that follow each other, or of none; None for others."""
    if not output:
        return ZERO
    steps: Form = ()
    value = output
    while value != {_INPUT: 1}:
        if len(value) != 1 or _INPUT in value or set(value.values()) != {1}:
            return None
        (which,) = value
        form, value = operations[which]
        steps = form + steps
    return steps


def _numbered(operations: Sequence[tuple[Form, Value]], output: Value, order: Sequence[int]) -> str:
    """Write operations and output with the operations numbered in this order."""
    number = {_INPUT: _INPUT, **{which: place for place, which in enumerate(order)}}

    def written(value: Value) -> str:
        return "+".join(f"{times}*{place}" for place, times in sorted((number[w], n) for w, n in value.items()))

    return f"[{'; '.join(f'{operations[w][0]}({written(operations[w][1])})' for w in order)}; {written(output)}]"
