"""Spaces with several levels, from a grammar: stages, cells, how they are connected, and the cell itself."""

from nasbench_lab.spaces.hierarchical.grammar import Grammar
from nasbench_lab.spaces.hierarchical.space import HierarchicalSpace
from nasbench_lab.spaces.hierarchical.terms import Term, parse_term

__all__ = ["Grammar", "HierarchicalSpace", "Term", "parse_term"]
