"""Tab completion: what bash, zsh and fish are told, how little is imported for it, and a real bash."""

import functools
import json
import os
import shutil
import subprocess
import sys

import pytest
from paths import ROOT

from nasbench_lab.cache import CACHE_VARIABLE
from nasbench_lab.cli.completion import snapshot, storage
from nasbench_lab.cli.completion.answer import answer
from nasbench_lab.cli.completion.request import VARIABLE
from nasbench_lab.simulation.logs.formats import BUILT_IN
from nasbench_lab.strategies import list_strategies
from nasbench_lab.suites import built_in
from nasbench_lab.tables import list_tables

MADE = snapshot.make()
START = "import sys; sys.argv[0] = 'nasbench-lab'; from nasbench_lab.cli import main; main()"


@pytest.fixture
def complete(monkeypatch, capsys):
    """A function that returns what bash is told for the words of a line, the last of which is being typed."""

    def ask(*words):
        monkeypatch.setenv(VARIABLE, "complete_bash")
        monkeypatch.setenv("COMP_WORDS", "\n".join(["nasbench-lab", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        with pytest.raises(SystemExit) as end:
            answer(json.loads(json.dumps(MADE)))
        assert end.value.code in (0, None)
        return [line for line in capsys.readouterr().out.split("\n") if line]

    return ask


def test_commands(complete):
    assert complete("ta") == ["tables"]
    assert {"run", "suite", "query", "cite", "check", "tables"} <= set(complete(""))
    assert complete("suite", "st") == ["status"]
    assert {"init", "list", "merge", "run", "status", "clean"} == set(complete("suite", ""))


def test_options(complete):
    assert complete("run", "--tab") == ["--table"]
    assert complete("tables", "import", "--no-m") == ["--no-match-repeats"]
    assert "--json" in complete("query", "--")
    for path in (["run"], ["tables", "info"], ["suite", "status"], []):
        assert "--quiet" in complete(*path, "--q")
        assert "--verbose" in complete(*path, "--v")


def test_tables(complete):
    catalogue = [name for name in list_tables() if name.startswith("nats")]
    assert complete("run", "--table", "nats") == catalogue
    assert complete("run", "--table=nats") == catalogue
    assert complete("run", "--table", "=", "nats") == catalogue, "as bash splits it"
    assert complete("tables", "info", "nats") == catalogue
    assert complete("query", "nats") == catalogue
    assert complete("tables", "fetch", "nats") == ["nats-bench-tss", *catalogue]
    assert complete("tables", "nats") == ["nats-bench-tss", *catalogue]
    assert complete("cite", "digits/chain", "digits/t") == ["digits/topology"]


def test_the_values_of_an_option_depend_on_the_command(complete):
    assert complete("results", "import", "--format", "") == ["auto", *BUILT_IN]
    assert "nats-bench" in complete("tables", "import", "--format", "")
    assert complete("report", "--kind", "") == ["observed", "valid", "test"]
    assert complete("plot", "--kind", "b") == ["both"]
    assert complete("plot", "--spread", "b") == ["bands", "bars"]
    assert complete("plot", "--y-scale", "lo") == ["log"]
    assert complete("results", "import", "--clock", "") == ["log", "table", "none"]
    assert complete("results", "import", "--unit", "") == ["percent", "fraction"]
    assert complete("validate", "--recipe", "nats-bench-1") == ["nats-bench-12"]


def test_strategies_with_parameters(complete):
    assert complete("run", "--strategy", "") == list_strategies()
    assert complete("strategies", "info", "random-se") == ["random-search"]
    assert complete("strategies", "random-se") == ["random-search"]
    assert complete("check", "--strategy", "regularized-evolution", ":", "pop") == ["population_size=10"]
    assert complete("run", "--strategy", "regularized-evolution", ":") == ["population_size=10", "sample_size=3"]
    words = ["regularized-evolution", ":", "population_size", "=", "5,s"]
    assert complete("run", "--strategy", *words) == ["5,sample_size=3"], "bash keeps what is before the last = or :"
    assert complete("run", "--strategy", "umda:selected=5,p") == ["umda:selected=5,population_size=20"], "not split"
    assert complete("run", "--strategy", "umda:selected=5,s") == [], "given already"


def test_values_that_can_be_listed(complete):
    assert complete("suite", "run", "nas") == ["nas-bench-201-paper"]
    assert complete("suite", "run", "") == list(built_in())
    assert complete("suite", "run", "quick", "--executor", "") == ["local", "dask"]
    assert complete("plot", "x", "--figure", "c") == ["cd"]
    assert complete("run", "--strategy", "gp-bo", ":", "kernel", "=", "h") == ["hamming"]


def test_paths_are_left_to_the_shell(complete):
    for words in (["validate", ""], ["run", "--out", ""], ["suite", "status", "res"], ["check", "--summary", ""]):
        assert complete(*words) == []


def test_nothing_breaks_a_line(complete):
    for words in (
        ["nope", "x"],
        ["run", "--nope", ""],
        ["run", "--strategy", "::"],
        ["="],
        ["run", "'", ""],
        ["tables"],
    ):
        complete(*words)


def told(monkeypatch, capsys, shell, line, action="get-args"):
    """Return what zsh or fish is told for the line up to the cursor, and the exit code."""
    monkeypatch.setenv(VARIABLE, f"complete_{shell}")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", action)
    with pytest.raises(SystemExit) as end:
        answer(MADE)
    return capsys.readouterr().out, end.value.code or 0


def test_zsh_and_fish_are_told_descriptions(monkeypatch, capsys):
    ask = functools.partial(told, monkeypatch, capsys)
    assert ask("zsh", "nasbench-lab suite ru")[0].startswith('_arguments \'*: :(("run":"Run a suite')
    assert '"umda\\\\:selected=10"' in ask("zsh", "nasbench-lab run --strategy umda:s")[0]
    assert ask("fish", "nasbench-lab run --table=digits/ch")[0].startswith("--table=digits/chain\t")
    assert ask("zsh", "nasbench-lab run --table=digits/c")[0].count('"--table=digits/c') == 2
    assert ask("zsh", "nasbench-lab validate ") == ("_files\n", 0)
    assert ask("fish", "nasbench-lab run --strategy umda:s") == ("umda:selected=10\n", 0)
    assert ask("fish", "nasbench-lab strategies random-se")[0].startswith("random-search\tBergstra")
    assert ask("fish", "nasbench-lab validate ", "is-args")[1] == 1, "fish completes files"
    assert ask("fish", "nasbench-lab tab", "is-args")[1] == 0


@pytest.fixture(scope="module")
def with_snapshot(tmp_path_factory):
    """A cache folder with a snapshot."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(folder))
        storage.store(MADE)
    return folder


def started(cache, code=START):
    """Return what a new process tells fish."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        CACHE_VARIABLE: str(cache),
        VARIABLE: "complete_fish",
        "_TYPER_COMPLETE_ARGS": "nasbench-lab run --strategy random-se",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)


def test_an_answer_imports_nothing_heavy(with_snapshot):
    watched = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))"
    done = started(with_snapshot, f"{watched}; {START}")
    assert done.stdout.startswith("random-search\t")
    imported = set(done.stderr.split())
    assert "typer" in imported
    heavy = {"numpy", "scipy", "h5py", "matplotlib", "rich.progress", "nasbench_lab.tables", "nasbench_lab.cli.app"}
    assert imported & heavy == set()


