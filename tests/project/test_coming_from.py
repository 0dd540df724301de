"""What docs/coming-from.md says to write instead: every call and command of the right column is executed."""

import re

import pytest
from document_code import Session, run_in_process
from documents import ROOT, read
from markdown_it import MarkdownIt

import nasbench_lab as nl

PAGE = ROOT / "docs" / "coming-from.md"
NAMES = {*nl.list_strategies(), *nl.list_tables()}


def rows():
    """Return the right cell of every row, as the code in it, with the heading of its table."""
    found, heading, cells, named = [], "", [], False
    for token in MarkdownIt("commonmark").enable("table").parse(PAGE.read_text(encoding="utf-8")):
        if token.type == "inline" and named:
            heading = token.content
        elif token.type == "tr_open":
            cells = []
        elif token.type == "inline" and token.level > 3:
            cells.append([part.content for part in token.children if part.type == "code_inline"])
        elif token.type == "tr_close" and len(cells) == 2 and cells[1]:
            found.append((heading, cells[1]))
        named = token.type == "heading_open"
    return found


@pytest.mark.parametrize("package", ["Optuna", "Syne Tune", "NASLib", "nats_bench"])
def test_every_replacement_works(package, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    defined, executed = {}, 0
    for block in read(PAGE).blocks:
        with Session(tmp_path).open() as session:
            session.run(block)
        exec(block.code, defined)
    for heading, spans in rows():
        for code in spans if heading == package else ():
            if code.startswith("nasbench-lab "):
                run_in_process(code.split()[1:])
            elif re.search(r"[(.=]| import |^import ", code):
                exec(code, defined)
            else:
                assert code in NAMES | {"ask", "tell", "nl.simulate"}, f"{package}: no code and no known name: {code}"
                continue
            executed += 1
    assert executed >= 8
