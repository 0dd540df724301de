"""Executing the code of a document in a folder of its own, or only parsing it."""

import contextlib
import doctest
import functools
import importlib.util
import io
import json
import re
import shlex
import subprocess
import sys
import tomllib
import types

import typer
from documents import DATA, ROOT, SHELLS, SHOWN, commands

from nasbench_lab.cli import main
from nasbench_lab.cli.app import app
from nasbench_lab.suites.toml_files import suite_of

_PROMISE = re.compile(r"^print\(.*\)  # (.*)$", re.M)
_OPERATORS = {"|", "||", "&&", ";", ">", ">>", "<", "&"}


class Session:
    """Executes the blocks of a page, one after the other.

    Args:
        folder: the current folder, where files of the page are written.
    """

    def __init__(self, folder):
        self._folder = folder
        # Classes of a module that does not exist could not be pickled, and dataclasses look for their module.
        self._module = types.ModuleType("code_of_a_document")
        self._printed = None  # by the last block that was executed; None after one that was not

    @contextlib.contextmanager
    def open(self):
        """Make what the page defines importable, inside the block."""
        before = set(sys.modules)
        sys.modules[self._module.__name__] = self._module
        try:
            yield self
        finally:
            for name in set(sys.modules) - before:
                file = getattr(sys.modules[name], "__file__", None) or ""
                if name == self._module.__name__ or file.startswith(str(self._folder)):
                    del sys.modules[name]

    def run(self, block):
        """Execute a block; AssertionError where it does not do what the page says."""
        if block.language == "text" and block.name == "output":
            if self._printed is not None:
                check_output(block.code, self._printed)
            return
        if block.name:
            self._write(block)
        if block.not_run:
            self._printed = None
        if block.not_run or _lacks_torch(block) or block.language in SHOWN | DATA:
            parse(block, self._folder)
        elif block.language == "python":
            self._printed = self._run_python(block)
            check_promises(block.code, self._printed)
        else:
            self._printed = "".join(self._run_command(*each) for each in commands(block))

    def _write(self, block):
        path = self._folder / block.name
        assert path.resolve().is_relative_to(self._folder.resolve()), block.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.code, encoding="utf-8")

    def _run_python(self, block):
        if block.name:  # a file: others import it or run it
            compile(block.code, block.name, "exec")
            return ""
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile("\n" * block.line + block.code, "document", "exec"), self._module.__dict__)
        return printed.getvalue()

    def _run_command(self, command, expected):
        words = shlex.split(command, comments=True)
        assert not _OPERATORS & set(words), f"{command!r} needs a shell: say why it is not run"
        printed = run_in_process(words[1:]) if words[0] == "nasbench-lab" else self._run_program(words)
        if expected:
            check_output(expected, printed)
        return printed

    def _run_program(self, words):
        programs = {"python": [], "pytest": ["-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist"]}
        assert words[0] in programs, f"do not know how to run {words[0]!r}: say why it is not run"
        done = subprocess.run(
            [sys.executable, *programs[words[0]], *words[1:]], capture_output=True, text=True, cwd=self._folder
        )
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def check_output(expected, printed):
    """Compare as doctest does: ``...`` stands for anything, and runs of spaces are equal."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    right = doctest.OutputChecker().check_output(expected, printed, flags)
    assert right, f"the page promises\n{expected}\nbut this is printed\n{printed}"


def check_promises(code, printed):
    """Check that what ``print(...)  # text`` prints is how the text begins; a colon or comma may follow."""
    lines = printed.splitlines()
    for promised in _PROMISE.findall(code):
        kept = any(line and re.match(re.escape(line) + r"([:;,]|  | \(|$)", promised) for line in lines)
        assert kept, f"the page promises {promised!r}, but this is printed: {lines}"


def _lacks_torch(block):
    """Whether a block of Python trains, and torch is not installed."""
    return "nasbench_lab import train" in block.code and importlib.util.find_spec("torch") is None


