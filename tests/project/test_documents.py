"""What the documents promise: their code runs, their links lead somewhere, the reference is that of the program.

How blocks of code are marked, and how one opts out, is in `documents`.
"""

import os
import re
import subprocess
import sys

import pytest
from document_code import Session, check_span, parse
from documents import DATA, ROOT, SHELLS, SHOWN, read

from nasbench_lab.cli.reference import COMMAND, reference
from nasbench_lab.errors import NasbenchLabError

PATTERNS = ("*.md", "benchmarks/*.md", "data/*.md", "results/*.md", "docs/**/*.md")
DOCUMENTS = [read(path) for pattern in PATTERNS for path in sorted(ROOT.glob(pattern))]
PAGES = [page for page in DOCUMENTS if page.name == "README.md" or page.name.startswith("docs/")]
WITH_CODE = [page for page in PAGES if any(block.language not in SHOWN | DATA for block in page.blocks)]
NOT_RUN = [(page, block) for page in PAGES for block in page.blocks if block.not_run]
LONGEST_README = 150  # lines
REFERENCE = ROOT / "docs" / "cli.md"

by_name = pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_the_code_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    # Suites of a second: starting processes would take longer than they do.
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    with Session(tmp_path).open() as session:
        for block in page.blocks:
            try:
                session.run(block)
            except Exception as error:
                error.add_note(f"in {page.name}, line {block.line}")
                raise


@pytest.mark.parametrize(
    ("page", "block"), NOT_RUN, ids=[f"{page.name}:{block.line}: {block.not_run}" for page, block in NOT_RUN]
)
def test_what_is_not_run_is_right_as_far_as_it_can_be_parsed(page, block, tmp_path):
    parse(block, tmp_path)


@pytest.mark.parametrize("page", [page for page in DOCUMENTS if page not in PAGES], ids=lambda page: page.name)
def test_commands_for_contributors_are_right(page, tmp_path):
    for block in page.blocks:
        parse(block, tmp_path)


@by_name
def test_every_block_says_what_it_is(page):
    for block in page.blocks:
        where = f"{page.name}, line {block.line}"
        known = SHOWN | SHELLS | DATA | {"python"}
        assert block.language in known, f"{where}: {block.language!r} is none of {sorted(known)}"
        assert not block.not_run or block.language in SHELLS | {"python"}, f"{where}: nothing would have been run"
        assert not block.name or "." in block.name or block.name == "output", f"{where}: {block.name!r}"


@by_name
def test_commands_in_the_text_exist(page):
    for span in page.spans:
        check_span(span)


