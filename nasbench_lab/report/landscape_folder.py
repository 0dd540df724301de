"""A landscape on disk: its statistics, local optima, local optima network and figures in one folder."""

from __future__ import annotations

import os
from pathlib import Path

from nasbench_lab.analysis.landscapes.landscape_results import Landscape
from nasbench_lab.analysis.landscapes.optima_networks import OptimaNetwork
from nasbench_lab.files import atomic_path
from nasbench_lab.records import Records
from nasbench_lab.report.figures.landscape import landscape_figure
from nasbench_lab.report.figures.optima_network import optima_network_figure
from nasbench_lab.report.figures.paper_styles import PaperStyle, paper_style
from nasbench_lab.report.figures.save import FORMATS, save_figure_as

STATISTICS, OPTIMA, FIDELITIES, TABLES = "landscape.csv", "optima.csv", "fidelities.csv", "tables.csv"
NODES, EDGES, GRAPH = "network-nodes.csv", "network-edges.csv", "network.graphml"


def write_landscape(
    landscape: Landscape,
    network: OptimaNetwork | None,
    folder: str | os.PathLike[str],
    *,
    style: PaperStyle | str = "double",
) -> list[Path]:
    """Write a landscape into a folder, which is made if it does not exist, and return the paths of the files.

    Files are ``landscape.csv`` (all statistics), ``optima.csv``, ``fidelities.csv`` and ``tables.csv`` (rank
    correlations), ``network-nodes.csv``, ``network-edges.csv``, ``network.graphml``, and the figures ``landscape`` and
    ``network`` as PDF and PNG. What the table lacks is left out. Files of the same names are replaced.

    Args:
        landscape: from `nasbench_lab.analysis.landscape`.
        network: from `nasbench_lab.analysis.optima_network`; None leaves its files out.
        folder: where to write.
        style: of the figures: ``"single"``, ``"double"``, ``"slide"``, or a style.

    Raises:
        OutputError: a file cannot be written.
        UnknownNameError: there is no such style.
    """
    chosen, out = paper_style(style), Path(folder)
    records: dict[str, Records] = {STATISTICS: landscape.records()}
    if landscape.optima is not None:
        records[OPTIMA] = landscape.optima_records()
    for name, agreement in ((FIDELITIES, landscape.fidelities), (TABLES, landscape.tables)):
        if agreement is not None:
            records[name] = agreement.records()
    figures = {"landscape": landscape_figure(landscape, style=chosen)}
    if network is not None:
        records |= {NODES: network.records("nodes"), EDGES: network.records("edges")}
        figures["network"] = optima_network_figure(network, style=chosen)
    written = []
    for name, each in records.items():
        each.to_csv(out / name)
        written.append(out / name)
    if network is not None:
        network.to_graphml(out / GRAPH)
        written.append(out / GRAPH)
    for name, figure in figures.items():
        for kind in FORMATS:
            path = out / f"{name}.{kind}"
            with atomic_path(path) as temporary:
                save_figure_as(figure, temporary, style=chosen)
            written.append(path)
    return written