def run_in_process(words):
    """Run the command line, which must succeed; return what it prints on standard output."""
    out, err = io.StringIO(), io.StringIO()
    code, arguments = 0, sys.argv
    sys.argv = ["nasbench-lab", *words]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv = arguments
    assert not code, f"{shlex.join(sys.argv)} ended with {code}\n{err.getvalue()}"
    return out.getvalue()


def parse(block, folder):
    """Check all of a block that can be checked without executing it."""
    if block.language == "python":
        compile(block.code, "document", "exec")
    elif block.language in SHELLS:
        for command, _ in commands(block):
            parse_command(command)
    elif block.language == "toml":
        check_specification(tomllib.loads(block.code), folder)
    elif block.language == "json":
        json.loads(block.code)
    elif block.language == "yaml" and importlib.util.find_spec("yaml"):
        import yaml

        yaml.safe_load(block.code)


def check_specification(data, folder):
    """Check the specification of a table or of a suite; other TOML has been read, and that is all."""
    if {"space", "dataset"} <= set(data) and importlib.util.find_spec("torch"):
        from nasbench_lab.train.build import spec_from

        spec_from(data, folder=folder)
    elif {"strategies", "tables"} <= set(data):
        suite_of(data, folder)


def parse_command(command):
    """Check that a command could be run: its name, its options and their values, extras and targets."""
    words = shlex.split(command, comments=True)
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words.pop(0)
    for place, word in enumerate(words):
        if word == "nasbench-lab":
            end = next((n for n, each in enumerate(words) if n > place and each in _OPERATORS), len(words))
            _parse_arguments(words[place + 1 : end])
            return
    if words[:1] == ["make"]:
        for target in words[1:]:
            _check_target(target)
    for word in words if "install" in words else ():
        _check_extras(word)


def _parse_arguments(words):
    """Let typer parse a command line for real, with nothing behind the commands."""
    command = _commands(disarmed=True)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            command.main(args=words, prog_name="nasbench-lab", standalone_mode=True)
        except SystemExit as end:
            assert not end.code, f"nasbench-lab {shlex.join(words)}\n{err.getvalue()}"


@functools.cache
def _commands(*, disarmed):
    command = typer.main.get_command(app)
    if disarmed:
        _disarm(command)
    return command


def _disarm(command):
    command.callback = None
    for below in getattr(command, "commands", {}).values():
        _disarm(below)


def _check_target(target):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.M), f"the Makefile has no target {target}"


def _check_extras(word):
    """Check what is in the brackets of ``'.[torch]'`` or ``'nasbench-lab[torch]'``."""
    found = re.fullmatch(r"(?:\.|nasbench-lab)\[([\w,-]+)\]", word)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra in found[1].split(",") if found else ():
        assert extra in project["optional-dependencies"], f"there is no extra {extra!r}"


def check_span(text):
    """Check code in the text: imports, files of the repository, and commands such as ``nasbench-lab run --seconds``."""
    if re.match(r"(from|import) nasbench_lab", text) and not text.endswith("..."):
        exec(text, {})
    elif re.fullmatch(r"(nasbench_lab|tests|docs)/[\w./-]+\.\w+", text):
        assert (ROOT / text).exists(), f"there is no file {text}"
    elif text.startswith("nasbench-lab "):
        _check_options(shlex.split(text)[1:])


def _check_options(words):
    """Check the names of a command and its options; what stands for something, such as NAME, is left alone."""
    command = _commands(disarmed=False)
    rest = list(words)
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]
    known = {"--help", *(name for each in command.params for name in (*each.opts, *each.secondary_opts))}
    for word in rest:
        assert not word.startswith("--") or word.partition("=")[0] in known, f"{shlex.join(words)}: no option {word}"
    if getattr(command, "commands", None) and rest and not command.invoke_without_command:
        assert not re.fullmatch(r"[a-z]+", rest[0]), f"{shlex.join(words)}: no command {rest[0]}"