def test_the_first_answer_makes_the_snapshot(tmp_path):
    assert started(tmp_path).stdout.startswith("random-search\t")
    assert len(list((tmp_path / "completion").iterdir())) == 1


def test_a_snapshot_that_is_damaged_or_old_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    assert storage.read() is None
    storage.store(MADE)
    assert storage.read()["names"] == json.loads(json.dumps(MADE["names"]))
    (file,) = (tmp_path / "completion").iterdir()
    for content in (b"", b"{", b"[]", b"{}", b"null", b"\xff", b'{"key": 3}', file.read_bytes()[:-20]):
        file.write_bytes(content)
        assert storage.read() is None
    storage.store(MADE)
    monkeypatch.setattr(storage, "_times", lambda: iter(["another time"]))
    assert storage.read() is None
    monkeypatch.setenv(CACHE_VARIABLE, str(file))
    storage.store(MADE)
    assert storage.read() is None, "a cache that cannot be written does no harm"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_of_the_shells(monkeypatch, capsys, shell):
    line = next(each for each in (ROOT / "docs/shell.md").read_text().splitlines() if f"=source_{shell}" in each)
    assert f"{VARIABLE}=source_{shell} nasbench-lab" in line
    monkeypatch.setenv(VARIABLE, f"source_{shell}")
    with pytest.raises(SystemExit):
        answer(MADE)
    assert f"{VARIABLE}=complete_{shell}" in capsys.readouterr().out


BASH = shutil.which("bash")


@pytest.mark.skipif(BASH is None or sys.platform == "win32", reason="needs bash")
@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("nasbench-lab tables info nas-bench-graph/cor", "nasbench-lab tables info nas-bench-graph/cora "),
        ("nasbench-lab run --strategy umda:sel", "nasbench-lab run --strategy umda:selected=10 "),
        ("nasbench-lab run --table=digits/ch", "nasbench-lab run --table=digits/chain "),
        ("nasbench-lab suite run quick --out fol", "nasbench-lab suite run quick --out folder/"),
    ],
)
def test_a_real_bash_completes(tmp_path, with_snapshot, typed, line):
    """Type into a bash on a terminal, press tab, and look at the line."""
    pty = pytest.importorskip("pty")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/nasbench-lab"
    program.write_text(f"#!{sys.executable}\n{START}\n")
    program.chmod(0o755)
    (tmp_path / "work/folder").mkdir(parents=True)
    script = f'eval "$({VARIABLE}=source_bash nasbench-lab)"'
    environment = {
        **os.environ,
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        CACHE_VARIABLE: str(with_snapshot),
        "PS1": "",
        "TERM": "dumb",
        "INPUTRC": os.devnull,
    }
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [BASH, "--norc", "--noprofile", "-i"],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment,
        cwd=tmp_path / "work",
        start_new_session=True,
    )
    os.close(follower)
    os.write(leader, f"bind 'set enable-bracketed-paste off'; {script}\necho 'READY' | tr A-Z a-z\n".encode())
    shown = read_until(leader, b"ready")
    os.write(leader, f"{typed}\t".encode())
    shown = read_until(leader, line.encode())
    os.write(leader, b"\x15exit\n")
    process.wait()
    os.close(leader)
    assert line in shown.decode()


def read_until(leader, wanted, seconds=60):
    import select

    shown = b""
    while wanted not in shown and select.select([leader], [], [], seconds)[0]:
        try:
            shown += os.read(leader, 4096)
        except OSError:
            break
    return shown
