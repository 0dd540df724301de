"""Networks of the published search spaces, parameter for parameter."""

from nasbench_lab.train.networks.cell101 import cell101_network
from nasbench_lab.train.networks.layer_chain import layer_chain_network
from nasbench_lab.train.networks.macro import macro_network
from nasbench_lab.train.networks.nats import size_network, topology_network

__all__ = ["cell101_network", "layer_chain_network", "macro_network", "size_network", "topology_network"]
