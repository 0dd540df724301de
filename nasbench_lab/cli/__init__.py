"""The command line."""


def main() -> None:
    """Run the command line ``nasbench-lab``."""
    # Imported here, so that Ctrl-C during the import only ends the process, see `nasbench_lab._startup`.
    from nasbench_lab.cli.app import main as run

    run()


__all__ = ["main"]
