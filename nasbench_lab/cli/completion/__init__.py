"""Tab completion of the command line, with the protocol and the scripts of typer.

A shell asks at every press of the key, so the answer must not wait until the package is imported. All commands, options
and names are therefore noted once in a file in the cache, a snapshot (see `snapshot`). An answer reads it, makes light
commands of it (see `answer`), and lets typer answer for these. A snapshot is made again when it is out of date.
"""

from nasbench_lab.cli.completion.request import is_asked


def answer_from_snapshot() -> None:
    """Answer the shell and end the process if there is a snapshot that is up to date; otherwise return."""
    from nasbench_lab.cli.completion.answer import answer
    from nasbench_lab.cli.completion.storage import read

    snapshot = read()
    if snapshot is not None:
        answer(snapshot)


def answer_from_commands() -> None:
    """Make and store the snapshot, answer the shell from it, and end the process."""
    from nasbench_lab.cli.completion.answer import answer
    from nasbench_lab.cli.completion.snapshot import make
    from nasbench_lab.cli.completion.storage import store

    snapshot = make()
    store(snapshot)
    answer(snapshot)


__all__ = ["answer_from_commands", "answer_from_snapshot", "is_asked"]
