"""The snapshot: all commands with their parameters, and all names that can be completed, as plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import typer

from nasbench_lab.checks import domains
from nasbench_lab.cli import plot
from nasbench_lab.cli.app import app
from nasbench_lab.cli.described_classes import parameters_of
from nasbench_lab.cli.parameters import Kind, annotations_of, kind_of
from nasbench_lab.errors import NasbenchLabError
from nasbench_lab.report.figures.axis_scales import SCALES
from nasbench_lab.report.figures.curves import SPREADS
from nasbench_lab.report.figures.paper_styles import STYLES
from nasbench_lab.simulation.logs.formats import BUILT_IN
from nasbench_lab.simulation.steps.options import SCALES as UNITS
from nasbench_lab.simulation.steps.options import Clock, Order
from nasbench_lab.simulation.trace import REGRETS
from nasbench_lab.spaces import list_spaces
from nasbench_lab.strategies import registry
from nasbench_lab.suites import built_in, read_suite
from nasbench_lab.tables import find_recipe, list_tables
from nasbench_lab.tables.catalogue import publications
from nasbench_lab.tables.importers.formats import FORMATS
from nasbench_lab.testing.baselines.baseline import TIERS
from nasbench_lab.train.callbacks.by_name import LOGGERS
from nasbench_lab.train.one_shot.methods.registry import list_methods
from nasbench_lab.train.one_shot.protocols import list_protocols, protocol
from nasbench_lab.train.recipes import RECIPES
from nasbench_lab.train.supernet_recipes import SUPERNET_RECIPES

_OF_TYPER = {"install_completion", "show_completion", "help"}
"""Options that typer adds itself."""

_NAMES = {
    "--table": "tables",
    "--strategy": "strategies",
    "--reference": "strategies",
    "--method": "one-shot methods",
    "--protocol": "protocols",
    "METHOD": "one-shot methods",
    "PROTOCOL": "protocols",
    "SUITE": "suites",
    "tables NAME": "tables",
    "tables NAME...": "tables and publications",
    "query NAME": "tables",
    "cite NAME...": "tables and publications",
    "strategies NAME": "strategies",
    "spaces SPACE": "spaces",
}
"""What is completed: an option, or an argument, perhaps of one command or group only."""

_NAMES_OF_GROUPS = {"tables": "tables and publications", "strategies": "strategies"}
"""What groups take besides their commands."""

_CHOICES = {
    "--kind": (*REGRETS, "both"),
    "report --kind": REGRETS,
    "--axis": ("evaluations", "seconds", "both"),
    "--statistic": ("median", "mean", "iqm"),
    "--figure": plot.FIGURES,
    "--x-scale": SCALES,
    "--y-scale": SCALES,
    "--spread": SPREADS,
    "--style": tuple(STYLES),
    "--repeat": ("sample", "mean"),
    "--format": ("auto", *FORMATS),
    "results import --format": ("auto", *BUILT_IN),
    "results import --unit": tuple(UNITS),
    "results import --clock": get_args(Clock),
    "results import --order": get_args(Order),
    "results import --reports": ("all", "last"),
    "--precision": ("float32", "bfloat16"),
    "--device": ("cpu", "cuda"),
    "--tier": TIERS,
    "--dataset": ("digits", "cifar10", "cifar100", "ImageNet16-120"),
    "--recipe": tuple(RECIPES),
    "one-shot run --recipe": (*SUPERNET_RECIPES, *RECIPES),
    "--statistics": ("batch", "recalibrated", "running"),
    "--log": tuple(f"{name}:" for name in LOGGERS),
}
"""The values of options, perhaps of one command only, that typer takes as any text."""


def make() -> dict[str, Any]:
    """Return the snapshot."""
    tables = [(name, find_recipe(name).description.title) for name in list_tables()]
    return {
        "commands": _command(typer.main.get_command(app), ""),
        "names": {
            "tables": tables,
            "tables and publications": [*((each, "all its tables") for each in publications()), *tables],
            "strategies": list(_strategies()),
            "one-shot methods": [(name, "one-shot method") for name in list_methods()],
            "protocols": [(name, protocol(name).source) for name in list_protocols()],
            "spaces": [(name, "search space") for name in list_spaces()],
            "suites": [(name, read_suite(name).title) for name in built_in()],
        },
    }


def _command(command: Any, path: str) -> dict[str, Any]:
    hints = annotations_of(command)
    shown = [each for each in command.params if not getattr(each, "hidden", False) and each.name not in _OF_TYPER]
    below = {name: each for name, each in getattr(command, "commands", {}).items() if not each.hidden}
    return {
        "help": command.get_short_help_str(limit=100),
        "parameters": [_parameter(each, kind_of(hints.get(each.name, str)), path) for each in shown],
        "commands": {name: _command(each, f"{path} {name}".strip()) for name, each in below.items()} or None,
        "names": _NAMES_OF_GROUPS.get(path),
    }


def _parameter(parameter: Any, kind: Kind, path: str) -> dict[str, Any]:
    is_option = parameter.param_type_name == "option"
    name = parameter.opts[0] if is_option else (parameter.metavar or parameter.name.upper()).strip("{}[]")
    group = path.partition(" ")[0]
    return {
        "names": ["/".join([*parameter.opts, *parameter.secondary_opts])]
        if parameter.secondary_opts
        else parameter.opts
        if is_option
        else [],
        "help": parameter.help if is_option else None,
        "switch": is_option and (kind.type is bool or parameter.is_flag),
        "multiple": parameter.nargs == -1 or (is_option and parameter.multiple),
        "path": kind.type is Path,
        "choices": kind.choices or (_CHOICES.get(f"{path} {name}", _CHOICES.get(name, ())) if is_option else ()),
        "completed": _NAMES.get(name) if is_option else _NAMES.get(f"{group} {name}") or _NAMES.get(name),
    }


def _strategies() -> Iterator[tuple[str, str, list[tuple[str, list[str]]]]]:
    """Yield every strategy with its publication, and its parameters with values to offer."""
    for name in registry.list_strategies():
        try:
            kind = registry.strategy_class(name)
        except NasbenchLabError:  # an entry point of another package
            continue
        parameters = [(each, _values(kind, each, default)) for each, (default, _) in parameters_of(kind).items()]
        yield name, registry.reference(name), parameters


def _values(kind: Any, parameter: str, default: str) -> list[str]:
    """Return the allowed values of a parameter if they can be listed, otherwise its default."""
    choices = domains(kind)[parameter].choices if dataclasses.is_dataclass(kind) else ()  # type: ignore[arg-type]
    return list(map(str, choices)) or [default]
