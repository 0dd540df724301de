"""Children that start from the weights of their parents, and networks that grow.

================  ===================================================================================
`inherit`         copies the weights of a parent where layers match
`keep_function`   weights with which a wider or deeper child computes what its parent computes
`widen`, `deepen` a wider or deeper copy of a sequence of layers, which computes the same
`grow`            trains a small network, and grows it step by step
`growth_path`     architectures from small to large that can be grown
`Inheritance`     how the children of a search inherit
================  ===================================================================================
"""

from nasbench_lab.train.inheritance.children import Inheritance
from nasbench_lab.train.inheritance.growth import GrownNetwork, Stage, grow, growth_path
from nasbench_lab.train.inheritance.inherited import InheritedWeights, inherit
from nasbench_lab.train.inheritance.net2net import deepen, keep_function, widen

__all__ = [
    "GrownNetwork",
    "Inheritance",
    "InheritedWeights",
    "Stage",
    "deepen",
    "grow",
    "growth_path",
    "inherit",
    "keep_function",
    "widen",
]
