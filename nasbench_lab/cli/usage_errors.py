"""What is wrong with a command line, and what is allowed, in one line.

typer prints several lines, whose texts differ between its releases.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nasbench_lab.cli.parameters import Kind, kind_of_parameter
from nasbench_lab.messages import shortened, suggestions


def usage_message(error: Any, words: Sequence[str]) -> str:
    """Return the message for an error of the command line.

    Args:
        error: what typer raised.
        words: the words of the command line, without the program.
    """
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    message = _with_parameter(error, parameter, words) if parameter is not None else _without_parameter(error, context)
    return message if context is None or "; " in message else f"{message}; see {context.command_path} --help"


def _with_parameter(error: Any, parameter: Any, words: Sequence[str]) -> str:
    kind = kind_of_parameter(error.ctx.command, parameter)
    if type(error).__name__ == "MissingParameter":
        choices = f"; allowed: {', '.join(kind.choices)}" if kind.choices else ""
        return f"{_title(parameter, words)} is missing{choices}"
    if not kind.allowed:
        return " ".join(str(error.message).split()).rstrip(".")
    given = _given(parameter, kind, words)
    return f"{_title(parameter, words)} must be {kind.allowed}{'' if given is None else f', got {shortened(given)}'}"


def _without_parameter(error: Any, context: Any) -> str:
    text = " ".join(error.format_message().split()).rstrip(".").removeprefix("Invalid value: ")
    match type(error).__name__:
        case "NoSuchOption":
            return _unknown_option(error.option_name, context)
        case "BadOptionUsage" if "requires" in text:
            return f"{error.option_name} needs a value"
        case "BadOptionUsage" if "not take" in text:
            return f"{error.option_name} takes no value"
        case "UsageError" if "unexpected extra argument" in text and "(" in text:
            return f"unexpected argument {shortened(text[text.rindex('(') + 1 :].removesuffix(')'))}"
    return text[:1].lower() + text[1:]


def _unknown_option(name: str, context: Any) -> str:
    command = getattr(context, "command", None)
    known = [option for each in getattr(command, "params", ()) for option in (*each.opts, *each.secondary_opts)]
    words = sorted(each.removeprefix("--") for each in known if each.startswith("--"))
    near = [f"--{each}" for each in suggestions(name.lstrip("-"), words)]  # dashes would make all of them similar
    text = f"unknown option {shortened(name)}"
    return f"{text}; did you mean {' or '.join(near)}?" if near else text


def _title(parameter: Any, words: Sequence[str]) -> str:
    """Return the name of a parameter: that which was typed, or that in the help."""
    if parameter.param_type_name == "option":
        typed = [word.partition("=")[0] for word in words]
        return str(next((name for name in parameter.opts if name in typed), parameter.opts[0]))
    return str(parameter.metavar or parameter.name.upper()).strip("{}[]").removesuffix("...")


def _given(parameter: Any, kind: Kind, words: Sequence[str]) -> str | None:
    """Return the value that was given to an option, if it can be told: the first that is not allowed."""
    values = []
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in parameter.opts:
            values.append(value if equals else next(iter(words[place + 1 :]), ""))
    return next((value for value in values if not kind.allows(value)), None)
