"""Installing an example project without a network: what pip would unpack of its wheel, in a folder of its own."""

import shutil
import tomllib


def install(project, target):
    """Copy the package of a project into a folder, with the metadata that entry points are found by.

    Args:
        project: folder with a ``pyproject.toml`` and one package below ``src``.
        target: the folder; with it on the path, the package counts as installed.
    """
    about = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for package in (project / "src").iterdir():
        shutil.copytree(package, target / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    metadata = target / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n")
    groups = (
        "\n".join([f"[{group}]", *(f"{name} = {path}" for name, path in entries.items())])
        for group, entries in about["entry-points"].items()
    )
    (metadata / "entry_points.txt").write_text("\n\n".join(groups) + "\n")
    return target
