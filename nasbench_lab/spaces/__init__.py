"""Search spaces: what an architecture is. Each has its index, codes, official notation, sampling, moves and drawing."""

from nasbench_lab.spaces.base import MOST_LISTED, Space
from nasbench_lab.spaces.cell101 import Cell101Space
from nasbench_lab.spaces.chain import ChainSpace
from nasbench_lab.spaces.choices import ChoicesSpace
from nasbench_lab.spaces.darts import DartsSpace
from nasbench_lab.spaces.gnn import GnnSpace
from nasbench_lab.spaces.graph import Graph, GraphEdge, GraphNode
from nasbench_lab.spaces.hierarchical import HierarchicalSpace
from nasbench_lab.spaces.layer_chain import LayerChainSpace
from nasbench_lab.spaces.listed import ListedChoicesSpace, ListedSpace
from nasbench_lab.spaces.product import ProductSpace
from nasbench_lab.spaces.product_of_spaces import ProductOfSpaces
from nasbench_lab.spaces.recurrent import RecurrentCellSpace
from nasbench_lab.spaces.registry import list_spaces, make_space, space_class
from nasbench_lab.spaces.size import SizeSpace
from nasbench_lab.spaces.space_files import find_space, read_space
from nasbench_lab.spaces.subset import SubsetSpace
from nasbench_lab.spaces.topology import TopologySpace
from nasbench_lab.spaces.trans_macro import TransMacroSpace
from nasbench_lab.spaces.trans_micro import TransMicroSpace
from nasbench_lab.spaces.unlisted_view import unlisted

__all__ = [
    "MOST_LISTED",
    "Cell101Space",
    "ChainSpace",
    "ChoicesSpace",
    "DartsSpace",
    "GnnSpace",
    "Graph",
    "GraphEdge",
    "GraphNode",
    "HierarchicalSpace",
    "LayerChainSpace",
    "ListedChoicesSpace",
    "ListedSpace",
    "ProductOfSpaces",
    "ProductSpace",
    "RecurrentCellSpace",
    "SizeSpace",
    "Space",
    "SubsetSpace",
    "TopologySpace",
    "TransMacroSpace",
    "TransMicroSpace",
    "find_space",
    "list_spaces",
    "make_space",
    "read_space",
    "space_class",
    "unlisted",
]
