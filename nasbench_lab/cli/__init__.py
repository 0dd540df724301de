"""The command line."""

from nasbench_lab.cli import completion


def main() -> None:
    """Run the command line ``nasbench-lab``."""
    # Imported here, so that Ctrl-C during the import only ends the process, see `nasbench_lab._startup`.
    if completion.is_asked():
        completion.answer_from_commands()
    from nasbench_lab.cli.app import main as run

    run()


__all__ = ["main"]
