"""Pictures that the site draws itself, kept in the folder ``build/website`` until the package changes.

With the environment variable ``WEBSITE_DRAFT`` they show few runs in few pixels: for tests, which only need that they
are there.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import nasbench_lab as nl
from nasbench_lab.errors import NasbenchLabError
from nasbench_lab.messages import first_line
from nasbench_lab.report import architecture_figure, pareto_figure, regret_figure
from nasbench_lab.spaces import Space
from nasbench_lab.strategies import registry
from website import repository

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TABLE = "digits/topology"
DRAFT = bool(os.environ.get("WEBSITE_DRAFT"))
EVALUATIONS = 15 if DRAFT else 60
RUNS = 10 if DRAFT else 200
RUNS_OF_MODELS = 2 if DRAFT else 12
"""Number of runs of strategies that train a model, which take a hundred times longer."""

_DPI = 60 if DRAFT else 200
_STORE = repository.ROOT / "build" / "website"


@dataclass(frozen=True)
class Shown:
    """Text of a page, and the picture in it.

    Attributes:
        markdown: the text.
        pictures: content of the pictures by place in the site.
    """

    markdown: str
    pictures: dict[str, bytes] = field(default_factory=dict)


@functools.cache
def of_strategy(name: str) -> Shown:
    """Return the curves of a strategy and of random search, or the reason why there are none."""
    several = registry.family(name) == "multi-objective"
    try:
        data = kept(f"strategy-{name}.png", lambda: png(_curves(name, several=several)))
    except NasbenchLabError as error:
        return Shown(f"There is no picture, because `{TABLE}` lacks what the strategy needs: {first_line(error)}.")
    runs = _runs(name)
    text = f"![Curves of {name} and random search on {TABLE}]({name}.png){{ width=480 }}\n\n" + (
        f"The final trade-offs of {runs} runs of {EVALUATIONS} evaluations on `{TABLE}`, with the number of "
        "parameters as second objective."
        if several
        else f"Median and quartiles of {runs} runs on `{TABLE}`, with default parameters. One table says little about "
        "others: [compare](../docs/suites.md) on those that matter to you."
    )
    return Shown(text, {f"strategies/{name}.png": data})


def of_space(name: str, space: Space, architecture: int) -> Shown:
    """Return the drawing of an architecture, or the reason why there is none."""
    try:
        data = kept(f"space-{name}.png", lambda: png(architecture_figure(space, architecture)))
    except NasbenchLabError as error:
        return Shown(f"The architecture cannot be drawn: {first_line(error)}.")
    text = f"![Architecture {architecture} of the space {name}]({name}.png){{ width=480 }}"
    return Shown(text, {f"spaces/{name}.png": data})


def kept(name: str, make: Callable[[], bytes]) -> bytes:
    """Return a stored file, made now if it is missing or if the package has changed since."""
    path = folder() / name
    if not path.exists():
        data = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return path.read_bytes()


@functools.cache
def folder() -> Path:
    """Return the folder of stored pictures, which is named by a digest of everything that they depend on."""
    here = Path(__file__).parent
    sources = [*repository.ROOT.glob("nasbench_lab/**/*.py"), here / "pictures.py", *here.glob("gallery.*")]
    digest = hashlib.sha256(b"draft" if DRAFT else b"")
    for path in sorted(sources):
        digest.update(path.read_bytes())
    return _STORE / digest.hexdigest()[:16]


def png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=_DPI)
    return file.getvalue()


def _runs(name: str) -> int:
    return RUNS_OF_MODELS if _trains_a_model(name) else RUNS


def _trains_a_model(name: str) -> bool:
    return registry.family(name) in ("adversarial", "model-based") or name == "recurrent-controller"


def _curves(name: str, *, several: bool) -> Figure:
    objectives = ("parameters",) if several else ()
    names = dict.fromkeys((name, "random-search"))
    traces = [_searched(each, _runs(name), objectives) for each in names]
    return pareto_figure(traces) if several else regret_figure(traces)


@functools.cache
def _searched(name: str, runs: int, objectives: tuple[str, ...]) -> nl.Trace:
    """Return the runs of a strategy; those of random search are in every picture."""
    return nl.simulate(TABLE, name, runs=runs, budget=nl.Budget(evaluations=EVALUATIONS), objectives=objectives)
