"""An answer to the shell: light commands made of the snapshot, for which typer answers."""

from __future__ import annotations

import contextlib
import inspect
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from nasbench_lab.cli.completion.request import VARIABLE, adapt_words, typed_words

_Completed = list[tuple[str, str]]


def answer(snapshot: dict[str, Any]) -> None:
    """Print the completions that the shell asks for, and end the process."""
    adapted = adapt_words()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            _app(snapshot["commands"], snapshot["names"], typed_words())(
                prog_name="nasbench-lab", complete_var=VARIABLE
            )
        except SystemExit as end:
            code = end.code
        except Exception:  # a message would end up in the line that the user types
            code = 1
    for line in printed.getvalue().splitlines():
        sys.stdout.write(f"{adapted(line)}\n")
    raise SystemExit(code)


def completions(names: dict[str, Any], what: str, incomplete: str) -> _Completed:
    """Return the names, with descriptions, that begin with what was typed.

    >>> names = {"strategies": [["umda", "Mühlenbein", [["selected", ["20"]], ["smoothing", ["1.0"]]]]]}
    >>> completions(names, "strategies", "u")
    [('umda', 'Mühlenbein')]
    >>> completions(names, "strategies", "umda:se"), completions(names, "strategies", "umda:selected=5,")
    ([('umda:selected=20', '')], [('umda:selected=5,smoothing=1.0', '')])
    """
    if what == "strategies" and ":" in incomplete:
        return list(_parameters(names[what], incomplete))
    return [(each[0], each[1]) for each in names[what] if each[0].startswith(incomplete)]


def _parameters(strategies: Sequence[Any], incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield a strategy with each parameter that it was not given yet."""
    name, _, given = incomplete.partition(":")
    before, comma, typed = given.rpartition(",")
    used = {each.partition("=")[0] for each in before.split(",")}
    parameters: Sequence[Any] = next((each[2] for each in strategies if each[0] == name), [])
    for parameter, values in parameters:
        for value in values:
            if parameter not in used and f"{parameter}={value}".startswith(typed):
                yield f"{name}:{before}{comma}{parameter}={value}", ""


def _app(node: dict[str, Any], names: dict[str, Any], typed: set[str]) -> typer.Typer:
    """Return a group of commands. Commands that are not typed have no parameters, as making them takes time."""
    app = typer.Typer(cls=_with_names(names, node["names"]), rich_markup_mode=None)
    app.callback(invoke_without_command=True)(_function(node["parameters"], names))
    for name, below in node["commands"].items():
        if name in typed and below["commands"]:
            app.add_typer(_app(below, names, typed), name=name, help=below["help"])
        else:
            parameters = below["parameters"] if name in typed else []
            app.command(name, help=below["help"])(_function(parameters, names))
    return app


def _with_names(names: dict[str, Any], what: str | None) -> type[TyperGroup]:
    """Return a class of groups that complete names besides their commands."""

    class Group(TyperGroup):
        def shell_complete(self, ctx: Any, incomplete: str) -> Any:
            found = super().shell_complete(ctx, incomplete)
            if what is None or incomplete.startswith("-"):
                return found
            item = type(super().shell_complete(ctx, "")[0])
            return [*found, *(item(value, help=told) for value, told in completions(names, what, incomplete))]

    return Group


def _function(parameters: Sequence[dict[str, Any]], names: dict[str, Any]) -> Callable[..., None]:
    """Return a function with the parameters of a command, which does nothing."""

    def command(**_: Any) -> None:
        pass

    taken = [
        inspect.Parameter(f"p{number}", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for number, annotation in enumerate(_annotation(each, names) for each in parameters)
    ]
    command.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in taken}
    return command


def _annotation(parameter: dict[str, Any], names: dict[str, Any]) -> Any:
    kind: Any = bool if parameter["switch"] else list[str] if parameter["multiple"] else str
    completer = _completer(parameter, names)
    if parameter["names"]:
        info = typer.Option(*parameter["names"], help=parameter["help"], autocompletion=completer)
    else:
        info = typer.Argument(autocompletion=completer)
    return Annotated[kind | None, info]


def _completer(parameter: dict[str, Any], names: dict[str, Any]) -> Callable[[str], _Completed] | None:
    """Return a function that completes a value; None where the shell completes paths."""
    what, choices = parameter["completed"], parameter["choices"]
    if what:
        return lambda incomplete: completions(names, what, incomplete)
    if choices:
        return lambda incomplete: [(each, "") for each in choices if each.startswith(incomplete)]
    return None