@by_name
def test_links_lead_somewhere(page):
    pages = {document.path: document for document in DOCUMENTS}
    for link in page.links:
        if re.match(r"https?:|mailto:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (page.path.parent / target).resolve() if target else page.path
        assert path.exists(), f"{page.name} links to {link}, which is not there"
        if anchor:
            assert path in pages, f"{page.name} links to a heading of {target}, which is no page"
            assert anchor in pages[path].anchors, f"{page.name} links to {link}: there is no such heading"


@pytest.mark.parametrize("index", ["docs/README.md", "docs/design/README.md"])
def test_the_index_has_every_page(index):
    page = next(document for document in DOCUMENTS if document.name == index)
    linked = {(page.path.parent / link.partition("#")[0]).resolve() for link in page.links}
    assert not [path.name for path in page.path.parent.glob("*.md") if path not in {*linked, page.path}]


def test_the_readme_is_short_and_has_its_examples():
    page = next(document for document in DOCUMENTS if document.name == "README.md")
    assert len(page.path.read_text(encoding="utf-8").splitlines()) <= LONGEST_README
    assert sum(block.language == "python" and not block.not_run for block in page.blocks)
    text = page.path.read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text


def test_the_pages_run_most_of_their_code():
    blocks = [block for page in PAGES for block in page.blocks if block.language in SHELLS | {"python"}]
    assert sum(not block.not_run for block in blocks) > len(blocks) / 2


WRONG = {
    "a wrong option": "    nasbench-lab tables verify --everything digits/chain",
    "a command that fails": "    nasbench-lab tables info no/table",
    "a wrong option of what is not run": "<!-- not run: slow -->\n    nasbench-lab run --tables digits/chain",
    "a value of the wrong type": (
        "<!-- not run: slow -->\n    nasbench-lab run --table a --strategy b --out c --runs many"
    ),
    "no such command": "<!-- not run: slow -->\n    nasbench-lab fly",
    "no such target": "<!-- not run: slow -->\n    make coffee",
    "no such extra": "<!-- not run: slow -->\n    pip install '.[torch,coffee]'",
    "a program that is not known": "```sh\ncurl https://example.org\n```",
    "an operator of a shell": "    nasbench-lab --version > version.txt",
    "a promise after print": "```python\nprint(1 + 1)  # 3: two and one\n```",
    "a promise that only begins right": "```python\nprint(1)  # 15\n```",
    "an output": "```python\nprint(2)\n```\n\n```text output\n3\n```",
    "an output on a console": "```console\n$ nasbench-lab --version\n9.9.9\n```",
    "an exception": "```python\n1 / 0\n```",
    "an error in Python that is not run": "<!-- not run: slow -->\n```python\nfor\n```",
    "an error in TOML": "```toml\na =\n```",
    "a wrong suite": '```toml\nstrategies = ["random-search"]\ntables = ["digits/chain"]\nbugdet = 3\n```',
}

EXPECTED = (AssertionError, ArithmeticError, SyntaxError, ValueError, NasbenchLabError)


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_what_is_wrong_in_a_page_is_found(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "page.md"
    path.write_text(f"# Page\n\n{text}\n", encoding="utf-8")
    page = read(path)
    assert page.blocks
    with Session(tmp_path).open() as session, pytest.raises(EXPECTED):
        for block in page.blocks:
            session.run(block)


def test_pages_are_read_as_github_shows_them(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(
        "# One\n## One\n## `a b`: C's (d)\n[x](y.md#z) ![p](q.png)\n\n`code`\n\n"
        "<!-- not run: because -->\n    nasbench-lab --version\n\n```toml mine.toml\na = 1\n```\n",
        encoding="utf-8",
    )
    page = read(path)
    assert page.anchors == {"one", "one-1", "a-b-cs-d"}
    assert page.links == ["y.md#z", "q.png"]
    assert page.spans == ["a b", "code"]
    assert [(block.language, block.name, block.not_run) for block in page.blocks] == [
        ("sh", "", "because"),
        ("toml", "mine.toml", ""),
    ]


# The reference of the command line.


def test_the_reference_of_the_command_line_is_up_to_date():
    assert REFERENCE.read_text(encoding="utf-8") == reference(), f"docs/cli.md is out of date; write it anew: {COMMAND}"


def test_the_reference_does_not_depend_on_the_terminal():
    environment = {**os.environ, "COLUMNS": "30", "TERM": "xterm", "FORCE_COLOR": "1", "TERMINAL_WIDTH": "30"}
    done = subprocess.run(
        [sys.executable, "-m", "nasbench_lab.cli.reference"], capture_output=True, text=True, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == reference()


def test_the_reference_has_what_help_has(capsys):
    """The other way to list the options: what ``--help`` of every command prints."""
    import typer

    from nasbench_lab.cli.app import app

    sections = dict(re.findall(r"^## nasbench-lab ?([^\n]*)\n(.*?)(?=^## |\Z)", reference(), re.M | re.S))
    command = typer.main.get_command(app)
    of_all = {"--help", "--quiet", "--verbose", "--install-completion", "--show-completion"}
    beginning = reference().split("\n## ")[0]
    assert all(name in beginning for name in of_all - {"--show-completion"})
    for path, section in sections.items():
        with pytest.raises(SystemExit):
            command.main(args=[*path.split(), "--help"], prog_name="nasbench-lab")
        shown = set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", capsys.readouterr().out, re.M)) - of_all
        assert not [name for name in shown if f"`{name}`" not in section], path
        assert shown or not re.search(r"^\| `--", section, re.M), path
    assert {"run", "tables import", "strategies info"} <= set(sections)
