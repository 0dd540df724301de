"""Wrong command lines: always one line that names what is wrong, exit code 2, and nothing on standard output."""

import itertools
import random
import re
import shlex

import pytest
import typer
from command_line import assert_refused, nasbench_lab_here

from nasbench_lab.cli.app import app
from nasbench_lab.cli.parameters import annotations_of, kind_of


def commands(command=None, path=()):
    """Yield every command with its words."""
    command = command or typer.main.get_command(app)
    below = getattr(command, "commands", None)
    if below:
        for name, each in below.items():
            yield from commands(each, (*path, name))
    else:
        yield path, command


COMMANDS = dict(commands())
MADE = typer.main.get_command(app)


@pytest.fixture(autouse=True)
def _made_once(monkeypatch):
    """Let typer make the commands once, as that takes longer than to refuse a line."""
    monkeypatch.setattr("nasbench_lab.cli.app.app", MADE)


GROUPS = ("suite", "tables", "strategies")


def options(path):
    """Yield the first name and the kind of every option of a command."""
    command = COMMANDS[path]
    for parameter in command.params:
        if parameter.param_type_name == "option" and parameter.name not in ("help", "quiet", "verbose"):
            yield parameter.opts[0], kind_of(annotations_of(command).get(parameter.name, str))


def required(path):
    """Return words that give a command all that it requires."""
    words = []
    for parameter in COMMANDS[path].params:
        if parameter.required:
            words += [parameter.opts[0], "x"] if parameter.param_type_name == "option" else ["x"]
    return words


def wrong_lines():
    """Yield (words, what the message must contain) for wrong command lines of every command."""
    for path in COMMANDS:
        yield (*path, "--nope"), ["unknown option '--nope'"]
        yield (*path, "-x"), ["unknown option '-x'"]
        yield (*path, "--quiet", "--verbose", *required(path)), ["--quiet and --verbose exclude each other"]
        yield (*path, "--quiet=3"), ["--quiet takes no value"]
        for name, kind in options(path):
            yield (*path, f"{name}x"), [f"unknown option '{name}x'", name]
            if kind.type is bool:
                yield (*path, f"{name}=yes"), [f"{name} takes no value"]
                continue
            yield (*path, name), [f"{name} needs a value"]
            if kind.type in (int, float):
                yield (*path, *required(path), name, "x"), [f"{name} must be", "number", "got 'x'"]
                yield (*path, *required(path), f"{name}=1e"), [f"{name} must be", "number", "got '1e'"]
            if kind.type is int:
                yield (*path, *required(path), name, "1.5"), [f"{name} must be a whole number", "got '1.5'"]
            if kind.info is not None and kind.info.min is not None:
                low, high = str(kind.info.min - 1), kind.info.max
                limits = f"of at least {kind.info.min}" if high is None else f"from {kind.info.min} to {high}"
                yield (*path, *required(path), f"{name}={low}"), [limits, f"got {low!r}"]
            if kind.choices:
                yield (*path, *required(path), name, "x"), [f"{name} must be {' or '.join(kind.choices)}", "got 'x'"]
        if required(path):
            yield path, ["is missing", f"nasbench-lab {' '.join(path)} --help"]
    for group in GROUPS:
        yield (group, "--nope"), ["unknown option '--nope'"]
        yield (group, "qqqq"), ["unknown ", "'qqqq'"]
        yield (group, ""), ["unknown ", "''"]
    for word in ("qqqq", "rum", "--nope", "", "run tables", "é"):
        yield (word,), ["unknown ", repr(word)]
    yield ("rum",), ["did you mean 'run'?"]
    yield ("query", "digits/chain", "0", "extra"), ["unexpected argument 'extra'"]
    yield ("suite", "list", "extra"), ["unexpected argument 'extra'"]


LINES = list(wrong_lines())


def test_there_are_hundreds_of_wrong_lines():
    assert len(LINES) > 300
    assert {path[0] for path in COMMANDS} <= {words[0] for words, _ in LINES}


@pytest.mark.parametrize("part", range(8))
def test_every_wrong_line_gives_one_line(part):
    wrong = []
    for words, parts in LINES[part::8]:
        done = nasbench_lab_here(*words)
        lines = done.stderr.splitlines()
        right = done.returncode == 2 and len(lines) == 1 and not done.stdout and lines[0].startswith("nasbench-lab: ")
        if not right or not all(each in lines[0] for each in parts) or "Traceback" in done.stderr:
            wrong.append((words, parts, done))
    assert wrong == []


def test_random_lines_never_give_more_than_one_line():
    """Also those that combine what each command takes at random."""
    chosen = random.Random(16)
    odd = ["", "-", "--", "x", "-1", "1e400", "nan", "a b", "'", '"', "é", "--=", "=", ":", "*", "x" * 3000]
    for path in itertools.islice(itertools.cycle(sorted(COMMANDS)), 100):
        names = [name for name, _ in options(path)]
        words = [chosen.choice([*odd, *names]) for _ in range(chosen.randint(1, 4))]
        done = nasbench_lab_here(*path, "--nope", *words)
        assert_refused(done)
        assert len(done.stderr) < 400


def test_an_unknown_option_offers_only_near_names():
    assert_refused(nasbench_lab_here("run", "--tabel", "x"), "unknown option '--tabel'; did you mean --table?")
    assert_refused(nasbench_lab_here("run", "--zzz", "x"), "unknown option '--zzz'; see nasbench-lab run --help")
    short = nasbench_lab_here("tables", "pack", "x.h5", "--out", "y.h5")  # the dashes of --quiet are not a likeness
    assert_refused(short, "unknown option '--out'; see nasbench-lab tables pack --help")


def test_without_a_command_the_help_is_shown():
    for words in ([], ["suite"]):
        done = nasbench_lab_here(*words)
        assert done.returncode in (0, 2), "releases of typer differ"
        assert "Commands" in done.stdout + done.stderr


ODD_NAMES = ["with space", "it's", 'say "hi"', "$HOME", "a;b", "ü", "--option"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_suggested_commands_can_be_pasted(tmp_path, monkeypatch, name):
    """Split by a shell, a suggested command has the path as one word."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / f"{name}.toml"
    folder = tmp_path / name
    hints = [nasbench_lab_here("suite", "init", file).stdout]
    (tmp_path / f"{name}.csv").write_text("architecture,accuracy\n")
    hints.append(nasbench_lab_here("query", tmp_path / f"{name}.csv", "0").stderr)
    folder.mkdir()
    (folder / "suite.json").write_text("{")
    hints.append(nasbench_lab_here("suite", "status", folder).stderr)
    for hint, path in zip(hints, [file, tmp_path / f"{name}.csv", folder], strict=True):
        command = re.search(r"(?<=[:;] )nasbench-lab [a-z].*", hint)
        assert command, hint
        assert str(path) in shlex.split(command[0].partition(" removes it;")[0]), hint


def test_results_that_exist_name_the_option_that_replaces_them(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/regret.png").write_text("")
    few = ("--table", "digits/chain", "--strategy", "random-search", "--evaluations", "2", "--runs", "2")
    assert_refused(nasbench_lab_here("run", *few, "--out", tmp_path / "out"), "already has regret.png", "(--overwrite)")
