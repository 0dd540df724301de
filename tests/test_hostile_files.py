"""Every reader gets the same catalogue of damaged and hostile files, and answers with the true content or one line.

The files are read in a process of its own with a limit on its memory, because some faults cannot be interrupted: a loop
inside HDF5 is deaf to signals, and gigabytes that are really used end the process.
"""

import json
import os
import subprocess
import sys
import time

import pytest

pytest.importorskip("resource", reason="limits the memory of a process, which Windows cannot")
pytest.importorskip("pyarrow")

import hostile_readers
from paths import ROOT

PATIENCE = 60.0  # seconds without a new case, on a busy machine
START = 120.0  # seconds until the first case: imports


def run(folder, names):
    """Feed readers in a process, and return the lines that it writes; it is killed at a case that does not end."""
    command = [sys.executable, hostile_readers.__file__, str(folder), *names]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with (folder / "out").open("w+") as out, (folder / "err").open("w+") as err:
        with subprocess.Popen(command, stdout=out, stderr=err, env=environment) as process:
            seen, since = None, time.monotonic()
            while process.poll() is None:
                case = (folder / "case").read_text(encoding="utf-8") if (folder / "case").exists() else ""
                if case != seen:
                    seen, since = case, time.monotonic()
                if time.monotonic() - since > (PATIENCE if seen else START):
                    process.kill()
                    pytest.fail(f"no end after {PATIENCE:.0f} seconds: {seen}")
                time.sleep(0.05)
        out.seek(0)
        err.seek(0)
        assert process.returncode == 0, f"died of {process.returncode} at {seen}: {err.read()[-2_000:]}"
        return [json.loads(line) for line in out]


def test_every_reader_answers_in_one_line(tmp_path):
    names = [*hostile_readers.READERS, "hostile"]
    results = run(tmp_path, names)
    assert [name for name, _, _ in results] == names
    assert all(count >= 15 for _, count, _ in results)
    assert not [f"{name}: {each}" for name, _, wrong in results for each in wrong]


def test_a_reader_that_does_not_end_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PATIENCE", 2.0)
    with pytest.raises(pytest.fail.Exception, match="no end after 2 seconds: sleeping: forever"):
        run(tmp_path, ["sleeping"])
