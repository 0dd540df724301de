"""Networks of search spaces; those of published spaces are exact, parameter for parameter."""

from nasbench_lab.train.networks.cell101 import cell101_network
from nasbench_lab.train.networks.darts import darts_network
from nasbench_lab.train.networks.family import NetworkFamily
from nasbench_lab.train.networks.layer_chain import Dense, LinearScores, layer_chain_network
from nasbench_lab.train.networks.macro import macro_network
from nasbench_lab.train.networks.nats import size_network, topology_network
from nasbench_lab.train.networks.registry import list_networks, networks_of

__all__ = [
    "Dense",
    "LinearScores",
    "NetworkFamily",
    "cell101_network",
    "darts_network",
    "layer_chain_network",
    "list_networks",
    "macro_network",
    "networks_of",
    "size_network",
    "topology_network",
]
