"""The command that scores networks: what is left after a kill, and files that hold no scores."""

import csv
import os
import signal
import subprocess
import sys

import h5py
import pytest
from command_line import assert_refused, nasbench_lab_here

pytest.importorskip("torch")

RUN = ("proxies", "run", "--table", "digits/chain", "--sample", "40", "--batch", "8")

SAVING = """
from nasbench_lab.cli import main
from nasbench_lab.train.proxies import architecture_scoring

architecture_scoring._SAVE_EVERY = -1.0  # seconds: after every network
architecture_scoring.check_network = lambda *_, **__: None  # its first call takes seconds
main()
"""

DEADLY = """
import os, signal

calls = []

def spread(network, images, labels):
    calls.append(0)
    if len(calls) == int(os.environ.get("KILLED_AT", 0)):
        os.kill(os.getpid(), signal.SIGKILL)
    return next(network.parameters()).std()
"""


def rows_of(path):
    with path.open(encoding="utf-8") as stream:
        return {int(row["architecture"]): row for row in csv.DictReader(stream)}


def without_seconds(rows):
    kept = {each: {name: row[name] for name in row if "seconds" not in name} for each, row in rows.items()}
    assert len(kept) == 40
    return kept


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_run_continues_and_gives_the_same_scores(tmp_path):
    proxy, scores = tmp_path / "mine.py", tmp_path / "scores.h5"
    proxy.write_text(DEADLY, encoding="utf-8")
    run = (*RUN, "--proxy", f"synflow,params,{proxy}:spread")
    command = [sys.executable, "-c", SAVING, *run, "--out", str(scores)]
    killed = subprocess.run(command, env={**os.environ, "KILLED_AT": "25"}, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed
    with h5py.File(scores) as file:
        finished = dict(zip(file["0/places"][:, 0].tolist(), file["0/seconds"][:].tolist(), strict=True))
    assert 20 <= len(finished) < 40
    for name, out in (("resumed", scores), ("whole", tmp_path / "whole.h5")):
        done = nasbench_lab_here(*run, "--out", out, "--csv", tmp_path / f"{name}.csv", KILLED_AT="0")
        assert done.returncode == 0, done
    resumed, whole = (rows_of(tmp_path / f"{name}.csv") for name in ("resumed", "whole"))
    assert without_seconds(resumed) == without_seconds(whole)
    # Seconds are measured: they stay the same only if a network is not scored again.
    assert all(float(resumed[each]["synflow_seconds"]) == seconds for each, seconds in finished.items())
    assert any(float(whole[each]["synflow_seconds"]) != seconds for each, seconds in finished.items())


def test_a_truncated_file_of_scores_is_one_line_of_error(tmp_path):
    scores = tmp_path / "scores.h5"
    run = ("proxies", "run", "--table", "digits/chain", "--sample", "4", "--batch", "8", "--proxy", "params")
    assert nasbench_lab_here(*run, "--out", scores).returncode == 0
    content = scores.read_bytes()
    for damaged in (content[: len(content) // 2], content[:-1], b"", b"scores"):
        scores.write_bytes(damaged)
        refused = nasbench_lab_here(*run, "--out", scores)
        assert_refused(refused, "scores.h5 holds no scores of proxies, or is damaged; choose another file")
        assert scores.read_bytes() == damaged
