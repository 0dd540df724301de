"""The reference of the command line as a Markdown page, generated from the commands.

``python -m nasbench_lab.cli.reference > docs/cli.md`` writes the page; a test fails if it is out of date.

The page is generated from the parameters of the commands, not from the text of ``--help``, which is wrapped at the
width of a terminal and differs between releases of typer.
"""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from nasbench_lab.cli import verbosity
from nasbench_lab.cli.app import app
from nasbench_lab.cli.parameters import Kind, annotations_of, kind_of

COMMAND = "python -m nasbench_lab.cli.reference > docs/cli.md"
"""The command that writes the page."""

_TOP = f"""# The command line

This page lists all commands and options, as does `nasbench-lab COMMAND --help`. Every command also has the options
`--help`, `--quiet` (`-q`: print only results and errors) and `--verbose` (`-v`: print details and tracebacks too).
`nasbench-lab --install-completion` installs tab completion. [In the shell](shell.md) explains these, the JSON documents
of `--json`, and exit codes.

A mistake gives one line on standard error and exit code 2. Ctrl-C ends a command with exit code 130. If nobody reads
the output, as after `| head -1`, the exit code is 141.

The page is generated. Do not edit it; run `{COMMAND}`.
"""

_EVERYWHERE = {"help", "install_completion", "show_completion", *verbosity.NAMES}
"""Options that the page describes once."""

_WORDS: dict[Any, str] = {str: "TEXT", int: "NUMBER", float: "NUMBER", Path: "PATH"}
_OWN_DEFAULT = re.compile(r"\s*\[default: (.*)\]$", re.S)


@dataclass(frozen=True)
class Parameter:
    """The description of an option or argument of a command.

    Attributes:
        names: names as typed, e.g. ``("--epochs", "--fidelity")``; the metavar of an argument.
        value: placeholder of the value, e.g. ``"NUMBER"``; empty for a switch.
        meaning: description.
        default: default value; empty if there is none.
        required: whether it must be given.
        is_option: whether it is an option, not an argument.
    """

    names: tuple[str, ...]
    value: str
    meaning: str
    default: str
    required: bool
    is_option: bool

    @property
    def usage(self) -> str:
        """The parameter in a usage line; empty for optional options."""
        if not self.is_option:
            return self.names[0] if self.required else f"[{self.names[0]}]"
        return f"{self.names[0]} {self.value}".rstrip() if self.required else ""


def reference() -> str:
    """Return the page: an index of all commands, and one section per command.

    >>> print(*reference().splitlines()[:1])
    # The command line
    """
    commands = list(_commands(typer.main.get_command(app), "nasbench-lab"))
    index = [f"- [`{path}`](#{_anchor(path)}): {_summary(command)}" for path, command in commands[1:]]
    return "\n".join([_TOP, *index, "", *(_section(path, command) for path, command in commands)]).rstrip() + "\n"


def parameters(command: Any) -> list[Parameter]:
    """Return the arguments and then the options of a command, in the order of its function."""
    hints = annotations_of(command)
    shown = [each for each in command.params if not getattr(each, "hidden", False) and each.name not in _EVERYWHERE]
    found = [_parameter(each, kind_of(hints.get(each.name, str))) for each in shown]
    return sorted(found, key=lambda parameter: parameter.is_option)


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield a command and all its subcommands, each with its full name."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        if not below.hidden:
            yield from _commands(below, f"{path} {name}")


def _section(path: str, command: Any) -> str:
    taken = parameters(command)
    below = getattr(command, "commands", None)
    spare = any(parameter.is_option and not parameter.required for parameter in taken)
    usage = [
        path,
        *(parameter.usage for parameter in taken),
        "[OPTIONS]" if spare else "",
        "COMMAND ..." if below else "",
    ]
    lines = [f"## {path}", "", f"```text\n{' '.join(filter(None, usage))}\n```", "", *_description(command), ""]
    if below:
        names = [f"[`{name}`](#{_anchor(f'{path} {name}')})" for name, each in below.items() if not each.hidden]
        lines += [f"Commands: {', '.join(names)}.", ""]
    if taken:
        lines += ["| parameter | meaning | default |", "|---|---|---|", *map(_row, taken), ""]
    return "\n".join(lines)


def _description(command: Any) -> Iterator[str]:
    """Yield the help text of a command, and what a group of commands does if none is given."""
    yield _plain(command.help)
    if getattr(command, "invoke_without_command", False) and command.callback:
        alone = _plain(inspect.getdoc(inspect.unwrap(command.callback)))
        if alone and alone != _plain(command.help):
            yield f"\nWithout a command: {alone[0].lower()}{alone[1:]}"


def _summary(command: Any) -> str:
    return _escape(_plain(command.help).partition("\n\n")[0].replace("\n", " "))


def _plain(text: str | None) -> str:
    r"""Return a help text without the control characters for terminals.

    >>> _plain("Do it.\n\n\b\nline\n\f\nhidden")
    'Do it.\n\nline'
    """
    return (text or "").partition("\f")[0].replace("\b\n", "").strip()


def _row(parameter: Parameter) -> str:
    names = ", ".join(f"`{name}`" for name in parameter.names)
    value = f" `{parameter.value}`" if parameter.value else ""
    default = "required" if parameter.required else parameter.default
    return f"| {_escape(names + value)} | {_escape(parameter.meaning)} | {_escape(default)} |"


def _parameter(parameter: Any, kind: Kind) -> Parameter:
    is_option = parameter.param_type_name == "option"
    is_switch = is_option and kind.type is bool
    text = " ".join((kind.info.help if kind.info and kind.info.help else "").split())
    own = _OWN_DEFAULT.search(text)
    meaning = _OWN_DEFAULT.sub("", text) + _range(kind)
    if is_option and parameter.multiple and "repeated" not in meaning:
        meaning += " May be repeated."
    argument = (parameter.metavar or parameter.name.upper(),)
    return Parameter(
        names=(*parameter.opts, *parameter.secondary_opts) if is_option else argument,
        value="" if is_switch or not is_option else parameter.metavar or _word(kind),
        meaning=meaning,
        default=own[1] if own else _default(parameter, is_switch),
        required=parameter.required,
        is_option=is_option,
    )


def _word(kind: Kind) -> str:
    """Return the placeholder for a value.

    >>> from typing import Literal
    >>> _word(kind_of(int)), _word(kind_of(Literal["local", "dask"]))
    ('NUMBER', 'local|dask')
    """
    return "|".join(kind.choices) or _WORDS.get(kind.type, "TEXT")


def _range(kind: Kind) -> str:
    """Return the limits of a number as a sentence."""
    return f" {kind.limits.removeprefix(' of').strip().capitalize()}." if kind.limits else ""


def _default(parameter: Any, is_switch: bool) -> str:
    value = parameter.default
    if is_switch:
        return f"`{(parameter.opts if value else parameter.secondary_opts)[0]}`" if parameter.secondary_opts else ""
    if value is None or value in ((), []) or callable(value):
        return ""
    return f"`{value.value if isinstance(value, enum.Enum) else value}`"


def _anchor(heading: str) -> str:
    """Return the anchor of a heading."""
    return heading.lower().replace(" ", "-")


def _escape(text: str) -> str:
    r"""Return text for a cell of a Markdown table, with special characters escaped outside of code.

    >>> print(_escape("`a|b` and * or <c>"))
    `a\|b` and \* or \<c>
    """
    parts = text.replace("|", r"\|").split("`")
    parts[::2] = [re.sub(r"([*<])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


if __name__ == "__main__":
    typer.echo(reference(), nl=False)
