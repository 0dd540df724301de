"""The commands that reproduce a page, and each of its figures, for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from nasbench_lab.analysis.studies.results import Study
from nasbench_lab.files import file_names
from nasbench_lab.report.study_selection import clock_of
from nasbench_lab.simulation.trace import RegretKind

FIGURES = {
    "regret": "curves on every task",
    "leaderboard": "leaderboard",
    "rank": "run rank over time",
    "normalised": "normalised regret over all tasks",
    "cd": "critical differences",
    "a12": "every pair",
    "ecdf": "targets reached",
    "profile": "profiles",
    "final": "regret at the end of the runs",
}
"""Contents of the page, by the name of the figure of ``nasbench-lab plot`` that draws the same for a paper."""


def results_in_shell(sources: Sequence[str], study: Study) -> str:
    """Return the results as a user would type them: paths, quoted, and the labels of combined results.

    Args:
        sources: paths of the results.
        study: of the results.
    """
    labels = [str(each["label"]) for each in study.provenance.get("inputs") or () if each["label"]]
    return shlex.join(sources) + "".join(option("label", label) for label in labels)


def plot_command(source: str, figure: str = "", *options: str, out: str = "") -> str:
    """Return a command that draws a figure as PDF.

    Args:
        source: the results as a user would type them, see `results_in_shell`.
        figure: its name for ``nasbench-lab plot``; empty if the options name it.
        options: made by `option`.
        out: name of the file, without suffix; by default that of the figure.

    >>> plot_command("'my results'", "cd", option("kind", "test"))
    "nasbench-lab plot 'my results' --figure cd --out cd.pdf --kind test"
    """
    named = figure_options(figure, out) if figure else ""
    return f"nasbench-lab plot {source}{named}{''.join(options)}"


def figure_options(figure: str, out: str = "") -> str:
    """Return the options that name a figure and its file."""
    return f" --figure {figure}{option('out', f'{out or figure}.pdf')}"


def option(name: str, value: str) -> str:
    """Return an option with its value, quoted for a shell; a value may begin with a hyphen.

    >>> option("table", "my table"), option("table", "-x")
    (" --table 'my table'", ' --table=-x')
    """
    return f" --{name}={shlex.quote(value)}" if value.startswith("-") else f" --{name} {shlex.quote(value)}"


def table_option(study: Study, place: int) -> str:
    """Return the option that chooses the table of a task; empty if there is only one."""
    several = len({task.table for task in study.tasks}) > 1
    return option("table", study.tasks[place].table) if several else ""


def kind_option(kind: RegretKind) -> str:
    """Return the option that chooses a regret."""
    return option("kind", kind)


def leaderboard_command(source: str, study: Study, kind: RegretKind) -> str:
    """Return the command that draws the leaderboard, which depends on the strategy of reference."""
    reference = option("reference", study.labels[study.reference])
    return plot_command(source, "leaderboard", kind_option(kind), reference)


def architecture_command(source: str, study: Study, place: int) -> str:
    """Return the command that draws the best architecture found on a task; empty where it cannot choose the task."""
    task = study.tasks[place]
    tables = [each.table for each in study.tasks]
    if not task.space or tables.count(task.table) > 1:  # the command chooses by the table
        return ""
    stem = file_names(tables)[place]
    return plot_command(source, "architecture", option("table", task.table), out=f"architecture-{stem}")


def commands(source: str, study: Study) -> tuple[tuple[str, str], ...]:
    """Return the commands that reproduce the page and its figures: what each makes, and the command.

    Args:
        source: the results as a user would type them, see `results_in_shell`.
        study: of the results.
    """
    reference = option("reference", study.labels[study.reference])
    page = f"nasbench-lab report {source}{kind_option(study.kind)}{reference}"
    made = [("this page, figures and tables", page)]
    for name, what in FIGURES.items():
        if name == "leaderboard" and has_figure(study, name):
            made.append((what, leaderboard_command(source, study, study.kind)))
        elif has_figure(study, name):
            made.append((what, plot_command(source, name, kind_option(study.kind))))
    for place, task in enumerate(study.tasks):
        draw = architecture_command(source, study, place)
        if draw:
            made.append((f"architecture found on {task.table}", draw))
    cited = [str(table["name"]) for table in study.provenance.get("tables", ()) if table.get("citation")]
    if cited:
        names = " ".join(shlex.quote(name) for name in dict.fromkeys(cited))
        made.append(("references as a file", f"nasbench-lab cite {names} --out refs.bib"))
    return tuple(made)


def has_figure(study: Study, figure: str) -> bool:
    """Return whether a study has the data of a figure."""
    kind = study.kind
    if figure in ("regret", "final"):
        return True
    if figure == "ecdf":
        times = study.times.get((kind, clock_of(study)))
        return times is not None and times.grid.size > 0
    if figure == "profile":
        return kind in study.profiles
    if figure == "normalised":
        return kind in study.progress and bool(study.progress[kind].normalised_tasks)
    if figure in ("cd", "a12", "rank"):
        return kind in study.leaderboard and len(study.labels) > 1
    return kind in study.leaderboard
