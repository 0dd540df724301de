"""The table of changes in docs/design/house.md: every file exists, and has the place that is to be changed."""

import re

import pytest
from paths import ROOT

PAGE = (ROOT / "docs" / "design" / "house.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.partition("## Ten changes")[2].splitlines()
    if line.startswith("| ") and not line.startswith("| change")
]
CODE = re.compile(r"`([^`]+)`")


def path_of(name):
    return ROOT / name if (ROOT / name).exists() else ROOT / "nasbench_lab" / name


def test_there_are_ten_changes():
    assert len(ROWS) == 10


@pytest.mark.parametrize(("change", "files", "places"), ROWS, ids=[row[0] for row in ROWS])
def test_a_change_touches_at_most_three_files_that_have_its_place(change, files, places):
    names = CODE.findall(files)
    assert 1 <= len(names) <= 3
    existing = [path_of(name) for name in names if "<name>" not in name]
    for path in existing:
        assert path.is_file(), path
    for name in names:
        if "<name>" in name:
            assert path_of(name).parent.is_dir()
    # What a new file brings need not be there yet, but the names in it are those of the interface.
    text = "".join(path.read_text(encoding="utf-8") for path in existing)
    package = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "nasbench_lab").rglob("*.py"))
    for place in CODE.findall(places):
        assert re.search(rf"\b{re.escape(place)}\b", package if "<name>" in files else text), place
